"""`pack` from cold: one host after the other is filled with what goes well together.

Decides which hosts are opened. Many units are first shared out over kinds of hosts (`lp_relaxation`), each kind is
filled from its share as long as the fills are good, and what is left is shared out anew; at last the kind whose fill
takes most is opened. Alike hosts get the same fill while there are units for it, which makes ten thousand hosts a few
hundred fills. Must not place units with groups over zones or wishes: the queues do, before and after.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from stead.blueprint.placement.model import GroupKind, Over, Policy
from stead.blueprint.placement.search.lp_relaxation import WORTH_SHARING, lp_relaxation
from stead.blueprint.placement.search.packing import Choice, Lot
from stead.blueprint.placement.search.runs import Run
from stead.core.named import NamedTuple
from stead.core.value import field, mutable

if TYPE_CHECKING:
    from stead.blueprint.placement.search.greedy import Search
    from stead.blueprint.placement.space import Shape

WORTH_FILLING = 4  # units; for fewer, best fit is as good and explains itself
# A fill counts as good when it takes this part of the host's scarcest resource. What is left after two rounds no longer
# goes well together, and is taken with less.
GOOD = (0.9, 0.9, 0.8)
FOR_ONE = 1.5  # hosts for a unit that was left over, in hosts per unit placed: it is nearly always a large one


@mutable
class EqualHosts:
    """Hosts that are alike: same class, same capacity, nothing on them."""

    hosts: list[int]
    fill: dict[int, int] = field(default_factory=dict)
    worth: float = -1.0
    stale: bool = True


def fillable(run: Run) -> bool:
    plain = all(g.hard and g.kind is GroupKind.SPREAD and g.over is Over.HOSTS and w == 1 for g, w in run.groups)
    one = len(run.groups) <= 1 and not run.affinity_unit
    return run.shape.policy is Policy.PACK and plain and one and not run.shape.pool.marked


class Weights(NamedTuple):
    """How a fill weighs things; no setting is best for every mix, and a fill is cheap enough to try several."""

    scarcity: float  # how far units that few hosts may take are preferred on those
    weight: float  # how far the scarce resource counts more
    size: float  # 1: large units first; 0: only how well the shape of a unit matches what is left
    steps: int = 0  # of trying for the tightest fill of a host; 0: what goes best at each moment is taken


# Those that won on made-up clusters, the most frequent winners first.
WEIGHTS = (
    Weights(0.5, 1.0, 0.5),
    Weights(1.0, 1.0, 0.5),
    Weights(2.0, 1.0, 0.5),
    Weights(0.5, 1.0, 0.0),
    Weights(1.0, 3.0, 0.0),
    Weights(1.0, 1.0, 1.0),
    Weights(2.0, 3.0, 1.0),
)
# The same after sharing out, where scarce hosts are kept for those who need them; very many units try only two.
SHARED_WEIGHTS = (Weights(1.0, 3.0, 0.15), Weights(1.0, 3.0, 0.0), Weights(1.0, 6.0, 0.0), Weights(1.0, 6.0, 0.15))
MANY_UNITS = 50_000
# Few units are also put together by trying, host by host: a tenth better where all of them are large.
TIGHT = Weights(1.0, 1.0, 1.0, 400)
FEW_UNITS = 600


def fill(search: Search, runs: list[Run]) -> None:
    """Places units of these runs, on the fewest hosts that any of the settings needs; some may be left over."""
    units = sum(len(run.units) for run in runs)
    shared = units >= max(WORTH_SHARING, len(search.incumbents.kept))
    settings = SHARED_WEIGHTS if shared else WEIGHTS
    few = (TIGHT,) if units <= FEW_UNITS else ()
    trials = []
    for setting in (*settings[: 2 if shared and units > MANY_UNITS else None], *few):
        trial = _Fill(search, runs, setting)
        trial.run(shared=shared)
        trials.append(trial)
    min(trials, key=lambda trial: trial.cost(units)).commit()


class _Fill:
    """One trial. The state is only read until `commit`: every host is filled once, from what it has free."""

    def __init__(self, search: Search, runs: list[Run], setting: Weights) -> None:
        self.search = search
        self.state = search.state
        self.runs = runs
        self.setting = setting
        self.lots = _lots(runs)
        self.plan: list[tuple[list[int], dict[int, int]]] = []
        self.opened = 0
        self.weights = self._weights()
        cap = self.state.cap
        self.mean = [sum(row[k] for row in cap) / len(cap) or 1.0 for k in range(len(self.weights))]
        self.liking = [self._size(lot) ** (setting.size - 1.0) for lot in self.lots]

    def cost(self, units: int) -> float:
        short = sum(lot.left for lot in self.lots)
        return self.opened + FOR_ONE * short * self.opened / max(1, units - short)

    def run(self, *, shared: bool) -> None:
        pools = {id(lot.shape.pool): lot.shape.pool for lot in self.lots}
        hosts = sorted(set().union(*(pool.hosts for pool in pools.values())))
        rare = [like * self._rarity(lot) for like, lot in zip(self.liking, self.lots, strict=True)]
        for h in (h for h in hosts if self.state.count[h]):
            self._put([h], self._choice(rare).fill(h))
        hosts = [h for h in hosts if not self.state.count[h]]
        for good in GOOD if shared else ():
            used = self._by_shares(hosts, good)
            hosts = [h for h in hosts if h not in used]
        self._by_worth(self._kinds(hosts), rare)

    def _by_shares(self, hosts: list[int], good: float) -> set[int]:
        """Good fills of each kind from its share. The hosts used."""
        units: dict[Shape, int] = {}
        for lot in self.lots:
            if lot.left:
                units[lot.shape] = units.get(lot.shape, 0) + lot.left
        found = lp_relaxation(self.state, units, hosts, Policy.PACK)
        quota: list[dict[int, int]] = [{} for _ in found.kinds]
        for number, parts in found.of.items():
            for kind, count in parts:
                quota[kind][number] = count
        used: set[int] = set()
        for alike, left in zip(found.kinds, quota, strict=True):
            used.update(self._from_share(list(alike), left, good) if left else ())
        return used

    def _from_share(self, hosts: list[int], left: dict[int, int], good: float) -> Iterable[int]:
        cap, done = self.state.cap[hosts[0]], 0
        mine = [i for i, lot in enumerate(self.lots) if left.get(lot.shape.number)]
        asked = [0] * len(cap)
        for demand, units in {self.lots[i].shape.demand: left[self.lots[i].shape.number] for i in mine}.items():
            for k, amount in demand:
                asked[k] += amount * units
        use = [a / c if c else 0.0 for a, c in zip(asked, cap, strict=True)]
        weights = [(u / (max(use) or 1.0)) ** self.setting.weight for u in use]
        choice = Choice(self.state, self.lots, dict.fromkeys(mine, 0), weights, self.liking)
        while done < len(hosts):
            choice.most.update((i, max(0, min(self.lots[i].left, left[self.lots[i].shape.number]))) for i in mine)
            filling = choice.fill(hosts[done])
            if not filling or self._taken(filling, cap) < good:
                break
            times = min([len(hosts) - done, *(choice.most[i] // n for i, n in filling.items())])
            self._put(hosts[done : done + times], filling)
            self.opened += times
            done += times
            for i, n in filling.items():
                left[self.lots[i].shape.number] -= n * times
        return hosts[:done]

    def _taken(self, filling: dict[int, int], cap: list[int]) -> float:
        """How full a host is then, by its fullest resource."""
        taken = [0] * len(cap)
        for i, n in filling.items():
            for k, amount in self.lots[i].shape.demand:
                taken[k] += amount * n
        return max((t / c for t, c in zip(taken, cap, strict=True) if c), default=0.0)

    def _by_worth(self, kinds: list[EqualHosts], liking: list[float]) -> None:
        while kinds and any(lot.left for lot in self.lots):
            best = self._best(kinds, liking)
            if not best.fill:
                break
            times = min([len(best.hosts), *(self.lots[i].left // n for i, n in best.fill.items())])
            self._put(best.hosts[:times], best.fill)
            self.opened += times
            del best.hosts[:times]
            kinds = [kind for kind in kinds if kind.hosts]

    def _choice(self, liking: list[float]) -> Choice:
        most = {i: lot.left for i, lot in enumerate(self.lots) if lot.left}
        return Choice(self.state, self.lots, most, self.weights, liking)

    def _weights(self) -> list[float]:
        """How scarce each resource is: what is asked of it over what there is."""
        asked = [0] * len(self.search.space.resources)
        for lot in self.lots:
            for k, amount in lot.shape.demand:
                asked[k] += amount * lot.left
        pools = {id(lot.shape.pool): lot.shape.pool for lot in self.lots}
        hosts = set().union(*(pool.hosts for pool in pools.values()))
        there = [sum(max(0, self.state.free[h][k]) for h in hosts) for k in range(len(asked))]
        return [(a / t) ** self.setting.weight if t else 0.0 for a, t in zip(asked, there, strict=True)]

    def _size(self, lot: Lot) -> float:
        return sum(amount / self.mean[k] * self.weights[k] for k, amount in lot.shape.demand) or 1.0

    def _rarity(self, lot: Lot) -> float:
        """Units that few hosts may take come first on those hosts."""
        pool = lot.shape.pool
        return float((len(pool.has) / max(1, len(pool.hosts))) ** self.setting.scarcity)

    def _kinds(self, hosts: list[int]) -> list[EqualHosts]:
        found: dict[tuple[int, tuple[int, ...]], EqualHosts] = {}
        space = self.search.space
        for h in hosts:
            found.setdefault((space.class_of[h], tuple(self.state.free[h])), EqualHosts([])).hosts.append(h)
        return list(found.values())

    def _best(self, kinds: list[EqualHosts], liking: list[float]) -> EqualHosts:
        """The kind whose fill takes most. Worth only falls as units run out, so a fresh top is the best."""
        choice = self._choice(liking)
        while True:
            for kind in kinds:
                if any(self.lots[i].left < n for i, n in kind.fill.items()):
                    kind.stale = True
            best = max(kinds, key=lambda kind: (kind.worth if kind.worth >= 0 else float("inf"), -kind.hosts[0]))
            if not best.stale:
                return best
            steps = self.setting.steps
            best.fill = choice.tightest(best.hosts[0], steps) if steps else choice.fill(best.hosts[0])
            best.worth = self._worth(best.fill)
            best.stale = False

    def _worth(self, filling: dict[int, int]) -> float:
        space, total = self.search.space, 0.0
        for i, n in filling.items():
            for k, amount in self.lots[i].shape.demand:
                total += self.weights[k] * amount * n / self.mean[k]
        return total / len(space.resources)

    def _put(self, hosts: list[int], filling: dict[int, int]) -> None:
        self.plan.append((hosts, filling))
        for i, n in filling.items():
            self.lots[i].left -= n * len(hosts)

    def commit(self) -> None:
        for run in self.runs:
            run.chosen = []
        for hosts, filling in self.plan:
            for h in hosts:
                for i, n in filling.items():
                    for _ in range(n):
                        self._place(self.lots[i], h)

    def _place(self, lot: Lot, h: int) -> None:
        while len(lot.runs[0].chosen) == len(lot.runs[0].units):
            lot.runs.append(lot.runs.pop(0))
        run = lot.runs[0]
        self.search.take(run, h)
        run.chosen.append(h)


def _lots(runs: list[Run]) -> list[Lot]:
    found: dict[tuple[int, str], Lot] = {}
    for run in runs:
        limit = (run.groups[0][0].limit or 1) if run.groups else 0
        key = (run.shape.number, run.groups[0][0].name if run.groups else "")
        lot = found.setdefault(key, Lot(run.shape, [], 0, limit, key[1]))
        lot.runs.append(run)
        lot.left += len(run.units)
    return list(found.values())
