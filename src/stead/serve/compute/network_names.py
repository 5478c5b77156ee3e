"""Nova's own calls for networks, as they were until microversion 2.36: names and ids, of the network service's."""

from __future__ import annotations

from typing import Any

from stead.serve.compute.servers import V
from stead.serve.routes import AccessPolicy, ApiReply, ApiRoute, Call
from stead.serve.world import KnownResource


def _data(thing: KnownResource) -> dict[str, Any]:
    """A network may have several ranges here, so none is told."""
    return {"id": thing.id, "label": thing.name, "cidr": None}


def list_networks(call: Call) -> ApiReply:
    return ApiReply(body={"networks": [_data(one) for one in call.world.things("networks", [call.project, ""])]})


def show_network(call: Call) -> ApiReply:
    asked, caller = call.path["id"], call.caller
    found = call.world.find("networks", asked, call.project, what="Network", shared=True, admin=caller.admin)
    return ApiReply(body={"network": _data(found)})


ROUTES = tuple(
    ApiRoute("GET", f"{V}/{path}{end}", AccessPolicy.READER, handler)
    for path in ("os-networks", "os-tenant-networks")
    for end, handler in (("", list_networks), ("/{id}", show_network))
)
