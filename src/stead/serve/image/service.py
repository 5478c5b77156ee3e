"""Image v2. An image is a file that the controller has: of the site, or uploaded by a project into a folder of its own.

What waits for its bytes is a note of the document and no image yet; with the last byte it becomes one, with its digest.
Its key is chosen when it is registered, and its id follows from that, so both stay.
"""

from __future__ import annotations

import hashlib
import os
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from stead.core.address import Address
from stead.core.named import NamedTuple
from stead.serve import versions
from stead.serve.edits import Content, change, put, remove
from stead.serve.faults import TOO_LARGE, Fault, bad, conflict, forbidden, not_built, not_found
from stead.serve.keys import new_key
from stead.serve.listing import filtered, ordered, page
from stead.serve.routes import LONG, AccessPolicy, ApiReply, ApiRoute, Call, Service, record
from stead.serve.world import CloudState, KnownResource, ResourceStatus, moment

V = "/image/v2"
QUEUED = "serve_images"  # a section of documents that the planner does not read: images that wait for their bytes
FORMATS = {"qcow2": "qcow2", "raw": "raw", "vmdk": "vmdk", "vdi": "vdi", "vhd": "vhd", "vhdx": "vhdx", "iso": "iso"}
_BASE = frozenset(
    [
        "id",
        "name",
        "visibility",
        "status",
        "protected",
        "tags",
        "disk_format",
        "container_format",
        "min_disk",
        "min_ram",
        "size",
        "virtual_size",
        "checksum",
        "os_hash_algo",
        "os_hash_value",
        "owner",
        "created_at",
        "updated_at",
        "file",
        "schema",
        "self",
        "os_hidden",
        "stores",
        "direct_url",
        "locations",
        "owner_specified",
    ]
)


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


def _waits(call: Call, world: CloudState) -> RegisteredImage | None:
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
        "id": identity,
        "name": said.get("name"),
        "status": "queued",
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


def find(call: Call, world: CloudState, *, own: bool = False) -> KnownResource:
    for thing in world.things("images", [call.caller.project] if own else [call.caller.project, ""]):
        if call.path["id"] == thing.id:
            return thing
    raise not_found("Image", call.path["id"])


def list_images(call: Call) -> ApiReply:
    world = call.world
    found = [data(world, thing) for thing in world.things("images", [call.caller.project, ""])]
    found += [queued_data(call, world, one) for one in waiting(call, world)]
    call.query = [pair for pair in call.query if pair[0] != "member_status"]
    tags = [text for name, text in call.query if name == "tag"]
    found = [one for one in found if set(tags) <= set(one["tags"])]
    call.query = [pair for name, text in call.query if name != "tag" for pair in _alternatives(name, text)]
    items = ordered(call, filtered(call, found[::-1]))
    part, more = page(call, items)
    body: dict[str, Any] = {"images": part, "first": "/v2/images", "schema": "/v2/schemas/images"}
    if more and part:
        body["next"] = f"/v2/images?limit={len(part)}&marker={part[-1]['id']}"
    return ApiReply(body=body)


def _alternatives(name: str, text: str) -> list[tuple[str, str]]:
    """`in:a,b` of a query is either."""
    several = text.startswith("in:") and name in ("id", "name", "status", "disk_format", "container_format")
    return [(name, one.strip('"')) for one in text[3:].split(",")] if several else [(name, text)]


def show_image(call: Call) -> ApiReply:
    world = call.world
    if one := _waits(call, world):
        return ApiReply(body=queued_data(call, world, one))
    return ApiReply(body=data(world, find(call, world)))


def create_image(call: Call) -> ApiReply:
    said = call.body
    if said.get("visibility", "private") not in ("private", "shared"):
        raise forbidden("Public images are the site's: write them in its files.")
    if said.get("id"):
        raise not_built("The id of an image is chosen here.")
    key = new_key("images")
    entry = {
        name: said[name] for name in ("name", "disk_format", "container_format", "tags", "protected") if name in said
    }
    entry |= {name: int(said[name]) for name in ("min_disk", "min_ram") if said.get(name)}
    entry["properties"] = _properties(said)
    entry["created"] = call.cloud.clock()
    world = call.edit("register an image", lambda content: put(content, QUEUED, key, entry))
    found = queued_data(call, world, next(one for one in waiting(call, world) if one.key == key))
    headers = {"location": f"{call.root}{V}/images/{found['id']}", "openstack-image-import-methods": ""}
    return ApiReply(201, found, headers)


def _properties(said: Mapping[str, Any]) -> dict[str, str]:
    found = {name: one for name, one in said.items() if name not in _BASE}
    if any(not isinstance(one, str) or not name or len(one) > 4096 for name, one in found.items()):
        raise bad("Properties of an image are texts.")
    return found


