"""Host patterns of an inventory: `compute-[1:10000]`, `rack[a:c]-[01:20:2]`."""

from __future__ import annotations

import re
from collections.abc import Iterator

_RANGE = re.compile(r"\[([0-9]{1,9}|[a-zA-Z]):([0-9]{1,9}|[a-zA-Z])(?::([0-9]{1,9}))?\]")
MOST = 1_000_000  # hosts of one pattern; a mistake in typing, beyond


class BadRange(ValueError):  # noqa: N818 - names what is so
    pass


def expand(pattern: str) -> Iterator[str]:
    match = _RANGE.search(pattern)
    if match is None:
        if "[" in pattern and ":" in pattern:
            raise BadRange(pattern)
        yield pattern
        return
    head, tail = pattern[: match.start()], pattern[match.end() :]
    values = _values(*match.groups())
    if "[" not in tail:
        yield from (f"{head}{value}{tail}" for value in values)
        return
    for value in values:
        for rest in expand(tail):
            yield f"{head}{value}{rest}"


def _values(first: str, last: str, step: str | None) -> Iterator[str]:
    by = int(step or 1)
    if first.isdigit() != last.isdigit() or by < 1:
        raise BadRange(f"[{first}:{last}]")
    if not first.isdigit():
        from string import ascii_letters as letters

        low, high = letters.index(first), letters.index(last)
        if low > high:
            raise BadRange(f"[{first}:{last}]")
        return iter(letters[low : high + 1 : by])
    if int(first) > int(last):
        raise BadRange(f"[{first}:{last}]")
    width = len(first) if first.startswith("0") else 0
    return (str(number).rjust(width, "0") for number in range(int(first), int(last) + 1, by))
