"""Amounts as people write them."""

from __future__ import annotations

_UNITS = ((1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"))


def readable(size: int) -> str:
    """In the largest unit that it fills, to a hundredth."""
    for unit, name in _UNITS:
        if size >= unit:
            return f"{round(size / unit, 2):g}{name}"
    return f"{size} bytes"
