"""What was made on this host, a file for each: /var/lib/stead/ledger/<kind>/<uuid>.json.

The ledger is what observing, recovery and the restore at boot read. A want is kept as it was planned: a secret in it
stays a reference.
"""

from __future__ import annotations

import json
import os
import re
import time

from .failing import Failed
from .places import LEDGER, directory, remove, write

# A kind and a UUID become parts of a path.
_KIND = re.compile(r"[a-z][a-z_]*\Z")
_UUID = re.compile(r"[0-9A-Za-z][0-9A-Za-z-]*\Z")


def path_of(kind, uuid):
    if not _KIND.match(kind) or not _UUID.match(uuid):
        raise Failed("{0!r} of kind {1!r} is no name for a file of the ledger.".format(uuid, kind))
    return os.path.join(LEDGER, kind, uuid + ".json")


def entry(address, uuid, kind, digest, want):
    return {"address": address, "uuid": uuid, "kind": kind, "digest": digest, "want": want}


def keep(made):
    """Written only when it says something new, so that a second run changes nothing."""
    path = path_of(made["kind"], made["uuid"])
    before = read(made["kind"], made["uuid"])
    if before is not None and {key: before.get(key) for key in made} == made:
        return False
    directory(os.path.dirname(path))
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return write(path, json.dumps(dict(made, applied_at=now), sort_keys=True, indent=1) + "\n")


def forget(kind, uuid):
    return remove(path_of(kind, uuid))


def read(kind, uuid):
    return _read(path_of(kind, uuid))


def everything(kind=None):
    """All entries, those of a kind, in one order. What is no entry is passed over: it is somebody else's file."""
    kinds = [kind] if kind is not None else _names(LEDGER)
    found = []
    for one in kinds:
        folder = os.path.join(LEDGER, one)
        for name in _names(folder):
            if name.endswith(".json") and not name.startswith("."):
                made = _read(os.path.join(folder, name))
                if made is not None:
                    found.append(made)
    return found


def _names(folder):
    try:
        return sorted(os.listdir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return []


def _read(path):
    try:
        with open(path, encoding="utf-8") as file:
            found = json.load(file)
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise Failed("{0} is not JSON ({1}). Restore it, or remove it and plan again.".format(path, error)) from error
    return found if isinstance(found, dict) and "want" in found else None
