"""The store for a team: a PostgreSQL database. Its clock is the one that counts, since those of hosts differ.

All tables live in the schema `stead`, so that the database may hold other things too. A database that should have the
schema and has not is refused, as a lost file is.

A server that fails over is waited for, wherever nothing can be half done: before a transaction and at a lone reading.
What breaks within a transaction is told, since nobody can know whether its last word was heard.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

from stead.store import init
from stead.store.codes import DAMAGED, FOREIGN, MISSING, NO_DRIVER, NO_STORE, UNREACHABLE, refuse
from stead.store.database import PORTION, Database, Row
from stead.store.migrate import must_be_empty
from stead.store.schema import VERSION, statements
from stead.store.sql import SqlStore

if TYPE_CHECKING:
    import psycopg

Result = TypeVar("Result")
SCHEMA = "stead"
CONNECTING = 10  # seconds
CONNECTING_ONE = 3  # seconds for each of several servers: one that is away must not eat the time of the others
SILENT = 10  # seconds, after which a server that lost its power is not listened to any more
PATIENCE = 45.0  # seconds for a failover; less than a lock lives without a beat
PAUSE = 0.5
WRITERS = 0x53544541  # an advisory lock's number: writers queue here as SQLite's do at BEGIN IMMEDIATE


class Postgres:
    def __init__(self, url: str) -> None:
        self._url, self.name = url, shown(url)
        self._within = False
        self._driver = _driver()
        with _said(self.name):
            self._connection = self._connected()

    def _connected(self) -> psycopg.Connection[Row]:
        connection: psycopg.Connection[Row] = self._driver.connect(**settings(self._url), autocommit=True)
        connection.execute(f"SET search_path TO {SCHEMA}")
        return connection

    def _connect_again(self) -> None:
        self._connection.close()
        end = time.monotonic() + PATIENCE
        while True:
            try:
                self._connection = self._connected()
            except self._driver.OperationalError:
                if time.monotonic() > end:
                    raise
                time.sleep(PAUSE)
            else:
                return

    def _steadily(self, act: Callable[[], Result]) -> Result:
        """Once more over a new connection, where the server went away and nothing was begun."""
        if self._within:
            return act()
        try:
            return act()
        except self._driver.OperationalError:
            if not self._connection.closed:
                raise
        self._connect_again()
        return act()

    def _begin(self, first: Any, values: Sequence[Any]) -> ExitStack:
        with ExitStack() as stack:
            stack.enter_context(self._connection.transaction())
            self._connection.execute(first, values or None)
            return stack.pop_all()

    @contextmanager
    def _transaction(self, first: str, values: Sequence[Any] = ()) -> Iterator[None]:
        with _said(self.name), self._steadily(lambda: self._begin(first, values)):
            outer, self._within = self._within, True
            try:
                yield
            finally:
                self._within = outer

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        with _said(self.name):
            return self._steadily(lambda: self._connection.execute(_placed(sql), values or None).fetchall())

    def portions(self, sql: str) -> Iterator[list[Row]]:
        with _said(self.name):
            found = self._connection.execute(_placed(sql))
            while rows := found.fetchmany(PORTION):
                yield rows

    def run(self, sql: str, values: Sequence[Any] = ()) -> int:
        with _said(self.name):
            return self._connection.execute(_placed(sql), values or None).rowcount

    def many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        with _said(self.name), self._connection.cursor() as cursor:
            cursor.executemany(_placed(sql), rows)

    @contextmanager
    def writing(self) -> Iterator[None]:
        with self._transaction("SELECT pg_advisory_xact_lock(%s)", (WRITERS,)):
            yield

    @contextmanager
    def reading(self) -> Iterator[None]:
        with self._transaction("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"):
            yield

    def now(self) -> float:
        return float(self.rows("SELECT CAST(extract(epoch FROM clock_timestamp()) AS DOUBLE PRECISION)")[0][0])

    def again(self) -> Postgres:
        return Postgres(self._url)

    def close(self) -> None:
        self._connection.close()


def settings(url: str) -> dict[str, Any]:
    """What the address says, and what it leaves open. Of several servers, the one that takes writes is looked for."""
    from psycopg.conninfo import conninfo_to_dict

    given = conninfo_to_dict(url)
    several = any("," in str(given.get(name, "")) for name in ("host", "hostaddr"))
    usual: dict[str, Any] = {
        "application_name": "stead",
        "connect_timeout": CONNECTING_ONE if several else CONNECTING,
        "tcp_user_timeout": SILENT * 1000,
        "keepalives_idle": SILENT,
        "keepalives_interval": 2,
        "keepalives_count": 3,
    }
    return {**usual, **({"target_session_attrs": "read-write"} if several else {}), **given}


@cache
def _placed(sql: str) -> Any:
    """psycopg's placeholders. None of our statements has a `?` or a `%` of its own."""
    return sql.replace("?", "%s")


