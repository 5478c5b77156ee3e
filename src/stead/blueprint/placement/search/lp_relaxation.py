"""How many units of each shape go to each kind of host: the whole problem at once, before anybody is placed.

Decides the shares by a linear program over kinds (hosts that are alike), where one host is as good as the other and
units may be cut: least use of the fullest kind for `balance`, fewest hosts for `pack`. Who places unit by unit sees
one unit at a time, and gives the hosts with much memory to whoever comes first; the program gives them to those who
need memory. It is solved by a primal-dual gradient method, a fixed number of rounds of additions and multiplications,
so that every machine gets the same shares without a solver. Must not place: the shares are what the search aims at,
not what it must keep.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stead.blueprint.placement.model import Policy
from stead.core.named import NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from stead.blueprint.placement.space import Shape
    from stead.blueprint.placement.state import SearchState

    Floats = NDArray[np.float64]
    Mask = NDArray[np.bool_]

WORTH_SHARING = 1_000  # units; fewer are placed well enough one by one
ROUNDS = 600  # after which made-up clusters of all sizes are within half a per cent of the program's optimum
RESTART = 100  # rounds after which it starts again from the mean of them, which is nearer than where it swings
NEAR_ENOUGH = 1.003  # of what is proven to be the least


class Part(NamedTuple):
    """Units for a kind of hosts."""

    kind: int
    units: int


class LpRelaxation(NamedTuple):
    """What each shape, by its number, puts on which kind of hosts."""

    kinds: list[list[int]]
    of: dict[int, list[Part]]
    least: float  # use of the fullest host that no placement can be below, as far as it was found


def lp_relaxation(state: SearchState, units: dict[Shape, int], hosts: list[int], policy: Policy) -> LpRelaxation:
    """Shapes for which none of these hosts has room are missing from it."""
    kinds = _kinds(state, hosts)
    pack = policy is Policy.PACK
    fits = {shape: [_fits(state, shape, hosts) for hosts in kinds] for shape in units}
    some = {shape: count for shape, count in units.items() if any(fits[shape])}
    if not some:
        return LpRelaxation(kinds, {}, 0.0)
    # Devices do not count toward how full a host is, but a host without one left takes no more.
    slots = range(len(state.space.resources)) if pack else state.scored
    program = _Program(state, kinds, some, [fits[shape] for shape in some], list(slots))
    z, least = (program.fewest(), 0.0) if pack else program.evenest()
    return LpRelaxation(kinds, program.whole(z), least)


def _fits(state: SearchState, shape: Shape, hosts: list[int]) -> bool:
    return bool(shape.pool.has[hosts[0]]) and any(state.fits(h, shape.demand) for h in hosts)


class _Program:
    """`load[s, g, k]`: what all units of shape s take of resource k of kind g, as a part of what the kind has."""

    def __init__(
        self,
        state: SearchState,
        kinds: list[list[int]],
        units: dict[Shape, int],
        fits: list[list[bool]],
        slots: list[int],
    ) -> None:
        import numpy as np

        self.np = np
        self.shapes = [shape.number for shape in units]
        self.units = np.array(list(units.values()), dtype=np.float64)
        self.size = np.array([len(hosts) for hosts in kinds], dtype=np.float64)
        cap = np.array([[sum(state.cap[h][k] for h in hosts) for k in slots] for hosts in kinds], dtype=np.float64)
        free = np.array(
            [[sum(max(0, state.free[h][k]) for h in hosts) for k in slots] for hosts in kinds], dtype=np.float64
        )
        part = np.where(cap > 0, 1.0 / np.maximum(cap, 1.0), 0.0)
        self.part: Floats = part
        self.base = (cap - free) * part
        demand = np.array([[dict(shape.demand).get(k, 0) for k in slots] for shape in units], dtype=np.float64)
        self.open: Mask = np.array(fits)
        asked = self.units[:, None] * demand
        self.asked: list[Floats] = [asked[:, k : k + 1] for k in range(len(slots))]
        self.load: Floats = asked[:, None, :] * part[None] * self.open[:, :, None]

    def evenest(self) -> tuple[Floats, float]:
        """Least t such that no kind's use of any resource is above t; and what no placement can be below."""
        np, load = self.np, self.load
        z, step, pull = self._start(1.0)
        price = np.zeros(load.shape[1:])
        level, least = 0.9, 0.0
        mean, best = np.zeros_like(z), z
        for turn in range(1, ROUNDS + 1):
            z, ahead = self._along(z, step, price)
            new = level - 0.02 * (1.0 - price.sum())
            price = np.maximum(0.0, price + pull * (ahead - (2 * new - level)))
            level = new
            mean += z
            if turn % RESTART == 0:
                z = min((z, mean / RESTART), key=self._fullest)
                best = min((best, z), key=self._fullest)
                mean = np.zeros_like(z)
                least = max(least, self._least(price))
                if self._fullest(best) <= least * NEAR_ENOUGH:
                    break
        return best, least

    def _least(self, price: Floats) -> float:
        """The bound that prices prove: what all pay at least, wherever they go."""
        costs = self.np.where(self.open, self._costs(price), self.np.inf)
        total = float(price.sum())
        return float(costs.min(axis=1).sum() + (self.base * price).sum()) / total if total else 0.0

    def fewest(self) -> Floats:
        """Least sum of hosts in use, where a kind needs as many as its scarcest resource does."""
        np, load = self.np, self.load
        z, step, pull = self._start(10.0)
        price = np.zeros(load.shape[1:])
        part = self.size / self.size.sum()
        used = np.ones(len(self.size))
        mean, best = np.zeros_like(z), z
        for turn in range(1, ROUNDS + 1):
            z, ahead = self._along(z, step, price)
            new = np.clip(used - (part - price.sum(axis=1)), 0.0, 1.0)
            price = np.maximum(0.0, price + pull * (ahead - (2 * new - used)[:, None]))
            used = new
            mean += z
            if turn % RESTART == 0:
                z = min((z, mean / RESTART), key=self._needed)
                best = min((best, z), key=self._needed)
                mean = np.zeros_like(z)
        return best

    def _start(self, weight: float) -> tuple[Floats, Floats, Floats]:
        """Shares by size of the kinds, and how far to go for shares and for prices."""
        np = self.np
        z = self.open * self.size
        z = z / np.maximum(z.sum(axis=1, keepdims=True), 1.0)
        step = weight / (self.load.sum(axis=2).max(axis=1) + 1e-12)
        return z, step, 1.0 / weight / (self.load.sum(axis=0) + 1.0)

    def _along(self, z: Floats, step: Floats, price: Floats) -> tuple[Floats, Floats]:
        """Shares one step further, and the use of each kind at as much again."""
        new = self._projected(z - step[:, None] * self._costs(price))
        return new, self._use(2 * new - z)

    def _costs(self, price: Floats) -> Floats:
        """What all units of a shape pay on each kind. Resource by resource: sums over two or three numbers are slow."""
        each = self.part * price
        found: Floats = self.asked[0] * each[:, 0]
        for k, asked in enumerate(self.asked[1:], 1):
            found += asked * each[:, k]
        return found

    def _projected(self, v: Floats) -> Floats:
        """The nearest shares: none below zero, none on a kind that is not open, one in all.

        What is taken off all of them is the most that the largest one, two, three, … are above one, for each of these.
        """
        np = self.np
        v = np.where(self.open, v, -1e9)
        over = np.cumsum(np.sort(v, axis=1)[:, ::-1], axis=1) - 1.0
        shift = (over / np.arange(1, v.shape[1] + 1)).max(axis=1)
        found: Floats = np.maximum(v - shift[:, None], 0.0) * self.open
        return found

    def _use(self, z: Floats) -> Floats:
        use: Floats = self.base + (z[:, :, None] * self.load).sum(axis=0)
        return use

    def _fullest(self, z: Floats) -> float:
        return float(self._use(z).max())

    def _needed(self, z: Floats) -> float:
        """Hosts, and many more where a kind would need more than it has."""
        need = self._use(z).max(axis=1)
        return float((self.size * (need + 10 * self.np.maximum(0.0, need - 1.0))).sum())

    def whole(self, z: Floats) -> dict[int, list[Part]]:
        """Whole units: rounded down, and each of the rest where rounding has left most room, the largest first."""
        np = self.np
        wanted = z * self.units[:, None]
        counts = np.floor(wanted + 1e-9).astype(np.int64)
        each = self.load / self.units[:, None, None]
        excess = ((counts - wanted)[:, :, None] * each).sum(axis=0)
        left = self.units.astype(np.int64) - counts.sum(axis=1)
        size = (self.load * self.size[:, None]).sum(axis=2).max(axis=1) / self.units
        for s in sorted(range(len(left)), key=lambda s: (-size[s], s)):
            for _ in range(int(left[s])):
                after = np.where(wanted[s] > counts[s], (excess + each[s]).max(axis=1), np.inf)
                g = int(after.argmin())
                counts[s, g] += 1
                excess[g] += each[s, g]
        listed = counts.tolist()
        return {
            number: [Part(g, count) for g, count in enumerate(row) if count]
            for number, row in zip(self.shapes, listed, strict=True)
        }


def _kinds(state: SearchState, hosts: list[int]) -> list[list[int]]:
    space = state.space
    found: dict[tuple[int, tuple[int, ...]], list[int]] = {}
    for h in hosts:
        found.setdefault((space.class_of[h], tuple(space.usable[h])), []).append(h)
    return list(found.values())
