"""The store for a team: a PostgreSQL database. Its clock is the one that counts, since those of hosts differ.

All tables live in the schema `stead`, so that the database may hold other things too. A database that should have the
schema and has not is refused, as a lost file is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from stead.store import init
from stead.store.codes import DAMAGED, FOREIGN, MISSING, NO_DRIVER, NO_STORE, UNREACHABLE, refuse
from stead.store.database import PORTION, Database, Row
from stead.store.migrate import must_be_empty
from stead.store.schema import VERSION, statements
from stead.store.sql import SqlStore

if TYPE_CHECKING:
    import psycopg

SCHEMA = "stead"
CONNECTING = 10  # seconds
WRITERS = 0x53544541  # an advisory lock's number: writers queue here as SQLite's do at BEGIN IMMEDIATE


class Postgres:
    def __init__(self, url: str) -> None:
        self._url, self.name = url, shown(url)
        driver = _driver()
        with _said(self.name):
            self._connection: psycopg.Connection[Row] = driver.connect(
                url, autocommit=True, connect_timeout=CONNECTING, application_name="stead"
            )
            self._connection.execute(f"SET search_path TO {SCHEMA}")

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        with _said(self.name):
            return self._connection.execute(_placed(sql), values or None).fetchall()

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
        with _said(self.name), self._connection.transaction():
            self._connection.execute("SELECT pg_advisory_xact_lock(%s)", (WRITERS,))
            yield

    @contextmanager
    def reading(self) -> Iterator[None]:
        with _said(self.name), self._connection.transaction():
            self._connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield

    def now(self) -> float:
        return float(self.rows("SELECT CAST(extract(epoch FROM clock_timestamp()) AS DOUBLE PRECISION)")[0][0])

    def again(self) -> Postgres:
        return Postgres(self._url)

    def close(self) -> None:
        self._connection.close()


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
