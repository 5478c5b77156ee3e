"""How a store is born, known again, and brought up to date; and the marker that tells a lost one from none.

Never takes a store that is not as it should be for an empty one: what is wrong is a refusal with its own code.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

from stead.store import codes
from stead.store.codes import KEY_NEEDED, NEWER, OTHER_SITE, WRONG_KEY, refuse
from stead.store.database import Database
from stead.store.model import Lineage
from stead.store.schema import VERSION
from stead.store.sealing import (
    FILE_VARIABLE,
    PROOF,
    VARIABLE,
    Open,
    Seal,
    Sealed,
    of_body,
    of_document,
    of_identity,
    of_leases,
    of_output,
    of_own,
    of_plan,
    of_review,
    of_review_event,
    of_reviewed,
)

MARKER = "site.json"
MOVED = "moved"  # a row of `meta`: where the store is now
SEALS, BY_ROW = "seals", "2"  # another, of a sealed store: values are bound to their rows
METERED_SINCE = "metered"  # another: since when all that resources take is remembered; 0: since there is anything
UNHEARD = "unheard"  # another: hosts that did not answer when it was rebuilt from hosts


def make_directory(directory: Path) -> None:
    """Ours alone, and never in Git: it holds state, which may hold what is secret."""
    if directory.is_dir():
        return
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)  # another may come first at the same moment
    (directory / ".gitignore").write_text("*\n", encoding="utf-8")


def read_marker(directory: Path) -> tuple[str, str]:
    """The site that this directory knows, and where its store was. Empty when it never had one."""
    try:
        with open(directory / MARKER, encoding="utf-8") as file:  # noqa: PTH123 - as everywhere at start-up
            tree = json.load(file)
        return str(tree["site"]), str(tree["store"])
    except (OSError, ValueError, KeyError, TypeError):
        return "", ""


def forget_marker(directory: Path) -> None:
    """Hosts have said which site this is: the store is made anew under it."""
    (directory / MARKER).unlink(missing_ok=True)


def write_marker(directory: Path, site: str, location: str) -> None:
    make_directory(directory)
    path = directory / MARKER
    new = path.with_suffix(f".{os.getpid()}.new")
    new.write_text(json.dumps({"site": site, "store": location}) + "\n", encoding="utf-8")
    new.replace(path)


def first_rows(db: Database, key: str) -> str:
    """The rows of a new store. Returns its site."""
    import uuid  # once in a site's life

    site, salt = str(uuid.uuid4()), os.urandom(16).hex()
    rows = {"site": site, "serial": "0", "born": str(time.time()), "salt": salt, METERED_SINCE: "0"}
    if key:
        rows |= {"proof": Sealed(key, salt).close(PROOF, "proof"), SEALS: BY_ROW}
    db.many("INSERT INTO meta (name, value) VALUES (?, ?)", list(rows.items()))
    return site


def adopt(db: Database, who: str, lineage: Lineage) -> None:
    """In a transaction of the caller's. Runs that only hosts know of stand in the list of runs as such."""
    now = db.now()
    db.run("UPDATE meta SET value = ? WHERE name = 'site'", (lineage.site,))
    db.run("UPDATE meta SET value = ? WHERE name = 'serial'", (str(lineage.serial),))
    db.run("DELETE FROM meta WHERE name = ?", (UNHEARD,))
    db.run("INSERT INTO meta (name, value) VALUES (?, ?)", (UNHEARD, json.dumps(sorted(lineage.unheard))))
    known = {row[0] for row in db.rows("SELECT token FROM runs")}
    first = int(db.rows("SELECT coalesce(max(id), 0) + 1 FROM runs")[0][0])
    db.many(
        "INSERT INTO runs (id, who, reason, plan, started, ended, outcome, steps, token) "
        "VALUES (?, ?, 'known from hosts alone', '', ?, ?, 'done', 0, ?)",
        [(number, who, now, now, token) for number, token in enumerate(sorted(lineage.tokens - known), first)],
    )


def unheard(db: Database) -> frozenset[str]:
    rows = db.rows("SELECT value FROM meta WHERE name = ?", (UNHEARD,))
    return frozenset(json.loads(rows[0][0])) if rows else frozenset()


def check_version(version: int, where: str) -> None:
    if version > VERSION:
        refuse(
            NEWER,
            f"{where} has version {version}; this Stead knows {VERSION}. Nothing was read or changed. Upgrade Stead "
            "here to the version that your colleagues use.",
        )


def check_site(site: str, known: str, where: str, directory: Path) -> None:
    if known and known != site:
        refuse(
            OTHER_SITE,
            f"{where} belongs to site {site}, but {directory / MARKER} says that this project's is {known}. It knows "
            "nothing of what that one has. Put the right store back, or give its address; another site's spec has a "
            "directory of its own.",
        )


