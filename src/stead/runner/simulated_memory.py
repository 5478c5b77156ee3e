"""What simulated hosts remember beside what they have, as real ones do: whose they are, and what the store had of it.

Tables of the same file. Nothing is decided here: whose run is refused is the host code's own rule.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence

from stead.core.address import parse
from stead.core.observed import Host, HostStatus, KeptDocument, StoreOrigin
from stead.core.want import Body, Want
from stead.recovery.rebuild import LedgerEntry, Memory

TABLES = (
    """CREATE TABLE IF NOT EXISTS origins (
        host TEXT PRIMARY KEY, site TEXT NOT NULL, serial INTEGER NOT NULL, token TEXT NOT NULL,
        key TEXT NOT NULL DEFAULT '')""",
    """CREATE TABLE IF NOT EXISTS besides (
        address TEXT NOT NULL, host TEXT NOT NULL, content TEXT NOT NULL, PRIMARY KEY (address, host)) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS documents (
        host TEXT NOT NULL, project TEXT NOT NULL, revision INTEGER NOT NULL, content TEXT NOT NULL,
        PRIMARY KEY (host, project)) WITHOUT ROWID""",
)

Beside = tuple[str, str, str]  # address, host, what is kept beside the want


def origins(db: sqlite3.Connection) -> dict[str, StoreOrigin]:
    """Who has nothing of a site's any more belongs to none."""
    having = (
        "SELECT host, site, serial, token FROM origins WHERE host IN (SELECT host FROM things) "
        "OR host IN (SELECT host FROM documents WHERE revision > 0)"
    )
    return {row[0]: StoreOrigin(*row[1:]) for row in db.execute(having)}


def keys(db: sqlite3.Connection) -> dict[str, str]:
    return dict(db.execute("SELECT host, key FROM origins WHERE key <> ''").fetchall())


def belong(db: sqlite3.Connection, hosts: Iterable[str], origin: StoreOrigin, keys: Mapping[str, str]) -> None:
    """In a transaction of the caller's. `keys` has the site's own for hosts that keep it."""
    db.executemany(
        "INSERT INTO origins (host, site, serial, token, key) VALUES (?, ?, ?, ?, ?) ON CONFLICT (host) DO UPDATE SET "
        "site = excluded.site, serial = excluded.serial, token = excluded.token, "
        "key = CASE excluded.key WHEN '' THEN key ELSE excluded.key END",
        [(host, *origin, keys.get(host, "")) for host in hosts],
    )


def keep(db: sqlite3.Connection, told: Mapping[str, Mapping[str, KeptDocument | None]]) -> None:
    """In a transaction of the caller's."""
    rows = [(host, project, one) for host, some in told.items() for project, one in some.items()]
    db.executemany("DELETE FROM documents WHERE host = ? AND project = ?", [row[:2] for row in rows])
    put = [(host, project, *one) for host, project, one in rows if one is not None]
    db.executemany("INSERT INTO documents (host, project, revision, content) VALUES (?, ?, ?, ?)", put)


def revisions(db: sqlite3.Connection) -> dict[str, dict[str, int]]:
    """Host -> project -> revision of the document that the host keeps."""
    found: dict[str, dict[str, int]] = {}
    for host, project, revision in db.execute("SELECT host, project, revision FROM documents"):
        found.setdefault(host, {})[project] = revision
    return found


def documents(db: sqlite3.Connection) -> dict[str, dict[str, KeptDocument]]:
    found: dict[str, dict[str, KeptDocument]] = {}
    for host, project, *kept in db.execute("SELECT host, project, revision, content FROM documents"):
        found.setdefault(host, {})[project] = KeptDocument(*kept)
    return found


def remember(db: sqlite3.Connection, put: Sequence[Beside], gone: Iterable[tuple[str, str]]) -> None:
    """In a transaction of the caller's."""
    db.executemany("DELETE FROM besides WHERE address = ? AND host = ?", gone)
    db.executemany("INSERT OR REPLACE INTO besides (address, host, content) VALUES (?, ?, ?)", put)


def recalled(db: sqlite3.Connection, hosts: Mapping[str, Host]) -> dict[str, Memory]:
    """What each of these remembers; one that is down says nothing."""
    entries: dict[str, list[LedgerEntry]] = {name: [] for name in hosts}
    rows = db.execute(
        "SELECT t.address, t.host, t.uuid, t.own, t.digest, t.made_from, b.content, b.digest, "
        "coalesce(m.content, '{}') "
        "FROM things t JOIN bodies b ON b.id = t.body LEFT JOIN besides m ON m.address = t.address AND m.host = t.host"
    )
    for name, host, uuid, own, digest, made_from, body, body_digest, beside in rows:
        address = parse(name)
        if host not in entries or address is None:
            continue
        # Of what was changed behind Stead's back, what it was made from is remembered by its digest alone.
        want = Want(Body(body, body_digest), own, digest if digest == made_from else made_from)
        entries[host].append(LedgerEntry(host, address, uuid, want, **json.loads(beside)))
    said, kept, documented = origins(db), keys(db), documents(db)
    return {
        name: Memory(host=name, silent=host.why or "it does not answer")
        if host.state is HostStatus.DOWN
        else Memory(
            host=name,
            origin=said.get(name),
            entries=tuple(entries[name]),
            key=kept.get(name, ""),
            documents=documented.get(name, {}),
        )
        for name, host in hosts.items()
    }
