"""The lock of an apply: a row with an owner and a heartbeat. An owner not heard of for its time-to-live is dead.

Decides who may write; never waits. Every write proves its token in its own transaction (`prove`), so an owner that was
only asleep finds the lock gone and writes nothing.
"""

from __future__ import annotations

import os
from typing import Self

from stead.core.diagnostics import Refused
from stead.store.codes import LOCK_LOST, LOCKED, NO_LOCK, refuse
from stead.store.database import Database
from stead.store.model import Holder, LockRequest, moment

_COLUMNS = "owner, host, pid, since, reason, beat, lives, token, place"
BEATS_PER_LIFE = 6  # several may be late or lost before a live owner counts as dead


class HeldLock:
    """The lock, and the thread that keeps it alive."""

    def __init__(self, db: Database, claim: LockRequest) -> None:
        import threading  # only who writes pays for it

        self.token = os.urandom(16).hex()
        self._db, self._claim = db, claim
        self._stop = threading.Event()
        self._lost = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="lock heartbeat", daemon=True)

    @property
    def lost(self) -> bool:
        return self._lost.is_set()

    def __enter__(self) -> Self:
        take(self._db, self._claim, self.token)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        with self._db.writing():
            self._db.run("DELETE FROM lock WHERE token = ?", (self.token,))

    def _beat(self) -> None:
        """A beat that fails is tried again: only another's token in the row, or none, says that the lock is lost."""
        db: Database | None = None
        try:
            while not self._stop.wait(self._claim.lives / BEATS_PER_LIFE):
                try:
                    db = db or self._db.again()
                    with db.writing():
                        kept = db.run("UPDATE lock SET beat = ? WHERE token = ?", (db.now(), self.token))
                except Refused:  # busy or not reachable just now
                    continue
                if not kept:
                    self._lost.set()
                    return
        finally:
            if db is not None:
                db.close()


def take(db: Database, claim: LockRequest, token: str) -> None:
    with db.writing():
        holder = _read(db)
        if holder is not None and holder.alive:
            refuse(
                LOCKED,
                f"{tell(holder)}. Wait until it ends; if it is certainly dead, `stead unlock` releases its lock.",
            )
        now = db.now()
        db.run("DELETE FROM lock")
        db.run(
            f"INSERT INTO lock (name, {_COLUMNS}) VALUES ('apply', ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
            (
                claim.owner,
                os.uname().nodename,
                os.getpid(),
                now,
                claim.reason,
                now,
                claim.lives,
                token,
                place(),
            ),
        )


def read_holder(db: Database) -> Holder | None:
    with db.reading():
        return _read(db)


def working(db: Database) -> str:
    """The token of an owner that is alive. Empty when nobody is at work."""
    holder = _read(db)
    return holder.token if holder is not None and holder.alive else ""


def release(db: Database, who: str) -> Holder:
    """By a person's word, whoever holds it."""
    with db.writing():
        holder = _read(db)
        if holder is None:
            refuse(NO_LOCK, "Nobody holds the lock, so there is nothing to unlock.")
        db.run("DELETE FROM lock")
        db.run(
            "INSERT INTO events (at, who, what, address, detail) VALUES (?, ?, 'unlock', '', ?)",
            (db.now(), who, tell(holder)),
        )
        return holder


def prove(db: Database, token: str) -> None:
    """Inside the transaction that writes: no one else's write can come between this and the commit."""
    if not db.rows("SELECT 1 FROM lock WHERE token = ?", (token,)):
        holder = _read(db)
        now = f" Now {tell(holder)}." if holder else ""
        refuse(
            LOCK_LOST,
            (
                "This run no longer has the lock: it was released by someone else, or its heartbeat was too "
                f"late.{now} The run stops and writes nothing more. Plan again to see the current state."
            ),
        )


def tell(holder: Holder) -> str:
    why = f" ({holder.reason})" if holder.reason else ""
    return f"{holder.owner} on {holder.host}, process {holder.pid}, holds the lock since {moment(holder.since)}{why}"


def _read(db: Database) -> Holder | None:
    rows = db.rows(f"SELECT {_COLUMNS} FROM lock")  # noqa: S608
    if not rows:
        return None
    owner, host, pid, since, reason, beat, lives, token, where = rows[0]
    late = db.now() - beat > lives
    return Holder(owner, host, pid, since, reason, beat, lives, token, not late and not _gone(where, pid))


def _gone(where: str, pid: int) -> bool:
    """Whether the owner is a process of this very machine that no longer runs. Elsewhere only its heartbeat tells."""
    mine, _, started = where.rpartition("/")
    if not mine or mine != _machine():
        return False
    return started != _started(pid)


def place() -> str:
    """This boot of this machine, its process namespace, and when this process began: a pid alone may come again."""
    return f"{machine}/{_started(os.getpid())}" if (machine := _machine()) else ""


def _machine() -> str:
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:  # noqa: PTH123 - pathlib is slow to load
            return f"{file.read().strip()}:{os.readlink('/proc/self/ns/pid')}"  # noqa: PTH115
    except OSError:  # not Linux: the heartbeat alone decides
        return ""


def _started(pid: int) -> str:
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:  # noqa: PTH123
            fields = file.read().rpartition(")")[2].split()
            return "" if fields[0] in "ZX" else fields[19]  # a zombie holds nothing
    except OSError:
        return ""
