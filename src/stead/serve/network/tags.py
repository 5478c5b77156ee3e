"""Tags of networks, subnets, subnet pools, ports, routers, floating IPs and security groups."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial

from stead.core.named import NamedTuple
from stead.serve.faults import bad, not_found
from stead.serve.network.answers import changing
from stead.serve.network.network_calls import own_subnet
from stead.serve.network.networks import notes_of, tag_subnet
from stead.serve.network.subnet_pools import change_known, own_pool
from stead.serve.routes import TAGS, ApiReply, Call

_TAGGED = {
    "networks": "networks",
    "ports": "ports",
    "routers": "routers",
    "floatingips": "floating_ips",
    "security-groups": "security_groups",
}


class TaggedThing(NamedTuple):
    tags: Sequence[str]
    save: Callable[[list[str]], object]


def _tagged(call: Call) -> TaggedThing:
    name = call.path["kind"]
    if name == "subnets":
        return _of_subnet(call)
    if name == "subnetpools":
        return _of_pool(call)
    kind = _TAGGED.get(name)
    if kind is None:
        raise not_found("Resource", name)
    thing = call.own(kind, "Resource")[1]
    return TaggedThing(thing.settings.tags, lambda tags: changing(kind, "tags", thing, call, {"tags": tags or None}))


def _of_subnet(call: Call) -> TaggedThing:
    world, one = own_subnet(call)
    tags = notes_of(world, one.network, one.key).get("tags", ())
    return TaggedThing(tags, lambda new: call.edit("change tags", tag_subnet(one, new)))


def _of_pool(call: Call) -> TaggedThing:
    pool = own_pool(call)
    edit = partial(change_known, pool.key)
    return TaggedThing(pool.known.get("tags", ()), lambda new: call.edit("change tags", edit({"tags": new})))


def show_tags(call: Call) -> ApiReply:
    return ApiReply(body={"tags": list(_tagged(call).tags)})


def write_tags(call: Call) -> ApiReply:
    wanted = list(dict.fromkeys(call.body["tags"]))
    _save(call, wanted)
    return ApiReply(body={"tags": wanted})


def clear_tags(call: Call) -> ApiReply:
    _save(call, [])
    return ApiReply(204)


def show_tag(call: Call) -> ApiReply:
    _tag(call)
    return ApiReply(204)


def add_tag(call: Call) -> ApiReply:
    tag, before = call.path["tag"], _tagged(call).tags
    if re.fullmatch(TAGS["items"]["pattern"], tag) is None:
        raise bad("A tag has 1 to 60 characters, without slash and comma.")
    if tag not in before:
        _save(call, [*before, tag])
    return ApiReply(201)


def remove_tag(call: Call) -> ApiReply:
    tag = _tag(call)
    _save(call, [one for one in _tagged(call).tags if one != tag])
    return ApiReply(204)


def _tag(call: Call) -> str:
    tag = call.path["tag"]
    if tag not in _tagged(call).tags:
        raise not_found("Tag", tag)
    return tag


def _save(call: Call, tags: list[str]) -> None:
    if len(tags) > TAGS["maxItems"]:
        raise bad(f"A resource has at most {TAGS['maxItems']} tags.")
    _tagged(call).save(tags)