def upload(call: Call) -> ApiReply:
    """`call.raw` is where the server has put the bytes; they get their name only when the document has them."""
    world, project = call.world, call.project
    one = _waits(call, world)
    if one is None:
        find(call, world, own=True)
        raise conflict("The image has its bytes already.")
    said, key = one.said, one.key
    format_ = said.get("disk_format")
    if format_ not in FORMATS or said.get("container_format", "bare") != "bare":
        raise bad(f"disk_format is one of {', '.join(FORMATS)}, and container_format is bare.")
    place = Path(call.raw.decode())
    sums = _sums(place)
    folder = call.cloud.means.uploads / project
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"{uuid.uuid4().hex}.{format_}"
    os.replace(place, path)  # noqa: PTH105 - both are paths of ours
    entry = {
        "source": str(path),
        "checksum": f"sha256:{sums['sha256']}",
        "format": FORMATS[format_],
        "display_name": said.get("name"),
        "tags": said.get("tags") or None,
        "protect": said.get("protected") or None,
        "properties": said.get("properties") or None,
        "min_disk": f"{said['min_disk']}GiB" if said.get("min_disk") else None,
        "min_memory": f"{said['min_ram']}MiB" if said.get("min_ram") else None,
        "labels": {"size": str(sums["size"]), "md5": str(sums["md5"])},
    }

    def edit(content: Content) -> Content:
        return put(remove(content, QUEUED, key), "images", key, entry)

    try:
        call.edit(f"upload image {said.get('name') or key}", edit)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return ApiReply(204)


def _sums(path: Path) -> dict[str, Any]:
    sha, md5, size = hashlib.sha256(), hashlib.md5(usedforsecurity=False), 0
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            sha.update(chunk)
            md5.update(chunk)
            size += len(chunk)
    if not size:
        raise bad("The image has no bytes.")
    return {"sha256": sha.hexdigest(), "md5": md5.hexdigest(), "size": size}


def download(call: Call) -> ApiReply:
    world = call.world
    if _waits(call, world):
        return ApiReply(204)
    thing = find(call, world, own=True)
    path = Path(thing.model.source)
    if not path.is_relative_to(call.cloud.means.uploads):
        raise forbidden("Only images that were uploaded can be downloaded.")
    if path.stat().st_size > 1 << 30:
        raise Fault(413, TOO_LARGE.id, "Images above 1 GiB are not sent yet.")
    return ApiReply(200, path.read_bytes(), {"content-md5": thing.settings.labels.get("md5", "")})


def change_image(call: Call) -> ApiReply:
    """JSON patch, of names, tags, properties and protection."""
    world = call.world
    if (one := _waits(call, world)) is not None:
        entry, key = dict(one.said), one.key
        _patched(entry, call.body, {"name": "name", "tags": "tags", "protected": "protected"})
        world = call.edit("change image", lambda content: put(content, QUEUED, key, entry))
        return ApiReply(body=queued_data(call, world, one._replace(said=entry)))
    thing = find(call, world, own=True)
    entry = {
        "properties": dict(thing.model.properties),
        "display_name": thing.name,
        "tags": list(thing.settings.tags),
        "protect": thing.settings.protect,
    }
    _patched(entry, call.body, {"name": "display_name", "tags": "tags", "protected": "protect"})
    fields = {name: one or None for name, one in entry.items()}
    world = call.edit("change image", lambda content: change(content, "images", thing.address.name, fields))
    return ApiReply(body=data(world, world.thing(thing.address)))


def _patched(entry: dict[str, Any], patch: Any, words: Mapping[str, str]) -> None:
    for one in patch:
        op, name = one.get("op"), str(one.get("path", "")).removeprefix("/")
        if op is None:  # the older form: {"replace": "/name", "value": …}
            op, name = next(
                ((each, str(one[each]).removeprefix("/")) for each in ("add", "replace", "remove") if each in one),
                ("", ""),
            )
        if name in words and op in ("add", "replace"):
            entry[words[name]] = one["value"]
        elif name in _BASE and name not in ("visibility", "min_disk", "min_ram", "os_hidden"):
            raise forbidden(f"Attribute '{name[:40]}' is read-only.")
        elif name in _BASE:
            raise not_built(f"{name} cannot be changed yet.")
        elif op == "remove":
            entry["properties"] = {each: text for each, text in entry.get("properties", {}).items() if each != name}
        elif op in ("add", "replace") and name and isinstance(one.get("value"), str):
            entry["properties"] = {**entry.get("properties", {}), name: one["value"]}
        else:
            raise bad("An operation of the patch cannot be understood.")


