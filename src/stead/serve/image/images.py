"""Images: what is told of them. What waits for its bytes is a note of the document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from stead.core.address import Address
from stead.core.named import NamedTuple
from stead.serve.faults import not_found
from stead.serve.routes import Call
from stead.serve.world import CloudState, KnownResource, ResourceStatus, moment

V = "/image/v2"
QUEUED = "serve_images"  # a section of documents that the planner does not read: images that wait for their bytes
FORMATS = {"qcow2": "qcow2", "raw": "raw", "vmdk": "vmdk", "vdi": "vdi", "vhd": "vhd", "vhdx": "vhdx", "iso": "iso"}


class RegisteredImage(NamedTuple):
    """An image that is registered, and has no bytes yet."""

    key: str
    id: str
    said: Mapping[str, Any]


def waiting(call: Call, world: CloudState) -> Iterator[RegisteredImage]:
    project = call.caller.project
    document = world.documents.get(project)
    for key, said in (document.content.get(QUEUED, {}) if document else {}).items():
        yield RegisteredImage(key, world.id_of(Address(project, "images", key)), said)


def waiting_one(call: Call, world: CloudState) -> RegisteredImage | None:
    return next((one for one in waiting(call, world) if one.id == call.path["id"]), None)


def data(world: CloudState, thing: KnownResource) -> dict[str, Any]:
    model = thing.model
    about = thing.settings.labels
    size = int(about["size"]) if about.get("size", "").isdigit() else model.size
    return {
        **model.properties,
        "id": thing.id,
        "name": thing.name,
        "status": "active" if thing.state is not ResourceStatus.FAILED else "killed",
        "visibility": "private" if thing.address.project else "public",
        "protected": thing.settings.protect,
        "tags": list(thing.settings.tags),
        "disk_format": model.format or _format_of(model.source),
        "container_format": "bare",
        "min_disk": (model.min_disk or 0) >> 30,
        "min_ram": (model.min_memory or 0) >> 20,
        "size": size,
        "virtual_size": None,
        "checksum": about.get("md5"),
        "os_hash_algo": "sha256" if (model.checksum or "").startswith("sha256:") else None,
        "os_hash_value": (model.checksum or ":").partition(":")[2] or None,
        "os_hidden": False,
        "owner": world.project_id(thing.address.project) or None,
        "created_at": thing.created,
        "updated_at": thing.updated,
        "self": f"/v2/images/{thing.id}",
        "file": f"/v2/images/{thing.id}/file",
        "schema": "/v2/schemas/image",
    }


def _format_of(source: str) -> str:
    end = source.rpartition(".")[2].lower()
    return FORMATS.get(end, "qcow2" if end == "img" else "raw")


def queued_data(call: Call, world: CloudState, one: RegisteredImage) -> dict[str, Any]:
    said, identity = one.said, one.id
    return {
        **said.get("properties", {}),
        **({"stead_error": said["error"]} if said.get("error") else {}),
        "id": identity,
        "name": said.get("name"),
        "status": "error" if said.get("error") else "saving" if said.get("saving") else "queued",
        "visibility": "private",
        "protected": said.get("protected", False),
        "tags": said.get("tags", []),
        "disk_format": said.get("disk_format"),
        "container_format": said.get("container_format"),
        "min_disk": said.get("min_disk", 0),
        "min_ram": said.get("min_ram", 0),
        "size": None,
        "virtual_size": None,
        "checksum": None,
        "os_hash_algo": None,
        "os_hash_value": None,
        "os_hidden": False,
        "owner": world.project_id(call.caller.project),
        "created_at": moment(said.get("created", 0.0)),
        "updated_at": moment(said.get("created", 0.0)),
        "self": f"/v2/images/{identity}",
        "file": f"/v2/images/{identity}/file",
        "schema": "/v2/schemas/image",
    }


def visible(call: Call, world: CloudState) -> list[dict[str, Any]]:
    """All that a project sees, in the order in which it was made."""
    found = [data(world, thing) for thing in world.things("images", [call.caller.project, ""])]
    return found + [queued_data(call, world, one) for one in waiting(call, world)]


def visible_one(call: Call, world: CloudState) -> dict[str, Any]:
    if one := waiting_one(call, world):
        return queued_data(call, world, one)
    return data(world, find(call, world))


def find(call: Call, world: CloudState, *, own: bool = False) -> KnownResource:
    for thing in world.things("images", [call.caller.project] if own else [call.caller.project, ""]):
        if call.path["id"] == thing.id:
            return thing
    raise not_found("Image", call.path["id"])
