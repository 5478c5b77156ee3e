"""Tags of networks, ports, routers, floating IPs and security groups."""

from __future__ import annotations

import re

from stead.serve.faults import bad, not_found
from stead.serve.network.answers import changing
from stead.serve.routes import TAGS, ApiReply, Call
from stead.serve.world import KnownResource

_TAGGED = {
    "networks": "networks",
    "ports": "ports",
    "routers": "routers",
    "floatingips": "floating_ips",
    "security-groups": "security_groups",
}


def tags_of(call: Call) -> tuple[str, KnownResource]:
    kind = _TAGGED.get(call.path["kind"])
    if kind is None:
        raise not_found("Resource", call.path["kind"])
    return kind, call.own(kind, "Resource")[1]


def show_tags(call: Call) -> ApiReply:
    return ApiReply(body={"tags": list(tags_of(call)[1].settings.tags)})


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
    tag, before = call.path["tag"], tags_of(call)[1].settings.tags
    if re.fullmatch(TAGS["items"]["pattern"], tag) is None:
        raise bad("A tag has 1 to 60 characters, without slash and comma.")
    if tag not in before:
        _save(call, [*before, tag])
    return ApiReply(201)


def remove_tag(call: Call) -> ApiReply:
    tag = _tag(call)
    _save(call, [one for one in tags_of(call)[1].settings.tags if one != tag])
    return ApiReply(204)


def _tag(call: Call) -> str:
    tag = call.path["tag"]
    if tag not in tags_of(call)[1].settings.tags:
        raise not_found("Tag", tag)
    return tag


def _save(call: Call, tags: list[str]) -> None:
    kind, thing = tags_of(call)
    if len(tags) > TAGS["maxItems"]:
        raise bad(f"A resource has at most {TAGS['maxItems']} tags.")
    changing(kind, "tags", thing, call, {"tags": tags or None})
