"""`pack` from cold: one host after the other is filled with what goes well together.

Decides the fill of a host by the dot product of what is left of it and what a unit takes, so that a host short of
memory gets units that want vCPUs; best fit, unit by unit, runs into one resource and wastes the others. Alike hosts
get the same fill while there are units for it, which makes ten thousand hosts a few hundred fills. Must not place
units with groups over zones or wishes: the queues do, before and after.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from stead.value import field, mutable

from .model import GroupKind, Over, Policy
from .runs import Run
from .space import Shape

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from .search import Search

MANY_LOTS = 48  # from here on one numpy expression is quicker than a loop over the lots
WORTH_FILLING = 4  # units; for fewer, best fit is as good and explains itself


@mutable
class Lot:
    """Units of one shape. `apart` runs may put only so many on one host and are lots of their own."""

    shape: Shape
    runs: list[Run]  # the first is the one being placed
    left: int
    apart: int = 0  # the most of its group on one host
    group: str = ""
    scarcity: float = 1.0  # units that few hosts may take come first on those hosts


@mutable
class Kind:
    """Hosts that are alike: same class, same capacity, nothing on them."""

    hosts: list[int]
    fill: dict[int, int] = field(default_factory=dict)
    worth: float = -1.0
    stale: bool = True


def fillable(run: Run) -> bool:
    plain = all(g.hard and g.kind is GroupKind.SPREAD and g.over is Over.HOSTS and w == 1 for g, w in run.groups)
    one = len(run.groups) <= 1 and not run.crew
    return run.shape.policy is Policy.PACK and plain and one and not run.shape.pool.marked


class Taste(NamedTuple):
    """How a fill weighs things; no setting is best for every mix, and a fill is cheap enough to try several."""

    scarcity: float  # how far units that few hosts may take are preferred on those
    weight: float  # how far the scarce resource counts more
    size: float  # 1: large units first; 0: only how well the shape of a unit matches what is left


# Those that won on made-up clusters, the most frequent winners first; a very large plan tries only these three.
TASTES = (
    Taste(0.5, 1.0, 0.5),
    Taste(1.0, 1.0, 0.5),
    Taste(2.0, 1.0, 0.5),
    Taste(0.5, 1.0, 0.0),
    Taste(1.0, 3.0, 0.0),
    Taste(1.0, 1.0, 1.0),
    Taste(2.0, 3.0, 1.0),
)
FEW_TASTES, MANY_UNITS = 3, 50_000


def fill(search: Search, runs: list[Run]) -> bool:
    """Places all units of these runs, on the fewest hosts that any taste needs; False, and nothing, when none could."""
    best: _Fill | None = None
    many = sum(len(run.units) for run in runs) > MANY_UNITS
    for taste in TASTES[: FEW_TASTES if many else None]:
        trial = _Fill(search, runs, taste)
        trial.run()
        if not trial.short and (best is None or trial.opened < best.opened):
            best = trial
    if best is not None:
        best.commit()
    return best is not None


class _Fill:
    """One trial. The state is only read until `commit`: every host is filled once, from what it has free."""

    def __init__(self, search: Search, runs: list[Run], taste: Taste) -> None:
        self.search = search
        self.state = search.state
        self.runs = runs
        self.taste = taste
        self.lots = _lots(runs, taste.scarcity)
        self.plan: list[tuple[list[int], dict[int, int]]] = []
        self.opened = 0
        self.weights = self._weights()
        cap = self.state.cap
        self.mean = [sum(row[k] for row in cap) / len(cap) or 1.0 for k in range(len(self.weights))]
        for lot in self.lots:
            size = sum(amount / self.mean[k] * self.weights[k] for k, amount in lot.shape.demand)
            lot.scarcity *= (size or 1.0) ** (taste.size - 1.0)
        self.table = _Table(self) if len(self.lots) > MANY_LOTS else None

    def run(self) -> None:
        hosts = sorted({h for lot in self.lots for h in lot.shape.pool.hosts})
        for h in (h for h in hosts if self.state.count[h]):
            self._put([h], self._fill_of(h))
        kinds = self._kinds([h for h in hosts if not self.state.count[h]])
        while kinds and any(lot.left for lot in self.lots):
            best = self._best(kinds)
            if best is None or not best.fill:
                break
            times = min([len(best.hosts), *(self.lots[i].left // n for i, n in best.fill.items())])
            self._put(best.hosts[:times], best.fill)
            self.opened += times
            del best.hosts[:times]
            kinds = [kind for kind in kinds if kind.hosts]

    @property
    def short(self) -> int:
        return sum(lot.left for lot in self.lots)

    def _weights(self) -> list[float]:
        """How scarce each resource is: what is asked of it over what there is."""
        asked = [0] * len(self.search.space.resources)
        for lot in self.lots:
            for k, amount in lot.shape.demand:
                asked[k] += amount * lot.left
        hosts = {h for lot in self.lots for h in lot.shape.pool.hosts}
        there = [sum(max(0, self.state.free[h][k]) for h in hosts) for k in range(len(asked))]
        return [(a / t) ** self.taste.weight if t else 0.0 for a, t in zip(asked, there, strict=True)]

    def _kinds(self, hosts: list[int]) -> list[Kind]:
        found: dict[tuple[int, tuple[int, ...]], Kind] = {}
        space = self.search.space
        for h in hosts:
            found.setdefault((space.class_of[h], tuple(self.state.free[h])), Kind([])).hosts.append(h)
        return list(found.values())

    def _best(self, kinds: list[Kind]) -> Kind | None:
        """The kind whose fill takes most. Worth only falls as units run out, so a fresh top is the best."""
        while True:
            for kind in kinds:
                if any(self.lots[i].left < n for i, n in kind.fill.items()):
                    kind.stale = True
            best = max(kinds, key=lambda kind: (kind.worth if kind.worth >= 0 else float("inf"), -kind.hosts[0]))
            if not best.stale:
                return best
            best.fill = self._fill_of(best.hosts[0])
            best.worth = self._worth(best.fill)
            best.stale = False

    def _worth(self, fill: dict[int, int]) -> float:
        space, total = self.search.space, 0.0
        for i, n in fill.items():
            for k, amount in self.lots[i].shape.demand:
                total += self.weights[k] * amount * n / self.mean[k]
        return total / len(space.resources)

    def _fill_of(self, h: int) -> dict[int, int]:
        """Lot -> how many, for this host as it is."""
        free, cap = list(self.state.free[h]), self.state.cap[h]
        taken: dict[int, int] = {}
        tally = self.state.tally
        room = {lot.group: lot.apart - tally.on_host(lot.group).get(h, 0) for lot in self.lots if lot.apart}
        barred = {i for i, lot in enumerate(self.lots) if lot.apart and room[lot.group] <= 0}
        while True:
            weights = [w * f / c / c if c else 0.0 for w, f, c in zip(self.weights, free, cap, strict=True)]
            i = self._pick(h, free, weights, taken, barred)
            if i < 0:
                return taken
            taken[i] = taken.get(i, 0) + 1
            for k, amount in self.lots[i].shape.demand:
                free[k] -= amount
            group = self.lots[i].group
            if group:
                room[group] -= 1
                if not room[group]:  # several requests may share a group, and with it what it allows here
                    barred |= {j for j, lot in enumerate(self.lots) if lot.group == group}

    def _pick(self, h: int, free: list[int], weights: list[float], taken: dict[int, int], barred: set[int]) -> int:
        if self.table is not None:
            return self.table.pick(h, free, weights, taken, barred)
        best, found = 0.0, -1
        for i, lot in enumerate(self.lots):
            if i in barred or lot.left <= taken.get(i, 0) or not lot.shape.pool.has[h]:
                continue
            product = 0.0
            for k, amount in lot.shape.demand:
                if free[k] < amount:
                    break
                product += weights[k] * amount
            else:
                product *= lot.scarcity
                if product > best or found < 0:
                    best, found = product, i
        return found

    def _put(self, hosts: list[int], fill: dict[int, int]) -> None:
        self.plan.append((hosts, fill))
        for i, n in fill.items():
            self.lots[i].left -= n * len(hosts)
            if self.table is not None:
                self.table.left[i] = self.lots[i].left

    def commit(self) -> None:
        for run in self.runs:
            run.chosen = []
        for hosts, fill in self.plan:
            for h in hosts:
                for i, n in fill.items():
                    for _ in range(n):
                        self._place(self.lots[i], h)

    def _place(self, lot: Lot, h: int) -> None:
        while len(lot.runs[0].chosen) == len(lot.runs[0].units):
            lot.runs.append(lot.runs.pop(0))
        run = lot.runs[0]
        self.search.take(run, h)
        run.chosen.append(h)


class _Table:
    """The lots as arrays. Products are added resource by resource, as the plain loop does."""

    def __init__(self, owner: _Fill) -> None:
        import numpy as np

        self.np = np
        self.owner = owner
        lots = owner.lots
        width = len(owner.search.space.resources)
        self.demand: NDArray[np.int64] = np.zeros((width, len(lots)), dtype=np.int64)
        for i, lot in enumerate(lots):
            for k, amount in lot.shape.demand:
                self.demand[k, i] = amount
        pools = {id(lot.shape.pool): lot.shape.pool for lot in lots}
        masks = {key: np.frombuffer(bytes(pool.has), dtype=np.uint8) for key, pool in pools.items()}
        self.row = np.array([list(pools).index(id(lot.shape.pool)) for lot in lots])
        self.scarcity = np.array([lot.scarcity for lot in lots])
        self.left = np.array([lot.left for lot in lots])
        self.has = np.array(list(masks.values())).T.copy()

    def pick(self, h: int, free: list[int], weights: list[float], taken: dict[int, int], barred: set[int]) -> int:
        np = self.np
        open_lots = self.has[h][self.row] > 0
        open_lots &= self.left > 0
        for i, n in taken.items():
            if self.owner.lots[i].left <= n:
                open_lots[i] = False
        for i in barred:
            open_lots[i] = False
        product = np.zeros(len(open_lots))
        for k, row in enumerate(self.demand):
            open_lots &= row <= free[k]
            product += weights[k] * row
        product *= self.scarcity
        product[~open_lots] = -1.0
        found = int(product.argmax())
        return found if open_lots[found] else -1


def _lots(runs: list[Run], scarcity: float) -> list[Lot]:
    found: dict[tuple[int, str], Lot] = {}
    for run in runs:
        limit = (run.groups[0][0].limit or 1) if run.groups else 0
        key = (run.shape.number, run.groups[0][0].name if run.groups else "")
        few = (len(run.shape.pool.has) / max(1, len(run.shape.pool.hosts))) ** scarcity
        lot = found.setdefault(key, Lot(run.shape, [], 0, limit, key[1], few))
        lot.runs.append(run)
        lot.left += len(run.units)
    return list(found.values())
