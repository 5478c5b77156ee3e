"""Calls for images: registered, changed, listed; their tags."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from stead.core.address import Address
from stead.serve.edits import Edit, all_of, change, put, remove
from stead.serve.faults import NOT_ALLOWED, Fault, bad, forbidden, not_built, not_found
from stead.serve.image import sharing
from stead.serve.image.forms import must_be_properties, must_fit, must_not_be_reserved
from stead.serve.image.images import (
    QUEUED,
    V,
    data,
    find_own,
    own,
    queued_data,
    shared_with,
    visible,
    visible_one,
    waiting,
    waiting_one,
)
from stead.serve.keys import new_key
from stead.serve.listing import NOT_FIELDS, filtered, ordered, page
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

Image = dict[str, Any]  # as it is told
MOST_WAITING = 256  # images of a project that have no bytes yet: no quota counts them


def list_images(call: Call) -> ApiReply:
    found = _asked(call)
    hidden = call.flag("os_hidden")
    call.query = [pair for pair in call.query if pair[0] not in ("member_status", "os_hidden")]
    tags = [text for name, text in call.query if name == "tag"]
    found = [one for one in found if set(tags) <= set(one["tags"]) and one["os_hidden"] == hidden]
    found = [one for one in found if all(one.get(name) == text for name, text in _properties_asked(call))]
    call.query = [pair for name, text in call.query if name != "tag" for pair in _alternatives(name, text)]
    # Of one second, those that were made later come where the asked order has what is later.
    rising = "asc" in (call.asked("sort_dir"), call.asked("sort").rpartition(":")[2])
    items = ordered(call, filtered(call, found if rising else found[::-1]))
    part, more = page(call, items)
    body: dict[str, Any] = {"images": part, "first": "/v2/images", "schema": "/v2/schemas/images"}
    if more and part:
        body["next"] = f"/v2/images?limit={len(part)}&marker={part[-1]['id']}"
    return ApiReply(body=body)


def _properties_asked(call: Call) -> list[tuple[str, str]]:
    """What has no such property is not what is asked for."""
    known = {*PROPERTIES, *NOT_FIELDS, "tag", "size_min", "size_max"}
    return [(name, text) for name, text in call.query if name not in known]


def _asked(call: Call) -> list[Image]:
    """Of others, what waits for this project's word and what is for everybody are told to those who ask for them."""
    status, visibility = call.asked("member_status"), call.asked("visibility")
    if visibility == sharing.COMMUNITY or status not in ("", sharing.ACCEPTED):
        fits = ("", status) if status != "all" else ("", sharing.ACCEPTED, sharing.PENDING, sharing.REJECTED)
        found = [told for one, told in shared_with(call, call.world) if one.status in fits]
        return found + own(call, call.world)
    return visible(call, call.world) + [one for one in own(call, call.world) if one["os_hidden"]]


def _alternatives(name: str, text: str) -> list[tuple[str, str]]:
    """`in:a,b` of a query is either."""
    several = text.startswith("in:") and name in ("id", "name", "status", "disk_format", "container_format")
    return [(name, one.strip('"')) for one in text[3:].split(",")] if several else [(name, text)]


def show_image(call: Call) -> ApiReply:
    return ApiReply(body=visible_one(call, call.world))


def create_image(call: Call) -> ApiReply:
    said = call.body
    _may_publish(call, said.get("visibility"))
    if sum(1 for _ in waiting(call.world, call.project)) >= MOST_WAITING:
        raise Fault(
            413, NOT_ALLOWED.id, f"At most {MOST_WAITING} images of a project wait for their bytes.", quota=True
        )
    if said.get("id"):
        raise not_built("The id of an image is chosen here.")
    key = new_key("images")
    entry = {
        name: said[name] for name in ("name", "disk_format", "container_format", "tags", "protected") if name in said
    }
    entry |= {name: int(said[name]) for name in ("min_disk", "min_ram") if said.get(name)}
    entry["properties"] = _properties(said)
    entry["created"] = call.cloud.clock()
    noted = sharing.noted(key, visibility=said.get("visibility", sharing.SHARED), hidden=said.get("os_hidden") or None)
    world = call.edit("register an image", all_of(lambda content: put(content, QUEUED, key, entry), noted))
    found = queued_data(world, next(one for one in waiting(world, call.project) if one.key == key))
    headers = {"location": f"{call.root}{V}/images/{found['id']}", "openstack-image-import-methods": ""}
    return ApiReply(201, found, headers)


def _may_publish(call: Call, visibility: str | None) -> None:
    if visibility == sharing.PUBLIC and not call.caller.admin:
        raise forbidden("You are not authorized to make an image public.")


def _properties(said: Mapping[str, Any]) -> dict[str, str]:
    found = {name: one for name, one in said.items() if name not in PROPERTIES}
    must_not_be_reserved(found)
    must_be_properties(found)
    return found


