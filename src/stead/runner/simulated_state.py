"""The file in which simulated hosts live: what each of them has, whether it is up, and what is to go wrong.

It knows what a host holds and nothing of whether that makes sense: `simulated_rules` does.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from stead.core.by_hand import ON
from stead.core.diagnostics import Code, Refused
from stead.core.want import Body, Want, digest
from stead.runner import simulated_boots as boots
from stead.runner.simulated_memory import TABLES
from stead.runner.simulated_model import OFF, FaultKind, HostRow, SimulatedFault, SimulatedResource

BROKEN = Code("STEAD-B050", "the file of the simulated hosts cannot be used")
APPLICATION = 0x5354_5349  # "STSI"
VERSION = 3  # 1 had no memory of sites, 2 none of boots
BUSY = 10.0  # seconds

_TABLES = (
    """CREATE TABLE hosts (
        name TEXT PRIMARY KEY, number INTEGER NOT NULL UNIQUE, state TEXT NOT NULL DEFAULT 'up',
        why TEXT NOT NULL DEFAULT '', delay REAL NOT NULL DEFAULT 0)""",
    "CREATE TABLE bodies (id INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE, content TEXT NOT NULL)",
    """CREATE TABLE things (
        address TEXT NOT NULL, host TEXT NOT NULL, uuid TEXT NOT NULL, body INTEGER NOT NULL, own TEXT NOT NULL,
        digest TEXT NOT NULL, made_from TEXT NOT NULL, PRIMARY KEY (address, host)) WITHOUT ROWID""",
    """CREATE TABLE faults (
        id INTEGER PRIMARY KEY, kind TEXT NOT NULL, host TEXT NOT NULL, address TEXT NOT NULL, skip INTEGER NOT NULL,
        times INTEGER NOT NULL, error TEXT NOT NULL)""",
    """CREATE TABLE hooks (
        at REAL NOT NULL, playbook TEXT NOT NULL, moment TEXT NOT NULL, address TEXT NOT NULL, host TEXT NOT NULL)""",
)


Row = tuple[str, str, str, int, str, str, str]  # address, host, uuid, body, own, digest, made from
PORTION = 1000


class _Bodies(dict[int, Body]):
    """Read when they are asked for: of what is known already nobody asks."""

    def __init__(self, db: sqlite3.Connection) -> None:
        super().__init__()
        self._db = db

    def __missing__(self, number: int) -> Body:
        content, known = self._db.execute("SELECT content, digest FROM bodies WHERE id = ?", (number,)).fetchone()
        found = self[number] = Body(content, known)
        return found


class SimulatedState:
    def __init__(self, path: Path) -> None:
        self.path = path
        with self.said():
            new = not path.exists()
            if new:
                path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                path.touch(mode=0o600)
            self._db = sqlite3.connect(path, timeout=BUSY, isolation_level=None, check_same_thread=False)
            self._db.execute("PRAGMA synchronous = NORMAL")  # a simulation need not outlive a power cut
            self._check()
        self._bodies: dict[str, int] = {}

    def _check(self) -> None:
        asked = ("application_id", "user_version")
        application, version = (self._db.execute(f"PRAGMA {one}").fetchone()[0] for one in asked)
        if (application, version) == (APPLICATION, VERSION):
            return
        if application == APPLICATION and 0 < version < VERSION:
            with self.writing():
                self._make((*TABLES, *boots.TABLES))
            return
        if application or version or self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            text = (
                f"{self.path} is not such a file, or is from a newer Stead. Move it away; `stead simulate` makes one."
            )
            raise Refused(BROKEN.at(None, text))
        self._db.execute("PRAGMA journal_mode = WAL")
        with self.writing():
            self._make((*_TABLES, *TABLES, *boots.TABLES))
            self._db.execute(f"PRAGMA application_id = {APPLICATION}")

    def _make(self, tables: Sequence[str]) -> None:
        for statement in tables:
            self._db.execute(statement)
        self._db.execute(f"PRAGMA user_version = {VERSION}")

    @contextmanager
    def said(self) -> Iterator[None]:
        """SQLite's own words, as a diagnostic; around whatever reads here too."""
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise Refused(BROKEN.at(None, f"{self.path}: {error}.")) from None

    @contextmanager
    def writing(self) -> Iterator[None]:
        with self.said():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                self._bodies.clear()
                raise
            self._db.execute("COMMIT")

    @property
    def database(self) -> sqlite3.Connection:
        """For what hosts remember, which is in the same file: see `simulated_memory`."""
        return self._db

    def close(self) -> None:
        self._db.close()

    def version(self) -> int:
        """Changes when another process has written."""
        return int(self._db.execute("PRAGMA data_version").fetchone()[0])

    # Hosts

    def hosts(self) -> dict[str, HostRow]:
        rows = self._db.execute("SELECT name, number, state, why, delay FROM hosts")
        return {row[0]: HostRow(*row) for row in rows}

    def know(self, names: Iterable[str]) -> dict[str, HostRow]:
        """The rows of all, making those of hosts never seen before: a host keeps its number, and so its address."""
        known = self.hosts()
        new = [name for name in names if name not in known]
        if new:
            with self.writing():
                first = self._db.execute("SELECT coalesce(max(number), -1) + 1 FROM hosts").fetchone()[0]
                self._db.executemany(
                    "INSERT OR IGNORE INTO hosts (name, number) VALUES (?, ?)",
                    [(name, number) for number, name in enumerate(new, first)],
                )
            known = self.hosts()
        return known

    def set_state(self, name: str, state: str, why: str) -> None:
        self.know([name])
        with self.writing():
            self.mark(name, state, why)

    def mark(self, name: str, state: str, why: str) -> None:
        """In a transaction of the caller's."""
        was_off = self._db.execute("SELECT 1 FROM hosts WHERE name = ? AND state = ?", (name, OFF)).fetchone()
        if state == OFF or was_off:
            boots.power(self._db, name, back=state != OFF)
        self._db.execute("UPDATE hosts SET state = ?, why = ? WHERE name = ?", (state, why, name))

    def booted(self) -> None:
        """Hosts that have booted ask the others what of theirs runs elsewhere."""
        if boots.undecided(self._db):
            with self.writing():
                boots.ask(self._db, {name: row.answers for name, row in self.hosts().items()})

    def running(self) -> Iterator[SimulatedResource]:
        """What runs at this moment, whoever may know of it."""
        rows, held = self.hosts(), boots.held(self._db)
        for portion in list(self.rows()):
            for address, host, uuid, body, own, known, made in portion:
                want = Want(self.bodies()[body], own, known)
                runs = want.fields().get("state") in ON and (address, host) not in held
                if runs and rows[host].state != OFF:
                    yield SimulatedResource(address, host, uuid, want, made)

    def set_delay(self, name: str, seconds: float) -> None:
        self.know([name])
        with self.writing():
            self._db.execute("UPDATE hosts SET delay = ? WHERE name = ?", (seconds, name))

    # Things

    def rows(self) -> Iterator[list[Row]]:
        """Everything on every host, by address and host, a portion at a time."""
        rows = self._db.execute(
            "SELECT address, host, uuid, body, own, digest, made_from FROM things ORDER BY address, host"
        )
        while portion := rows.fetchmany(PORTION):
            yield portion
        self._db.execute("PRAGMA shrink_memory")  # pages are read once

    def bodies(self) -> Mapping[int, Body]:
        return _Bodies(self._db)

    def things(self, address: str) -> list[SimulatedResource]:
        bodies = self.bodies()
        rows = self._db.execute(
            "SELECT address, host, uuid, body, own, digest, made_from FROM things WHERE address = ? ORDER BY host",
            (address,),
        )
        return [
            SimulatedResource(name, host, uuid, Want(bodies[body], own, known), made)
            for name, host, uuid, body, own, known, made in rows
        ]

    def store(self, put: Sequence[SimulatedResource], gone: Iterable[tuple[str, str]] = ()) -> None:
        """In one transaction of the caller's."""
        self._db.executemany("DELETE FROM things WHERE address = ? AND host = ?", gone)
        self._new_bodies({one.want.body.digest: one.want.body for one in put})
        bodies = self._bodies
        self._db.executemany(
            "INSERT OR REPLACE INTO things (address, host, uuid, body, own, digest, made_from) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (address, host, uuid, bodies[want.body.digest], want.own, want.digest, made)
                for address, host, uuid, want, made in put
            ],
        )

    def _new_bodies(self, bodies: Mapping[str, Body]) -> None:
        for known, body in bodies.items():
            if known not in self._bodies:
                self._db.execute("INSERT OR IGNORE INTO bodies (digest, content) VALUES (?, ?)", (known, body.text))
                found = self._db.execute("SELECT id FROM bodies WHERE digest = ?", (known,)).fetchone()
                self._bodies[known] = found[0]

    # Drift, behind Stead's back

    def edit(self, address: str, host: str, fields: Mapping[str, Any]) -> None:
        """Changes fields (`memory`, `nics.app.mtu`) of what is there; it still says what it was made from."""
        for thing in self.things(address):
            if thing.host == host:
                changed = thing.want.fields()
                for path, value in fields.items():
                    _put(changed, path, value)
                want = Want.of(Body.of(changed))
                with self.writing():
                    self.store([thing._replace(want=want)])

    def lose(self, address: str, host: str) -> None:
        with self.writing():
            self.store((), [(address, host)])

    def move(self, address: str, host: str, to: str) -> None:
        for thing in self.things(address):
            if thing.host == host:
                with self.writing():
                    self.store([thing._replace(host=to)], [(address, host)])

    def plant(self, address: str, host: str, uuid: str, fields: Mapping[str, Any]) -> None:
        """Something that carries an address of Stead's and that Stead did not make here."""
        want = Want.of(Body.of(fields))
        with self.writing():
            self.store([SimulatedResource(address, host, uuid, want, digest("planted"))])

    # Faults and hooks

    def faults(self) -> list[SimulatedFault]:
        rows = self._db.execute("SELECT kind, host, address, skip, times, error, id FROM faults ORDER BY id")
        return [SimulatedFault(FaultKind(row[0]), *row[1:]) for row in rows]

    def inject(self, fault: SimulatedFault) -> None:
        with self.writing():
            self._db.execute(
                "INSERT INTO faults (kind, host, address, skip, times, error) VALUES (?, ?, ?, ?, ?, ?)", fault[:6]
            )

    def keep_faults(self, faults: Sequence[SimulatedFault]) -> None:
        """In a transaction of the caller's: what is left of them."""
        self._db.execute("DELETE FROM faults")
        self._db.executemany(
            "INSERT INTO faults (kind, host, address, skip, times, error, id) VALUES (?, ?, ?, ?, ?, ?, ?)", faults
        )

    def clear_faults(self) -> None:
        with self.writing():
            self._db.execute("DELETE FROM faults")
            self._db.execute("UPDATE hosts SET delay = 0")

    def empty(self) -> None:
        """As new, but for the addresses of hosts."""
        with self.writing():
            for table in ("things", "bodies", "faults", "hooks", "origins", "besides", "documents", "fences", "boots"):
                self._db.execute(f"DELETE FROM {table}")  # noqa: S608 - names of our own
            self._db.execute("UPDATE hosts SET state = 'up', why = '', delay = 0")
        self._bodies.clear()

    def ran(self, hooks: Iterable[tuple[str, str, str, str]]) -> None:
        """(playbook, before or after, address, host), in a transaction of the caller's."""
        now = time.time()
        self._db.executemany(
            "INSERT INTO hooks (at, playbook, moment, address, host) VALUES (?, ?, ?, ?, ?)",
            [(now, *one) for one in hooks],
        )

    def hooks(self) -> list[tuple[str, str, str, str]]:
        return self._db.execute("SELECT playbook, moment, address, host FROM hooks ORDER BY rowid").fetchall()


def _put(fields: dict[str, Any], path: str, value: Any) -> None:
    *above, last = path.split(".")
    for one in above:
        inner = fields.get(one)
        fields[one] = dict(inner) if isinstance(inner, dict) else {}
        fields = fields[one]
    if value is None:
        fields.pop(last, None)
    else:
        fields[last] = value
