"""Compute v2.1: servers, flavors and key pairs. What else clients list is empty, and the rest is told as not built."""

from __future__ import annotations

from typing import Any

from stead.core.address import Address
from stead.serve import versions
from stead.serve.compute import actions, creation, hosts, keypairs, limits
from stead.serve.compute import servers as words
from stead.serve.compute.servers import V, attachment, brief, detail, interfaces, links, sizes
from stead.serve.edits import change
from stead.serve.faults import bad, conflict, not_found
from stead.serve.listing import limit_of, ordered, page
from stead.serve.network import ports
from stead.serve.routes import (
    FLAG,
    ID,
    LONG,
    METADATA,
    NAME,
    TEXT,
    AccessPolicy,
    ApiReply,
    ApiRoute,
    Call,
    Service,
    record,
    wrapped,
)
from stead.serve.world import CloudState, KnownResource

DEVICES = [f"vd{letter}" for letter in "bcdefghijklmnopqrstuv"]


def one(call: Call) -> tuple[CloudState, KnownResource]:
    world = call.world
    thing = world.find("instances", call.path["id"], call.caller.project, what="Instance", admin=call.caller.admin)
    return world, thing


def own(call: Call) -> tuple[CloudState, KnownResource]:
    """To change it: of the token's own project, whoever asks."""
    world = call.world
    return world, world.find("instances", call.path["id"], call.project, what="Instance")


def _listed(call: Call) -> tuple[CloudState, list[KnownResource]]:
    world = call.world
    everywhere = call.flag("all_tenants") and call.caller.admin
    found = list(world.things("instances", None if everywhere else [call.caller.project]))
    name, status, host, since = (call.asked(word) for word in ("name", "status", "host", "changes-since"))
    if name:
        found = [thing for thing in found if name in thing.name]
    if status:
        found = [thing for thing in found if words.Status(world, thing).status == status.upper()]
    if host and call.caller.admin:
        found = [thing for thing in found if thing.host == host]
    if since:
        found = [thing for thing in found if thing.updated >= since]
    for word, kind in (("flavor", "flavors"), ("image", "images")):
        if text := call.asked(word):
            address = world.address(kind, text)
            found = [thing for thing in found if getattr(thing.model, word) == address]
    return world, found[::-1]  # the latest first, as Nova does


def _paged(call: Call, path: str, make: Any) -> ApiReply:
    world, found = _listed(call)
    items = [{"id": thing.id, "thing": thing} for thing in found]
    part, more = page(call, items)
    body: dict[str, Any] = {"servers": [make(world, item["thing"]) for item in part]}
    if "sort_key" in dict(call.query):
        body["servers"] = ordered(call, body["servers"])
    if more and part:
        href = f"{call.root}{V}/{path}?limit={limit_of(call)}&marker={part[-1]['id']}"
        body["servers_links"] = [{"rel": "next", "href": href}]
    return ApiReply(body=body)


def list_servers(call: Call) -> ApiReply:
    return _paged(call, "servers", lambda _world, thing: brief(call, thing))


def detail_servers(call: Call) -> ApiReply:
    return _paged(call, "servers/detail", lambda world, thing: detail(call, world, thing))


def show_server(call: Call) -> ApiReply:
    world, thing = one(call)
    return ApiReply(body={"server": detail(call, world, thing)})


def create_server(call: Call) -> ApiReply:
    made = creation.created(call)
    world = call.edit(f"create server {call.body['server']['name']}", made.edit)
    thing = world.thing(Address(call.project, "instances", made.keys[0]))
    body = {
        "id": thing.id,
        "links": links(call, "servers", thing.id),
        "OS-DCF:diskConfig": "MANUAL",
        "security_groups": [{"name": name} for name in words.group_names(world, thing)],
    }
    if call.body["server"].get("return_reservation_id"):
        raise bad("return_reservation_id is not supported.")
    return ApiReply(202, {"server": body}, {"location": f"{call.root}{V}/servers/{thing.id}"})


def change_server(call: Call) -> ApiReply:
    _, thing = own(call)
    said = call.body["server"]
    fields = {
        word: said[name] for name, word in (("name", "display_name"), ("description", "description")) if name in said
    }
    world = call.edit("change server", actions.changed(thing, **fields))
    return ApiReply(body={"server": detail(call, world, world.thing(thing.address))})


def delete_server(call: Call) -> ApiReply:
    _, thing = own(call)
    call.edit(
        f"delete server {thing.name}", actions.deleted(thing.address.name), loses=lambda one: one == thing.address
    )
    return ApiReply(204)


