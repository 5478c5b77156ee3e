"""Tags of networks, routers, floating IPs and security groups."""

from __future__ import annotations

from stead.serve.faults import not_found
from stead.serve.network.answers import changing
from stead.serve.routes import ApiReply, Call
from stead.serve.world import KnownResource

_TAGGED = {
    "networks": "networks",
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
    kind, thing = tags_of(call)
    wanted = list(dict.fromkeys(call.body["tags"]))
    changing(kind, "tags", thing, call, {"tags": wanted or None})
    return ApiReply(body={"tags": wanted})
