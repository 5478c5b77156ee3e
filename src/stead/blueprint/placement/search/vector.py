"""The same keys for all hosts at once, with numpy, for problems where a queue is built over thousands of hosts.

Must give bit for bit what `scorers.py` gives (a property test compares them) and must import numpy only when called:
a plan of a few instances never gets here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stead.blueprint.placement.model import Policy
from stead.blueprint.placement.scorers import EMPTY, MOST_COPIES, NovaRange, nova_slots
from stead.blueprint.placement.space import SCALE, Shape
from stead.blueprint.placement.state import SearchState

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

FAR = 1 << 62  # beyond every key


class Mirror:
    """Free capacity as arrays, brought up to date from the log of a state before each use."""

    def __init__(self, state: SearchState) -> None:
        import numpy as np

        self.np = np
        self.state = state
        hosts = len(state.cap)
        self.cap: Ints = np.array(state.cap, dtype=np.int64).reshape(hosts, -1).T.copy()
        self.free: Ints = np.array(state.free, dtype=np.int64).reshape(hosts, -1).T.copy()
        self.level = np.array(state.level, dtype=np.float64)
        self.used = np.array(state.count, dtype=np.int64) > 0
        self.seen = len(state.log)
        self._penalty: dict[int, Ints] = {}
        self._hosts: dict[int, tuple[list[int], Ints]] = {}
        self._fitted: tuple[tuple[int, int, int], Ints, Ints] | None = None
        self._nova_slots = nova_slots(state)

    def sync(self) -> None:
        state = self.state
        if self.seen == len(state.log):
            return
        touched = list(set(state.log[self.seen :]))
        self.seen = len(state.log)
        self.free[:, touched] = self.np.array([state.free[h] for h in touched], dtype=self.np.int64).T
        self.level[touched] = [state.level[h] for h in touched]
        self.used[touched] = [state.count[h] > 0 for h in touched]

    def sorted_keys(self, shape: Shape, hosts: list[int], ranges: tuple[NovaRange, ...]) -> Ints:
        """The keys of the hosts that have room, best first."""
        _, keys = self.keys(shape, hosts, ranges)
        keys.sort()
        return keys

    def keys(self, shape: Shape, hosts: list[int], ranges: tuple[NovaRange, ...]) -> tuple[Ints, Ints]:
        """The hosts that have room, and their keys."""
        index, free = self.fitting(shape, hosts)
        return index, self._keys(shape, index, free, ranges)

    def table(self, shape: Shape, index: Ints, ranges: tuple[NovaRange, ...], taken: range) -> Ints:
        """A line of keys for each number of units that these hosts took before; `FAR` where one more has no room."""
        np = self.np
        before = np.arange(taken.start, taken.stop, dtype=np.int64)[:, None]
        free = np.repeat(self.free.take(index, axis=1)[:, None, :], len(taken), axis=1)
        for k, amount in shape.demand:
            free[k] -= before * amount
        keys: Ints = np.where(before < self.copies(shape, index), self._keys(shape, index, free, ranges), FAR)
        return keys

    def copies(self, shape: Shape, index: Ints) -> Ints:
        """How many more units each of these hosts has room for."""
        np = self.np
        found: Ints = np.full(len(index), FAR)
        for k, amount in shape.demand:
            np.minimum(found, self.free[k].take(index) // amount, out=found)
        return found

    def take(self, shape: Shape, chosen: Ints) -> list[int]:
        """A unit for each host named, here and in the state: as if they had been taken one by one."""
        np, state = self.np, self.state
        times = np.bincount(chosen, minlength=len(state.cap))
        index = times.nonzero()[0]
        times = times[index]
        free = self.free.take(index, axis=1)
        for k, amount in shape.demand:
            free[k] -= times * amount
        level = self.level.take(index)
        for k, _ in shape.scored:
            full = self.cap[k].take(index)
            np.maximum(level, (full - free[k]) / full, out=level)
        self.free[:, index] = free
        self.level[index] = level
        self.used[index] = True
        rows = free.T.tolist()
        state.take_all(chosen.tolist(), zip(index.tolist(), rows, level.tolist(), times.tolist(), strict=True))
        self.seen = len(state.log)
        return state.log[len(state.log) - len(chosen) :]

    def ranges(self, shape: Shape, hosts: list[int]) -> tuple[NovaRange, ...]:
        """As `nova_ranges`."""
        index, free = self.fitting(shape, hosts)
        if not len(index):
            return ()
        have = self._weighed(free, self._nova_slots)
        least, most = have.min(axis=1).tolist(), have.max(axis=1).tolist()
        return tuple(
            NovaRange(slots, low, high - low) for slots, low, high in zip(self._nova_slots, least, most, strict=True)
        )

    def fitting(self, shape: Shape, hosts: list[int]) -> tuple[Ints, Ints]:
        """The hosts that have room, and what is free on them. Remembered, for who asks for ranges and then for keys."""
        self.sync()
        key = (shape.number, id(hosts), self.seen)
        if self._fitted is None or self._fitted[0] != key:
            index = self.index(hosts)
            free = self.free.take(index, axis=1)
            if shape.demand:
                room = free[shape.demand[0][0]] >= shape.demand[0][1]
                for k, amount in shape.demand[1:]:
                    room &= free[k] >= amount
                if not room.all():
                    index, free = index.compress(room), free.compress(room, axis=1)
            self._fitted = (key, index, free)
        return self._fitted[1:]

    def index(self, hosts: list[int]) -> Ints:
        """The array is found by the identity of the list, which is kept so that no other list can come to have it."""
        found = self._hosts.get(id(hosts))
        if found is None:
            found = self._hosts[id(hosts)] = (hosts, self.np.array(hosts, dtype=self.np.int64))
        return found[1]

    def penalty(self, shape: Shape) -> Ints:
        found = self._penalty.get(id(shape.pool.penalty))
        if found is None:
            found = self._penalty[id(shape.pool.penalty)] = self.np.array(shape.pool.penalty, dtype=self.np.int64)
        return found

    def _keys(self, shape: Shape, index: Ints, free: Ints, ranges: tuple[NovaRange, ...]) -> Ints:
        """For what is free there: a line of it per resource, or several lines, which give as many lines of keys."""
        match shape.policy:
            case Policy.BALANCE:
                score = self._balance(shape, index, free)
            case Policy.PACK:
                score = self._pack(shape, index, free)
            case Policy.SPREAD:
                score = self._spread(shape, free)
            case Policy.NOVA:
                score = self._nova(free, ranges)
        if shape.pool.marked:
            score += self.penalty(shape)[index]
        score *= len(self.state.cap)
        score += index
        return score

    def _balance(self, shape: Shape, index: Ints, free: Ints) -> Ints:
        worst = self.level[index]
        for k, amount in shape.scored:
            full = self.cap[k].take(index)
            worst = self.np.maximum(worst, (full - free[k] + amount) / full)
        return (worst * SCALE).astype(self.np.int64)

    def _pack(self, shape: Shape, index: Ints, free: Ints) -> Ints:
        np = self.np
        asked = dict(shape.demand)
        total = np.zeros(free.shape[1:])
        kinds = np.zeros(len(index))
        for k in self.state.scored:
            full = self.cap[k][index]
            there = full > 0
            use = (full - free[k] + asked.get(k, 0)) / np.where(there, full, 1)
            total += np.where(there, use, 0.0)
            kinds += there
        mean = np.where(kinds > 0, total / np.maximum(kinds, 1) * SCALE, 0).astype(np.int64)
        score: Ints = np.where(self.used[index], SCALE - mean, EMPTY + mean)
        return score

    def _spread(self, shape: Shape, free: Ints) -> Ints:
        np = self.np
        copies = np.full(free.shape[1:], MOST_COPIES)
        for k, amount in shape.scored:
            np.minimum(copies, (free[k] - amount) / amount, out=copies)
        score: Ints = -(copies * 1000.0).astype(np.int64)
        return score

    def _nova(self, free: Ints, ranges: tuple[NovaRange, ...]) -> Ints:
        np = self.np
        wide = [one for one in ranges if one.span]
        if not wide:
            none: Ints = np.zeros(free.shape[1:], dtype=np.int64)
            return none
        lines = (len(wide), *(1,) * (free.ndim - 1))
        low = np.array([one.low for one in wide]).reshape(lines)
        span = np.array([one.span for one in wide]).reshape(lines)
        part = ((self._weighed(free, tuple(one.slots for one in wide)) - low) / span * SCALE).astype(np.int64)
        score: Ints = len(wide) * SCALE - part.sum(axis=0)
        return score

    def _weighed(self, free: Ints, weighers: tuple[tuple[int, ...], ...]) -> Ints:
        """A line per weigher. Disk in several pools is several resources; the others are one."""
        if all(len(slots) == 1 for slots in weighers):
            alone: Ints = free.take([slots[0] for slots in weighers], axis=0)
            return alone
        return self.np.stack([free.take(slots, axis=0).sum(axis=0) for slots in weighers])
