"""Does everything still fit after any N hosts fail, and if not, which failure hurts whom.

Decides by trying: the units of the failed hosts are put where most room is, nothing else moves, and all is put back.
A unit that no host takes even alone is proven lost; one that only this order of placing left out is not. Must not
move survivors, and leaves the evaluation as it found it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations
from math import comb

from stead.blueprint.placement.model import Placement, Policy, Problem, Request
from stead.blueprint.placement.queries.evaluation import Evaluation
from stead.blueprint.placement.scorers import key_of
from stead.blueprint.placement.search.runs import Run, binds, cut, in_order
from stead.blueprint.placement.space import Shape
from stead.blueprint.placement.state import Demand
from stead.core.value import value

TRIES = 5_000  # combinations of failing hosts looked at one by one; beyond it, only those of the fullest hosts
SHOWN = 100  # failures reported, the worst first
ORDERS = 3  # those left out are put first and all is tried again
ROOMY = 64  # hosts with most room kept per shape; a failing host seldom has more units than that


@value
class Failure:
    """Hosts that fail together and who is then without a host."""

    hosts: tuple[str, ...]
    members: tuple[str, ...]
    proven: bool


@value
class FailureAnalysis:
    """`exhaustive`: every combination was tried. Without it, `survives` speaks of the fullest hosts only."""

    n: int
    survives: bool
    tried: int
    hurting: int  # of those tried, how many leave somebody without a host; `failures` lists the worst of them
    exhaustive: bool
    failures: tuple[Failure, ...]


def failure_analysis(
    problem: Problem, placement: Placement, n: int = 1, *, evaluation: Evaluation | None = None
) -> FailureAnalysis:
    trial = Trial(evaluation or Evaluation(problem, placement))
    sets, exhaustive = _failing(trial, n)
    failures, tried = [], 0
    for hosts in sets:
        tried += 1
        hurt, proven = trial.lost(hosts)
        if hurt:
            names = tuple(trial.evaluation.space.names[h] for h in hosts)
            failures.append(Failure(hosts=names, members=tuple(hurt), proven=proven))
    failures.sort(key=lambda failure: (-len(failure.members), failure.hosts))
    return FailureAnalysis(
        n=n,
        survives=not failures,
        tried=tried,
        hurting=len(failures),
        exhaustive=exhaustive,
        failures=tuple(failures[:SHOWN]),
    )


def _failing(trial: Trial, n: int) -> tuple[Iterator[tuple[int, ...]], bool]:
    state = trial.evaluation.state
    hosts = [h for h, count in enumerate(state.count) if count or n > 1]
    n = min(n, len(hosts))  # more than there are cannot fail
    if n == 1 or comb(len(hosts), n) <= TRIES:
        return combinations(hosts, n), True
    hosts.sort(key=lambda h: (-state.level[h], h))
    most = n
    while comb(most + 1, n) <= TRIES:
        most += 1
    return combinations(sorted(hosts[:most]), n), False


class Trial:
    """Fails hosts one set after the other on the same state, without leaving a trace in it."""

    def __init__(self, evaluation: Evaluation) -> None:
        self.evaluation = evaluation
        self.free = evaluation.state.free
        self.units: dict[int, list[Run]] = {}
        self.roomy: dict[int, list[int]] = {}
        self.weight: dict[int, tuple[int, int]] = {}
        # Hosts that took in the units of the set tried last -> what is left there.
        self.leans_on: dict[int, list[int]] = {}
        self._gather()

    def _gather(self) -> None:
        index, assignment = self.evaluation.space.index, self.evaluation.placement.assignment
        bound: dict[int, dict[str, tuple[Request, list[str]]]] = {}
        for request in sorted(self.evaluation.problem.requests, key=lambda request: request.id):
            shape = self.evaluation.space.shape(request)
            groups = tuple([(group, 1) for group in request.groups])
            unit = bool(groups) and any(map(binds, request.groups))
            for member in request.members:
                h = index.get(assignment.get(member, ""), -1)
                if h < 0:
                    continue
                if unit:
                    bound.setdefault(h, {}).setdefault(request.id, (request, []))[1].append(member)
                else:
                    self.units.setdefault(h, []).append(Run(request, shape, [member], groups))
        for h, families in bound.items():
            self.units.setdefault(h, []).extend(self._crews(h, list(families.values())))
        for runs in self.units.values():
            runs.sort(key=lambda run: (self._rank(run.shape), run.units[0]))

    def _crews(self, h: int, waiting: list[tuple[Request, list[str]]]) -> list[Run]:
        """Units that must share a host, as the search would cut them were they off this one."""
        waiting = [(request, in_order(members)) for request, members in waiting]
        tally, zone = self.evaluation.state.tally, self.evaluation.space.zone_of[h]
        names = [(group.name, len(members)) for request, members in waiting for group in request.groups]
        for name, times in names:
            tally.add([name], h, zone, -times)
        runs = cut(self.evaluation.space, self.evaluation.state, waiting)
        for name, times in names:
            tally.add([name], h, zone, times)
        return runs

    def _rank(self, shape: Shape) -> tuple[int, int]:
        found = self.weight.get(shape.number)
        if found is None:
            size = sum(amount for _, amount in shape.demand)
            found = self.weight[shape.number] = (len(shape.pool.hosts), -size)
        return found

    def lost(self, hosts: tuple[int, ...]) -> tuple[list[str], bool]:
        """Members without a host when these fail, and whether each of them alone would have none either."""
        failed = frozenset(hosts)
        runs = [run for h in hosts for run in self.units.get(h, [])]
        if len(hosts) > 1:
            runs.sort(key=lambda run: (self._rank(run.shape), run.units[0]))
        for run in runs:
            if run.shape.number not in self.roomy:
                self.roomy[run.shape.number] = self._roomiest(run.shape)
        grouped = [(h, run) for h in hosts for run in self.units.get(h, []) if run.groups]
        self._tally(grouped, -1)
        hurt: list[Run] = []
        for _ in range(ORDERS):
            hurt = self._seat(runs, failed)
            if not hurt:
                break
            left = {id(run) for run in hurt}
            runs = hurt + [run for run in runs if id(run) not in left]
        proven = all(self._find(run, failed) is None for run in hurt)
        self._tally(grouped, 1)
        return [member for run in hurt for member in ([m for _, m in run.affinity_unit] or run.units)], proven

    def _seat(self, runs: list[Run], failed: frozenset[int]) -> list[Run]:
        """Those that found no host. The others are seated and unseated again; `leans_on` keeps where."""
        seated: list[tuple[int, Run]] = []
        hurt: list[Run] = []
        for run in runs:
            target = self._find(run, failed)
            if target is None:
                hurt.append(run)
                continue
            self._take(target, run.shape.demand, 1)
            seated.append((target, run))
            if run.groups:
                self._tally([(target, run)], 1)
        self.leans_on = {target: list(self.free[target]) for target, _ in seated}
        for target, run in seated:
            self._take(target, run.shape.demand, -1)
        self._tally([(target, run) for target, run in seated if run.groups], -1)
        return hurt

    def _take(self, h: int, demand: Demand, times: int) -> None:
        """Past the log: what is taken here is given back before anyone looks."""
        row = self.free[h]
        for k, amount in demand:
            row[k] -= amount * times

    def _tally(self, pairs: Iterable[tuple[int, Run]], times: int) -> None:
        tally, zone_of = self.evaluation.state.tally, self.evaluation.space.zone_of
        for h, run in pairs:
            tally.add(run.names, h, zone_of[h], times)

    def _find(self, run: Run, failed: frozenset[int]) -> int | None:
        free, demand = self.free, run.shape.demand
        allowed = self.evaluation.chooser.open_to(run) if run.groups else None
        home = self._home(run)
        for h in self._candidates(run.shape):
            row = free[h]
            for k, amount in demand:
                if row[k] < amount:
                    break
            else:
                at_home = home is None or self.evaluation.space.names[h] == home
                if h not in failed and at_home and (allowed is None or allowed(h)):
                    return h
        return None

    def _home(self, run: Run) -> str | None:
        """The only host with its data. Volumes that it brings along are made where it is, which binds it from then."""
        at = self.evaluation.placement.assignment
        for request, member in run.affinity_unit or ((run.request, run.units[0]),):
            home = request.data_on.get(member) or (at.get(member) if request.carries.get(member) else None)
            if home:
                return home
        return None

    def _candidates(self, shape: Shape) -> Iterator[int]:
        """The roomiest first; the whole pool only when those do not do."""
        known = self.roomy[shape.number]
        yield from known
        if len(known) >= ROOMY:
            seen = frozenset(known)
            yield from (h for h in shape.pool.hosts if h not in seen)

    def _roomiest(self, shape: Shape) -> list[int]:
        """Sorted once, from the state before anything is seated: from there on room only shrinks."""
        n = len(self.free)
        spread = shape._replace(policy=Policy.SPREAD)
        mirror = self.evaluation.mirror
        if mirror is not None:
            keys: list[int] = mirror.sorted_keys(spread, shape.pool.hosts, ())[:ROOMY].tolist()
        else:
            rated = map(key_of(self.evaluation.state, spread), shape.pool.hosts)
            keys = sorted(key for key in rated if key is not None)[:ROOMY]
        return [key % n for key in keys]


Losses = Mapping[tuple[int, ...], int]


def losses(evaluation: Evaluation, n: int) -> Losses:
    """How many have no host, by the hosts that fail."""
    trial = Trial(evaluation)
    sets, _ = _failing(trial, n)
    return {hosts: len(trial.lost(hosts)[0]) for hosts in sets}


def spare_of_one(evaluation: Evaluation, shape: Shape, slots: dict[int, int], n: int, now: Losses) -> int:
    """How many more of a shape fit so that no failure of n hosts takes more than it would take `now`.

    The least loss is that of the n hosts with most places for it; whether what already runs can move as well is then
    tried, and fewer are counted until it can.
    """
    losing = sum(sorted(slots.values(), reverse=True)[:n])
    high = sum(slots.values()) - losing
    low = 0
    if _fills(evaluation, shape, slots, high, n, now):
        return high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _fills(evaluation, shape, slots, middle, n, now) else (low, middle)
    return low


def _fills(evaluation: Evaluation, shape: Shape, slots: dict[int, int], count: int, n: int, now: Losses) -> bool:
    """Whether this many more of the shape, spread evenly, lose nobody when any n hosts fail."""
    total = sum(slots.values())
    if not total:
        return True
    placed = {h: places * count // total for h, places in slots.items()}
    for h in sorted(slots, key=lambda h: (placed[h] - slots[h], h))[: count - sum(placed.values())]:
        placed[h] += 1
    trial = Trial(evaluation)
    for h, times in placed.items():
        evaluation.state.take(h, shape.demand, times)
        trial.units.setdefault(h, []).extend(Run(_NOBODY, shape, ["new"]) for _ in range(times))
    sets, _ = _failing(trial, n)
    survives = all(len(trial.lost(hosts)[0]) <= now.get(hosts, 0) for hosts in sets)
    for h, times in placed.items():
        evaluation.state.give(h, shape.demand, times)
    return survives


_NOBODY = Request(id="", members=("new",), demand={})
