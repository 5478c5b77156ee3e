"""Images: what is told of them. What waits for its bytes is a note of the document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from stead.core.address import Address
from stead.core.named import NamedTuple
from stead.serve.faults import not_found
from stead.serve.image import sharing
from stead.serve.routes import Call
from stead.serve.world import CloudState, KnownResource, ResourceStatus, moment

V = "/image/v2"
QUEUED = "serve_images"  # a section of documents that the planner does not read: images that wait for their bytes
COPY_OF = "copy_of"  # label: the id of another project's image, of which it is a copy
FORMATS = {"qcow2": "qcow2", "raw": "raw", "vmdk": "vmdk", "vdi": "vdi", "vhd": "vhd", "vhdx": "vhdx", "iso": "iso"}


class RegisteredImage(NamedTuple):
    """An image that is registered, and has no bytes yet."""

    project: str
    key: str
    id: str
    said: Mapping[str, Any]


def waiting(world: CloudState, project: str) -> Iterator[RegisteredImage]:
    document = world.documents.get(project)
    for key, said in (document.content.get(QUEUED, {}) if document else {}).items():
        yield RegisteredImage(project, key, world.id_of(Address(project, "images", key)), said)


def waiting_with(world: CloudState, project: str, key: str) -> RegisteredImage | None:
    document = world.documents.get(project)
    said = document.content.get(QUEUED, {}).get(key) if document else None
    return RegisteredImage(project, key, world.id_of(Address(project, "images", key)), said) if said else None


def waiting_one(call: Call, world: CloudState) -> RegisteredImage | None:
    return next((one for one in waiting(world, call.caller.project) if one.id == call.path["id"]), None)


def data(world: CloudState, thing: KnownResource) -> dict[str, Any]:
    model, address = thing.model, thing.address
    about, said = thing.settings.labels, sharing.said_of(world, address.project, address.name)
    size = int(about["size"]) if about.get("size", "").isdigit() else model.size
    status = "deactivated" if said.get(sharing.INACTIVE) else "active"
    return {
        **model.properties,
        "id": thing.id,
        "name": thing.name,
        "status": status if thing.state is not ResourceStatus.FAILED else "killed",
        "visibility": said.get(sharing.VISIBILITY, sharing.PRIVATE) if address.project else sharing.PUBLIC,
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
        "os_hidden": bool(said.get(sharing.HIDDEN)) or COPY_OF in about,
        "owner": world.project_id(address.project) or None,
        "created_at": thing.created,
        "updated_at": thing.updated,
        "self": f"/v2/images/{thing.id}",
        "file": f"/v2/images/{thing.id}/file",
        "schema": "/v2/schemas/image",
    }


def _format_of(source: str) -> str:
    end = source.rpartition(".")[2].lower()
    return FORMATS.get(end, "qcow2" if end == "img" else "raw")


def queued_data(world: CloudState, one: RegisteredImage) -> dict[str, Any]:
    said, identity, shared = one.said, one.id, sharing.said_of(world, one.project, one.key)
    return {
        **said.get("properties", {}),
        **({"stead_error": said["error"]} if said.get("error") else {}),
        "id": identity,
        "name": said.get("name"),
        "status": "error" if said.get("error") else "saving" if said.get("saving") else "queued",
        "visibility": shared.get(sharing.VISIBILITY, sharing.PRIVATE),
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
        "os_hidden": bool(shared.get(sharing.HIDDEN)),
        "owner": world.project_id(one.project),
        "created_at": moment(said.get("created", 0.0)),
        "updated_at": moment(said.get("created", 0.0)),
        "self": f"/v2/images/{identity}",
        "file": f"/v2/images/{identity}/file",
        "schema": "/v2/schemas/image",
    }


def own(call: Call, world: CloudState) -> list[dict[str, Any]]:
    """Of the project and of the site, in the order in which it was made."""
    project = call.caller.project
    found = [data(world, thing) for thing in world.things("images", [project, ""])]
    return found + [queued_data(world, one) for one in waiting(world, project)]


def visible(call: Call, world: CloudState) -> list[dict[str, Any]]:
    """What a project lists without asking for more: its own, the site's, and of others what is public or accepted."""
    found = [told for one, told in shared_with(call, world) if _is_listed(one, told)]
    return found + [one for one in own(call, world) if not one["os_hidden"]]


def _is_listed(one: sharing.SharedImage, told: Mapping[str, Any]) -> bool:
    listed = one.status == sharing.ACCEPTED or told["visibility"] == sharing.PUBLIC
    return listed and not told["os_hidden"]


def shared_with(call: Call, world: CloudState) -> Iterator[tuple[sharing.SharedImage, dict[str, Any]]]:
    for one in sharing.others(world, call.caller.project):
        address = Address(one.project, "images", one.key)
        if address in world.desired.by_address:
            yield one, data(world, world.thing(address))
        elif (queued := waiting_with(world, one.project, one.key)) is not None:
            told = queued_data(world, queued)
            told.pop("stead_error", None)  # it may name what only the owner knows
            yield one, told


def visible_one(call: Call, world: CloudState) -> dict[str, Any]:
    if one := waiting_one(call, world):
        return queued_data(world, one)
    for thing in world.things("images", [call.caller.project, ""]):
        if call.path["id"] == thing.id:
            return data(world, thing)
    for _, told in shared_with(call, world):
        if call.path["id"] == told["id"]:
            return told
    raise not_found("Image", call.path["id"])


def find_own(call: Call, world: CloudState) -> KnownResource:
    for thing in world.things("images", [call.caller.project]):
        if call.path["id"] == thing.id:
            return thing
    raise not_found("Image", call.path["id"])


def key_of(call: Call, world: CloudState) -> str:
    """Of an image of the caller's project, with its bytes or without."""
    one = waiting_one(call, world)
    return one.key if one is not None else find_own(call, world).address.name
