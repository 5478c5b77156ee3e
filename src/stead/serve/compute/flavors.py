"""Flavors: the site's, and those of projects of files. They are read only."""

from __future__ import annotations

from typing import Any

from stead.serve.compute.servers import links, sizes
from stead.serve.faults import bad, not_found
from stead.serve.listing import ordered, page
from stead.serve.routes import ApiReply, Call
from stead.serve.world import KnownResource


def flavor_data(call: Call, thing: KnownResource) -> dict[str, Any]:
    model = thing.model
    return {
        "id": thing.id,
        "name": thing.name,
        **sizes(model),
        "swap": model.swap >> 20 or "",
        "OS-FLV-EXT-DATA:ephemeral": model.ephemeral >> 30,
        "OS-FLV-DISABLED:disabled": False,
        "os-flavor-access:is_public": not thing.address.project,
        "rxtx_factor": 1.0,
        "links": links(call, "flavors", thing.id),
    }


def _flavors(call: Call) -> list[dict[str, Any]]:
    found = [flavor_data(call, each) for each in call.world.things("flavors", ["", call.caller.project])]
    for word, name in (("minRam", "ram"), ("minDisk", "disk")):
        if text := call.asked(word):
            if not text.isdigit():
                raise bad(f"{word} must be a whole number.")
            found = [each for each in found if each[name] >= int(text)]
    return ordered(call, sorted(found, key=lambda each: (each["ram"], each["vcpus"], each["name"])))


def list_flavors(call: Call) -> ApiReply:
    found, _ = page(call, _flavors(call))
    return ApiReply(body={"flavors": [{name: each[name] for name in ("id", "name", "links")} for each in found]})


def detail_flavors(call: Call) -> ApiReply:
    return ApiReply(body={"flavors": page(call, _flavors(call))[0]})


def show_flavor(call: Call) -> ApiReply:
    found = next((each for each in _flavors(call) if each["id"] == call.path["id"]), None)
    if found is None:
        raise not_found("Flavor", call.path["id"])
    return ApiReply(body={"flavor": found})


def extra_specs(call: Call) -> ApiReply:
    show_flavor(call)
    return ApiReply(body={"extra_specs": {}})
