"""The same keys for all hosts at once, with numpy, for problems where a queue is built over thousands of hosts.

Must give bit for bit what `scorers.py` gives (a property test compares them) and must import numpy only when called:
a plan of a few instances never gets here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .model import Policy
from .scorers import EMPTY, MOST_COPIES, NovaRange, nova_slots
from .space import SCALE, Shape
from .state import State

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]


class Mirror:
    """Free capacity as arrays, brought up to date from the log of a state before each use."""

    def __init__(self, state: State) -> None:
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
        self._hosts: dict[int, Ints] = {}

    def sync(self) -> None:
        state = self.state
        if self.seen == len(state.log):
            return
        touched = list(set(state.log[self.seen :]))
        self.seen = len(state.log)
        self.free[:, touched] = self.np.array([state.free[h] for h in touched], dtype=self.np.int64).T
        self.level[touched] = [state.level[h] for h in touched]
        self.used[touched] = [state.count[h] > 0 for h in touched]

    def sorted_keys(self, shape: Shape, hosts: list[int]) -> tuple[Ints, tuple[NovaRange, ...]]:
        """The keys of the hosts that have room, best first."""
        np = self.np
        self.sync()
        index = self.index(hosts)
        room = np.ones(len(index), dtype=bool)
        for k, amount in shape.demand:
            room &= self.free[k][index] >= amount
        index = index[room]
        ranges = self._ranges(index) if shape.policy is Policy.NOVA else ()
        score = self._score(shape, index, ranges) + self.penalty(shape)[index]
        keys: Ints = score * len(self.state.cap) + index
        keys.sort()
        return keys, ranges

    def index(self, hosts: list[int]) -> Ints:
        """Lists of hosts live as long as the space does, so their identity is a key for the array made of them."""
        found = self._hosts.get(id(hosts))
        if found is None:
            found = self._hosts[id(hosts)] = self.np.array(hosts, dtype=self.np.int64)
        return found

    def penalty(self, shape: Shape) -> Ints:
        found = self._penalty.get(id(shape.pool.penalty))
        if found is None:
            found = self._penalty[id(shape.pool.penalty)] = self.np.array(shape.pool.penalty, dtype=self.np.int64)
        return found

    def _ranges(self, index: Ints) -> tuple[NovaRange, ...]:
        if not len(index):
            return ()
        found = []
        for slots in nova_slots(self.state):
            free = self.free[list(slots)][:, index].sum(axis=0)
            low, high = int(free.min()), int(free.max())
            found.append(NovaRange(slots, low, high - low))
        return tuple(found)

    def _score(self, shape: Shape, index: Ints, ranges: tuple[NovaRange, ...]) -> Ints:
        match shape.policy:
            case Policy.BALANCE:
                return self._balance(shape, index)
            case Policy.PACK:
                return self._pack(shape, index)
            case Policy.SPREAD:
                return self._spread(shape, index)
            case Policy.NOVA:
                return self._nova(index, ranges)

    def _balance(self, shape: Shape, index: Ints) -> Ints:
        worst = self.level[index]
        for k, amount in shape.scored:
            full = self.cap[k][index]
            self.np.maximum(worst, (full - self.free[k][index] + amount) / full, out=worst)
        score: Ints = (worst * SCALE).astype(self.np.int64)
        return score

    def _pack(self, shape: Shape, index: Ints) -> Ints:
        np = self.np
        asked = dict(shape.demand)
        total = np.zeros(len(index))
        kinds = np.zeros(len(index))
        for k in self.state.scored:
            full = self.cap[k][index]
            there = full > 0
            use = (full - self.free[k][index] + asked.get(k, 0)) / np.where(there, full, 1)
            total += np.where(there, use, 0.0)
            kinds += there
        mean = np.where(kinds > 0, total / np.maximum(kinds, 1) * SCALE, 0).astype(np.int64)
        score: Ints = np.where(self.used[index], SCALE - mean, EMPTY + mean)
        return score

    def _spread(self, shape: Shape, index: Ints) -> Ints:
        np = self.np
        copies = np.full(len(index), MOST_COPIES)
        for k, amount in shape.scored:
            np.minimum(copies, (self.free[k][index] - amount) / amount, out=copies)
        score: Ints = -(copies * 1000.0).astype(np.int64)
        return score

    def _nova(self, index: Ints, ranges: tuple[NovaRange, ...]) -> Ints:
        np = self.np
        score: Ints = np.zeros(len(index), dtype=np.int64)
        for slots, low, span in ranges:
            if span:
                have = self.free[list(slots)][:, index].sum(axis=0)
                score += SCALE - ((have - low) / span * SCALE).astype(np.int64)
        return score
