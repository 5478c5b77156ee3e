"""What simulated hosts do when their power is back: what a real host's boot unit does, by that unit's own rule.

A host without power runs nothing; one that has only lost its cable runs on. Which guests of a host that has booted are
held back is asked of the others, whose words each run has told them. Tables of the file of `simulated_state`.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Mapping

from ansible_collections.stead.cloud.plugins.module_utils.host.run.witnesses import EVERYTHING, judged
from stead.core.by_hand import ON
from stead.core.want import Body, Want

TABLES = (
    """CREATE TABLE IF NOT EXISTS fences (
        host TEXT NOT NULL, dead TEXT NOT NULL, serial INTEGER NOT NULL, PRIMARY KEY (host, dead)) WITHOUT ROWID""",
    "CREATE TABLE IF NOT EXISTS boots (host TEXT PRIMARY KEY, below INTEGER NOT NULL, decided INTEGER NOT NULL)",
)
_SITE = ""  # simulated hosts of one file are of one site
_NOTED = """INSERT INTO fences (host, dead, serial) VALUES (?, ?, ?)
    ON CONFLICT (host, dead) DO UPDATE SET serial = excluded.serial"""


def note(db: sqlite3.Connection, hosts: Iterable[str], dead: Collection[str], serial: int) -> None:
    """These hosts have heard who is dead. In a transaction of the caller's."""
    db.executemany(_NOTED, [(host, name, serial) for host in hosts for name in dead])


def power(db: sqlite3.Connection, host: str, *, back: bool) -> None:
    """In a transaction of the caller's. What has just booted holds everything back until it has asked."""
    db.execute("DELETE FROM boots WHERE host = ?", (host,))
    if back:
        db.execute("INSERT INTO boots (host, below, decided) VALUES (?, ?, 0)", (host, EVERYTHING))


def undecided(db: sqlite3.Connection) -> list[str]:
    return [host for (host,) in db.execute("SELECT host FROM boots WHERE decided = 0 ORDER BY host")]


def ask(db: sqlite3.Connection, answering: Mapping[str, bool]) -> None:
    """Each that has not decided yet asks the others, if it reaches them. In a transaction of the caller's."""
    words: dict[str, dict[str, int]] = {host: {} for host, answers in answering.items() if answers}
    for host, dead, serial in db.execute("SELECT host, dead, serial FROM fences"):
        if host in words:
            words[host][dead] = serial
    for me in undecided(db):
        if not answering.get(me):
            continue
        answers = {
            other: {"site": _SITE, "dead": words[other]} if other in words else None
            for other in answering
            if other != me
        }
        below: int | None = judged(answers, me, _SITE) if answers else 0
        if below is not None:
            db.execute("UPDATE boots SET below = ?, decided = 1 WHERE host = ?", (below, me))


def held(db: sqlite3.Connection) -> frozenset[tuple[str, str]]:
    """(address, host) of what a host that has booted has not started, or would not."""
    bounds = dict(db.execute("SELECT host, below FROM boots WHERE below > 0").fetchall())
    if not bounds:
        return frozenset()
    made = {(address, host): content for address, host, content in db.execute("SELECT * FROM besides")}
    things = db.execute("SELECT address, host FROM things").fetchall()
    return frozenset(
        (address, host)
        for address, host in things
        if host in bounds and json.loads(made.get((address, host), "{}")).get("serial", 0) < bounds[host]
    )


def stopped(want: Want) -> Want:
    """As a host has it that has not started it. What has no state of its own is there all the same."""
    fields = want.fields()
    return Want.of(Body.of({**fields, "state": "stopped"})) if fields.get("state") in ON else want
