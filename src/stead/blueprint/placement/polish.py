"""Lower the fullest host of a `balance` placement by moving or swapping what was placed in this same search.

Decides only exchanges that leave both hosts below the fullest one, so every step is an improvement and the walk ends.
Units with groups, wishes or another policy stay: their place is not for evenness to choose. Work is counted, not timed.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush

from .model import Policy
from .runs import Run
from .search import Search

LOOKS_PER_UNIT = 12  # hosts looked at per unit placed: more placed, more to gain and more time allowed
LOOKS_MOST = 120_000  # about a second and a half: a host has some eight shapes to exchange with
LOOKS_WHEN_MANY = 1_200_000_000  # very many units even out by themselves: fewer looks, the more there are
NEAR = 80  # hosts tried for a swap, those with most of the scarce resource left
AGE = 200  # exchanges after which the order of those hosts is looked up again


def polish(search: Search) -> None:
    if sum(len(run.units) for run in search.runs if _loose(run)) > 1:
        _Polish(search).walk()


def _loose(run: Run) -> bool:
    return run.shape.policy is Policy.BALANCE and not run.groups and not run.crew and not any(run.shape.pool.penalty)


class _Polish:
    def __init__(self, search: Search) -> None:
        self.search = search
        self.state = search.state
        self.on_host: dict[int, dict[int, list[tuple[Run, int]]]] = {}  # host -> shape -> its units there
        self.hosts = sorted({h for run in search.runs for h in run.shape.pool.hosts})
        units = 0
        for run in search.runs:
            if _loose(run):
                units += len(run.units)
                for i, h in enumerate(run.chosen):
                    if h >= 0:
                        self.on_host.setdefault(h, {}).setdefault(run.shape.number, []).append((run, i))
        self.looks = min(LOOKS_MOST, LOOKS_PER_UNIT * units, LOOKS_WHEN_MANY // max(1, units))
        self.roomy: dict[int, list[int]] = {}
        self.age = 0

    def walk(self) -> None:
        """The fullest host first. Where nothing lowers that one, nothing lowers the maximum, and the walk is over."""
        level = self.state.level
        heap = [(-level[h], h) for h in self.hosts]
        heapify(heap)
        while heap and self.looks > 0:
            worst, h = heappop(heap)
            if -worst != level[h]:
                continue
            touched = self._lower(h)
            if touched is None:
                return
            for one in (h, touched):
                heappush(heap, (-level[one], one))

    def _lower(self, h: int) -> int | None:
        """Takes something off this host; the other host, when an exchange leaves both below what this one was."""
        before = self.state.level[h]
        k = self._scarcest(h)
        if k is None:
            return None
        units = [pair[0] for _, pair in sorted(self.on_host.get(h, {}).items())]
        units = [unit for unit in units if any(slot == k for slot, _ in unit[0].shape.scored)]
        units.sort(key=lambda unit: (-dict(unit[0].shape.scored)[k], unit[0].request.id))
        for run, i in units:
            target = self._move(run, h, before)
            if target is not None:
                self._set(run, i, target)
                return target
        return self._exchange(units, h, k, [*self._near(k), *self.hosts])

    def _exchange(self, units: list[tuple[Run, int]], h: int, k: int, hosts: list[int]) -> int | None:
        before = self.state.level[h]
        for run, i in units:
            found = self._swap(run, h, k, before, hosts)
            if found is not None:
                target, other, j = found
                self._set(run, i, target)
                self._set(other, j, h)
                return target
        return None

    def _scarcest(self, h: int) -> int | None:
        """None of a host that has none of what is scored: nothing there can be lowered."""
        cap, free = self.state.cap[h], self.state.free[h]
        has = [k for k in self.state.scored if cap[k]]
        return max(has, key=lambda k: ((cap[k] - free[k]) / cap[k], -k)) if has else None

    def _move(self, run: Run, h: int, below: float) -> int | None:
        self.looks -= 1
        queue = self.search.queues.of(run.shape)
        key = queue.best()
        if key is None:
            return None
        target = key % len(self.state.cap)
        return target if target != h and self._level(target, run, None) < below else None

    def _swap(self, run: Run, h: int, k: int, below: float, hosts: list[int]) -> tuple[int, Run, int] | None:
        has = run.shape.pool.has
        amount = dict(run.shape.demand)[k]
        for target in hosts:
            if target == h or not has[target]:
                continue
            self.looks -= 1
            for pairs in list(self.on_host.get(target, {}).values()):
                other, j = pairs[0]
                if not other.shape.pool.has[h] or dict(other.shape.demand).get(k, 0) >= amount:
                    continue
                if self._level(h, other, run) < below and self._level(target, run, other) < below:
                    return target, other, j
            if self.looks <= 0:
                return None
        return None

    def _near(self, k: int) -> list[int]:
        """Hosts with most of a resource left, relative to their size; looked up now and then, not at every step."""
        if self.age >= AGE:
            self.age = 0
            self.roomy.clear()
        found = self.roomy.get(k)
        if found is None:
            cap, free = self.state.cap, self.state.free
            ranked = sorted((-free[h][k] / cap[h][k], h) for h in self.hosts if cap[h][k] and h in self.on_host)
            found = self.roomy[k] = [h for _, h in ranked[:NEAR]]
        return found

    def _level(self, h: int, comes: Run, goes: Run | None) -> float:
        """How full the host would be; more than full when it does not fit."""
        cap, free = self.state.cap[h], list(self.state.free[h])
        if goes is not None:
            for k, amount in goes.shape.demand:
                free[k] += amount
        for k, amount in comes.shape.demand:
            free[k] -= amount
            if free[k] < 0:
                return 2.0
        return max((cap[k] - free[k]) / cap[k] for k in self.state.scored if cap[k])

    def _set(self, run: Run, i: int, h: int) -> None:
        old = run.chosen[i]
        units = self.on_host[old][run.shape.number]
        units.remove((run, i))
        if not units:
            del self.on_host[old][run.shape.number]
        self.search.take(run, old, -1)
        self.search.take(run, h)
        run.chosen[i] = h
        self.on_host.setdefault(h, {}).setdefault(run.shape.number, []).append((run, i))
        self.age += 1