def change_image(call: Call) -> ApiReply:
    """JSON patch."""
    world = call.world
    if (one := waiting_one(call, world)) is not None:
        entry, key = {name: each for name, each in one.said.items() if name != "properties"}, one.key
        entry["properties"] = dict(one.said.get("properties") or {})
        noted = _patched(call, entry, {"name": "name", "tags": "tags", "protected": "protected"} | _LEAST)
        world = call.edit("change image", all_of(lambda content: change(content, QUEUED, key, entry), noted(key)))
        return ApiReply(body=queued_data(world, one._replace(said=entry)))
    thing = find_own(call, world)
    entry = {
        "properties": dict(thing.model.properties),
        "display_name": thing.name,
        "tags": list(thing.settings.tags),
        "protect": thing.settings.protect,
    }
    noted = _patched(call, entry, {"name": "display_name", "tags": "tags", "protected": "protect"} | _LEAST)
    sizes = {word: (entry.pop(name), unit) for name, word, unit in _SIZES if name in entry}
    least = {word: f"{size}{unit}" if size else None for word, (size, unit) in sizes.items()}
    fields = {name: each or None for name, each in entry.items()} | least
    key = thing.address.name
    world = call.edit("change image", all_of(lambda content: change(content, "images", key, fields), noted(key)))
    return ApiReply(body=data(world, world.thing(thing.address)))


_LEAST = {"min_disk": "min_disk", "min_ram": "min_ram"}
_SIZES = (("min_disk", "min_disk", "GiB"), ("min_ram", "min_memory", "MiB"))
_NOTED = {"visibility": (sharing.VISIBILITY, sharing.VISIBILITIES), "os_hidden": (sharing.HIDDEN, (True, False))}


def _patched(call: Call, entry: dict[str, Any], words: Mapping[str, str]) -> Callable[[str], Edit]:
    """Changes the entry, and tells what is to be noted beside it."""
    noted: dict[str, Any] = {}
    for one in call.body:
        op, name = _operation(one)
        must_not_be_reserved([name])
        if name in words and op in ("add", "replace"):
            must_fit(name, one.get("value"))
            entry[words[name]] = one["value"]
        elif name in _NOTED and op in ("add", "replace"):
            word, allowed = _NOTED[name]
            if one.get("value") not in allowed:
                raise bad(f"{name} is one of {', '.join(map(str, allowed))}.")
            _may_publish(call, one["value"])
            noted[word] = one["value"]
        elif name in PROPERTIES:
            raise forbidden(f"Attribute '{name[:40]}' is read-only.")
        else:
            _patched_property(entry["properties"], op, name, one.get("value"))
    must_be_properties(entry["properties"])
    return lambda key: sharing.noted(key, **noted)


def _operation(one: Mapping[str, Any]) -> tuple[str, str]:
    op, name = one.get("op"), str(one.get("path", "")).removeprefix("/")
    if op is None:  # the older form: {"replace": "/name", "value": …}
        return next(
            ((each, str(one[each]).removeprefix("/")) for each in ("add", "replace", "remove") if each in one), ("", "")
        )
    return str(op), name


def _patched_property(properties: dict[str, str], op: str, name: str, value: Any) -> None:
    if op == "remove":
        properties.pop(name, None)
    elif op in ("add", "replace") and name and isinstance(value, str):
        properties[name] = value
    else:
        raise bad("An operation of the patch cannot be understood.")


def delete_image(call: Call) -> ApiReply:
    world = call.world
    if (one := waiting_one(call, world)) is not None:
        if one.said.get("protected"):
            raise forbidden("Image is protected and cannot be deleted.")
        waited = one.key
        gone = all_of(lambda content: remove(content, QUEUED, waited), sharing.forgotten(waited))
        world = call.edit("delete image", gone)
        if Address(call.project, "images", waited) not in world.desired.by_address:
            return ApiReply(204)  # else it has become one meanwhile
    thing = find_own(call, world)
    if thing.settings.protect:
        raise forbidden("Image is protected and cannot be deleted.")
    world.must_be_unused(thing, "Image")
    key = thing.address.name
    call.edit("delete image", all_of(lambda content: remove(content, "images", key), sharing.forgotten(key)))
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
        thing = find_own(call, world)
        section, key, there = "images", thing.address.name, thing.settings.tags
    tags = change_tags(there)
    must_fit("tags", tags)
    fields = {"tags": tags or None}
    call.edit("tag image", lambda content: change(content, section, key, fields))
    return ApiReply(204)


def delete_tag(call: Call) -> ApiReply:
    return _tagged(call, lambda tags: _without(tags, call.path["tag"]))


def _without(tags: Sequence[str], tag: str) -> list[str]:
    if tag not in tags:
        raise not_found("Tag", tag)
    return [one for one in tags if one != tag]


def deactivate(call: Call) -> ApiReply:
    """Nobody gets its bytes, and nothing is made from it, until it is active again."""
    return _activity(call, inactive=True)


def reactivate(call: Call) -> ApiReply:
    return _activity(call, inactive=None)


def _activity(call: Call, *, inactive: bool | None) -> ApiReply:
    world = call.world
    if waiting_one(call, world) is not None:
        raise forbidden("Not allowed to deactivate or activate an image that is not active.")
    key = find_own(call, world).address.name
    call.edit("deactivate image" if inactive else "reactivate image", sharing.noted(key, inactive=inactive))
    return ApiReply(204)
