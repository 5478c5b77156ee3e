"""Hosts that were declared dead, as every host stores them: what such a host had may run elsewhere now.

An apply tells all hosts that answer, before it starts anything elsewhere. A host that boots asks them.
"""

from __future__ import annotations

import json
import sys
from typing import Dict, Optional, Sequence, TypedDict

from ..base import paths
from ..base.step import Origin

READABLE = 0o644  # the user that other hosts log in as reads it


class Fences(TypedDict):
    site: str
    dead: Dict[str, int]  # host -> serial of the run that last said so


def path() -> str:
    return paths.ROOT + "/fences.json"


def read() -> Optional[Fences]:
    """The site, and of each host that was called dead the serial of the run that last said so."""
    try:
        found = json.loads(paths.read_bytes(path()) or b"{}")
    except ValueError:  # then this host bears no witness, and others do
        return None
    return {"site": found.get("site", ""), "dead": found.get("dead") or {}} if isinstance(found, dict) else None


def note(dead: Sequence[str], origin: Optional[Origin]) -> None:
    """A word is never taken back: what a later run makes on that host has a later serial."""
    if not dead or not origin:
        return
    before = read()
    words = before["dead"] if before and before["site"] == origin["site"] else {}
    words.update((name, origin["serial"]) for name in dead)
    paths.write(path(), json.dumps({"site": origin["site"], "dead": words}, sort_keys=True) + "\n", READABLE)


def main(_words: Sequence[str] = ()) -> int:
    """The answer to a host that asks. sshd says which one it is; all may know all of it."""
    found = read()
    if found is None:
        return 1
    sys.stdout.write(json.dumps(found, sort_keys=True) + "\n")
    return 0
