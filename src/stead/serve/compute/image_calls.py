"""Nova's own calls for images, as they were until microversion 2.36: the image service's, in other words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stead.serve.compute.servers import V, links
from stead.serve.compute.times import since
from stead.serve.faults import bad, not_found
from stead.serve.image import image_calls
from stead.serve.image.images import visible, visible_one
from stead.serve.listing import limit_of, page
from stead.serve.routes import METADATA, AccessPolicy, ApiReply, ApiRoute, Call, wrapped

STATES = {"active": ("ACTIVE", 100), "queued": ("SAVING", 25), "saving": ("SAVING", 50)}
Image = dict[str, Any]  # as the image service tells it


def _metadata(image: Image) -> dict[str, str]:
    return {name: one for name, one in image.items() if name not in image_calls.PROPERTIES}


def _brief(call: Call, image: Image) -> dict[str, Any]:
    other = {
        "rel": "alternate",
        "type": "application/vnd.openstack.image",
        "href": f"{call.root}/image/v2/images/{image['id']}",
    }
    return {"id": image["id"], "name": image["name"], "links": [*links(call, "images", image["id"]), other]}


def _data(call: Call, image: Image) -> dict[str, Any]:
    status, progress = STATES.get(image["status"], ("ERROR", 0))
    server = image.get("instance_uuid")
    return {
        **_brief(call, image),
        "status": status,
        "progress": progress,
        "created": image["created_at"],
        "updated": image["updated_at"],
        "minDisk": image["min_disk"],
        "minRam": image["min_ram"],
        "OS-EXT-IMG-SIZE:size": image["size"],
        "metadata": _metadata(image),
        **({"server": {"id": server, "links": links(call, "servers", server)}} if server else {}),
    }


def _listed(call: Call) -> list[Image]:
    """The latest first."""
    found: list[Image] = visible(call, call.world)[::-1]
    if name := call.asked("name"):
        found = [one for one in found if one["name"] == name]
    if status := call.asked("status"):
        found = [one for one in found if STATES.get(one["status"], ("ERROR", 0))[0] == status.upper()]
    if server := call.asked("server").rpartition("/")[2]:
        found = [one for one in found if one.get("instance_uuid") == server]
    if kind := call.asked("type"):
        found = [one for one in found if one.get("image_type", "base") == kind]
    moment = since(call)
    return [one for one in found if one["updated_at"] >= moment]


def _paged(call: Call, path: str, make: Any) -> ApiReply:
    part, more = page(call, _listed(call))
    body: dict[str, Any] = {"images": [make(call, one) for one in part]}
    if more and part:
        href = f"{call.root}{V}/{path}?limit={limit_of(call)}&marker={part[-1]['id']}"
        body["images_links"] = [{"rel": "next", "href": href}]
    return ApiReply(body=body)


def list_images(call: Call) -> ApiReply:
    return _paged(call, "images", _brief)


def detail_images(call: Call) -> ApiReply:
    return _paged(call, "images/detail", _data)


def show_image(call: Call) -> ApiReply:
    return ApiReply(body={"image": _data(call, visible_one(call, call.world))})


def show_metadata(call: Call) -> ApiReply:
    return ApiReply(body={"metadata": _metadata(visible_one(call, call.world))})


def _patch(call: Call, wanted: Mapping[str, str], gone: list[str]) -> dict[str, str]:
    call.body = [{"op": "add", "path": f"/{name}", "value": one} for name, one in wanted.items()]
    call.body += [{"op": "remove", "path": f"/{name}"} for name in gone]
    return _metadata(image_calls.change_image(call).body)


def write_metadata(call: Call, *, keep: bool) -> ApiReply:
    wanted: Mapping[str, str] = call.body["metadata"]
    there = _metadata(visible_one(call, call.world))
    gone = [] if keep else [name for name in there if name not in wanted]
    return ApiReply(body={"metadata": _patch(call, wanted, gone)})


def _item(call: Call) -> tuple[str, str]:
    there, key = _metadata(visible_one(call, call.world)), call.path["key"]
    if key not in there:
        raise not_found("Metadata item", key)
    return key, there[key]


def show_item(call: Call) -> ApiReply:
    key, text = _item(call)
    return ApiReply(body={"meta": {key: text}})


def write_item(call: Call) -> ApiReply:
    visible_one(call, call.world)
    said: Mapping[str, str] = call.body["meta"]
    if list(said) != [call.path["key"]]:
        raise bad("Request body and URI mismatch")
    _patch(call, said, [])
    return ApiReply(body={"meta": said})


def delete_item(call: Call) -> ApiReply:
    _patch(call, {}, [_item(call)[0]])
    return ApiReply(204)


READER, MEMBER = AccessPolicy.READER, AccessPolicy.MEMBER
ONE = f"{V}/images/{{id}}"
_META = wrapped("metadata", METADATA)
ROUTES = (
    ApiRoute("GET", f"{V}/images", READER, list_images),
    ApiRoute("GET", f"{V}/images/detail", READER, detail_images),
    ApiRoute("GET", ONE, READER, show_image),
    ApiRoute("DELETE", ONE, MEMBER, image_calls.delete_image),
    ApiRoute("GET", f"{ONE}/metadata", READER, show_metadata),
    ApiRoute("POST", f"{ONE}/metadata", MEMBER, lambda call: write_metadata(call, keep=True), _META),
    ApiRoute("PUT", f"{ONE}/metadata", MEMBER, lambda call: write_metadata(call, keep=False), _META),
    ApiRoute("GET", f"{ONE}/metadata/{{key}}", READER, show_item),
    ApiRoute("PUT", f"{ONE}/metadata/{{key}}", MEMBER, write_item, wrapped("meta", METADATA)),
    ApiRoute("DELETE", f"{ONE}/metadata/{{key}}", MEMBER, delete_item),
)
