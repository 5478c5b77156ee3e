"""The store over any database that speaks SQL. It holds the connection; reading and writing are done beside it."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from stead.core.address import Address
from stead.core.metered import Metered
from stead.core.recorded import Record, Recorded
from stead.store import Hold, StorePlace, documents, history, init, metering, migrate, reviews
from stead.store import lock as locks
from stead.store.codes import DAMAGED, refuse
from stead.store.database import Database
from stead.store.model import (
    Audited,
    Document,
    Event,
    Holder,
    JournalEntry,
    Lineage,
    LockRequest,
    Outcome,
    Review,
    ReviewEvent,
    ReviewState,
    RunInfo,
    Start,
    Version,
    Writes,
)
from stead.store.reading import read_outputs, read_record, read_recorded
from stead.store.sealing import Seal, of_plan
from stead.store.writing import Pen, bump

PLANS_KEPT = 50  # of the latest runs; older ones are of no use and large
PACKING = 1  # zlib's fastest: a plan packs to a tenth at any level


@contextmanager
def _understood() -> Iterator[None]:
    """Rows that another program has changed, or a disk: the database itself sees nothing wrong with them."""
    try:
        yield
    except (ValueError, KeyError, TypeError, zlib.error) as error:
        refuse(DAMAGED, f"What is recorded cannot be understood ({type(error).__name__}: {error}). Put a backup back.")


class SqlStore:
    def __init__(self, db: Database, seal: Seal, site: str) -> None:
        self._db, self._seal = db, seal
        self._pen = Pen(db, seal)
        self.site = site

    # Reading

    def serial(self) -> int:
        return int(self._db.rows("SELECT value FROM meta WHERE name = 'serial'")[0][0])

    def recorded(self) -> Recorded:
        with _understood():
            return read_recorded(self._db, self._seal, self.site)

    def record(self, address: Address) -> Record | None:
        with _understood():
            return read_record(self._db, self._seal, address)

    def outputs(self) -> Mapping[str, Any]:
        return read_outputs(self._db, self._seal)

    def runs(self, limit: int = 50) -> Sequence[RunInfo]:
        return history.runs(self._db, limit)

    def pulse(self) -> tuple[int, ...]:
        return history.pulse(self._db)

    def outcomes(self) -> Mapping[Outcome, int]:
        return history.outcomes(self._db)

    def run(self, number: int) -> RunInfo | None:
        return history.run(self._db, number)

    def journal(self, run: int) -> Sequence[JournalEntry]:
        return history.journal(self._db, run)

    def history(self, address: Address) -> Sequence[Event]:
        return history.history(self._db, address)

    def events(self, since: float, project: str | None = None) -> Sequence[Event]:
        return history.events(self._db, since, project)

    def metered(self, project: str | None = None) -> Sequence[Metered]:
        with _understood():
            return metering.read(self._db, project)

    def metered_since(self) -> float | None:
        return metering.since(self._db)

    def plan(self, digest: str) -> bytes | None:
        rows = self._db.rows("SELECT content FROM plans WHERE digest = ?", (digest,))
        with _understood():
            return zlib.decompress(self._seal.open_bytes(bytes(rows[0][0]), of_plan(digest))) if rows else None

    def holder(self) -> Holder | None:
        return locks.read_holder(self._db)

    def documents(self) -> Mapping[str, Document]:
        with _understood():
            return documents.latest(self._db, self._seal)

    def documents_serial(self) -> int:
        return documents.count(self._db)

    def document(self, project: str, revision: int) -> Document | None:
        with _understood():
            return documents.at(self._db, self._seal, project, revision)

    def versions(self, project: str, limit: int = 50) -> Sequence[Version]:
        return documents.versions(self._db, project, limit)

    def identities(self) -> Mapping[tuple[str, str], Mapping[str, Any]]:
        with _understood():
            return documents.identities(self._db, self._seal)

    def audited(self, limit: int = 50) -> Sequence[Audited]:
        return documents.audited(self._db, limit)

    def reviews(self, limit: int = 50) -> Sequence[Review]:
        with _understood():
            return reviews.read(self._db, self._seal, limit)

    def review(self, number: int) -> Review | None:
        with _understood():
            return reviews.at(self._db, self._seal, number)

    def reviewed_plan(self, number: int) -> bytes | None:
        with _understood():
            return reviews.content(self._db, self._seal, number)

    # Writing

    def save_document(self, *changed: Document) -> None:
        with self._db.writing():
            for one in changed:
                documents.save(self._db, self._seal, one)

    def write_identities(self, changed: Mapping[tuple[str, str], Mapping[str, Any] | None]) -> None:
        with self._db.writing():
            documents.write_identities(self._db, self._seal, changed)

    def audit(self, entries: Sequence[Audited]) -> None:
        with self._db.writing():
            documents.audit(self._db, entries)

    def submit_review(self, review: Review, content: bytes) -> int:
        with self._db.writing():
            return reviews.submit(self._db, self._seal, review, content)

    def add_review_event(self, number: int, event: ReviewEvent, after: Collection[ReviewState]) -> None:
        with self._db.writing():
            reviews.add(self._db, self._seal, number, event, after)

    def lock(self, claim: LockRequest) -> locks.HeldLock:
        return locks.HeldLock(self._db, claim)

    def unlock(self, who: str) -> Holder:
        return locks.release(self._db, who)

    def start(self, hold: Hold, start: Start, writes: Writes) -> int:
        db = self._db
        with self._writing(hold):
            now = db.now()
            db.run("UPDATE runs SET outcome = 'killed', ended = ? WHERE outcome = 'running'", (now,))
            db.run("UPDATE steps SET state = 'cut', ended = ? WHERE state = 'began'", (now,))
            number = int(db.rows("SELECT coalesce(max(id), 0) + 1 FROM runs")[0][0])
            db.run(
                "INSERT INTO runs (id, who, reason, plan, started, outcome, steps, token) "
                "VALUES (?, ?, ?, ?, ?, 'running', ?, ?)",
                (number, start.who, start.reason, start.plan, now, start.steps, hold.token),
            )
            if start.content:
                packed = self._seal.close_bytes(zlib.compress(start.content, PACKING), of_plan(start.plan))
                db.run("DELETE FROM plans WHERE digest = ?", (start.plan,))
                db.run("INSERT INTO plans (digest, made, content) VALUES (?, ?, ?)", (start.plan, now, packed))
            history.remember_renames(db, start.who, number, writes.renamed)
            self._pen.write(number, writes)
            bump(db)  # even if it changes nothing yet: a plan made before this run does not know how it ends
        return number

    def write(self, hold: Hold, run: int, writes: Writes) -> None:
        with self._writing(hold):
            history.remember_renames(self._db, "", run, writes.renamed)
            self._pen.write(run, writes)

    def finish(self, hold: Hold, run: int, outcome: Outcome, writes: Writes) -> None:
        db = self._db
        with self._writing(hold):
            history.remember_renames(db, "", run, writes.renamed)
            self._pen.write(run, writes)
            db.run("UPDATE runs SET outcome = ?, ended = ? WHERE id = ?", (str(outcome), db.now(), run))
            db.run("DELETE FROM plans WHERE digest NOT IN (SELECT plan FROM runs WHERE id > ?)", (run - PLANS_KEPT,))
            db.run("DELETE FROM bodies WHERE id NOT IN (SELECT body FROM wants)")
            self._pen.forget_bodies()

    def edit(self, hold: Hold, who: str, what: str, writes: Writes) -> None:
        with self._writing(hold):
            history.remember_edit(self._db, who, what, writes)
            self._pen.write(0, writes)

    def begin_metering(self, hold: Hold, metered: Sequence[Metered]) -> None:
        with self._writing(hold):
            metering.begin(self._db, metered)

    def restore(self, hold: Hold, who: str, lineage: Lineage, writes: Writes, directory: Path) -> None:
        with self._writing(hold):
            init.adopt(self._db, who, lineage)
            documents.take_over(self._db, self._seal, lineage.documents)
            history.remember_edit(self._db, who, "recovered", writes)
            self._pen.write(0, writes)
            metering.begin(self._db, ())  # what was before is known only in part
            init.write_marker(directory, lineage.site, init.read_marker(directory)[1])
        self.site = lineage.site

    def encrypt(self, hold: Hold, key: str) -> None:
        """Seals a store that was made without a key."""
        with self._writing(hold):
            self._seal = init.encrypt(self._db, key)
            self._pen = Pen(self._db, self._seal)

    def move(self, hold: Hold, place: StorePlace, directory: Path) -> str:
        locks.prove(self._db, hold.token)  # nobody else writes: who takes the lock away finds it moved
        return migrate.move(self._db, place, directory)

    def copy(self, place: StorePlace) -> None:
        migrate.copy(self._db, place)

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def _writing(self, hold: Hold) -> Iterator[None]:
        """A transaction that begins by proving the lock."""
        try:
            with self._db.writing():
                locks.prove(self._db, hold.token)
                yield
        except BaseException:
            self._pen.forget_bodies()  # those it wrote were undone with the rest
            raise
