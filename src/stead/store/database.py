"""What the queries ask of a database. Two of them answer: SQLite and PostgreSQL. It knows nothing of Stead's tables.

Statements use `?` for parameters and only SQL that both understand.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from stead.address import Address

Row = tuple[Any, ...]


class Database(Protocol):
    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[Row]: ...
    def run(self, sql: str, values: Sequence[Any] = ()) -> int:
        """Returns how many rows it touched."""

    def many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None: ...
    def writing(self) -> AbstractContextManager[None]:
        """One transaction that nobody else writes beside; undone when an exception leaves it."""

    def reading(self) -> AbstractContextManager[None]:
        """One consistent reading, which nobody waits for."""

    def now(self) -> float:
        """The store's own clock, so that hosts with wrong clocks agree on who is late."""

    def again(self) -> Database:
        """Another connection to the same database, for another thread."""

    def close(self) -> None: ...


class Addresses(dict[str, Address]):
    """Text to address, sharing the parts: a hundred thousand members of a block share its three strings.

    The store wrote the text, so it is taken apart and not checked.
    """

    def __init__(self) -> None:
        self._stems: dict[str, tuple[str, str, str]] = {}

    def __missing__(self, text: str) -> Address:
        stem, bracket, rest = text.partition("[")
        parts = self._stems.get(stem)
        if parts is None:
            parts = self._stems[stem] = _parts(stem)
        if not bracket:
            return Address(*parts)
        key = rest[:-1]
        return Address(*parts, int(key) if key.isdigit() else key)


def _parts(stem: str) -> tuple[str, str, str]:
    first, second, *third = stem.split("/")
    return (first, second, third[0]) if third else ("", first, second)


def dump(value: Mapping[str, Any] | Sequence[Any]) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
