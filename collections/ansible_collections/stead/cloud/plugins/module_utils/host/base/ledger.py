"""What was made on this host, a file for each: /var/lib/stead/ledger/<kind>/<uuid>.json.

The ledger is what observing, recovery and the restore at boot read. A want is kept as it was planned: a secret in it
stays a reference.

Beside the want it says what the store has of the resource, and which store that was: the store can be rebuilt from it.

What is only begun has a file <uuid>.begun beside it until it is made: a step that fails or is killed half way may have
left anything of that want here, and whoever destroys the resource has to look for both.
"""

from __future__ import annotations

import json
import os
import re
import time
from typing import Any, List, Mapping, Optional, cast

from .errors import Code, Failed
from .paths import LEDGER, directory, remove, write
from .step import Entry, Step

BAD_ENTRY_NAME = Code("STEAD-E004", "a ledger entry cannot have this name")
UNREADABLE_ENTRY = Code("STEAD-E005", "a ledger entry cannot be read")
NEWER_ENTRY = Code("STEAD-E006", "a ledger entry is from a newer version")

# A kind and a UUID become parts of a path.
_KIND = re.compile(r"[a-z][a-z_]*\Z")
_UUID = re.compile(r"[0-9A-Za-z][0-9A-Za-z-]*\Z")


MADE, BEGUN = ".json", ".begun"
# Increased when a reader that does not know the new form would misunderstand an entry. One without it has the first.
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


def beside(step: Step) -> Entry:
    """What is kept with a want: what the store has of it, and the site and serial of that store."""
    found: Entry = {}
    made_by = step.get("origin")
    if made_by:
        found["site"], found["serial"] = made_by["site"], made_by["serial"]
    if step.get("record"):
        found["record"] = step["record"]
    return found


def made_by(step: Step) -> Entry:
    return cast(
        "Entry", {**entry(step["address"], step["uuid"], step["kind"], step["digest"], step["want"]), **beside(step)}
    )


def begin(made: Entry) -> None:
    """Before anything is touched. What is there as it is wanted leaves nothing new behind."""
    came = came_from(made["kind"], made["uuid"])
    if came:
        made = cast("Entry", {"came_from": came, **made})
    if not _says(read(made["kind"], made["uuid"]), {name: cast("Mapping[str, Any]", made)[name] for name in NEEDED}):
        _write(path_of(made["kind"], made["uuid"], BEGUN), made)


def keep(made: Entry, awaited: bool = False) -> None:
    """Written only when it says something new, so that a second run changes nothing.

    What is `awaited` is made, and has not been seen ready since.
    """
    before = read(made["kind"], made["uuid"])
    changed = not _says(before, made) or (before or {}).get("awaited", False) != awaited
    if before is None or changed or before.get("going_to"):
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        known = {name: value for name, value in (before or {}).items() if name not in ("awaited", "going_to")}
        says = {**known, **made, "applied_at": now, **({"awaited": True} if awaited else {})}
        _write(path_of(made["kind"], made["uuid"]), says)
    remove(path_of(made["kind"], made["uuid"], BEGUN))


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


def is_unsure(kind: str, uuid: str) -> bool:
    """Whether a step was to make it so that did not end, or it was not seen ready since."""
    made = read(kind, uuid)
    return os.path.exists(path_of(kind, uuid, BEGUN)) or (made is not None and made.get("awaited", False))


def forget(kind: str, uuid: str) -> None:
    for suffix in (MADE, BEGUN):
        remove(path_of(kind, uuid, suffix))


def wants(kind: str, uuid: str) -> List[Any]:
    """All that may be here of it: as it was made, and as it was begun last."""
    found = [_read(path_of(kind, uuid, suffix)) for suffix in (MADE, BEGUN)]
    return [made["want"] for made in found if made is not None]


def _says(before: Optional[Mapping[str, Any]], made: Mapping[str, Any]) -> bool:
    return before is not None and {key: before.get(key) for key in made} == made


def _write(path: str, made: Mapping[str, Any]) -> None:
    directory(os.path.dirname(path))
    write(path, json.dumps(made, sort_keys=True, indent=1) + "\n")


def read(kind: str, uuid: str) -> Optional[Entry]:
    return _read(path_of(kind, uuid))


def everything(kind: Optional[str] = None, suffix: str = MADE, unread: Optional[List[str]] = None) -> List[Entry]:
    """All entries, those of a kind, in one order. What is no entry is passed over: it is somebody else's file.

    What should be one and cannot be read fails; where `unread` is given, that is told why, and the others are found.
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
