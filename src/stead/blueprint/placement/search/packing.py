"""What goes together on one host: which of the units that wait fill it with the least left over.

Decides the fill of a host by the dot product of what is left of it and what a unit takes, so that a host short of
memory gets units that want vCPUs; best fit, unit by unit, runs into one resource and wastes the others. Must not
change anything: who asked places the units.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stead.blueprint.placement.search.runs import Run
from stead.blueprint.placement.space import Shape
from stead.blueprint.placement.state import SearchState
from stead.core.value import mutable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MANY_LOTS = 48  # from here on one numpy expression is quicker than a loop over the lots


@mutable
class Lot:
    """Units of one shape. `apart` runs may put only so many on one host and are lots of their own."""

    shape: Shape
    runs: list[Run]  # the first is the one being placed
    left: int
    apart: int = 0  # the most of its group on one host
    group: str = ""


class Choice:
    """Lots that may be drawn from, how many of each, and how they are weighed: numbers of lots throughout."""

    def __init__(
        self, state: SearchState, lots: list[Lot], most: dict[int, int], weights: list[float], liking: list[float]
    ) -> None:
        self.state = state
        self.lots = lots
        self.most = most
        self.weights = weights
        self.liking = liking
        self.table = _Table(self) if len(most) > MANY_LOTS else None

    def fill(self, h: int) -> dict[int, int]:
        """Lot -> how many, for this host as it is."""
        free, cap = list(self.state.free[h]), self.state.cap[h]
        left = {i: n for i, n in self.most.items() if n and self.lots[i].shape.pool.has[h]}
        room = self._room(h, left)
        taken: dict[int, int] = {}
        while left:
            weights = [w * f / c / c if c else 0.0 for w, f, c in zip(self.weights, free, cap, strict=True)]
            i = self._pick(free, weights, left)
            if i < 0:
                break
            taken[i] = taken.get(i, 0) + 1
            for k, amount in self.lots[i].shape.demand:
                free[k] -= amount
            left[i] -= 1
            group = self.lots[i].group
            if group:
                room[group] -= 1
            if not left[i] or (group and not room[group]):
                # Several requests may share a group, and with it what it allows here.
                gone = [i] if not group or room[group] else [j for j in left if self.lots[j].group == group]
                for j in gone:
                    del left[j]
        return taken

    def tightest(self, h: int, steps: int) -> dict[int, int]:
        """The fill that leaves least, the largest unit in it, found by trying for so many steps."""
        free, cap = list(self.state.free[h]), self.state.cap[h]
        left = {i: n for i, n in self.most.items() if n and self.lots[i].shape.pool.has[h]}
        room = self._room(h, left)
        worth = [w / c if c else 0.0 for w, c in zip(self.weights, cap, strict=True)]
        size = {i: sum(worth[k] * amount for k, amount in self.lots[i].shape.demand) for i in left}
        order = sorted((i for i in left if _fits(free, self.lots[i])), key=lambda i: (-size[i], i))
        best: dict[int, int] = {}
        most = -1.0
        taken: dict[int, int] = {}

        def grow(at: int, value: float) -> None:
            nonlocal best, most, steps
            if value > most:
                best, most = dict(taken), value
            if value + sum(w * f for w, f in zip(worth, free, strict=True)) <= most:
                return  # not even the whole rest would make it better
            for n in range(at, len(order)):
                i = order[n]
                lot = self.lots[i]
                if taken.get(i, 0) == left[i] or not _fits(free, lot) or room.get(lot.group, 1) <= 0:
                    continue
                steps -= 1
                if steps < 0:
                    return
                self._hold(lot, free, room, 1)
                taken[i] = taken.get(i, 0) + 1
                grow(n, value + size[i])
                self._hold(lot, free, room, -1)
                taken[i] -= 1
                if not taken[i]:
                    del taken[i]
                if not taken:
                    return  # the largest is in it: what is left to the end goes into no host

        grow(0, 0.0)
        return best

    def _hold(self, lot: Lot, free: list[int], room: dict[str, int], sign: int) -> None:
        for k, amount in lot.shape.demand:
            free[k] -= sign * amount
        if lot.group:
            room[lot.group] -= sign

    def _room(self, h: int, left: dict[int, int]) -> dict[str, int]:
        """What groups allow on this host; lots of full ones are struck out."""
        tally = self.state.tally
        apart = {self.lots[i].group: self.lots[i].apart for i in left if self.lots[i].apart}
        room = {group: most - tally.on_host(group).get(h, 0) for group, most in apart.items()}
        for i in [i for i in left if room.get(self.lots[i].group, 1) <= 0]:
            del left[i]
        return room

    def _pick(self, free: list[int], weights: list[float], left: dict[int, int]) -> int:
        if self.table is not None:
            return self.table.pick(free, weights, left)
        best, found = 0.0, -1
        for i in left:
            product = 0.0
            for k, amount in self.lots[i].shape.demand:
                if free[k] < amount:
                    break
                product += weights[k] * amount
            else:
                product *= self.liking[i]
                if product > best or found < 0:
                    best, found = product, i
        return found


def _fits(free: list[int], lot: Lot) -> bool:
    return all(free[k] >= amount for k, amount in lot.shape.demand)


class _Table:
    """The lots as arrays. Products are added resource by resource, as the plain loop does."""

    def __init__(self, owner: Choice) -> None:
        import numpy as np

        self.np = np
        self.numbers = list(owner.most)
        self.row = {i: n for n, i in enumerate(self.numbers)}
        width = len(owner.weights)
        self.demand: NDArray[np.int64] = np.zeros((width, len(self.numbers)), dtype=np.int64)
        for n, i in enumerate(self.numbers):
            for k, amount in owner.lots[i].shape.demand:
                self.demand[k, n] = amount
        self.liking = np.array([owner.liking[i] for i in self.numbers])
        self.left: dict[int, int] = {}
        self.open = np.zeros(len(self.numbers), dtype=bool)

    def pick(self, free: list[int], weights: list[float], left: dict[int, int]) -> int:
        np = self.np
        fits = np.zeros(len(self.numbers), dtype=bool)
        fits[[self.row[i] for i in left]] = True
        product = np.zeros(len(fits))
        for k, row in enumerate(self.demand):
            fits &= row <= free[k]
            product += weights[k] * row
        product *= self.liking
        product[~fits] = -1.0
        found = int(product.argmax())
        return self.numbers[found] if fits[found] else -1
