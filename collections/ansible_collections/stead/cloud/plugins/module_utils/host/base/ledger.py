"""The ledger: what was made on this host, one file for each resource, /var/lib/stead/ledger/<kind>/<uuid>.json.

Observation, recovery and the restore at boot read it. A want is kept as it was planned; a secret in it stays a
reference. An entry also has what the store has of the resource, and which store, so that the store can be rebuilt.

Until a resource is made, it has a file <uuid>.begun. A step that fails or is killed may have left any part of that
want here, so destroying the resource has to consider both files.
"""

from __future__ import annotations

import json
import os
import re
import time
from typing import Any, List, Mapping, Optional, cast

from .errors import Failed, FailureCode
from .paths import LEDGER, directory, remove, write
from .step import Entry, HostStep

BAD_ENTRY_NAME = FailureCode("STEAD-E004", "a ledger entry cannot have this name")
UNREADABLE_ENTRY = FailureCode("STEAD-E005", "a ledger entry cannot be read")
NEWER_ENTRY = FailureCode("STEAD-E006", "a ledger entry is from a newer version")

# A kind and a UUID become parts of a path.
_KIND = re.compile(r"[a-z][a-z_]*\Z")
_UUID = re.compile(r"[0-9A-Za-z][0-9A-Za-z-]*\Z")


MADE, BEGUN = ".json", ".begun"
# Increased when an older reader would misunderstand an entry. An entry without a version has the first form.
VERSION = 1
NEEDED = ("address", "uuid", "kind", "digest", "want")


def path_of(kind: str, uuid: str, suffix: str = MADE) -> str:
    if not _KIND.match(kind) or not _UUID.match(uuid):
        raise Failed(
            BAD_ENTRY_NAME,
            "{0!r} of kind {1!r} is not a valid name for a ledger file. Names have letters, digits and dashes.".format(
                uuid, kind
            ),
        )
    return os.path.join(LEDGER, kind, uuid + suffix)


def entry(address: str, uuid: str, kind: str, digest: str, want: Any) -> Entry:
    return {"version": VERSION, "address": address, "uuid": uuid, "kind": kind, "digest": digest, "want": want}


def beside(step: HostStep) -> Entry:
    """What is kept with a want: the record of the store, and the site and serial of that store."""
    found: Entry = {}
    made_by = step.get("origin")
    if made_by:
        found["site"], found["serial"] = made_by["site"], made_by["serial"]
    if step.get("record"):
        found["record"] = step["record"]
    return found


def made_by(step: HostStep) -> Entry:
    return cast(
        "Entry", {**entry(step["address"], step["uuid"], step["kind"], step["digest"], step["want"]), **beside(step)}
    )


def begin(made: Entry) -> None:
    """Called before anything is touched. Writes nothing if the resource already is as wanted."""
    before = _read(path_of(made["kind"], made["uuid"], BEGUN)) or {}
    came = {name: before[name] for name in ("came_from", "digests") if name in before}
    made = cast("Entry", {**came, **made})
    if not _says(read(made["kind"], made["uuid"]), {name: cast("Mapping[str, Any]", made)[name] for name in NEEDED}):
        _write(path_of(made["kind"], made["uuid"], BEGUN), made)


def comes(made: Entry) -> None:
    """Of what moves here, before anything is touched. What was here of it before is nothing by then."""
    _write(path_of(made["kind"], made["uuid"], BEGUN), made)
    remove(path_of(made["kind"], made["uuid"]))


def keep(made: Entry, awaited: bool = False) -> None:
    """Writes an entry only if it has changed, so that a second run changes nothing.

    `awaited`: the resource is made, but has not become ready yet.
    """
    before = read(made["kind"], made["uuid"])
    changed = not _says(before, made) or (before or {}).get("awaited", False) != awaited
    if before is None or changed or before.get("going_to") or before.get("left"):
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        known = {name: value for name, value in (before or {}).items() if name not in ("awaited", "going_to", "left")}
        says = {**known, **made, "applied_at": now, **({"awaited": True} if awaited else {})}
        _write(path_of(made["kind"], made["uuid"]), says)
    remove(path_of(made["kind"], made["uuid"], BEGUN))


def moved(made: Entry, left: Mapping[str, Any]) -> None:
    """It is here as it should be now; what is left of its former want is to be removed before that is booked."""
    _write(path_of(made["kind"], made["uuid"]), {**made, "left": left})


