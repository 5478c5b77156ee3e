"""A server on a new root disk, made from an image. It keeps its id, ports, addresses and volumes.

Whoever asks for it gives up the disk that is there: the request is the consent, and a note of the document keeps it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stead.serve.checking import checker
from stead.serve.compute.creation import DISK_CONFIG, keypair_named, only_told, user_data, within_limit
from stead.serve.compute.events import asked
from stead.serve.compute.servers import Status, short
from stead.serve.edits import Content, Edit, all_of, change, entry_of
from stead.serve.faults import bad, conflict, not_built
from stead.serve.image.copies import used_image
from stead.serve.notes import REBUILT, RESET, note
from stead.serve.routes import DISK_CONFIGS, LONG, METADATA, NAME, ApiReply, Call, record
from stead.serve.world import CloudState, KnownResource

REBUILD = "rebuild"
_READY = ("active", "stopped", "paused", "suspended", "error")
_CHECK = checker(
    record(
        ["imageRef"],
        imageRef={"type": "string", "minLength": 1, "maxLength": 255},
        name={**NAME, "pattern": r"^[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*$"},
        description=LONG,
        metadata={**METADATA, "maxProperties": 1024},
        key_name={"type": ["string", "null"], "maxLength": 255},
        user_data={"type": ["string", "null"], "maxLength": 65535},
        **{DISK_CONFIG: DISK_CONFIGS},
    )
)


def rebuild(call: Call, world: CloudState, thing: KnownResource) -> ApiReply:
    said: Mapping[str, Any] = call.body[REBUILD]
    _CHECK(said)
    status = Status(world, thing)
    if status.vm_state not in _READY or status.task is not None:
        raise conflict(f"Cannot 'rebuild' instance {thing.id} while it is in vm_state {status.vm_state}")
    if thing.model.boot_volume is not None:
        raise bad("The server boots from a volume, which a rebuild keeps. Make a server from another volume.")
    if said.get("personality"):
        raise not_built("Files of `personality` are not injected. Use user_data.")
    key, image = thing.address.name, used_image(call, world, said["imageRef"].rpartition("/")[2])
    fields = {**_fields(call, world, said), "image": image.key}
    edit = all_of(image.edit, _new_disk(key, fields), note(key, **only_told(said), **{RESET: None}))
    world = call.edit(f"rebuild server {thing.name}", all_of(edit, asked(call, key, REBUILD)))
    return ApiReply(202, {"server": short(call, world, world.thing(thing.address))})


def _new_disk(key: str, fields: Mapping[str, Any]) -> Edit:
    def edit(content: Content) -> Content:
        disk = entry_of(content, "instances", key).get("disk", {})
        generation = disk.get("generation", 1) + 1
        disk = {**disk, "generation": generation}
        return note(key, **{REBUILT: generation})(change(content, "instances", key, {**fields, "disk": disk}))

    return edit


def _fields(call: Call, world: CloudState, said: Mapping[str, Any]) -> dict[str, Any]:
    """What it does not name stays."""
    found: dict[str, Any] = {}
    for word, name in (("name", "display_name"), ("description", "description")):
        if word in said:
            found[name] = said[word]
    if "metadata" in said:
        within_limit(said["metadata"])
        found["labels"] = said["metadata"] or None
    if "key_name" in said:
        pair = keypair_named(world, call.project, said["key_name"]) if said["key_name"] else None
        found["keypairs"] = [pair.address.name] if pair is not None else None
    if "user_data" in said:
        found["cloud_init"] = {"user_data": user_data(said["user_data"])} if said["user_data"] else None
    return found