def act(call: Call) -> ApiReply:
    world, thing = own(call)
    name, edit = actions.action_of(call, world, thing)
    call.edit(f"{name} server {thing.name}", edit)
    return ApiReply(204 if name == "confirmResize" else 202)


def server_addresses(call: Call) -> ApiReply:
    world, thing = one(call)
    found = {
        name: [{"version": each["version"], "addr": each["addr"]} for each in some]
        for name, some in words.addresses(world, thing).items()
    }
    name = call.path.get("network")
    if name is None:
        return ApiReply(body={"addresses": found})
    if name not in found:
        raise not_found("Network", name)
    return ApiReply(body={name: found[name]})


# Metadata: labels, which the guest does not see


def _labels(call: Call, labels: dict[str, str]) -> None:
    _, thing = own(call)
    call.edit("change metadata", actions.changed(thing, labels=labels or None))


def show_metadata(call: Call) -> ApiReply:
    return ApiReply(body={"metadata": dict(one(call)[1].settings.labels)})


def write_metadata(call: Call, *, keep: bool) -> ApiReply:
    _, thing = own(call)
    labels = {**(thing.settings.labels if keep else {}), **call.body["metadata"]}
    _labels(call, labels)
    return ApiReply(body={"metadata": labels})


def show_item(call: Call) -> ApiReply:
    labels, key = one(call)[1].settings.labels, call.path["key"]
    if key not in labels:
        raise not_found("Metadata item", key)
    return ApiReply(body={"meta": {key: labels[key]}})


def write_item(call: Call) -> ApiReply:
    key, said, labels = call.path["key"], call.body["meta"], own(call)[1].settings.labels
    if list(said) != [key]:
        raise bad("Request body and URI mismatch")
    _labels(call, {**labels, **said})
    return ApiReply(body={"meta": said})


def delete_item(call: Call) -> ApiReply:
    labels = dict(own(call)[1].settings.labels)
    if call.path["key"] not in labels:
        raise not_found("Metadata item", call.path["key"])
    del labels[call.path["key"]]
    _labels(call, labels)
    return ApiReply(204)


# Volumes and interfaces of a server


def list_attachments(call: Call) -> ApiReply:
    world, thing = one(call)
    return ApiReply(body={"volumeAttachments": [attachment(thing, world, each) for each in thing.model.volumes]})


def show_attachment(call: Call) -> ApiReply:
    world, thing = one(call)
    for each in thing.model.volumes:
        if world.id_of(each.volume) == call.path["volume"]:
            return ApiReply(body={"volumeAttachment": attachment(thing, world, each)})
    raise not_found("Volume attachment", call.path["volume"])


def attach(call: Call) -> ApiReply:
    world, thing = own(call)
    said = call.body["volumeAttachment"]
    volume = world.find("volumes", said["volumeId"], call.project, what="Volume")
    if not volume.model.shareable:
        world.must_be_unused(volume, "Volume", but=snapshots_of(world, volume))
    key, name = thing.address.name, volume.address.name
    asked = (said.get("device") or "").removeprefix("/dev/")

    def edit(content: Any) -> Any:
        before = content["instances"][key].get("volumes", [])
        taken = {each.get("device") for each in before}
        device = asked if asked and asked not in taken else next(each for each in DEVICES if each not in taken)
        return change(content, "instances", key, {"volumes": [*before, {"volume": name, "device": device}]})

    world = call.edit(f"attach volume {volume.name}", edit)
    after = world.thing(thing.address)
    found = next(each for each in after.model.volumes if each.volume == volume.address)
    return ApiReply(body={"volumeAttachment": attachment(after, world, found)})


def snapshots_of(world: CloudState, volume: KnownResource) -> list[Address]:
    return [each for each in world.users_of(volume.address) if each.kind == "snapshots"]


def detach(call: Call) -> ApiReply:
    world, thing = own(call)
    volume = next((each for each in thing.model.volumes if world.id_of(each.volume) == call.path["volume"]), None)
    if volume is None:
        raise not_found("Volume attachment", call.path["volume"])
    key = thing.address.name

    def edit(content: Any) -> Any:
        before = content["instances"][key].get("volumes", [])
        return change(
            content, "instances", key, {"volumes": [each for each in before if each["volume"] != volume.volume.name]}
        )

    call.edit("detach a volume", edit)
    return ApiReply(202)


def _interface(world: CloudState, port: ports.Port) -> dict[str, Any]:
    return {
        "port_id": port.id,
        "net_id": world.id_of(port.network),
        "mac_addr": port.mac,
        "port_state": "ACTIVE" if port.mac else "DOWN",
        "fixed_ips": [{"subnet_id": subnet, "ip_address": address} for subnet, address in port.fixed],
    }