def goes(kind: str, uuid: str, to: str) -> None:
    """A move of it begins; or, to nowhere, has ended, and it stays. Until it is known which, a boot starts it not."""
    made = read(kind, uuid)
    if made is not None and made.get("going_to", "") != to:
        stays = {name: value for name, value in made.items() if name != "going_to"}
        _write(path_of(kind, uuid), {**stays, **({"going_to": to} if to else {})})


def came_from(kind: str, uuid: str) -> str:
    """The host from which it was to come here, of what is begun."""
    made = _read(path_of(kind, uuid, BEGUN))
    return made.get("came_from", "") if made is not None else ""


def digests(kind: str, uuid: str) -> Any:
    """Of the disks that came here, of what is begun; None where none did."""
    made = _read(path_of(kind, uuid, BEGUN))
    return made.get("digests") if made is not None else None


def is_unsure(kind: str, uuid: str) -> bool:
    """Whether a step for this want did not end, or the resource has not become ready."""
    made = read(kind, uuid)
    return os.path.exists(path_of(kind, uuid, BEGUN)) or (made is not None and made.get("awaited", False))


def forget(kind: str, uuid: str) -> None:
    for suffix in (MADE, BEGUN):
        remove(path_of(kind, uuid, suffix))


def wants(kind: str, uuid: str) -> List[Any]:
    """All wants of which parts may be here: as it was made, as it was begun last, and what a move has left."""
    found = [made for suffix in (MADE, BEGUN) for made in [_read(path_of(kind, uuid, suffix))] if made is not None]
    return [made["want"] for made in found] + [made["left"] for made in found if "left" in made]


def _says(before: Optional[Mapping[str, Any]], made: Mapping[str, Any]) -> bool:
    return before is not None and {key: before.get(key) for key in made} == made


def _write(path: str, made: Mapping[str, Any]) -> None:
    directory(os.path.dirname(path))
    write(path, json.dumps(made, sort_keys=True, indent=1) + "\n")


def read(kind: str, uuid: str) -> Optional[Entry]:
    return _read(path_of(kind, uuid))


def everything(kind: Optional[str] = None, suffix: str = MADE, unread: Optional[List[str]] = None) -> List[Entry]:
    """All entries, or those of one kind, in a fixed order. Files that are not entries are ignored.

    An entry that cannot be read is an error. With `unread`, the reason is added there and the others are returned.
    """
    kinds = [kind] if kind is not None else _names(LEDGER)
    found = []
    for one in kinds:
        folder = os.path.join(LEDGER, one)
        for name in _names(folder):
            if name.endswith(suffix) and not name.startswith("."):
                made = _read_or_tell(os.path.join(folder, name), unread)
                if made is not None:
                    found.append(made)
    return found


def anything() -> bool:
    return any(name.endswith((MADE, BEGUN)) for kind in _names(LEDGER) for name in _names(os.path.join(LEDGER, kind)))


def _read_or_tell(path: str, unread: Optional[List[str]]) -> Optional[Entry]:
    try:
        return _read(path)
    except Failed as error:
        if unread is None:
            raise
        unread.append(str(error))
        return None


def _names(folder: str) -> List[str]:
    try:
        return sorted(os.listdir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return []


def _read(path: str) -> Optional[Entry]:
    try:
        with open(path, encoding="utf-8") as file:
            found = json.load(file)
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise Failed(
            UNREADABLE_ENTRY, "{0} is not JSON ({1}). Restore it, or remove it and plan again.".format(path, error)
        ) from error
    if not isinstance(found, dict) or not set(NEEDED) & set(found):
        return None
    return _understood(found, path)


def _understood(found: Mapping[str, Any], path: str) -> Entry:
    if found.get("version", VERSION) > VERSION:
        text = "{0} was written by a newer Stead (version {1}, and this one knows {2}). Upgrade Stead where you run it."
        raise Failed(NEWER_ENTRY, text.format(path, found["version"], VERSION))
    lacks = [name for name in NEEDED if not isinstance(found.get(name), dict if name == "want" else str)]
    if lacks:
        raise Failed(
            UNREADABLE_ENTRY,
            "{0} does not say its {1}. Restore it, or remove it and plan again.".format(path, lacks[0]),
        )
    return cast("Entry", found)
