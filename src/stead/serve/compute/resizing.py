"""A server of another flavor, which its owner confirms or takes back.

A root disk that grew is not made smaller, for that would lose what is on it: taken back, the server has its old flavor,
and its disk as it is.
"""

from __future__ import annotations

from typing import Any

from stead.core.address import Address
from stead.kinds.instance.demand import root_size
from stead.serve.checking import checker
from stead.serve.compute.creation import DISK_CONFIG, flavor_of, only_told
from stead.serve.compute.servers import notes_of
from stead.serve.edits import Content, Edit, all_of, change, entry_of
from stead.serve.faults import bad, conflict
from stead.serve.notes import RESIZED_FROM, note
from stead.serve.routes import DISK_CONFIGS, Call, record
from stead.serve.world import CloudState, KnownResource, ResourceStatus

_CHECK = checker(record(["flavorRef"], flavorRef={"type": ["string", "integer"]}, **{DISK_CONFIG: DISK_CONFIGS}))


def resize(call: Call, world: CloudState, thing: KnownResource, said: Any) -> Edit:
    _CHECK(said)
    new, old = flavor_of(call, said["flavorRef"]), thing.model.flavor
    if thing.state is not ResourceStatus.MADE or notes_of(world, thing).get(RESIZED_FROM):
        raise conflict(f"Cannot 'resize' instance {thing.id} now.")
    if not isinstance(old, Address) or new.address == old:
        raise bad("When resizing, instances must change flavor!")
    noted = note(thing.address.name, **{RESIZED_FROM: old.name}, **only_told(said))
    return all_of(_of_flavor(world, thing, new.address), noted)


def confirm_resize(_call: Call, world: CloudState, thing: KnownResource, _said: Any) -> Edit:
    _resized_from(world, thing)
    return note(thing.address.name, **{RESIZED_FROM: None})


def revert_resize(_call: Call, world: CloudState, thing: KnownResource, _said: Any) -> Edit:
    name = _resized_from(world, thing)
    own = Address(thing.address.project, "flavors", name)
    before = own if own in world.desired.by_address else own._replace(project="")
    return all_of(_of_flavor(world, thing, before), note(thing.address.name, **{RESIZED_FROM: None}))


def _resized_from(world: CloudState, thing: KnownResource) -> str:
    before: str = notes_of(world, thing).get(RESIZED_FROM, "")
    if not before:
        raise bad("Instance has not been resized.")
    return before


def _of_flavor(world: CloudState, thing: KnownResource, flavor: Address) -> Edit:
    """With the disk of that flavor, or as large as it is."""
    block, now = world.desired.get(flavor), world.desired.get(thing.model.flavor)
    size = root_size(thing.model, now.model) if now is not None else 0
    smaller = block is not None and block.model.disk < size

    def edit(content: Content) -> Content:
        key = thing.address.name
        disk = {
            name: one for name, one in entry_of(content, "instances", key).get("disk", {}).items() if name != "size"
        }
        if smaller:
            disk["size"] = f"{-(-size >> 20)}MiB"
        return change(content, "instances", key, {"flavor": flavor.name, "disk": disk or None})

    return edit
