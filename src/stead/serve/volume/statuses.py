"""A status that an admin says instead of what is so. It is told, and holds others off, until it is taken back."""

from __future__ import annotations

from typing import Any

from stead.serve import volume_notes
from stead.serve.checking import checker
from stead.serve.faults import bad, forbidden
from stead.serve.routes import ApiReply, Call, record
from stead.serve.volume_notes import PROGRESS, STATUS
from stead.serve.world import CloudState, KnownResource

AVAILABLE, ERROR = "available", "error"
BUSY = ("attaching", "creating", "deleting", "detaching", "error_deleting", "in-use", "maintenance")
_WORD = {"enum": [AVAILABLE, ERROR, *BUSY]}
_CHECK = checker(record(["status"], status=_WORD))
_CHECK_PROGRESS = checker(
    record(["status"], status=_WORD, progress={"type": "string", "pattern": "^(100|[0-9]{1,2})%?$"})
)


def said_status(world: CloudState, thing: KnownResource) -> str:
    status: str = volume_notes.of(world, thing).get(STATUS, "")
    return status


def must_be_free(world: CloudState, thing: KnownResource) -> None:
    """Not what an admin keeps others from."""
    if (status := said_status(world, thing)) in BUSY:
        raise bad(f"Invalid volume: the status of {thing.id} is {status}, as an admin says.")


def reset(call: Call, _world: CloudState, thing: KnownResource, said: Any) -> ApiReply:
    """`available` takes it back: it is then what it is."""
    if not call.caller.admin:
        raise forbidden("Only an admin says a status.")
    _CHECK(said)
    status = said["status"] if said["status"] != AVAILABLE else None
    call.edit("reset status", volume_notes.note(thing.address, **{STATUS: status, PROGRESS: None}))
    return ApiReply(202)


def update(call: Call, world: CloudState, thing: KnownResource, said: Any) -> ApiReply:
    """By who reports how a snapshot comes on, where an admin has said that it is being made."""
    _CHECK_PROGRESS(said)
    if said_status(world, thing) != "creating":
        raise bad(f"Invalid snapshot: {thing.id} is not being made.")
    status = said["status"] if said["status"] != AVAILABLE else None
    call.edit("report a snapshot", volume_notes.note(thing.address, **{STATUS: status, PROGRESS: said.get("progress")}))
    return ApiReply(202)
