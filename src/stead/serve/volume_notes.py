"""What only the API has to know of a volume or snapshot, kept in its document as what it knows of servers is.

Whether it may be written, is reserved for somebody who is about to attach it, or is to be booted from; and the status
that an admin says it has.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stead.core.address import Address
from stead.serve import notes
from stead.serve.edits import Content, Edit
from stead.serve.faults import bad
from stead.serve.world import CloudState, KnownResource

READONLY, BOOTABLE, RESERVED, ABOUT_IMAGE = "readonly", "bootable", "reserved", "about_image"
TYPE = "type"  # of which it has a copy: id and name, as they were
TRANSFER = "transfer"  # that it is offered to another project: id, name, when, and a digest of the key
STATUS, PROGRESS = "status", "progress"  # as they were said


def note_of(address: Address) -> str:
    """Its key among the notes: in a project that came from files, a server may have the same name."""
    return f"{address.kind}/{address.name}"


def note(address: Address, **said: Any) -> Edit:
    return notes.note(note_of(address), **said)


def forget(content: Content, address: Address) -> Content:
    return notes.forget(content, note_of(address))


def of(world: CloudState, thing: KnownResource) -> Mapping[str, Any]:
    document = world.documents.get(thing.address.project)
    return notes.of(document.content, note_of(thing.address)) if document else {}


def mode_of(content: Content, volume: Address) -> dict[str, str]:
    """How a server uses it, as a document says it. Nobody attaches what is reserved for somebody else."""
    known = notes.of(content, note_of(volume))
    if known.get(RESERVED):
        raise bad("Invalid volume: it is reserved for somebody who is about to attach it.")
    if known.get(TRANSFER):
        raise bad("Invalid volume: it is offered to another project. Delete the transfer first.")
    if status := known.get(STATUS):
        raise bad(f"Invalid volume: its status is {status}, as an admin says.")
    return {"mode": "ro"} if known.get(READONLY) else {}


def must_be_for_booting(world: CloudState, volume: KnownResource) -> None:
    known = of(world, volume)
    for is_wrong, why in (
        (known.get(BOOTABLE) is False, "is not bootable"),
        (known.get(READONLY), "is read-only"),
        (known.get(RESERVED), "is reserved"),
        (known.get(TRANSFER), "is offered to another project"),
    ):
        if is_wrong:
            raise bad(f"Block Device Mapping is Invalid: volume {volume.id} {why}.")


def is_bootable(world: CloudState, volume: KnownResource) -> bool:
    """As was said, or because there is an image on it."""
    said: bool | None = of(world, volume).get(BOOTABLE)
    return _has_image(world, volume) if said is None else said


def _has_image(world: CloudState, volume: KnownResource) -> bool:
    """A copy of what an image is on has it too."""
    seen: set[Address] = set()
    while (origin := volume.model.from_) is not None and volume.address not in seen:
        seen.add(volume.address)
        if origin.image is not None:
            return True
        source = origin.volume
        if origin.snapshot is not None and origin.snapshot in world.desired.by_address:
            source = world.thing(origin.snapshot).model.volume
        if source is None or source not in world.desired.by_address:
            return False
        volume = world.thing(source)
    return False