def list_interfaces(call: Call) -> ApiReply:
    world, thing = one(call)
    return ApiReply(body={"interfaceAttachments": [_interface(world, each) for each in ports.of_server(world, thing)]})


def add_interface(call: Call) -> ApiReply:
    world, thing = own(call)
    said = call.body["interfaceAttachment"]
    network = world.find("networks", said.get("net_id") or "", call.project, what="Network", shared=True)
    key, fixed = thing.address.name, [each["ip_address"] for each in said.get("fixed_ips") or ()]
    nic = {"network": network.address.name, **({"address": fixed[0]} if fixed else {})}

    def edit(content: Any) -> Any:
        before = content["instances"][key].get("networks", [])
        return change(content, "instances", key, {"networks": [*before, nic]})

    world = call.edit("attach an interface", edit)
    last = list(ports.of_server(world, world.thing(thing.address)))[-1]
    return ApiReply(body={"interfaceAttachment": _interface(world, last)})


def remove_interface(call: Call) -> ApiReply:
    world, thing = own(call)
    at = next((n for n, each in enumerate(ports.of_server(world, thing)) if each.id == call.path["port"]), None)
    if at is None:
        raise not_found("Port", call.path["port"])
    if ports.floating_of(world).get(call.path["port"]):
        raise conflict("A floating IP leads to this port. Take it away first.")
    key = thing.address.name

    def edit(content: Any) -> Any:
        before = content["instances"][key].get("networks", [])
        return change(content, "instances", key, {"networks": [*before[:at], *before[at + 1 :]]})

    call.edit("detach an interface", edit)
    return ApiReply(202)


def server_groups_of(call: Call) -> ApiReply:
    world, thing = one(call)
    groups = dict.fromkeys(group for seat in interfaces(world, thing) for group in seat.groups)
    found = [
        {
            "id": world.id_of(group),
            "name": world.thing(group).name,
            "description": world.thing(group).model.description,
            "tenant_id": world.project_id(group.project),
            "rules": [],
        }
        for group in groups
        if group in world.desired.by_address
    ]
    return ApiReply(body={"security_groups": found})


# Flavors: the site's, and files' projects' own


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


def empty(name: str) -> Any:
    return lambda _call: ApiReply(body={name: []})


def _none(what: str) -> Any:
    def handler(call: Call) -> ApiReply:
        raise not_found(what, next(iter(call.path.values()), ""))

    return handler