def _driver() -> Any:
    try:
        import psycopg  # a tenth of a second that only this store pays
    except ImportError:
        refuse(NO_DRIVER, "The store is a PostgreSQL database. Install its driver: pip install 'stead[postgres]'.")
    return psycopg


@contextmanager
def _said(name: str) -> Iterator[None]:
    """PostgreSQL's own words, as diagnostics."""
    import psycopg

    try:
        yield
    except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn) as error:
        refuse(DAMAGED, f"{name}: {_words(error)}. Put a backup back.")
    except psycopg.Error as error:
        refuse(UNREACHABLE, f"{name}: {_words(error)}.")


def _words(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".")


def shown(url: str) -> str:
    """The address without its password."""
    try:
        parts = urlsplit(url)
    except ValueError:  # no URL at all: what of it is a password cannot be said either
        return "postgresql://…"
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], query=""))


def open_postgres(url: str, *, directory: Path, key: str, create: bool) -> SqlStore:
    known, _ = init.read_marker(directory)
    db = Postgres(url)
    try:
        with db.writing():  # two that come first at once make one store
            _check_schema(db, directory, known, key, create=create)
        site, seal = init.unseal(db, key, db.name)
        init.check_site(site, known, db.name, directory)
    except BaseException:
        db.close()
        raise
    if not known:
        init.write_marker(directory, site, db.name)
    return SqlStore(db, seal, site)


def receive(url: str, fill: Callable[[Database], None]) -> str:
    """A store that comes from elsewhere: made and filled in one transaction, where there is none yet."""
    db = Postgres(url)
    try:
        with db.writing():
            found = db.rows("SELECT 1 FROM information_schema.tables WHERE table_schema = ?", (SCHEMA,))
            must_be_empty(db.name, there=bool(found))
            db.run(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
            _migrate(db, 0)
            fill(db)
        return db.name
    finally:
        db.close()


def _check_schema(db: Postgres, directory: Path, known: str, key: str, *, create: bool) -> None:
    tables = {
        row[0] for row in db.rows("SELECT table_name FROM information_schema.tables WHERE table_schema = ?", (SCHEMA,))
    }
    if not tables:
        if known:
            refuse(
                MISSING,
                f"{db.name} has no store, but {directory / init.MARKER} says that site {known} has one. Give the "
                "right address, restore the database, or rebuild it from the hosts: `stead recover`.",
            )
        if not create:
            refuse(NO_STORE, f"{db.name} has no store. The first `stead plan` or `stead apply` makes it.")
        db.run(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
        _migrate(db, 0)
        init.first_rows(db, key)
        return
    if "meta" not in tables:
        refuse(FOREIGN, f"{db.name} has a schema {SCHEMA!r} that is not Stead's. Give a database of its own.")
    version = int(init.meta(db).get("version", "0"))
    init.check_version(version, db.name)
    if version < VERSION:
        _migrate(db, version)


def _migrate(db: Postgres, version: int) -> None:
    for statement in statements(version, blob="BYTEA", without_rowid=""):
        db.run(statement)
    db.run(
        "INSERT INTO meta (name, value) VALUES ('version', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (str(VERSION),),
    )
