"""Calls for images: registered, changed, listed; their tags."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from stead.serve.edits import change, put, remove
from stead.serve.faults import bad, forbidden, not_built, not_found
from stead.serve.image.images import QUEUED, V, data, find, queued_data, visible, visible_one, waiting, waiting_one
from stead.serve.keys import new_key
from stead.serve.listing import filtered, ordered, page
from stead.serve.routes import ApiReply, Call

PROPERTIES = frozenset(
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


def list_images(call: Call) -> ApiReply:
    found = visible(call, call.world)
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
    return ApiReply(body=visible_one(call, call.world))


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
    found = {name: one for name, one in said.items() if name not in PROPERTIES}
    _not_reserved(found)
    if any(not isinstance(one, str) or not name or len(one) > 4096 for name, one in found.items()):
        raise bad("Properties of an image are texts.")
    return found


def _not_reserved(names: Iterable[str]) -> None:
    if taken := [name for name in names if name.startswith("os_glance")]:
        raise forbidden(f"Attribute '{taken[0][:40]}' is reserved.")


def change_image(call: Call) -> ApiReply:
    """JSON patch, of names, tags, properties and protection."""
    world = call.world
    if (one := waiting_one(call, world)) is not None:
        entry, key = dict(one.said), one.key
        _patched(entry, call.body, {"name": "name", "tags": "tags", "protected": "protected"})
        world = call.edit("change image", lambda content: change(content, QUEUED, key, entry))
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
        _not_reserved([name])
        if name in words and op in ("add", "replace"):
            entry[words[name]] = one["value"]
        elif name in PROPERTIES and name not in ("visibility", "min_disk", "min_ram", "os_hidden"):
            raise forbidden(f"Attribute '{name[:40]}' is read-only.")
        elif name in PROPERTIES:
            raise not_built(f"{name} cannot be changed yet.")
        elif op == "remove":
            entry["properties"] = {each: text for each, text in entry.get("properties", {}).items() if each != name}
        elif op in ("add", "replace") and name and isinstance(one.get("value"), str):
            entry["properties"] = {**entry.get("properties", {}), name: one["value"]}
        else:
            raise bad("An operation of the patch cannot be understood.")


def delete_image(call: Call) -> ApiReply:
    world = call.world
    if (one := waiting_one(call, world)) is not None:
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
    return _tagged(call, lambda tags: [*dict.fromkeys([*tags, call.path["tag"]])])


def _tagged(call: Call, change_tags: Callable[[Sequence[str]], list[str]]) -> ApiReply:
    """Of an image, or of what waits for its bytes."""
    world = call.world
    if (one := waiting_one(call, world)) is not None:
        section, key, there = QUEUED, one.key, one.said.get("tags", ())
    else:
        thing = find(call, world, own=True)
        section, key, there = "images", thing.address.name, thing.settings.tags
    fields = {"tags": change_tags(there) or None}
    call.edit("tag image", lambda content: change(content, section, key, fields))
    return ApiReply(204)


def delete_tag(call: Call) -> ApiReply:
    return _tagged(call, lambda tags: _without(tags, call.path["tag"]))


def _without(tags: Sequence[str], tag: str) -> list[str]:
    if tag not in tags:
        raise not_found("Tag", tag)
    return [one for one in tags if one != tag]
