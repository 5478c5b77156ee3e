"""A store on its way to another database: all of it in one transaction, compared, and the old one closed for good.

Sealed values go as they are, with the salt and the proof of their key. The lock stays behind: it is held meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from stead.core.blake2 import blake2b
from stead.store import StorePlace, init
from stead.store.codes import NOT_EMPTY, UNREACHABLE, refuse
from stead.store.database import Database, Row

# (table, its columns, what orders it); `meta` goes apart. Rows are taken in lots: a journal may have millions.
_TABLES = (
    ("bodies", "id, digest, content", "id"),
    ("resources", "id, address, host, leases, behind, protect, reason", "id"),
    ("wants", "resource, host, body, own, digest", "resource, host"),
    ("runs", "id, who, reason, plan, started, ended, outcome, steps, token", "id"),
    ("steps", "run, number, address, host, action, state, began, ended, error", "run, number"),
    ("plans", "digest, made, content", "digest"),
    ("outputs", "name, value", "name"),
    ("hosts", "name, facts, dead, drained", "name"),
    ("events", "at, who, what, address, detail", "at, address, what, who, detail"),
    ("documents", "project, revision, at, who, reason, content", "project, revision"),
    ("identities", "kind, id, content", "kind, id"),
    ("metered", "id, at, address, uuid, amounts", "id"),
    ("reviews", "id, about, content", "id"),
    ("review_events", "review, number, at, content", "review, number"),
    ("audit", "at, who, project, what, source, status, request", "at, request"),
)
LOT = 5_000
_NOT_MOVED = frozenset({"version", init.MOVED})  # of this database, and no part of what is in it


def move(source: Database, place: StorePlace, directory: Path) -> str:
    """Returns where it is now. The caller holds the source's lock, so that nobody writes meanwhile."""
    where = copy(source, place)
    with source.writing():
        source.run("INSERT INTO meta (name, value) VALUES (?, ?)", (init.MOVED, where))
    init.write_marker(directory, init.meta(source)["site"], where)
    return where


def copy(source: Database, place: StorePlace) -> str:
    return place(lambda into: _fill(source, into))


def _fill(source: Database, into: Database) -> None:
    with source.reading():
        rows = [(name, text) for name, text in init.meta(source).items() if name not in _NOT_MOVED]
        into.many("INSERT INTO meta (name, value) VALUES (?, ?)", rows)
        for table, columns, order in _TABLES:
            _copied(source, into, table, columns, order)


def _copied(source: Database, into: Database, table: str, columns: str, order: str) -> None:
    places = ", ".join("?" for _ in columns.split(","))
    insert = f"INSERT INTO {table} ({columns}) VALUES ({places})"  # noqa: S608 - names of our own
    gone = come = 0
    for rows in _lots(source, table, columns, order):
        into.many(insert, rows)
        gone += sum(map(_digest, rows))
    for rows in _lots(into, table, columns, order):
        come += sum(map(_digest, rows))
    if gone != come:
        refuse(UNREACHABLE, f"What was written to {table} does not read back the same. Nothing was moved.")


def _lots(db: Database, table: str, columns: str, order: str) -> Iterator[list[Row]]:
    start = 0
    while rows := db.rows(f"SELECT {columns} FROM {table} ORDER BY {order} LIMIT {LOT} OFFSET {start}"):  # noqa: S608
        yield rows
        start += LOT


def _digest(row: Row) -> int:
    """To be added up, since databases put text into different orders."""
    plain = [bytes(one) if isinstance(one, memoryview | bytearray) else one for one in row]
    return int.from_bytes(blake2b(repr(plain).encode(), digest_size=16).digest())


def must_be_empty(where: str, *, there: bool) -> None:
    if there:
        refuse(NOT_EMPTY, f"{where} has something already, and is not overwritten. Name an unused place.")
