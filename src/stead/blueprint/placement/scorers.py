"""The four policies: how good a host is for a shape right now, as one integer, lower is better.

Each policy is written once for one host (here) and once for all hosts (`vector.py`); both do the same IEEE operations
in the same order and a property test holds them together. Must not filter, and must not remember anything.

A key is `(score + penalty) * hosts + index`: comparing two integers compares score, then the stable id of the host.
"""

from __future__ import annotations

from collections.abc import Callable

from stead.blueprint.placement.model import Policy
from stead.blueprint.placement.space import SCALE, Shape
from stead.blueprint.placement.state import SearchState
from stead.core.named import NamedTuple

Key = Callable[[int], int | None]  # None: the host has no room

EMPTY = 2 * SCALE  # `pack` opens a new host only when no host in use takes the shape
MOST_COPIES = 1_000_000.0  # headroom beyond a million copies is the same to everyone, and keeps keys below 2**63


class NovaRange(NamedTuple):
    """One of Nova's weighers over the candidates at the time the queue was built: free capacity from low to low + span.

    Nova rescales at every request. Frozen for a queue, the order of two hosts changes only when the widest span does.
    """

    slots: tuple[int, ...]
    low: int
    span: int


def key_of(state: SearchState, shape: Shape, ranges: tuple[NovaRange, ...] = ()) -> Key:
    match shape.policy:
        case Policy.BALANCE:
            return _balance(state, shape)
        case Policy.PACK:
            return _pack(state, shape)
        case Policy.SPREAD:
            return _spread(state, shape)
        case Policy.NOVA:
            return _nova(state, shape, ranges)


def nova_slots(state: SearchState) -> tuple[tuple[int, ...], ...]:
    """vCPUs, memory and all disk: the three weighers Nova turns on with a multiplier of one."""
    names = state.space.resources
    disks = tuple(k for k, name in enumerate(names) if name.startswith("disk:"))
    wanted = [tuple(k for k, name in enumerate(names) if name == one) for one in ("vcpus", "memory")]
    return tuple(slots for slots in (*wanted, disks) if slots)


def nova_ranges(state: SearchState, shape: Shape, hosts: list[int]) -> tuple[NovaRange, ...]:
    fitting = [state.free[h] for h in hosts if state.fits(h, shape.demand)]
    if not fitting:
        return ()
    found = []
    for slots in nova_slots(state):
        free = [sum(row[k] for k in slots) for row in fitting]
        found.append(NovaRange(slots, min(free), max(free) - min(free)))
    return tuple(found)


def _balance(state: SearchState, shape: Shape) -> Key:
    free, cap, level, penalty, n = state.free, state.cap, state.level, shape.pool.penalty, len(state.cap)
    demand, scored = shape.demand, shape.scored

    def key(h: int) -> int | None:
        row = free[h]
        for k, amount in demand:
            if row[k] < amount:
                return None
        full = cap[h]
        worst = level[h]
        for k, amount in scored:
            use = (full[k] - row[k] + amount) / full[k]
            if use > worst:  # noqa: PLR1730 - max() costs a call, a hundred thousand times over
                worst = use
        return (int(worst * SCALE) + penalty[h]) * n + h

    return key


def _pack(state: SearchState, shape: Shape) -> Key:
    free, cap, count, penalty, n = state.free, state.cap, state.count, shape.pool.penalty, len(state.cap)
    demand, scored = shape.demand, state.scored
    asked = dict(shape.demand)
    wanted = [(k, asked.get(k, 0)) for k in scored]

    def key(h: int) -> int | None:
        row = free[h]
        for k, amount in demand:
            if row[k] < amount:
                return None
        full = cap[h]
        total, kinds = 0.0, 0
        for k, amount in wanted:
            if full[k]:
                total += (full[k] - row[k] + amount) / full[k]
                kinds += 1
        mean = int(total / kinds * SCALE) if kinds else 0
        score = SCALE - mean if count[h] else EMPTY + mean
        return (score + penalty[h]) * n + h

    return key


def _spread(state: SearchState, shape: Shape) -> Key:
    free, penalty, n = state.free, shape.pool.penalty, len(state.cap)
    demand, scored = shape.demand, shape.scored

    def key(h: int) -> int | None:
        row = free[h]
        for k, amount in demand:
            if row[k] < amount:
                return None
        copies = MOST_COPIES
        for k, amount in scored:
            more = (row[k] - amount) / amount
            if more < copies:  # noqa: PLR1730 - as in balance
                copies = more
        return (penalty[h] - int(copies * 1000.0)) * n + h

    return key


def _nova(state: SearchState, shape: Shape, ranges: tuple[NovaRange, ...]) -> Key:
    free, penalty, n, demand = state.free, shape.pool.penalty, len(state.cap), shape.demand
    weighers = [(slots[0], slots[1:], low, span) for slots, low, span in ranges if span]

    def key(h: int) -> int | None:
        row = free[h]
        for k, amount in demand:
            if row[k] < amount:
                return None
        score = 0
        for first, others, low, span in weighers:
            have = row[first]
            for k in others:
                have += row[k]
            score += SCALE - int((have - low) / span * SCALE)
        return (score + penalty[h]) * n + h

    return key
