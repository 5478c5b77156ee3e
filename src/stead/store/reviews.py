"""Plans that were submitted for review, and what was done with each: rows that are written once and never changed.

With a key, all of it is sealed and bound to its row: whoever can write to the database alone approves nothing.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Collection, Sequence
from typing import Any

from stead.store.codes import DECIDED, UNKNOWN_REVIEW, refuse
from stead.store.database import Database, Row, dump
from stead.store.model import Review, ReviewEvent, ReviewState
from stead.store.sealing import Seal, of_review, of_review_event, of_reviewed

KEPT = 50  # with their files
PACKING = 1
_NOTHING = b""
_EVENTS = """
    SELECT review, number, at, content FROM review_events WHERE review BETWEEN ? AND ? ORDER BY review, number"""


def read(db: Database, seal: Seal, limit: int) -> list[Review]:
    return _read(db, seal, db.rows("SELECT id, about FROM reviews ORDER BY id DESC LIMIT ?", (limit,)))


def at(db: Database, seal: Seal, number: int) -> Review | None:
    return next(iter(_read(db, seal, db.rows("SELECT id, about FROM reviews WHERE id = ?", (number,)))), None)


def _read(db: Database, seal: Seal, rows: Sequence[Row]) -> list[Review]:
    """Two readings for all of them: who applies looks at the latest before each plan."""
    if not rows:
        return []
    events: dict[int, list[ReviewEvent]] = {number: [] for number, _ in rows}
    for review, number, when, text in db.rows(_EVENTS, (min(events), max(events))):
        events[review].append(_event(json.loads(seal.open(text, of_review_event(review, number))), when))
    now = db.now()
    return [
        Review(id=number, events=tuple(events[number]), now=now, **json.loads(seal.open(about, of_review(number))))
        for number, about in rows
    ]


def _event(said: dict[str, Any], when: float) -> ReviewEvent:
    return ReviewEvent(**{**said, "state": ReviewState(said["state"]), "at": when})


def content(db: Database, seal: Seal, number: int) -> bytes | None:
    rows = db.rows("SELECT content FROM reviews WHERE id = ?", (number,))
    if not rows or not rows[0][0]:
        return None
    return zlib.decompress(seal.open_bytes(bytes(rows[0][0]), of_reviewed(number)))


def submit(db: Database, seal: Seal, review: Review, file: bytes) -> int:
    """In a transaction of the caller's."""
    number = int(db.rows("SELECT coalesce(max(id), 0) + 1 FROM reviews")[0][0])
    about = {name: getattr(review, name) for name in ("plan", "recorded", "steps", "checksum")}
    packed = seal.close_bytes(zlib.compress(file, PACKING), of_reviewed(number))
    row = (number, seal.close(dump(about), of_review(number)), packed)
    db.run("INSERT INTO reviews (id, about, content) VALUES (?, ?, ?)", row)
    db.run("UPDATE reviews SET content = ? WHERE id = ?", (_NOTHING, number - KEPT))
    _insert(db, seal, number, 1, review.submitted)
    return number


def add(db: Database, seal: Seal, number: int, event: ReviewEvent, after: Collection[ReviewState]) -> None:
    """In a transaction of the caller's."""
    known = at(db, seal, number)
    if known is None:
        refuse(UNKNOWN_REVIEW, f"There is no review {number}. `stead review list` lists them.")
    if known.state not in after:
        last = known.events[-1]
        refuse(DECIDED, f"Review {number} is {last.state}, by {last.who}. To decide anew, submit the plan again.")
    _insert(db, seal, number, len(known.events) + 1, event)


def _insert(db: Database, seal: Seal, review: int, number: int, event: ReviewEvent) -> None:
    said = {name: told for name, told in event._asdict().items() if name != "at"}
    row = (review, number, db.now(), seal.close(dump(said), of_review_event(review, number)))
    db.run("INSERT INTO review_events (review, number, at, content) VALUES (?, ?, ?, ?)", row)
