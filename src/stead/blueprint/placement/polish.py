"""Lower the fullest host of a `balance` placement by moving or swapping what was placed in this same search.

Decides only exchanges that leave both hosts below the fullest one, so every step is an improvement and the walk ends.
Units with groups, wishes or another policy stay: their place is not for evenness to choose. Work is counted, not timed.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush, nsmallest

from .runs import Run
from .search import Search, even

LOOKS_PER_UNIT = 12  # hosts looked at per unit placed: more placed, more to gain and more time allowed
LOOKS_MOST = 120_000  # about a second and a half: a host has some eight shapes to exchange with
LOOKS_WHEN_MANY = 1_200_000_000  # very many units even out by themselves: fewer looks, the more there are
NEAR = 80  # hosts tried for a swap, those with most of the scarce resource left
NEAR_ENOUGH = 1.02  # of what no placement can be below: the rest costs more time than it evens out
MOST_FOR_ONE = 6  # small units that may leave for a large one
LOOKS_FOR_ONE = 8  # what finding a place for one of them costs, a queue to be brought up to date most of it
AGE = 200  # exchanges after which the order of those hosts is looked up again


def polish(search: Search) -> None:
    if sum(len(run.units) for run in search.runs if even(run)) > 1:
        _Polish(search).walk()


class _Polish:
    def __init__(self, search: Search) -> None:
        self.search = search
        self.state = search.state
        self.on_host: dict[int, dict[int, list[tuple[Run, int]]]] = {}  # host -> shape -> its units there
        pools = {id(run.shape.pool): run.shape.pool for run in search.runs}
        self.hosts = sorted(set().union(*(pool.hosts for pool in pools.values())))
        units = 0
        for run in search.runs:
            if even(run):
                units += len(run.units)
                for i, h in enumerate(run.chosen):
                    if h >= 0:
                        self.on_host.setdefault(h, {}).setdefault(run.shape.number, []).append((run, i))
        self.looks = min(LOOKS_MOST, LOOKS_PER_UNIT * units, LOOKS_WHEN_MANY // max(1, units))
        self.roomy: dict[tuple[int, int], list[int]] = {}
        self.age = 0

    def walk(self) -> None:
        """The fullest host first. Where nothing lowers that one, nothing lowers the maximum, and the walk is over."""
        level, log = self.state.level, self.state.log
        heap = [(-level[h], h) for h in self.hosts]
        heapify(heap)
        while heap and self.looks > 0:
            worst, h = heappop(heap)
            if -worst != level[h]:
                continue
            if level[h] <= self.search.shares.least * NEAR_ENOUGH:
                return
            seen = len(log)
            if not self._lower(h):
                return
            for one in sorted(set(log[seen:])):
                heappush(heap, (-level[one], one))

    def _lower(self, h: int) -> bool:
        """Takes something off this host so that all that are touched are below what it was."""
        before = self.state.level[h]
        k = self._scarcest(h)
        if k is None:
            return False
        units = [pair[0] for _, pair in sorted(self.on_host.get(h, {}).items())]
        units = [unit for unit in units if any(slot == k for slot, _ in unit[0].shape.scored)]
        units.sort(key=lambda unit: (-dict(unit[0].shape.scored)[k], unit[0].request.id))
        for run, i in units:
            target = self._move(run, h, before)
            if target is not None:
                self._set(run, i, target)
                return True
        near = {run.shape.number: self._near(run, k) for run, _ in units}
        return self._exchange(units, h, k, near) or self._trade(units, h, near) or self._exchange(units, h, k, {})

    def _exchange(self, units: list[tuple[Run, int]], h: int, k: int, hosts: dict[int, list[int]]) -> bool:
        """One unit for a smaller one."""
        before = self.state.level[h]
        for run, i in units:
            found = self._swap(run, h, k, before, hosts.get(run.shape.number, run.shape.pool.hosts))
            if found is not None:
                target, other, j = found
                self._set(run, i, target)
                self._set(other, j, h)
                return True
        return False

    def _trade(self, units: list[tuple[Run, int]], h: int, hosts: dict[int, list[int]]) -> bool:
        """A unit for several smaller ones of another host, which go wherever they fit."""
        below = self.state.level[h]
        for run, i in units:
            for target in hosts[run.shape.number]:
                if self.looks <= 0:
                    return False
                if target != h and self._give(run, i, h, target, below):
                    return True
        return False

    def _give(self, run: Run, i: int, h: int, target: int, below: float) -> bool:
        self._set(run, i, target)
        gone = self._make_way(run, h, target, below)
        if self.state.level[target] < below and self.state.level[h] < below:
            return True
        for other, j in reversed(gone):
            self._set(other, j, target)
        self._set(run, i, h)
        return False

    def _make_way(self, run: Run, h: int, target: int, below: float) -> list[tuple[Run, int]]:
        """Units that left the target until it was below, the largest that finds a place first."""
        gone: list[tuple[Run, int]] = []
        while self.state.level[target] >= below and len(gone) < MOST_FOR_ONE:
            k = self._scarcest(target)
            there = [pairs[-1] for _, pairs in sorted(self.on_host[target].items())]
            sizes = [
                (dict(other.shape.demand).get(k or 0, 0), other, j)
                for other, j in there
                if other.shape is not run.shape
            ]
            sizes.sort(key=lambda one: (-one[0], one[1].request.id))
            for size, other, j in sizes:
                place = self._elsewhere(other, h, target, below) if size else None
                if place is not None:
                    self._set(other, j, place)
                    gone.append((other, j))
                    break
            else:
                break
        return gone

    def _elsewhere(self, run: Run, h: int, target: int, below: float) -> int | None:
        self.looks -= LOOKS_FOR_ONE
        if run.shape.pool.has[h] and self._level(h, run, None) < below:
            return h
        key = self.search.queues.of(run.shape).best()
        found = -1 if key is None else key % len(self.state.cap)
        return found if found not in (-1, target) and self._level(found, run, None) < below else None

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
        amount = dict(run.shape.demand)[k]
        for target in hosts:
            if target == h:
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

    def _near(self, run: Run, k: int) -> list[int]:
        """Hosts of its pool with most of a resource left, relative to their size; looked up now and then."""
        if self.age >= AGE:
            self.age = 0
            self.roomy.clear()
        pool = run.shape.pool
        found = self.roomy.get((k, id(pool)))
        if found is None:
            cap, free = self.state.cap, self.state.free
            # Of hosts with units that may be moved there are few after a small change.
            ranked = ((-free[h][k] / cap[h][k], h) for h in self.on_host if pool.has[h] and cap[h][k])
            found = self.roomy[k, id(pool)] = [h for _, h in nsmallest(NEAR, ranked)]
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
