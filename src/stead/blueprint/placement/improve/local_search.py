"""Lower the fullest host of a `balance` placement by moving or swapping what was placed in this same search.

Decides only exchanges that leave both hosts below the fullest one, so every step is an improvement and the walk ends.
Units with groups, wishes or another policy stay: their place is not for evenness to choose. Work is counted, not timed.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush, nsmallest

from stead.blueprint.placement.search.greedy import Search, even
from stead.blueprint.placement.search.runs import Run

LOOKS_PER_UNIT = 12  # hosts looked at per unit placed: more placed, more to gain and more time allowed
LOOKS_MOST = 120_000  # about a second and a half: a host has some eight shapes to exchange with
LOOKS_WHEN_MANY = 1_200_000_000  # very many units even out by themselves: fewer looks, the more there are
NEAR = 80  # hosts tried for a swap, those with most of the scarce resource left
NEAR_ENOUGH = 1.02  # of what no placement can be below: the rest costs more time than it evens out
MOST_FOR_ONE = 6  # small units that may leave for a large one
LOOKS_FOR_ONE = 8  # what finding a place for one of them costs, a queue to be brought up to date most of it
AGE = 200  # exchanges after which the order of those hosts is looked up again


def local_search(search: Search) -> None:
    if sum(len(run.units) for run in search.runs if even(run)) > 1:
        _LocalSearch(search).walk()


class _LocalSearch:
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
                number = run.shape.number
                for i, h in enumerate(run.chosen):
                    if h >= 0:
                        there = self.on_host.get(h)
                        if there is None:
                            there = self.on_host[h] = {}
                        if number in there:
                            there[number].append((run, i))
                        else:
                            there[number] = [(run, i)]
        self.looks = min(LOOKS_MOST, LOOKS_PER_UNIT * units, LOOKS_WHEN_MANY // max(1, units))
        self.asks: dict[int, list[int]] = {}
        self.nowhere: set[int] = set()
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
        self.nowhere.clear()
        before = self.state.level[h]
        k = self._scarcest(h, self.state.free[h])
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
        """Thought through on copies: what is tried in the state itself, every queue would have to look at."""
        rows = {at: list(self.state.free[at]) for at in (h, target)}
        _add(rows[h], run, 1)
        if self._use(h, rows[h]) >= below:
            return False
        _add(rows[target], run, -1)
        gone = self._make_way(run, h, target, below, rows)
        full = any(rows[target][k] < 0 for k, _ in run.shape.demand)
        if full or self._use(target, rows[target]) >= below or self._use(h, rows[h]) >= below:
            return False
        self._set(run, i, target)
        for other, j, place in gone:
            self._set(other, j, place)
        return True

    def _make_way(
        self, run: Run, h: int, target: int, below: float, rows: dict[int, list[int]]
    ) -> list[tuple[Run, int, int]]:
        """Units that leave the target until it is below, and where to, the largest that finds a place first."""
        gone: list[tuple[Run, int, int]] = []
        there = {number: list(pairs) for number, pairs in sorted(self.on_host[target].items())}
        while self._use(target, rows[target]) >= below and len(gone) < MOST_FOR_ONE:
            k = self._scarcest(target, rows[target])
            last = [pairs[-1] for pairs in there.values() if pairs and pairs[-1][0].shape is not run.shape]
            sizes = [(self._asks(other)[k or 0], other, j) for other, j in last]
            sizes.sort(key=lambda one: (-one[0], one[1].request.id))
            for size, other, j in sizes:
                place = self._elsewhere(other, h, target, below, rows) if size else None
                if place is not None:
                    _add(rows[target], other, 1)
                    _add(rows.setdefault(place, list(self.state.free[place])), other, -1)
                    gone.append((other, j, place))
                    there[other.shape.number].pop()
                    break
            else:
                break
        return gone

    def _elsewhere(self, run: Run, h: int, target: int, below: float, rows: dict[int, list[int]]) -> int | None:
        self.looks -= LOOKS_FOR_ONE
        if run.shape.pool.has[h] and self._level(h, rows[h], run, None) < below:
            return h
        queue, aside = self.search.queues.of(run.shape), list[int]()
        if run.shape.number in self.nowhere:
            return None
        key = queue.best(lambda one: one not in (h, target), aside)
        queue.restore(aside)
        hosts = len(self.state.cap)
        found = -1 if key is None else key % hosts
        if found >= 0 and self._level(found, rows.get(found, self.state.free[found]), run, None) < below:
            return found
        if found not in rows and all(one % hosts != target for one in aside):
            self.nowhere.add(run.shape.number)  # for no other target either, as long as nothing is moved
        return None

    def _scarcest(self, h: int, free: list[int]) -> int | None:
        """None of a host that has none of what is scored: nothing there can be lowered."""
        cap = self.state.cap[h]
        has = [k for k in self.state.scored if cap[k]]
        return max(has, key=lambda k: ((cap[k] - free[k]) / cap[k], -k)) if has else None

    def _move(self, run: Run, h: int, below: float) -> int | None:
        self.looks -= 1
        queue = self.search.queues.of(run.shape)
        key = queue.best()
        if key is None:
            return None
        target = key % len(self.state.cap)
        return target if target != h and self._level(target, self.state.free[target], run, None) < below else None

    def _swap(self, run: Run, h: int, k: int, below: float, hosts: list[int]) -> tuple[int, Run, int] | None:
        asks, free = self._asks(run), self.state.free
        good: dict[int, bool] = {}  # by shape: whether it is smaller, and this host below with it
        for target in hosts:
            if target == h:
                continue
            self.looks -= 1
            lacks = self._lacks(target, asks, below)
            for number, pairs in self.on_host.get(target, {}).items():
                other, j = pairs[0]
                theirs = self._asks(other)
                if any(theirs[slot] < lack for slot, lack in lacks):
                    continue
                if number not in good:
                    smaller = other.shape.pool.has[h] and theirs[k] < asks[k]
                    good[number] = bool(smaller and self._level(h, free[h], other, run) < below)
                if good[number] and self._level(target, free[target], run, other) < below:
                    return target, other, j
            if self.looks <= 0:
                return None
        return None

    def _lacks(self, target: int, asks: list[int], below: float) -> list[tuple[int, float]]:
        """By resource, what a unit must free at least on a host for one that asks this; rounded down, to be sure."""
        cap, free = self.state.cap[target], self.state.free[target]
        lacks = [(k, cap[k] - free[k] + asks[k] - below * cap[k] - 1) for k in self.state.scored]
        return [(k, lack) for k, lack in lacks if lack > 0]

    def _asks(self, run: Run) -> list[int]:
        """What a unit takes of each resource."""
        found = self.asks.get(run.shape.number)
        if found is None:
            found = self.asks[run.shape.number] = [0] * len(self.search.space.resources)
            for k, amount in run.shape.demand:
                found[k] = amount
        return found

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

    def _level(self, h: int, free: list[int], comes: Run, goes: Run | None) -> float:
        """How full the host would be; more than full when it does not fit."""
        free = list(free)
        if goes is not None:
            _add(free, goes, 1)
        for k, amount in comes.shape.demand:
            free[k] -= amount
            if free[k] < 0:
                return 2.0
        return self._use(h, free)

    def _use(self, h: int, free: list[int]) -> float:
        cap, worst = self.state.cap[h], 0.0
        for k in self.state.scored:
            if cap[k]:
                use = (cap[k] - free[k]) / cap[k]
                if use > worst:  # noqa: PLR1730 - max() costs a call, and this is asked most
                    worst = use
        return worst

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


def _add(free: list[int], run: Run, sign: int) -> None:
    """A unit leaves (1) or comes (-1)."""
    for k, amount in run.shape.demand:
        free[k] += sign * amount
