"""Images of servers: their root disks, as of one moment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stead.core.address import Address
from stead.drivers.hypervisor import DISK_IMAGES, of
from stead.serve.checking import checker
from stead.serve.compute.consoles import ready
from stead.serve.compute.servers import Status
from stead.serve.faults import bad, conflict, not_built
from stead.serve.image.saving import DiskToRegister, register, registered
from stead.serve.routes import NAME, ApiReply, Call, record
from stead.serve.world import CloudState, KnownResource, ResourceStatus

CREATE, BACKUP = "createImage", "createBackup"
_CHECK_BACKUP = checker(
    record(
        ["name", "backup_type", "rotation"],
        name=NAME,
        backup_type=NAME,
        rotation={"type": ["integer", "string"], "pattern": "^[1-9][0-9]{0,3}$", "minimum": 1, "maximum": 9999},
    )
)
# What the image of the root disk says of it, and its own image goes on to say.
_KEPT = ("architecture", "disk_bus", "firmware", "machine", "nic_model", "os", "traits", "user")
_READY = ("active", "stopped", "paused", "suspended", "resized")


def create_image(call: Call, world: CloudState, thing: KnownResource) -> ApiReply:
    said = call.body[CREATE]
    if not isinstance(said, Mapping) or not isinstance(said.get("name"), str) or not 0 < len(said["name"]) <= 255:
        raise bad("createImage needs a name of 1 to 255 characters.")
    return _saved(call, world, thing, {"image_type": "snapshot", **_properties(said)})


def create_backup(call: Call, world: CloudState, thing: KnownResource) -> ApiReply:
    """An image, in the place of the oldest of its type where there would be more than `rotation` of them."""
    said = call.body[BACKUP]
    _CHECK_BACKUP(said)
    told = {"image_type": "backup", "backup_type": said["backup_type"], **_properties(said)}
    return _saved(call, world, thing, told, rotation=int(said["rotation"]))


def _properties(said: Mapping[str, Any]) -> Mapping[str, str]:
    properties = said.get("metadata") or {}
    if not isinstance(properties, Mapping) or not all(_is_property(*one) for one in properties.items()):
        raise bad("metadata is a map of texts of at most 255 characters.")
    return properties


def _saved(
    call: Call, world: CloudState, thing: KnownResource, properties: Mapping[str, str], rotation: int = 0
) -> ApiReply:
    (what, said) = next(iter(call.body.items()))
    if thing.model.boot_volume is not None:
        raise not_built("The server boots from a volume: make an image of that volume.")
    state = Status(world, thing).vm_state
    if thing.state is not ResourceStatus.MADE or state not in _READY:
        raise conflict(f"Cannot '{what}' instance {thing.id} while it is in vm_state {state}")
    known = ready(thing)
    want = known.wants[known.host].fields()
    if not (images := of(want["hypervisor"], DISK_IMAGES)).can:  # it could start nothing from one
        raise not_built(f"No image can be made of it: {images.text}")
    told = {"instance_uuid": thing.id, **properties}
    asked = DiskToRegister(thing.address, said["name"], told, int(want["root"]["size"]), rotation)
    return registered(call, register(call, asked, **_of_base(world, thing)))


def _is_property(name: str, text: Any) -> bool:
    return isinstance(text, str) and 0 < len(name) <= 255 and len(text) <= 255


def _of_base(world: CloudState, thing: KnownResource) -> dict[str, Any]:
    image = thing.model.image
    block = world.desired.get(image) if isinstance(image, Address) else None
    if block is None:
        return {}
    found = {name: getattr(block.model, name) for name in _KEPT}
    return {name: [*one] if isinstance(one, tuple) else one for name, one in found.items()}
