"""Calls for servers: listed, made, changed; addresses, security groups, and metadata: labels, which no guest sees."""

from __future__ import annotations

from typing import Any

from stead.core.address import Address
from stead.serve import notes
from stead.serve.compute import actions, consoles, creation, images, security_groups
from stead.serve.compute import servers as words
from stead.serve.compute.servers import V, brief, detail, interfaces, links
from stead.serve.edits import all_of
from stead.serve.faults import bad, not_found
from stead.serve.listing import limit_of, ordered, page
from stead.serve.routes import ApiReply, Call
from stead.serve.world import CloudState, KnownResource


def one(call: Call) -> tuple[CloudState, KnownResource]:
    world = call.world
    thing = world.find("instances", call.path["id"], call.caller.project, what="Instance", admin=call.caller.admin)
    return world, thing


def own(call: Call) -> tuple[CloudState, KnownResource]:
    return call.own("instances", "Instance")


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
        "security_groups": [{"name": name} for name in words.group_names(world, interfaces(world, thing))],
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
    edit = all_of(actions.changed(thing, **fields), notes.note(thing.address.name, **creation.accesses(said)))
    world = call.edit("change server", edit)
    return ApiReply(body={"server": detail(call, world, world.thing(thing.address))})


def delete_server(call: Call) -> ApiReply:
    world, thing = own(call)
    volume = thing.model.boot_volume if words.notes_of(world, thing).get(notes.ENDS_WITH_IT) else None
    lost = {thing.address, *([volume] if volume is not None else ())}
    edit = actions.deleted(thing.address.name, [volume.name] if volume is not None else ())
    call.edit(f"delete server {thing.name}", edit, loses=lambda one: one in lost)
    return ApiReply(204)


def act(call: Call) -> ApiReply:
    if images.CREATE in call.body:
        return images.create_image(call, *own(call))
    if consoles.OUTPUT in call.body:
        return consoles.output(call, one(call)[1])
    for name, form in consoles.OPENED.items():
        if name in call.body:
            return consoles.opened(call, own(call)[1], form)
    world, thing = own(call)
    name, edit = actions.action_of(call, world, thing)
    call.edit(f"{name} server {thing.name}", edit)
    return ApiReply(204 if name == "confirmResize" else 202)


def server_addresses(call: Call) -> ApiReply:
    world, thing = one(call)
    found = {
        name: [{"version": each["version"], "addr": each["addr"]} for each in some]
        for name, some in words.addresses(world, thing, interfaces(world, thing)).items()
    }
    name = call.path.get("network")
    if name is None:
        return ApiReply(body={"addresses": found})
    if name not in found:
        raise not_found("Network", name)
    return ApiReply(body={name: found[name]})


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


def server_groups_of(call: Call) -> ApiReply:
    world, thing = one(call)
    groups = dict.fromkeys(group for seat in interfaces(world, thing) for group in seat.groups)
    found = [security_groups.data(world, world.thing(one)) for one in groups if one in world.desired.by_address]
    return ApiReply(body={"security_groups": found})
