"""Numbers of which the least are asked for, one after the other, and most of them never.

Decides nothing: a heap whose far part is not put in order until somebody gets there.
"""

from __future__ import annotations

from heapq import heapify
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stead.blueprint.placement.search.vector import Ints

FIRST = 24  # taken from the rest at first
FOREVER = 1 << 200


class Nearest:
    """`heap` holds the least, `rest` the others, none below `bound`. Who reads the heap asks `least` first."""

    __slots__ = ("bound", "heap", "rest")

    def __init__(self, keys: list[int] | Ints) -> None:
        """An array is taken as it is, and put in another order."""
        self.heap: list[int] = []
        self.rest = sorted(keys, reverse=True) if isinstance(keys, list) else keys
        self.more()

    def more(self) -> None:
        """Twice as many each time, so that who gets far pays once."""
        self.heap += self._taken(max(FIRST, len(self.heap)))
        heapify(self.heap)

    def _taken(self, size: int) -> list[int]:
        rest = self.rest
        if isinstance(rest, list):
            chunk, self.rest = rest[-size:], rest[:-size]
            self.bound = self.rest[-1] if self.rest else FOREVER
            return chunk
        self.bound = FOREVER
        if len(rest) > size:
            rest.partition(size)
            self.bound = int(rest[size])
        self.rest = rest[size:]
        taken: list[int] = rest[:size].tolist()
        return taken

    def least(self) -> int | None:
        while not self.heap or self.heap[0] > self.bound:
            if self.bound == FOREVER:
                return None
            self.more()
        return self.heap[0]
