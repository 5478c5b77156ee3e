"""Fields that take one value or a list of them."""

from __future__ import annotations

from typing import TypeVar

One = TypeVar("One")


def as_tuple(value: One | tuple[One, ...]) -> tuple[One, ...]:
    return value if isinstance(value, tuple) and not hasattr(value, "_fields") else (value,)  # type: ignore[return-value]