def meta(db: Database) -> dict[str, str]:
    return {row[0]: row[1] for row in db.rows("SELECT name, value FROM meta")}


def unseal(db: Database, key: str, where: str) -> tuple[str, Seal]:
    """The site of an open store, and what opens its values."""
    rows = meta(db)
    if not {"site", "serial", "salt"} <= rows.keys():
        refuse(codes.DAMAGED, f"{where} does not say whose it is. Put a backup back.")
    site, proof = rows["site"], rows.get("proof", "")
    if MOVED in rows:
        refuse(codes.MOVED, f"{where} is closed: it moved to {rows[MOVED]}. Use --store or STEAD_STORE with that.")
    if not proof:
        if key:
            refuse(
                WRONG_KEY,
                f"A key is configured (${VARIABLE} or ${FILE_VARIABLE}), but {where} was made without one and holds "
                "its values in the open. `stead state encrypt` seals it.",
            )
        return site, Open()
    if not key:
        refuse(KEY_NEEDED, f"{where} is encrypted. Give its key in ${VARIABLE}, or its file in ${FILE_VARIABLE}.")
    seal = Sealed(key, rows["salt"])
    seal.open(proof, "proof")
    if rows.get(SEALS) != BY_ROW:
        with db.writing():
            if meta(db).get(SEALS) != BY_ROW:  # another may have done it meanwhile
                _bind(db, seal)
    return site, seal


# What is sealed: table, column, the columns that tell its row, what it is bound to, and what it was bound to before.
_SEALED: tuple[tuple[str, str, tuple[str, ...], Callable[..., str], str], ...] = (
    ("bodies", "content", ("digest",), of_body, "body"),
    ("resources", "leases", ("address",), of_leases, "leases"),
    ("outputs", "value", ("name",), of_output, "output"),
    ("identities", "content", ("kind", "id"), of_identity, "identity"),
    ("reviews", "about", ("id",), of_review, "review"),
    ("review_events", "content", ("review", "number"), of_review_event, "review event"),
)
_OWN = "SELECT w.own, r.address, w.host, w.digest, w.resource FROM wants w JOIN resources r ON r.id = w.resource"


def encrypt(db: Database, key: str) -> Seal:
    """Seals every value of a plain store. The caller holds the transaction, so it is all or none."""
    seal = Sealed(key, meta(db)["salt"])
    _reseal(db, Open(), seal)
    proof = seal.close(PROOF, "proof")
    db.many("INSERT INTO meta (name, value) VALUES (?, ?)", [("proof", proof), (SEALS, BY_ROW)])
    return seal


def _bind(db: Database, seal: Seal) -> None:
    """Values of an older Stead's are bound to their columns alone."""
    _reseal(db, seal, seal)
    db.run("INSERT INTO meta (name, value) VALUES (?, ?)", (SEALS, BY_ROW))


def _reseal(db: Database, old: Seal, new: Seal) -> None:
    for table, column, names, bound, before in _SEALED:
        rows = db.rows(f"SELECT {column}, {', '.join(names)} FROM {table}")  # noqa: S608 - names of our own
        sealed = [(new.close(old.open(text, before), bound(*which)), *which) for text, *which in rows]
        where = " AND ".join(f"{name} = ?" for name in names)
        db.many(f"UPDATE {table} SET {column} = ? WHERE {where}", sealed)  # noqa: S608
    own = [
        (new.close(old.open(text, "own"), of_own(address, host, digest)), resource, host)
        for text, address, host, digest, resource in db.rows(_OWN)
    ]
    db.many("UPDATE wants SET own = ? WHERE resource = ? AND host = ?", own)
    plans = db.rows("SELECT content, digest FROM plans")
    sealed_plans = [
        (new.close_bytes(old.open_bytes(bytes(content), "plan"), of_plan(which)), which) for content, which in plans
    ]
    db.many("UPDATE plans SET content = ? WHERE digest = ?", sealed_plans)
    for project, revision, content in db.rows("SELECT project, revision, content FROM documents"):
        if content:
            what = of_document(project, revision)
            sealed_bytes = new.close_bytes(old.open_bytes(bytes(content), what), what)
            row = (sealed_bytes, project, revision)
            db.run("UPDATE documents SET content = ? WHERE project = ? AND revision = ?", row)
    for number, content in db.rows("SELECT id, content FROM reviews"):
        if content:
            sealed_bytes = new.close_bytes(old.open_bytes(bytes(content), of_reviewed(number)), of_reviewed(number))
            db.run("UPDATE reviews SET content = ? WHERE id = ?", (sealed_bytes, number))
