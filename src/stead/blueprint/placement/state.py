"""What is free where while a search runs: the one mutable thing of placement.

Decides nothing; it takes and gives back. Every change is appended to `log`, from which candidate queues and the numpy
mirror catch up, so that nobody has to be told. Must not know requests, policies or reasons.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import chain

from stead.blueprint.placement.space import Space

WORTH_ARRAYS = 50_000  # units; to seat fewer one by one takes no longer than to import numpy

Demand = tuple[tuple[int, int], ...]


class SearchState:
    """`free` may go below zero where a host shrank under what sits on it; nothing new fits there then."""

    __slots__ = ("cap", "count", "free", "level", "log", "scored", "space", "tally")

    def __init__(self, space: Space) -> None:
        self.space = space
        self.cap = space.usable
        self.free = [list(row) for row in space.usable]
        self.scored = [k for k, yes in enumerate(space.is_scored) if yes]
        self.level = [0.0] * len(self.cap)  # relative use of the scarcest resource
        self.count = [0] * len(self.cap)
        self.tally = Tally()
        self.log: list[int] = []

    def take(self, h: int, demand: Demand, times: int = 1) -> None:
        free = self.free[h]
        for k, amount in demand:
            free[k] -= amount * times
        self.count[h] += times
        self.level[h] = self.level_of(h)
        self.log.append(h)

    def take_all(self, order: list[int], after: Iterable[tuple[int, list[int], float, int]]) -> None:
        """What `take` makes of many units: the host of each, and by host what is then free, its level, and how many."""
        free, level, count = self.free, self.level, self.count
        for h, row, worst, times in after:
            free[h] = row
            level[h] = worst
            count[h] += times
        self.log += order

    def seat(self, homes: list[tuple[Demand, list[int]]]) -> None:
        """`take` for filling a state that nobody reads yet, so without a log: a unit of the demand for each host."""
        if sum(len(at) for _, at in homes) >= WORTH_ARRAYS:
            self._seat_many(homes)
            return
        for demand, at in homes:
            for h, times in Counter(at).items() if len(at) > 1 else zip(at, (1,), strict=False):
                free = self.free[h]
                for k, amount in demand:
                    free[k] -= amount * times
                self.count[h] += times
        self.level = [self.level_of(h) for h in range(len(self.cap))]

    def _seat_many(self, homes: list[tuple[Demand, list[int]]]) -> None:
        import numpy as np

        index = np.array(list(chain.from_iterable(at for _, at in homes)), dtype=np.int64)
        units = [len(at) for _, at in homes]
        cap, free = np.array(self.cap, dtype=np.int64).T.copy(), np.array(self.free, dtype=np.int64).T.copy()
        level = np.zeros(len(self.cap))
        for k in range(len(free)):
            asked = np.array([dict(demand).get(k, 0) for demand, _ in homes], dtype=np.int64)
            np.subtract.at(free[k], index, np.repeat(asked, units))
            if k in self.scored:
                np.maximum(level, (cap[k] - free[k]) / np.maximum(cap[k], 1), out=level, where=cap[k] > 0)
        self.free = free.T.tolist()
        self.level = level.tolist()
        self.count = (np.array(self.count) + np.bincount(index, minlength=len(self.cap))).tolist()

    def give(self, h: int, demand: Demand, times: int = 1) -> None:
        self.take(h, demand, -times)

    def level_of(self, h: int) -> float:
        cap, free, worst = self.cap[h], self.free[h], 0.0
        for k in self.scored:
            if cap[k]:
                use = (cap[k] - free[k]) / cap[k]
                worst = max(worst, use)
        return worst

    def fits(self, h: int, demand: Demand) -> bool:
        free = self.free[h]
        return all(free[k] >= amount for k, amount in demand)

    def used(self, h: int) -> list[int]:
        return [c - f for c, f in zip(self.cap[h], self.free[h], strict=True)]

    def fork(self) -> SearchState:
        """A copy to try things on. The log starts anew: who reads the copy has read nothing of it yet."""
        copy = SearchState.__new__(SearchState)
        copy.space, copy.cap, copy.scored = self.space, self.cap, self.scored
        copy.free = [list(row) for row in self.free]
        copy.level, copy.count, copy.log = list(self.level), list(self.count), []
        copy.tally = self.tally.fork()
        return copy


class Tally:
    """How many members of each group are on each host and in each zone."""

    __slots__ = ("hosts", "zones")

    def __init__(self) -> None:
        self.hosts: dict[str, dict[int, int]] = {}
        self.zones: dict[str, dict[str, int]] = {}

    def add(self, groups: Iterable[str], h: int, zone: str, times: int = 1) -> None:
        for name in groups:
            on_host = self.hosts.setdefault(name, {})
            in_zone = self.zones.setdefault(name, {})
            on_host[h] = on_host.get(h, 0) + times
            in_zone[zone] = in_zone.get(zone, 0) + times
            if not on_host[h]:
                del on_host[h]
            if not in_zone[zone]:
                del in_zone[zone]

    def on_host(self, name: str) -> dict[int, int]:
        return self.hosts.get(name, {})

    def in_zone(self, name: str) -> dict[str, int]:
        return self.zones.get(name, {})

    def fork(self) -> Tally:
        copy = Tally()
        copy.hosts = {name: dict(counts) for name, counts in self.hosts.items()}
        copy.zones = {name: dict(counts) for name, counts in self.zones.items()}
        return copy
