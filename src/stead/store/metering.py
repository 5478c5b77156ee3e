"""What resources took over time. A row holds until the next of the same address; only what differs makes a new one.

Rows are never changed and never removed: usage of any month can be computed at any time. The caller holds the
transaction.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from stead.core.address import Address, Known
from stead.core.metered import Metered
from stead.store.database import Database, dump
from stead.store.init import METERED_SINCE

LOT = 500  # addresses that are asked for at once
_NOTHING = "{}"
_LATEST = """
    SELECT address, uuid, amounts FROM metered
    WHERE id IN (SELECT max(id) FROM metered WHERE address IN ({}) GROUP BY address)"""
_ALL = "SELECT address, uuid, amounts, at FROM metered"


def read(db: Database, project: str | None) -> list[Metered]:
    """In the order of writing, which is the order of events also where a clock was set back in between."""
    # "0" is the character after "/", so this is all that begins with the project's name and a slash.
    bounds = () if project is None else (f"{project}/", f"{project}0")
    where = " WHERE address >= ? AND address < ?" if bounds else ""
    known = Known()
    rows = db.rows(f"{_ALL}{where} ORDER BY id", bounds)
    return [Metered(known[address], uuid, json.loads(amounts), at) for address, uuid, amounts, at in rows]


def since(db: Database) -> float | None:
    rows = db.rows("SELECT value FROM meta WHERE name = ?", (METERED_SINCE,))
    return float(rows[0][0]) if rows else None


def begin(db: Database, metered: Sequence[Metered]) -> None:
    db.run("DELETE FROM meta WHERE name = ?", (METERED_SINCE,))
    db.run("INSERT INTO meta (name, value) VALUES (?, ?)", (METERED_SINCE, repr(db.now())))
    remember(db, metered)


def remember(db: Database, metered: Sequence[Metered]) -> None:
    rows = [(str(one.address), one.uuid, dump(dict(sorted(one.amounts.items())))) for one in metered]
    _remember(db, rows, _latest(db, [row[0] for row in rows]))


def forget(db: Database, gone: Sequence[Address]) -> None:
    """They take nothing from now on."""
    last = _latest(db, [str(address) for address in gone])
    _remember(db, [(address, uuid, _NOTHING) for address, (uuid, _) in last.items()], last)


def rename(db: Database, renamed: Mapping[Address, Address]) -> None:
    names = {str(old): str(new) for old, new in renamed.items()}
    last = _latest(db, [*names, *names.values()])
    left = [(old, last[old][0], _NOTHING) for old in names if old in last]
    _remember(db, [*left, *((new, *last[old]) for old, new in names.items() if old in last)], last)


def _remember(db: Database, rows: Sequence[tuple[str, str, str]], last: Mapping[str, tuple[str, str]]) -> None:
    number, now = int(db.rows("SELECT coalesce(max(id), 0) FROM metered")[0][0]), db.now()
    known = dict(last)
    new: list[tuple[int, float, str, str, str]] = []
    for address, uuid, amounts in rows:
        before = known.get(address, ("", _NOTHING))
        if (uuid, amounts) != before and (amounts, before[1]) != (_NOTHING, _NOTHING):
            known[address] = (uuid, amounts)
            new.append((number + len(new) + 1, now, address, uuid, amounts))
    db.many("INSERT INTO metered (id, at, address, uuid, amounts) VALUES (?, ?, ?, ?, ?)", new)


def _latest(db: Database, addresses: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Address -> UUID and amounts of its latest row."""
    found: dict[str, tuple[str, str]] = {}
    for start in range(0, len(addresses), LOT):
        some = addresses[start : start + LOT]
        rows = db.rows(_LATEST.format(", ".join("?" * len(some))), some)
        found.update((address, (uuid, amounts)) for address, uuid, amounts in rows)
    return found
