"""Many units of one shape at once: the hosts that one unit after the other would get, from a few array operations.

Decides nothing of its own: what comes out is what the loop over the queue (`Candidates`) gives, in the same order; a
property test compares them. That it may be taken together rests on two facts about the policies.

Let `key(h, j)` be the key of host h when j units of the batch are on it already. Only what is on h counts, so the loop
sees, for each host, the row key(h, 0), key(h, 1), … until it is full, and takes the least of the heads.

- Where rows never fall (`balance`, `spread`, `nova` with its frozen ranges: all divide what is free or used, which only
  shrinks or grows, by a constant and cut to an integer, and each of these steps keeps the order), always taking the
  least head merges sorted rows: the result is the least n of all entries, sorted. Keys of two hosts never tie, since a
  key holds its host. A host whose first key is not among the least n first keys has no entry among them, and an entry
  beyond a column that is above the n-th is above it too: so a table of few hosts and few columns is enough.
- Under `pack` a row never rises: who was best stays best until it is full, so hosts are filled whole in order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stead.blueprint.placement.model import Policy
from stead.blueprint.placement.scorers import NovaRange
from stead.blueprint.placement.search.vector import FAR, Mirror
from stead.blueprint.placement.space import Shape

if TYPE_CHECKING:
    from stead.blueprint.placement.search.vector import Ints

PART = 1 << 44  # beyond every key that `balance` gives where no host is marked, for sixteen million hosts
WORTH_A_BATCH = 12  # units; the loop takes some four microseconds for one, a batch some fifty for all


def batch(mirror: Mirror, shape: Shape, hosts: list[int], ranges: tuple[NovaRange, ...], count: int) -> list[int]:
    """Places up to `count` units; the hosts, in the order in which the loop would have chosen them."""
    index, keys = mirror.keys(shape, hosts, ranges)
    if not len(index):
        return []
    if len(index) > count:
        index = index[mirror.np.argpartition(keys, count - 1)[:count]]
    rows = _whole if shape.policy is Policy.PACK else _merged
    chosen = rows(mirror, shape, index, ranges, count)
    return mirror.take(shape, chosen)


def share(mirror: Mirror, shape: Shape, parts: list[tuple[list[int], int]]) -> list[int]:
    """The same for several lists of hosts that have none in common, each with its own count; for `balance` unmarked."""
    np = mirror.np
    mirror.sync()
    index = np.concatenate([mirror.index(hosts) for hosts, _ in parts])
    of = np.repeat(np.arange(len(parts)), [len(hosts) for hosts, _ in parts])
    room = mirror.copies(shape, index) > 0
    index, of = index[room], of[room]
    counts = np.array([count for _, count in parts])
    first, columns = 0, 2 + max(2 * count // len(hosts) for hosts, count in parts)
    least = np.empty(0, dtype=np.int64)
    while len(index):
        keys = mirror.table(shape, index, (), range(first, first + columns))
        table = np.where(keys < FAR, keys + of * PART, FAR)
        least = np.concatenate((least, table.ravel()))
        least.sort()
        start = np.searchsorted(least, np.arange(len(parts) + 1) * PART)
        end = np.minimum(start[:-1] + counts, start[1:])
        # Of a part that has not all of its units yet, everything that fits is wanted.
        limit = np.where(start[:-1] + counts <= start[1:], least[end - 1], FAR)
        least = np.concatenate([least[a:b] for a, b in zip(start[:-1].tolist(), end.tolist(), strict=True)])
        on = table[-1] < limit[of]
        index, of = index[on], of[on]
        first, columns = first + columns, first + columns
    return mirror.take(shape, least % PART % len(mirror.state.cap))


def _merged(mirror: Mirror, shape: Shape, index: Ints, ranges: tuple[NovaRange, ...], count: int) -> Ints:
    """Hosts that take more than the columns at hand are looked at further on; they hold that many of the n already."""
    np = mirror.np
    first, columns = 0, 2 + 2 * count // len(index)
    least = np.empty(0, dtype=np.int64)
    while len(index):
        table = mirror.table(shape, index, ranges, range(first, first + columns))
        least = np.concatenate((least, table.ravel()))
        limit = FAR
        if len(least) >= count:
            least = np.partition(least, count - 1)[:count]
            limit = int(least[-1])
        index = index[table[-1] < limit]
        first, columns = first + columns, first + columns
    least.sort()
    found: Ints = least[least < FAR] % len(mirror.state.cap)
    return found


def _whole(mirror: Mirror, shape: Shape, index: Ints, _ranges: tuple[NovaRange, ...], count: int) -> Ints:
    np = mirror.np
    keys = mirror.table(shape, index, (), range(1))[0]
    index = index[np.argsort(keys)]
    found: Ints = np.repeat(index, np.minimum(mirror.copies(shape, index), count))[:count]
    return found