def delete_image(call: Call) -> ApiReply:
    world = call.world
    if (one := _waits(call, world)) is not None:
        if one.said.get("protected"):
            raise forbidden("Image is protected and cannot be deleted.")
        key = one.key
        call.edit("delete image", lambda content: remove(content, QUEUED, key))
        return ApiReply(204)
    thing = find(call, world, own=True)
    if thing.settings.protect:
        raise forbidden("Image is protected and cannot be deleted.")
    world.must_be_unused(thing, "Image")
    call.edit("delete image", lambda content: remove(content, "images", thing.address.name))
    path = Path(thing.model.source)
    if path.is_relative_to(call.cloud.means.uploads / call.project):
        path.unlink(missing_ok=True)
    return ApiReply(204)


def write_tag(call: Call) -> ApiReply:
    thing, tag = find(call, call.world, own=True), call.path["tag"]
    tags = [*dict.fromkeys([*thing.settings.tags, tag])]
    call.edit("tag image", lambda content: change(content, "images", thing.address.name, {"tags": tags}))
    return ApiReply(204)


def delete_tag(call: Call) -> ApiReply:
    thing, tag = find(call, call.world, own=True), call.path["tag"]
    if tag not in thing.settings.tags:
        raise not_found("Tag", tag)
    tags = [one for one in thing.settings.tags if one != tag] or None
    call.edit("untag image", lambda content: change(content, "images", thing.address.name, {"tags": tags}))
    return ApiReply(204)


def schemas(call: Call) -> ApiReply:
    name = call.path["name"]
    if name not in ("image", "images"):
        raise not_found("Schema", name)
    one = {
        "name": "image",
        "properties": {word: {} for word in sorted(_BASE)},
        "additionalProperties": {"type": "string"},
    }
    return ApiReply(body=one if name == "image" else {"name": "images", "properties": {"images": {"items": one}}})


def _empty(name: str) -> Any:
    return lambda call: find(call, call.world) and ApiReply(body={name: [], "schema": f"/v2/schemas/{name}"})


_IMAGE = record(
    id={"type": "string", "pattern": "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"},
    name={"type": ["string", "null"], "maxLength": 255},
    disk_format={"enum": [*FORMATS, "ami", "ari", "aki", "ploop", None]},
    container_format={"enum": ["bare", "ovf", "ova", "ami", "ari", "aki", "docker", "compressed", None]},
    min_disk={"type": "integer", "minimum": 0, "maximum": 1 << 20},
    min_ram={"type": "integer", "minimum": 0, "maximum": 1 << 30},
    protected={"type": "boolean"},
    tags={"type": "array", "items": {"type": "string", "pattern": r"^[^/,\x00-\x1f]{1,255}$"}, "maxItems": 128},
    visibility={"enum": ["public", "private", "shared", "community"]},
)
_PATCH = {"type": "array", "maxItems": 50, "items": record(path=LONG)}
READER, MEMBER, PUBLIC = AccessPolicy.READER, AccessPolicy.MEMBER, AccessPolicy.PUBLIC
ONE = f"{V}/images/{{id}}"
ROUTES = (
    ApiRoute("GET", "/image", PUBLIC, versions.all_of(versions.image, status=300)),
    ApiRoute("GET", "/image/versions", PUBLIC, versions.all_of(versions.image)),
    ApiRoute("GET", V, PUBLIC, versions.all_of(versions.image)),
    ApiRoute("GET", f"{V}/images", READER, list_images),
    ApiRoute("POST", f"{V}/images", MEMBER, create_image, _IMAGE),
    ApiRoute("GET", ONE, READER, show_image),
    ApiRoute("PATCH", ONE, MEMBER, change_image, _PATCH),
    ApiRoute("DELETE", ONE, MEMBER, delete_image),
    ApiRoute("GET", f"{ONE}/file", READER, download),
    ApiRoute("PUT", f"{ONE}/file", MEMBER, upload, raw=True),
    ApiRoute("PUT", f"{ONE}/tags/{{tag}}", MEMBER, write_tag),
    ApiRoute("DELETE", f"{ONE}/tags/{{tag}}", MEMBER, delete_tag),
    ApiRoute("GET", f"{ONE}/members", READER, _empty("members")),
    ApiRoute("GET", f"{V}/schemas/{{name}}", READER, schemas),
)
UNBUILT = (
    ("POST", f"{ONE}/import", "import from a URL"),
    ("POST", f"{ONE}/members", "sharing with single projects"),
    ("GET", f"{V}/tasks", "tasks"),
    ("GET", f"{V}/info/import", "import from a URL"),
    ("GET", f"{V}/info/stores", "several stores"),
    ("POST", f"{ONE}/actions/deactivate", "deactivation"),
    ("POST", f"{ONE}/actions/reactivate", "deactivation"),
)
SERVICE = Service(name="image", type="image", title="glance", endpoint="/image", routes=ROUTES, unbuilt=UNBUILT)