_NETWORK = record(uuid=ID, port={"type": ["string", "null"]}, fixed_ip=TEXT)
_SERVER = record(
    ["name", "flavorRef"],
    name={**NAME, "pattern": r"^[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*$"},
    imageRef={"type": "string", "maxLength": 255},
    flavorRef={"type": ["string", "integer"]},
    networks={"anyOf": [{"enum": ["auto", "none"]}, {"type": "array", "items": _NETWORK, "maxItems": 16}]},
    security_groups={"type": "array", "items": record(["name"], name=NAME), "maxItems": 32},
    key_name={"type": ["string", "null"], "maxLength": 255},
    user_data={"type": ["string", "null"], "maxLength": 65535},
    metadata=METADATA,
    availability_zone={"type": ["string", "null"], "maxLength": 255},
    min_count={"type": ["integer", "string"], "pattern": "^[0-9]{1,4}$"},
    max_count={"type": ["integer", "string"], "pattern": "^[0-9]{1,4}$"},
    config_drive={"anyOf": [FLAG, {"enum": ["", None]}]},
    description=LONG,
    block_device_mapping_v2={
        "type": "array",
        "maxItems": 16,
        "items": record(volume_size={"type": ["integer", "string", "null"], "pattern": "^[0-9]{1,6}$"}),
    },
)
_CHANGE = record(name={**NAME, "pattern": r"^[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*$"}, description=LONG)
_ATTACH = record(["volumeId"], volumeId=ID, device={"type": ["string", "null"], "pattern": "^(/dev/)?vd[b-v]$"})
_FIXED = {"type": "array", "maxItems": 2, "items": record(["ip_address"], ip_address=TEXT)}
_PLUG = record(["net_id"], net_id=ID, fixed_ips=_FIXED)
_META = wrapped("metadata", METADATA)
READER, MEMBER, ADMIN, PUBLIC = AccessPolicy.READER, AccessPolicy.MEMBER, AccessPolicy.ADMIN, AccessPolicy.PUBLIC
S = f"{V}/servers"
ROUTES = (
    ApiRoute("GET", "/compute", PUBLIC, versions.all_of(versions.compute)),
    ApiRoute("GET", V, PUBLIC, versions.one_of(versions.compute)),
    ApiRoute("GET", S, READER, list_servers),
    ApiRoute("POST", S, MEMBER, create_server, wrapped("server", _SERVER)),
    ApiRoute("GET", f"{S}/detail", READER, detail_servers),
    ApiRoute("GET", f"{S}/{{id}}", READER, show_server),
    ApiRoute("PUT", f"{S}/{{id}}", MEMBER, change_server, wrapped("server", _CHANGE)),
    ApiRoute("DELETE", f"{S}/{{id}}", MEMBER, delete_server),
    ApiRoute("POST", f"{S}/{{id}}/action", MEMBER, act, {"type": "object", "minProperties": 1, "maxProperties": 1}),
    ApiRoute("GET", f"{S}/{{id}}/ips", READER, server_addresses),
    ApiRoute("GET", f"{S}/{{id}}/ips/{{network}}", READER, server_addresses),
    ApiRoute("GET", f"{S}/{{id}}/metadata", READER, show_metadata),
    ApiRoute("POST", f"{S}/{{id}}/metadata", MEMBER, lambda call: write_metadata(call, keep=True), _META),
    ApiRoute("PUT", f"{S}/{{id}}/metadata", MEMBER, lambda call: write_metadata(call, keep=False), _META),
    ApiRoute("GET", f"{S}/{{id}}/metadata/{{key}}", READER, show_item),
    ApiRoute("PUT", f"{S}/{{id}}/metadata/{{key}}", MEMBER, write_item, wrapped("meta", METADATA)),
    ApiRoute("DELETE", f"{S}/{{id}}/metadata/{{key}}", MEMBER, delete_item),
    ApiRoute("GET", f"{S}/{{id}}/os-volume_attachments", READER, list_attachments),
    ApiRoute("POST", f"{S}/{{id}}/os-volume_attachments", MEMBER, attach, wrapped("volumeAttachment", _ATTACH)),
    ApiRoute("GET", f"{S}/{{id}}/os-volume_attachments/{{volume}}", READER, show_attachment),
    ApiRoute("DELETE", f"{S}/{{id}}/os-volume_attachments/{{volume}}", MEMBER, detach),
    ApiRoute("GET", f"{S}/{{id}}/os-interface", READER, list_interfaces),
    ApiRoute("POST", f"{S}/{{id}}/os-interface", MEMBER, add_interface, wrapped("interfaceAttachment", _PLUG)),
    ApiRoute("DELETE", f"{S}/{{id}}/os-interface/{{port}}", MEMBER, remove_interface),
    ApiRoute("GET", f"{S}/{{id}}/os-security-groups", READER, server_groups_of),
    ApiRoute("GET", f"{V}/flavors", READER, list_flavors),
    ApiRoute("GET", f"{V}/flavors/detail", READER, detail_flavors),
    ApiRoute("GET", f"{V}/flavors/{{id}}", READER, show_flavor),
    ApiRoute("GET", f"{V}/flavors/{{id}}/os-extra_specs", READER, extra_specs),
    *keypairs.ROUTES,
    *limits.ROUTES,
    *hosts.ROUTES,
    ApiRoute("GET", f"{V}/extensions", READER, empty("extensions")),
    ApiRoute("GET", f"{V}/os-server-groups", READER, empty("server_groups")),
    ApiRoute("GET", f"{V}/os-server-groups/{{id}}", READER, _none("Server group")),
    ApiRoute("GET", f"{V}/os-aggregates", ADMIN, empty("aggregates")),
)
UNBUILT = (
    ("POST", f"{V}/os-server-groups", "server groups"),
    ("DELETE", f"{V}/os-server-groups/{{id}}", "server groups"),
    ("POST", f"{V}/os-aggregates", "host aggregates"),
    ("POST", f"{V}/flavors", "flavors of an admin's own: write them in the site's files"),
    ("DELETE", f"{V}/flavors/{{id}}", "the same"),
    ("POST", f"{S}/{{id}}/remote-consoles", "consoles"),
    ("GET", f"{S}/{{id}}/os-instance-actions", "the list of what was done to a server"),
    ("GET", f"{S}/{{id}}/diagnostics", "measurements of a server"),
    ("PUT", f"{S}/{{id}}/os-volume_attachments/{{volume}}", "swapping volumes"),
    ("GET", f"{V}/os-simple-tenant-usage", "usage"),
    ("GET", f"{V}/os-simple-tenant-usage/{{id}}", "usage"),
)
SERVICE = Service(name="compute", type="compute", title="nova", endpoint=V, routes=ROUTES, unbuilt=UNBUILT)
