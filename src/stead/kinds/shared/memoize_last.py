"""Remembers what was worked out of the last value asked about.

Rules that look across blocks need an index of all of them. Made for every block, it would make the work quadratic;
kept in `Desired`, the engine would know the kinds. The answer depends on the value alone, so remembering it changes
nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

Value = TypeVar("Value")
Answer = TypeVar("Answer")


def memoize_last(work_out: Callable[[Value], Answer]) -> Callable[[Value], Answer]:
    kept: list[tuple[Value, Answer]] = []

    def answer(value: Value) -> Answer:
        for asked, known in kept:
            if asked is value:
                return known
        found = work_out(value)
        kept[:] = [(value, found)]
        return found

    return answer
