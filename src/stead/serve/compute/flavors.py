"""Flavors: those of the site's files, and those that an admin made by the API."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from stead.core.address import Address
from stead.core.named import NamedTuple
from stead.kinds.instance.model import Instance
from stead.serve.access_lists import Made
from stead.serve.compute import made_flavors
from stead.serve.compute.extra_specs import fields
from stead.serve.compute.made_flavors import ACCESS, EPHEMERAL, PUBLIC, SCHEMA, SPECS
from stead.serve.compute.servers import V, links, sizes
from stead.serve.faults import bad, not_found
from stead.serve.listing import ordered, page
from stead.serve.routes import AccessPolicy, ApiReply, ApiRoute, Call, wrapped
from stead.serve.world import CloudState, KnownResource

_TRUE, _FALSE = ("1", "t", "true", "on", "y", "yes"), ("0", "f", "false", "off", "n", "no")


class ChosenFlavor(NamedTuple):
    """What a server is to have."""

    id: str
    said: str | dict[str, Any]  # in the document: a name of the site's, or a copy
    disk: int  # bytes
    made: dict[str, str] | None = None  # of which one it is a copy


def flavor_of(call: Call, reference: Any) -> ChosenFlavor:
    text = str(reference).rpartition("/")[2]
    for thing in call.world.things("flavors", ["", call.project]):
        if text in (thing.id, thing.address.name):
            return ChosenFlavor(thing.id, thing.address.name, thing.model.disk)
    for name, one in ACCESS.usable(call):
        if text == name:
            return ChosenFlavor(name, _copy(one), one["disk"] << 30, {"id": name, "name": one["name"]})
    raise bad(f"Flavor {text[:80]} could not be found.")


def copy_named(call: Call, text: str) -> dict[str, Any] | None:
    """Of a flavor of the API with this id or name, as fields of a document."""
    return next((_copy(one) for name, one in ACCESS.usable(call) if text in (name, one["name"])), None)


def _copy(one: Made) -> dict[str, Any]:
    sizes = (
        ("memory", "ram", "MiB"),
        ("disk", "disk", "GiB"),
        ("ephemeral", "ephemeral", "GiB"),
        ("swap", "swap", "MiB"),
    )
    found = {word: f"{one[key]}{unit}" for word, key, unit in sizes if one[key]}
    return {"vcpus": one["vcpus"], **found, **fields(one["specs"])}


def disk_of(world: CloudState, model: Instance) -> int:
    """Bytes that the flavor of a server says."""
    block = world.desired.get(model.flavor) if isinstance(model.flavor, Address) else None
    flavor = block.model if block is not None else model.flavor
    return 0 if isinstance(flavor, Address) else int(flavor.disk)


def _of_files(call: Call, thing: KnownResource) -> dict[str, Any]:
    model = thing.model
    return {
        "id": thing.id,
        "name": thing.name,
        **sizes(model),
        "swap": model.swap >> 20 or "",
        EPHEMERAL: model.ephemeral >> 30,
        "OS-FLV-DISABLED:disabled": False,
        PUBLIC: not thing.address.project,
        "rxtx_factor": 1.0,
        "links": links(call, "flavors", thing.id),
    }


def _made(call: Call, name: str, one: Made) -> dict[str, Any]:
    return {
        "id": name,
        **{word: one[word] for word in ("name", "vcpus", "ram", "disk")},
        "swap": one["swap"] or "",
        EPHEMERAL: one["ephemeral"],
        "OS-FLV-DISABLED:disabled": False,
        PUBLIC: one["public"],
        "rxtx_factor": one["rxtx"],
        "links": links(call, "flavors", name),
    }


def _all(call: Call) -> list[dict[str, Any]]:
    """That the caller may use."""
    files = [_of_files(call, each) for each in call.world.things("flavors", ["", call.caller.project])]
    return [*files, *(_made(call, name, one) for name, one in ACCESS.usable(call))]


def _listed(call: Call) -> list[dict[str, Any]]:
    found = list(_public(call, _all(call)))
    for word, name in (("minRam", "ram"), ("minDisk", "disk")):
        if text := call.asked(word):
            if not text.isdigit():
                raise bad(f"{word} must be a whole number.")
            found = [each for each in found if each[name] >= int(text)]
    return ordered(call, sorted(found, key=lambda each: (each["ram"], each["vcpus"], each["name"])))


def _public(call: Call, found: Iterable[dict[str, Any]]) -> Iterable[dict[str, Any]]:
    """An admin sees those of all by `is_public`: without it, only public ones, and what the own project has."""
    text = call.asked("is_public").lower()
    if not call.caller.admin or text == "none":
        return found
    if text in (*_TRUE, *_FALSE):
        return [one for one in found if one[PUBLIC] == (text in _TRUE)]
    if text:
        raise bad(f"Invalid is_public filter [{text[:40]}]")
    known = call.people.known()
    own = call.caller.project
    return [
        one
        for one in found
        if one[PUBLIC] or own in known.get((made_flavors.KIND, one["id"]), {"projects": [own]})["projects"]
    ]


def list_flavors(call: Call) -> ApiReply:
    found, _ = page(call, _listed(call))
    return ApiReply(body={"flavors": [{name: each[name] for name in ("id", "name", "links")} for each in found]})


def detail_flavors(call: Call) -> ApiReply:
    return ApiReply(body={"flavors": page(call, _listed(call))[0]})


def _one(call: Call, name: str) -> dict[str, Any]:
    found = next((each for each in _all(call) if each["id"] == name), None)
    if found is None:
        raise not_found("Flavor", name)
    return found


def show_flavor(call: Call) -> ApiReply:
    return ApiReply(body={"flavor": _one(call, call.path["id"])})


def create_flavor(call: Call) -> ApiReply:
    return ApiReply(body={"flavor": _one(call, made_flavors.make(call))})


def _specs(call: Call) -> dict[str, str]:
    name = _one(call, call.path["id"])["id"]
    found: dict[str, str] = call.people.known().get((made_flavors.KIND, name), {}).get("specs", {})
    return found


def list_specs(call: Call) -> ApiReply:
    return ApiReply(body={"extra_specs": _specs(call)})


def show_spec(call: Call) -> ApiReply:
    found, key = _specs(call), call.path["key"]
    if key not in found:
        raise not_found("Extra spec", key)
    return ApiReply(body={key: found[key]})


READER, ADMIN = AccessPolicy.READER, AccessPolicy.ADMIN
F = f"{V}/flavors"
ROUTES = (
    ApiRoute("GET", F, READER, list_flavors),
    ApiRoute("POST", F, ADMIN, create_flavor, wrapped("flavor", SCHEMA)),
    ApiRoute("GET", f"{F}/detail", READER, detail_flavors),
    ApiRoute("GET", f"{F}/{{id}}", READER, show_flavor),
    ApiRoute("DELETE", f"{F}/{{id}}", ADMIN, made_flavors.delete),
    ApiRoute("POST", f"{F}/{{id}}/action", ADMIN, made_flavors.act, ACCESS.schema),
    ApiRoute("GET", f"{F}/{{id}}/os-flavor-access", ADMIN, made_flavors.list_access),
    ApiRoute("GET", f"{F}/{{id}}/os-extra_specs", READER, list_specs),
    ApiRoute("POST", f"{F}/{{id}}/os-extra_specs", ADMIN, made_flavors.write_specs, wrapped("extra_specs", SPECS)),
    ApiRoute("GET", f"{F}/{{id}}/os-extra_specs/{{key}}", READER, show_spec),
    ApiRoute("PUT", f"{F}/{{id}}/os-extra_specs/{{key}}", ADMIN, made_flavors.write_spec, SPECS),
    ApiRoute("DELETE", f"{F}/{{id}}/os-extra_specs/{{key}}", ADMIN, made_flavors.delete_spec),
)
