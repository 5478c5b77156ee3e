"""A server of another flavor, which its owner confirms or takes back.

A root disk that grew is not made smaller, for that would lose what is on it: taken back, the server has its old flavor,
and its disk as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stead.kinds.instance.model import Instance
from stead.serve.checking import checker
from stead.serve.compute.creation import DISK_CONFIG, only_told
from stead.serve.compute.flavors import disk_of, flavor_of
from stead.serve.compute.moving import new_move
from stead.serve.compute.servers import flavor_id, notes_of
from stead.serve.edits import Content, Edit, all_of, change, entry_of
from stead.serve.faults import bad, conflict
from stead.serve.notes import FLAVOR, RESIZED_FROM, began, ended, note, of
from stead.serve.routes import DISK_CONFIGS, Call, record
from stead.serve.world import CloudState, KnownResource, ResourceStatus

FINISHED = "finished"  # of a resize that nobody has confirmed or taken back
_CHECK = checker(record(["flavorRef"], flavorRef={"type": ["string", "integer"]}, **{DISK_CONFIG: DISK_CONFIGS}))


def resize(call: Call, world: CloudState, thing: KnownResource, said: Any) -> Edit:
    _CHECK(said)
    new = flavor_of(call, said["flavorRef"])
    if thing.state is not ResourceStatus.MADE or notes_of(world, thing).get(RESIZED_FROM):
        raise conflict(f"Cannot 'resize' instance {thing.id} now.")
    if new.id == flavor_id(world, thing):
        raise bad("When resizing, instances must change flavor!")
    key, disk, size = thing.address.name, disk_of(world, thing.model), _size(world, thing)

    def edit(content: Content) -> Content:
        before = {
            "said": entry_of(content, "instances", key)["flavor"],
            "made": of(content, key).get(FLAVOR),
            "disk": disk,
        }
        return note(key, **{RESIZED_FROM: before})(_with(content, key, new.said, new.disk, size))

    move = new_move(call, thing.host, thing.host, FINISHED)
    return all_of(edit, note(key, **{FLAVOR: new.made}, **only_told(said)), began(key, move))


def confirm_resize(call: Call, world: CloudState, thing: KnownResource, _said: Any) -> Edit:
    _resized_from(world, thing)
    key = thing.address.name
    return all_of(note(key, **{RESIZED_FROM: None}), ended(key, FINISHED, "confirmed", call.cloud.clock()))


def revert_resize(call: Call, world: CloudState, thing: KnownResource, _said: Any) -> Edit:
    before, key, size = _resized_from(world, thing), thing.address.name, _size(world, thing)

    def edit(content: Content) -> Content:
        return _with(content, key, before["said"], before["disk"], size)

    noted = note(key, **{RESIZED_FROM: None, FLAVOR: before["made"]})
    return all_of(edit, noted, ended(key, FINISHED, "reverted", call.cloud.clock()))


def _resized_from(world: CloudState, thing: KnownResource) -> Mapping[str, Any]:
    before: Mapping[str, Any] | None = notes_of(world, thing).get(RESIZED_FROM)
    if not before:
        raise bad("Instance has not been resized.")
    return before


def _size(world: CloudState, thing: KnownResource) -> int:
    """Of its root disk now; none of one that boots from a volume."""
    model: Instance = thing.model
    own = model.disk.size if model.disk is not None else None
    return 0 if model.boot_volume is not None else own or disk_of(world, model)


def _with(content: Content, key: str, flavor: Any, least: int, size: int) -> Content:
    """The disk of that flavor, or as large as it is."""
    disk = {**entry_of(content, "instances", key).get("disk", {})}
    disk.pop("size", None)
    if least < size:
        disk["size"] = f"{-(-size >> 20)}MiB"
    return change(content, "instances", key, {"flavor": flavor, "disk": disk or None})
