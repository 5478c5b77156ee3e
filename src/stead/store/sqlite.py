"""The default store: one SQLite file that only its owner can read. Good for one machine; for a team see `postgres`."""

from __future__ import annotations

import os
import sqlite3
import time
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from stead.store import init
from stead.store.codes import DAMAGED, EMPTY, FOREIGN, MISSING, NO_STORE, UNREACHABLE, refuse
from stead.store.database import PORTION, Database, Row
from stead.store.migrate import must_be_empty
from stead.store.schema import APPLICATION, VERSION, statements
from stead.store.sql import SqlStore

BUSY = 10.0  # seconds: a batch of an apply takes far less, and readers never wait
NEEDS_WRITING = " Whoever uses it, if only to read, must be able to write to it and to its directory."
CACHE = -32_000  # KiB of pages in memory
_HEADER = b"SQLite format 3\0"


class Sqlite:
    def __init__(self, path: Path) -> None:
        self._path = path
        with _said(path):
            self._connection = sqlite3.connect(path, timeout=BUSY, isolation_level=None, check_same_thread=False)
            # FULL: an intent that was written is on the disk before the step begins.
            for pragma in ("synchronous = FULL", "foreign_keys = OFF"):
                self._connection.execute(f"PRAGMA {pragma}")
            _open.add(self)
        # The last to close folds the log into the file, so that a copy of the file alone is a whole backup. Whoever
        # does not close it has it closed, at the exit at the latest.
        self._close = weakref.finalize(self, self._connection.close)

    @property
    def path(self) -> Path:
        return self._path

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        with _said(self._path):
            return self._connection.execute(sql, values).fetchall()

    def portions(self, sql: str) -> Iterator[list[Row]]:
        with _said(self._path):
            found = self._connection.execute(sql)
            while rows := found.fetchmany(PORTION):
                yield rows

    def run(self, sql: str, values: Sequence[Any] = ()) -> int:
        with _said(self._path):
            return self._connection.execute(sql, values).rowcount

    def many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        with _said(self._path):
            self._connection.executemany(sql, rows)

    @contextmanager
    def writing(self) -> Iterator[None]:
        self.run(f"PRAGMA cache_size = {CACHE}")  # who only reads reads each page once
        self.run("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.run("ROLLBACK")
            raise
        self.run("COMMIT")

    @contextmanager
    def reading(self) -> Iterator[None]:
        self.run("BEGIN")
        try:
            yield
        finally:
            self.run("COMMIT")
            self.run("PRAGMA shrink_memory")

    def now(self) -> float:
        return time.time()

    def again(self) -> Sqlite:
        return Sqlite(self._path)

    def close(self) -> None:
        self._close()

    @property
    def closed(self) -> bool:
        return not self._close.alive


_open: weakref.WeakSet[Sqlite] = weakref.WeakSet()


def _is_open_here(path: Path) -> bool:
    """Whether this process has a connection to this very file."""
    return any(not one.closed and one.path.exists() and one.path.samefile(path) for one in tuple(_open))


@contextmanager
def _said(path: Path) -> Iterator[None]:
    """SQLite's own words, as diagnostics."""
    try:
        yield
    except sqlite3.OperationalError as error:
        shut = "readonly" in str(error) or "unable to open" in str(error)
        refuse(UNREACHABLE, f"{path}: {error}.{NEEDS_WRITING if shut else ''}")
    except sqlite3.DatabaseError as error:
        refuse(
            DAMAGED,
            f"{path}: {error}. Put a backup of it back together with its -wal file; or move both away and rebuild it "
            "from the hosts: `stead recover`.",
        )


def open_sqlite(path: Path, *, directory: Path, key: str, create: bool) -> SqlStore:
    known, _ = init.read_marker(directory)
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        size = None
    except OSError as error:
        refuse(UNREACHABLE, f"{path}: {error.strerror}.")
    if size is None:
        _must_be_new(path, directory, known, create=create)
        _initialise(path, directory, key)
        known, _ = init.read_marker(directory)
    # POSIX drops every lock that a process has on a file when it closes any descriptor of it. Without its lock a
    # connection loses its log to whoever closes last, so a file that is open here is not looked into again.
    elif not _is_open_here(path):
        _check_file(path, size)
    db = Sqlite(path)
    try:
        _check_schema(db, path)
        site, seal = init.unseal(db, key, str(path))
        init.check_site(site, known, str(path), directory)
    except BaseException:
        db.close()
        raise
    if not known:
        init.write_marker(directory, site, str(path))
    return SqlStore(db, seal, site)


def _must_be_new(path: Path, directory: Path, known: str, *, create: bool) -> None:
    if known:
        refuse(
            MISSING,
            f"{path} is not there, but {directory / init.MARKER} says that site {known} had one. Without it Stead "
            "would take everything on the hosts for somebody else's. Put it back from a backup, or rebuild it from "
            "the hosts: `stead recover`.",
        )
    if not create:
        refuse(NO_STORE, f"{path} does not exist. The first `stead plan` or `stead apply` makes it.")


def _initialise(path: Path, directory: Path, key: str) -> None:
    """Complete before it has its name, so that a birth cut short leaves no empty store behind."""
    with _under_another_name(path, directory) as db:
        with db.writing():
            db.run(f"PRAGMA application_id = {APPLICATION}")
            _migrate(db, 0)
            site = init.first_rows(db, key)
        if _named(db, path):
            init.write_marker(directory, site, str(path))


@contextmanager
def _under_another_name(path: Path, directory: Path | None = None) -> Iterator[Sqlite]:
    """A new file beside the one that it will be, and gone in any case."""
    try:
        if directory is not None:
            init.make_directory(directory)
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_name(f".{path.name}.{os.getpid()}.new")
        os.close(os.open(new, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except OSError as error:
        refuse(UNREACHABLE, f"{path} cannot be made: {error.strerror}.")
    db = Sqlite(new)
    try:
        yield db
    finally:
        db.close()
        for end in ("", "-wal", "-shm"):
            Path(f"{new}{end}").unlink(missing_ok=True)


def _named(db: Sqlite, path: Path) -> bool:
    """False where another process was faster."""
    db.rows("PRAGMA journal_mode = WAL")  # kept in the file: later openings need not ask
    db.close()
    try:
        os.link(db.path, path)  # unlike a rename, never over one that another process has just made
    except FileExistsError:
        return False
    return True


def receive(path: Path, fill: Callable[[Database], None]) -> str:
    """A store that comes from elsewhere: complete before it has its name, where there is none yet."""
    must_be_empty(str(path), there=path.exists())
    path = path.resolve()
    with _under_another_name(path) as db:
        with db.writing():
            db.run(f"PRAGMA application_id = {APPLICATION}")
            _migrate(db, 0)
            fill(db)
        _named(db, path)
    return str(path)


def _check_file(path: Path, size: int) -> None:
    if size == 0:
        refuse(
            EMPTY,
            f"{path} has no content. That is not an empty site: something cut it off. Put a backup back; or move it "
            "away and rebuild it from the hosts: `stead recover`.",
        )
    try:
        with path.open("rb") as file:
            header = file.read(100)
    except OSError as error:
        refuse(UNREACHABLE, f"{path}: {error.strerror}.")
    if not header.startswith(_HEADER):
        refuse(FOREIGN, f"{path} is not an SQLite database. Give the path of Stead's own, or move this one away.")
    if len(header) < 100 or (_short(header, size) and not _has_log(path)):
        refuse(
            DAMAGED,
            f"{path} is shorter than it says itself: it was cut off, in a copy perhaps. Put a backup back; or move it "
            "away and rebuild it from the hosts: `stead recover`.",
        )


def _short(header: bytes, size: int) -> bool:
    page = int.from_bytes(header[16:18], "big")
    return int.from_bytes(header[28:32], "big") * (65536 if page == 1 else page) > size


def _has_log(path: Path) -> bool:
    """With a write-ahead log beside it, the file may rightly be shorter: the rest is in the log."""
    log = Path(f"{path}-wal")
    return log.exists() and log.stat().st_size > 0


def _check_schema(db: Sqlite, path: Path) -> None:
    application, version = db.rows("PRAGMA application_id")[0][0], db.rows("PRAGMA user_version")[0][0]
    if application != APPLICATION:
        refuse(FOREIGN, f"{path} is another program's SQLite database. Give the path of Stead's own.")
    init.check_version(version, str(path))
    if version < VERSION:
        with db.writing():
            _migrate(db, int(db.rows("PRAGMA user_version")[0][0]))  # another may have done it meanwhile


def _migrate(db: Sqlite, version: int) -> None:
    for statement in statements(version, blob="BLOB", without_rowid=" WITHOUT ROWID"):
        db.run(statement)
    db.run(f"PRAGMA user_version = {VERSION}")
