"""Images of servers: their root disks, as of one moment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stead.core.address import Address
from stead.drivers.hypervisor import DISK_IMAGES, of
from stead.serve.compute.consoles import ready
from stead.serve.compute.servers import Status
from stead.serve.faults import bad, conflict, not_built
from stead.serve.image.saving import register, registered
from stead.serve.routes import ApiReply, Call
from stead.serve.world import CloudState, KnownResource, ResourceStatus

CREATE = "createImage"
# What the image of the root disk says of it, and its own image goes on to say.
_KEPT = ("architecture", "disk_bus", "firmware", "machine", "nic_model", "os", "traits", "user")
_READY = ("active", "stopped", "paused", "suspended", "resized")


def create_image(call: Call, world: CloudState, thing: KnownResource) -> ApiReply:
    said = call.body[CREATE]
    if not isinstance(said, Mapping) or not isinstance(said.get("name"), str) or not 0 < len(said["name"]) <= 255:
        raise bad("createImage needs a name of 1 to 255 characters.")
    properties = said.get("metadata") or {}
    if not isinstance(properties, Mapping) or not all(_is_property(*one) for one in properties.items()):
        raise bad("metadata is a map of texts of at most 255 characters.")
    if thing.model.boot_volume is not None:
        raise not_built("The server boots from a volume: make an image of that volume.")
    state = Status(world, thing).vm_state
    if thing.state is not ResourceStatus.MADE or state not in _READY:
        raise conflict(f"Cannot 'createImage' instance {thing.id} while it is in vm_state {state}")
    record = ready(thing)
    want = record.wants[record.host].fields()
    if not (images := of(want["hypervisor"], DISK_IMAGES)).can:  # it could start nothing from one
        raise not_built(f"No image can be made of it: {images.text}")
    told = {"image_type": "snapshot", "instance_uuid": thing.id, **properties}
    size = int(want["root"]["size"])
    return registered(call, register(call, thing.address, said["name"], told, size, **_of_base(world, thing)))


def _is_property(name: str, text: Any) -> bool:
    return isinstance(text, str) and 0 < len(name) <= 255 and len(text) <= 255


def _of_base(world: CloudState, thing: KnownResource) -> dict[str, Any]:
    image = thing.model.image
    block = world.desired.get(image) if isinstance(image, Address) else None
    if block is None:
        return {}
    found = {name: getattr(block.model, name) for name in _KEPT}
    return {name: [*one] if isinstance(one, tuple) else one for name, one in found.items()}
