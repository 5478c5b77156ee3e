"""The tables, as numbered migrations that both databases understand. A released migration never changes: add one.

`{blob}` is the database's type for bytes. Text that may be secret (leases, bodies, what is a want's own, outputs,
plans, documents, identities, reviews) is sealed before it gets here when a key is configured; digests and addresses
stay readable.
"""

from __future__ import annotations

APPLICATION = 0x53544541  # "STEA", in SQLite's header: tells our file from any other

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
        "CREATE TABLE bodies (id BIGINT PRIMARY KEY, digest TEXT NOT NULL UNIQUE, content TEXT NOT NULL)",
        """CREATE TABLE resources (
            id INTEGER PRIMARY KEY, address TEXT NOT NULL UNIQUE, host TEXT NOT NULL, leases TEXT NOT NULL,
            behind TEXT NOT NULL, protect INTEGER NOT NULL, reason TEXT NOT NULL)""",
        """CREATE TABLE wants (
            resource BIGINT NOT NULL, host TEXT NOT NULL, body BIGINT NOT NULL, own TEXT NOT NULL,
            digest TEXT NOT NULL, PRIMARY KEY (resource, host)){without_rowid}""",
        """CREATE TABLE runs (
            id BIGINT PRIMARY KEY, who TEXT NOT NULL, reason TEXT NOT NULL, plan TEXT NOT NULL,
            started DOUBLE PRECISION NOT NULL, ended DOUBLE PRECISION, outcome TEXT NOT NULL, steps BIGINT NOT NULL,
            token TEXT NOT NULL)""",
        """CREATE TABLE steps (
            run BIGINT NOT NULL, number BIGINT NOT NULL, address TEXT NOT NULL, host TEXT NOT NULL,
            action TEXT NOT NULL, state TEXT NOT NULL, began DOUBLE PRECISION NOT NULL, ended DOUBLE PRECISION,
            error TEXT NOT NULL, PRIMARY KEY (run, number)){without_rowid}""",
        "CREATE INDEX steps_by_address ON steps (address)",
        "CREATE INDEX steps_open ON steps (run) WHERE state = 'began'",
        "CREATE TABLE plans (digest TEXT PRIMARY KEY, made DOUBLE PRECISION NOT NULL, content {blob} NOT NULL)",
        "CREATE TABLE outputs (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
        """CREATE TABLE events (
            at DOUBLE PRECISION NOT NULL, who TEXT NOT NULL, what TEXT NOT NULL, address TEXT NOT NULL,
            detail TEXT NOT NULL)""",
        """CREATE TABLE lock (
            name TEXT PRIMARY KEY, token TEXT NOT NULL, owner TEXT NOT NULL, host TEXT NOT NULL, pid BIGINT NOT NULL,
            place TEXT NOT NULL, since DOUBLE PRECISION NOT NULL, reason TEXT NOT NULL,
            beat DOUBLE PRECISION NOT NULL, lives DOUBLE PRECISION NOT NULL)""",
    ),
    ("CREATE INDEX events_by_address ON events (address)",),
    ("CREATE TABLE hosts (name TEXT PRIMARY KEY, facts TEXT NOT NULL, dead TEXT NOT NULL)",),
    (
        """CREATE TABLE documents (
            project TEXT NOT NULL, revision BIGINT NOT NULL, at DOUBLE PRECISION NOT NULL, who TEXT NOT NULL,
            reason TEXT NOT NULL, content {blob} NOT NULL, PRIMARY KEY (project, revision))""",
        "CREATE TABLE identities (kind TEXT NOT NULL, id TEXT NOT NULL, content TEXT NOT NULL, PRIMARY KEY (kind, id))",
        """CREATE TABLE audit (
            at DOUBLE PRECISION NOT NULL, who TEXT NOT NULL, project TEXT NOT NULL, what TEXT NOT NULL,
            source TEXT NOT NULL, status BIGINT NOT NULL, request TEXT NOT NULL)""",
    ),
    ("ALTER TABLE hosts ADD COLUMN drained TEXT NOT NULL DEFAULT ''",),
    (
        """CREATE TABLE metered (
            id BIGINT PRIMARY KEY, at DOUBLE PRECISION NOT NULL, address TEXT NOT NULL, uuid TEXT NOT NULL,
            amounts TEXT NOT NULL)""",
        "CREATE INDEX metered_by_address ON metered (address, id)",
    ),
    (
        "CREATE TABLE reviews (id BIGINT PRIMARY KEY, about TEXT NOT NULL, content {blob} NOT NULL)",
        """CREATE TABLE review_events (
            review BIGINT NOT NULL, number BIGINT NOT NULL, at DOUBLE PRECISION NOT NULL, content TEXT NOT NULL,
            PRIMARY KEY (review, number))""",
    ),
)

VERSION = len(MIGRATIONS)


def statements(version: int, *, blob: str, without_rowid: str) -> list[str]:
    """What brings a store of this version to the present one."""
    return [
        one.replace("{blob}", blob).replace("{without_rowid}", without_rowid)
        for migration in MIGRATIONS[version:]
        for one in migration
    ]
