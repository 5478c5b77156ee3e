"""What only the API has to know of a server: kept in its document, in a section that the planner does not read.

A reboot is such a note until it is done: the worker stops the server by one plan, forgets the note, and starts it by
the next. Killed anywhere between, it goes on: stopping what is stopped is nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stead.serve.edits import Content, Edit

NOTES = "serve"
REBOOT, RESIZED_FROM = "reboot", "resized_from"
FLAVOR = "flavor"  # of which its own is a copy: id and name, as they were
RESERVATION = "reservation"  # of the request that made it, where that asked for one
DID, REMEMBERED = "did", 20  # what was asked for of it: the latest, and how many of them
REBUILT = "rebuilt"  # the generation of the root disk for which its owner gave up the one before
DISK_CONFIG = "disk_config"  # as it was asked for
RESET = "reset"  # the state that an admin says it has
MOVES, ACCEPTED = "moves", "accepted"  # to other hosts and flavors: the latest; one that is to be done
LOCKED = "locked"  # by its owner, or by an admin
ENDS_WITH_IT = "boot_volume_ends_with_it"


def of(content: Content, key: str) -> Mapping[str, Any]:
    notes: Mapping[str, Any] = content.get(NOTES, {}).get(key, {})
    return notes


def note(key: str, **said: Any) -> Edit:
    """None forgets."""

    def edit(content: Content) -> Content:
        notes = content.get(NOTES, {})
        mine = {name: one for name, one in {**notes.get(key, {}), **said}.items() if one is not None}
        others = {name: one for name, one in notes.items() if name != key}
        rest = {name: one for name, one in content.items() if name != NOTES}
        after = {**others, **({key: mine} if mine else {})}
        return {**rest, NOTES: after} if after else rest

    return edit


def did(key: str, what: Mapping[str, Any]) -> Edit:
    return lambda content: note(key, **{DID: [*of(content, key).get(DID, ()), what][-REMEMBERED:]})(content)


def forget(content: Content, key: str) -> Content:
    left = {name: one for name, one in content.get(NOTES, {}).items() if name != key}
    rest = {name: one for name, one in content.items() if name != NOTES}
    return {**rest, NOTES: left} if left else rest


def rebooting(content: Content) -> list[str]:
    return [key for key, one in content.get(NOTES, {}).items() if one.get(REBOOT)]


def stopped(content: Content, keys: list[str]) -> Content:
    """With these servers stopped, which is the first half of a reboot."""
    servers = {
        key: {**one, "state": "stopped"} if key in keys else one for key, one in content.get("instances", {}).items()
    }
    return {**content, "instances": servers} if keys else content


def began(key: str, move: Mapping[str, Any]) -> Edit:
    return lambda content: note(key, **{MOVES: [*of(content, key).get(MOVES, ()), move][-REMEMBERED:]})(content)


def ended(key: str, was: str, status: str, at: float) -> Edit:
    """Of its moves that were in that state."""

    def edit(content: Content) -> Content:
        moves = of(content, key).get(MOVES, ())
        after = [{**one, "status": status, "updated": at} if one["status"] == was else one for one in moves]
        return note(key, **{MOVES: after})(content) if moves else content

    return edit


def to_move(content: Content) -> list[tuple[str, str]]:
    """Servers, and the hosts that they are to go to."""
    found = ((key, move) for key, one in content.get(NOTES, {}).items() for move in one.get(MOVES, ()))
    return [(key, move["to"]) for key, move in found if move["status"] == ACCEPTED]
