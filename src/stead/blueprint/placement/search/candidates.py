"""A queue of hosts for one shape, best first, that stays right while others place and remove.

Decides which host is next, exactly: what the queue says is what a scan of all hosts would say. It costs one rating per
change since the last look instead of one per host. Must not place anything itself.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush, heapreplace

from stead.blueprint.placement.model import Policy
from stead.blueprint.placement.scorers import Key, NovaRange, key_of, nova_ranges
from stead.blueprint.placement.search.batch import WORTH_A_BATCH, batch
from stead.blueprint.placement.search.nearest import Nearest
from stead.blueprint.placement.search.vector import Mirror
from stead.blueprint.placement.space import Shape
from stead.blueprint.placement.state import SearchState

BACKLOG = 512  # changes after which sorting anew costs less than catching up, on a pool of any size we saw

Allowed = Callable[[int], bool]


class Candidates:
    """`near` may hold a host under several keys; one that is stale is found out when it is popped."""

    __slots__ = ("due", "has", "hosts", "key", "mirror", "n", "near", "ranges", "seen", "shape", "state")

    def __init__(self, state: SearchState, shape: Shape, hosts: list[int], mirror: Mirror | None) -> None:
        self.state = state
        self.shape = shape
        self.hosts = hosts
        self.mirror = mirror
        self.n = len(state.cap)
        self.has = shape.pool.has if hosts is shape.pool.hosts else _mask(hosts, self.n)
        self.near = Nearest([])
        self._weigh()

    def _weigh(self) -> None:
        """What keys are relative to, as things are now."""
        self.seen = len(self.state.log)
        self.due = True
        self.ranges: tuple[NovaRange, ...] = ()
        if self.shape.policy is Policy.NOVA:
            mirror = self.mirror
            ranges = nova_ranges(self.state, self.shape, self.hosts) if mirror is None else None
            self.ranges = mirror.ranges(self.shape, self.hosts) if mirror is not None else ranges or ()
        self.key: Key = key_of(self.state, self.shape, self.ranges)

    def _sort(self) -> None:
        """The queue, from a look at all hosts."""
        self.seen = len(self.state.log)
        self.due = False
        if self.mirror is not None:
            self.near = Nearest(self.mirror.keys(self.shape, self.hosts, self.ranges)[1])
        else:
            self.near = Nearest([key for key in map(self.key, self.hosts) if key is not None])

    def catch_up(self) -> None:
        log = self.state.log
        behind = len(log) - self.seen
        if behind > BACKLOG:
            self._weigh()
        if self.due:
            self._sort()
            return
        if not behind:
            return
        changed = log[self.seen :] if behind == 1 else set(log[self.seen :])
        self.seen = len(log)
        for h in changed:
            if self.has[h]:
                key = self.key(h)
                if key is not None:
                    heappush(self.near.heap, key)

    def best(self, allowed: Allowed | None = None, aside: list[int] | None = None) -> int | None:
        """The best key whose host is allowed. Keys that are not are moved to `aside`; give them back with `restore`.

        The key stays in the queue: once the caller has placed there, the log makes it stale.
        """
        self.catch_up()
        near = self.near
        heap = near.heap
        while (key := near.least()) is not None:
            h = key % self.n
            if self.key(h) != key:
                heappop(heap)  # stale: the right key was pushed when the host changed
            elif allowed is not None and not allowed(h):
                heappop(heap)
                if aside is not None:
                    aside.append(key)
            else:
                return key
        return None

    def restore(self, aside: list[int]) -> None:
        for key in aside:
            heappush(self.near.heap, key)

    def fill(self, count: int) -> list[int]:
        """Place up to `count` units, each on the host that is best at that moment; the hosts, in that order."""
        if count <= 0:
            return []
        if self.mirror is not None and count >= WORTH_A_BATCH:
            return self._batch(self.mirror, count)
        self.catch_up()
        state, near, rate, n, demand = self.state, self.near, self.key, self.n, self.shape.demand
        heap = near.heap
        chosen: list[int] = []
        while len(chosen) < count and (key := near.least()) is not None:
            h = key % n
            if rate(h) != key:
                heappop(heap)
                continue
            state.take(h, demand)
            chosen.append(h)
            after = rate(h)
            if after is None:
                heappop(heap)
            else:
                heapreplace(heap, after)
        self.seen = len(state.log)
        return chosen

    def _batch(self, mirror: Mirror, count: int) -> list[int]:
        if len(self.state.log) - self.seen > BACKLOG:
            self._weigh()
        chosen = batch(mirror, self.shape, self.hosts, self.ranges, count)
        self.seen = len(self.state.log)
        self.due = True
        return chosen


def _mask(hosts: list[int], n: int) -> bytearray:
    mask = bytearray(n)
    for h in hosts:
        mask[h] = 1
    return mask
