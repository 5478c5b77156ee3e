"""What the queries ask of a database. Two of them answer: SQLite and PostgreSQL. It knows nothing of Stead's tables.

Statements use `?` for parameters and only SQL that both understand.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

Row = tuple[Any, ...]
PORTION = 1000


class Database(Protocol):
    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[Row]: ...
    def portions(self, sql: str) -> Iterator[list[Row]]:
        """For what there is a hundred thousand of: all of the rows are never in memory at once."""

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


# One encoder for all: making one takes longer than what most values need.
dump: Callable[[Mapping[str, Any] | Sequence[Any]], str] = json.JSONEncoder(
    separators=(",", ":"), ensure_ascii=False
).encode
