"""Documents of projects that belong to the API, and what `stead serve` knows of people: every version, who and why.

A version is written once, under the number that follows its predecessor's: who comes second is refused and decides
anew. No lock is needed, for an apply goes on meanwhile; what it was planned from, its plan says.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from stead.core.observed import KeptDocument
from stead.store.codes import OVERTAKEN, refuse
from stead.store.database import Database, dump
from stead.store.model import Audited, Document, Version
from stead.store.sealing import Seal, of_document, of_identity

KEPT = 200  # versions with their contents; of older ones, who, when and why
_LATEST = """
    SELECT project, revision, at, who, reason, content FROM documents a
    WHERE revision = (SELECT max(revision) FROM documents b WHERE b.project = a.project) ORDER BY project"""
_NOTHING = b""
RECOVERED = "stead recover"  # whose version it is


def count(db: Database) -> int:
    """Grows with every version: equal counts mean equal documents."""
    return int(db.rows("SELECT count(*) FROM documents")[0][0])


def latest(db: Database, seal: Seal) -> dict[str, Document]:
    rows = db.rows(_LATEST)
    found = (_document(seal, *row) for row in rows)
    return {one.project: one for one in found if one is not None and one.content}


def at(db: Database, seal: Seal, project: str, revision: int) -> Document | None:
    rows = db.rows(
        "SELECT project, revision, at, who, reason, content FROM documents WHERE project = ? AND revision = ?",
        (project, revision),
    )
    return _document(seal, *rows[0]) if rows else None


def versions(db: Database, project: str, limit: int) -> list[Version]:
    rows = db.rows(
        "SELECT revision, at, who, reason FROM documents WHERE project = ? ORDER BY revision DESC LIMIT ?",
        (project, limit),
    )
    return [Version(*row) for row in rows]


def save(db: Database, seal: Seal, one: Document) -> None:
    """In a transaction of the caller's."""
    project, revision = one.project, one.revision
    last = int(db.rows("SELECT coalesce(max(revision), 0) FROM documents WHERE project = ?", (project,))[0][0])
    if revision != last + 1:
        refuse(
            OVERTAKEN,
            f"The document of {project} has revision {last}, but this change is for {revision - 1}. Read it again.",
        )
    _insert(db, seal, one)
    db.run("UPDATE documents SET content = ? WHERE project = ? AND revision = ?", (_NOTHING, project, revision - KEPT))


def take_over(db: Database, seal: Seal, found: Iterable[Document]) -> None:
    """What hosts kept, where it is newer than what is here. In a transaction of the caller's."""
    for one in found:
        if not db.rows("SELECT 1 FROM documents WHERE project = ? AND revision >= ?", (one.project, one.revision)):
            _insert(db, seal, one)


def _insert(db: Database, seal: Seal, one: Document) -> None:
    db.run(
        "INSERT INTO documents (project, revision, at, who, reason, content) VALUES (?, ?, ?, ?, ?, ?)",
        (one.project, one.revision, db.now(), one.who, one.reason, _closed(seal, one)),
    )


def _closed(seal: Seal, one: Document) -> bytes:
    text = zlib.compress(dump({"content": one.content, "about": one.about}).encode(), 1)
    return seal.close_bytes(text, of_document(one.project, one.revision))


def to_keep(one: Document, seal: Seal) -> KeptDocument:
    """For hosts, in the form of the store."""
    return KeptDocument(one.revision, base64.b64encode(_closed(seal, one)).decode())


def from_kept(project: str, kept: KeptDocument, seal: Seal) -> Document:
    """Refused where it was sealed with another key."""
    row = (project, kept.revision, 0.0, RECOVERED, "kept by a host", base64.b64decode(kept.content))
    found = _document(seal, *row)
    assert found is not None  # noqa: S101 - it has contents
    return found


def _document(seal: Seal, *row: Any) -> Document | None:
    project, revision, when, who, reason, sealed = row
    if not sealed:
        return None
    tree = json.loads(zlib.decompress(seal.open_bytes(bytes(sealed), of_document(project, revision))))
    return Document(
        project=project,
        revision=revision,
        at=when,
        who=who,
        reason=reason,
        content=tree["content"],
        about=tree["about"],
    )


def identities(db: Database, seal: Seal) -> dict[tuple[str, str], Mapping[str, Any]]:
    rows = db.rows("SELECT kind, id, content FROM identities ORDER BY kind, id")
    return {(kind, name): json.loads(seal.open(text, of_identity(kind, name))) for kind, name, text in rows}


def write_identities(db: Database, seal: Seal, changed: Mapping[tuple[str, str], Mapping[str, Any] | None]) -> None:
    for (kind, name), content in changed.items():
        db.run("DELETE FROM identities WHERE kind = ? AND id = ?", (kind, name))
        if content is not None:
            row = (kind, name, seal.close(dump(content), of_identity(kind, name)))
            db.run("INSERT INTO identities (kind, id, content) VALUES (?, ?, ?)", row)


def audit(db: Database, entries: Sequence[Audited]) -> None:
    db.many(
        "INSERT INTO audit (at, who, project, what, source, status, request) VALUES (?, ?, ?, ?, ?, ?, ?)",
        [tuple(one) for one in entries],
    )


def audited(db: Database, limit: int) -> list[Audited]:
    rows = db.rows(
        "SELECT at, who, project, what, source, status, request FROM audit ORDER BY at DESC LIMIT ?", (limit,)
    )
    return [Audited(*row) for row in rows]
