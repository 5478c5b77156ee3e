"""Calls for servers: listed, made, changed; addresses, security groups, and metadata: labels, which no guest sees."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from stead.core.address import Address
from stead.serve import notes
from stead.serve.compute import (
    actions,
    admin_actions,
    consoles,
    creation,
    floating_ips,
    images,
    moving,
    rebuilding,
    security_groups,
)
from stead.serve.compute import servers as words
from stead.serve.compute.events import asked
from stead.serve.compute.servers import V, brief, detail, interfaces, links
from stead.serve.compute.times import since
from stead.serve.edits import all_of
from stead.serve.faults import bad, conflict, not_found
from stead.serve.image.copies import told_id
from stead.serve.listing import limit_of, ordered, page
from stead.serve.routes import ApiReply, Call, true
from stead.serve.world import CloudState, KnownResource

# At most two quantifiers, and none inside of another.
_QUICK = re.compile(r"[^(){}|*+?]{0,255}([*+?][^(){}|*+?]{0,255}){0,2}")
LONGEST = 1.0  # seconds of a processor, for the names of one request; one of 255 characters takes 0.05 at most


def one(call: Call) -> tuple[CloudState, KnownResource]:
    world = call.world
    thing = world.find("instances", call.path["id"], call.caller.project, what="Instance", admin=call.caller.admin)
    return world, thing


def own(call: Call) -> tuple[CloudState, KnownResource]:
    """To change it: what is locked is changed by admins only."""
    world, thing = call.own("instances", "Instance")
    if words.notes_of(world, thing).get(notes.LOCKED) and not call.caller.admin:
        raise conflict(f"Instance {thing.id} is locked")
    return world, thing


def _listed(call: Call) -> tuple[CloudState, list[KnownResource]]:
    world = call.world
    found = list(world.things("instances", _projects(call, world)))
    status, host, moment = call.asked("status"), call.asked("host"), since(call)
    if name := call.asked("name"):
        found = list(_named(found, name))
    if part := call.asked("ip") or call.asked("ip6"):
        found = [thing for thing in found if any(part in one for one in _inside(world, thing))]
    if reservation := call.asked("reservation_id"):
        found = [one for one in found if words.notes_of(world, one).get(notes.RESERVATION) == reservation]
    if status:
        found = [thing for thing in found if words.Status(world, thing).status == status.upper()]
    if host and call.caller.admin:
        found = [thing for thing in found if thing.host == host]
    if moment:
        found = [thing for thing in found if thing.updated >= moment]
    if flavor := call.asked("flavor"):
        found = [thing for thing in found if words.flavor_id(world, thing) == flavor]
    if image := call.asked("image"):
        found = [one for one in found if one.model.image is not None and told_id(world, one.model.image) == image]
    return world, found[::-1]  # the latest first, as Nova does


def _projects(call: Call, world: CloudState) -> list[str] | None:
    """None for all of them, which an admin asks for by `all_tenants`, with or without a value."""
    if not call.caller.admin or call.asked("all_tenants", "0").lower() not in ("", "1", "true", "yes"):
        return [call.caller.project]
    one = call.asked("project_id") or call.asked("tenant_id")
    return [world.project(one) or one] if one else None


def _named(things: Iterable[KnownResource], text: str) -> Iterator[KnownResource]:
    """Of all names together, a pattern takes no more than its time: no other request is answered meanwhile."""
    matches, began = _matcher(text), time.thread_time()
    for thing in things:
        if time.thread_time() - began > LONGEST:
            raise bad("The pattern of the name takes too long. Use fewer repeats in it.")
        if matches(thing.name):
            yield thing


def _matcher(text: str) -> Callable[[str], object]:
    """A pattern, as in Nova. One that could take long to match is looked for to the letter."""
    try:
        return re.compile(text).search if _QUICK.fullmatch(text) else lambda name: text in name
    except re.error:
        return lambda name: text in name


def _inside(world: CloudState, thing: KnownResource) -> list[str]:
    found = words.addresses(world, thing, interfaces(world, thing))
    return [each["addr"] for some in found.values() for each in some]


def _paged(call: Call, path: str, make: Any) -> ApiReply:
    world, found = _listed(call)
    items = [{"id": thing.id, "thing": thing} for thing in found]
    part, more = page(call, items) if call.asked("limit") != "0" else ([], False)
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
    said = call.body["server"]
    world = call.edit(f"create server {call.body['server']['name']}", made.edit)
    thing = world.thing(Address(call.project, "instances", made.keys[0]))
    if true(said.get("return_reservation_id")):
        return ApiReply(202, {"reservation_id": words.notes_of(world, thing)[notes.RESERVATION]})
    body = {
        "id": thing.id,
        "links": links(call, "servers", thing.id),
        "OS-DCF:diskConfig": words.disk_config(world, thing),
        "security_groups": [{"name": name} for name in words.group_names(world, interfaces(world, thing))],
    }
    return ApiReply(202, {"server": body}, {"location": f"{call.root}{V}/servers/{thing.id}"})


def change_server(call: Call) -> ApiReply:
    _, thing = own(call)
    said = call.body["server"]
    fields = {
        word: said[name] for name, word in (("name", "display_name"), ("description", "description")) if name in said
    }
    edit = all_of(actions.changed(thing, **fields), notes.note(thing.address.name, **creation.only_told(said)))
    world = call.edit("change server", edit)
    return ApiReply(body={"server": words.short(call, world, world.thing(thing.address))})


def delete_server(call: Call) -> ApiReply:
    world, thing = own(call)
    volume = thing.model.boot_volume if words.notes_of(world, thing).get(notes.ENDS_WITH_IT) else None
    lost = {thing.address, *([volume] if volume is not None else ())}
    edit = actions.deleted(thing.address.name, [volume.name] if volume is not None else ())
    call.edit(f"delete server {thing.name}", edit, loses=lambda one: one in lost)
    return ApiReply(204)


FORCE_DELETE = "forceDelete"
# Actions that answer with more than that they are accepted.
_ANSWERED: Mapping[str, Callable[[Call, CloudState, KnownResource], ApiReply]] = {
    images.CREATE: images.create_image,
    images.BACKUP: images.create_backup,
    rebuilding.REBUILD: rebuilding.rebuild,
    moving.MIGRATE: moving.migrate,
    moving.MIGRATE_LIVE: moving.migrate,
}


def act(call: Call) -> ApiReply:
    admin_actions.must_be_admin(call)
    if FORCE_DELETE in call.body:
        return delete_server(call)
    for name, make in _ANSWERED.items():
        if name in call.body:
            return make(call, *own(call))
    if consoles.OUTPUT in call.body:
        return consoles.output(call, one(call)[1])
    for name, form in consoles.OPENED.items():
        if name in call.body:
            return consoles.opened(call, own(call)[1], form)
    for name, action in floating_ips.ACTIONS.items():
        if name in call.body:
            return action(call, *own(call))
    locks = not actions.UNLOCKED.isdisjoint(call.body)
    world, thing = call.own("instances", "Instance") if locks else own(call)
    name, edit = actions.action_of(call, world, thing)
    done = asked(call, thing.address.name, name.removeprefix("os-"))
    call.edit(f"{name} server {thing.name}", all_of(edit, done))
    return ApiReply(204 if name == "confirmResize" else 202)


def action_names() -> frozenset[str]:
    """That a member may ask for."""
    plain = {FORCE_DELETE, consoles.OUTPUT, *consoles.OPENED, *floating_ips.ACTIONS}
    return frozenset({*plain, *_ANSWERED, *actions.ACTIONS} - admin_actions.NAMES)


def server_addresses(call: Call) -> ApiReply:
    world, thing = one(call)
    found = words.bare_addresses(words.addresses(world, thing, interfaces(world, thing)))
    name = call.path.get("network")
    if name is None:
        return ApiReply(body={"addresses": found})
    if name not in found:
        raise not_found("Network", name)
    return ApiReply(body={name: found[name]})


def _labels(call: Call, labels: dict[str, str]) -> None:
    _, thing = own(call)
    creation.within_limit(labels)
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


def show_password(call: Call) -> ApiReply:
    """Nova's answer where a guest has not told any: keys are what opens them here."""
    one(call)
    return ApiReply(body={"password": ""})


def clear_password(call: Call) -> ApiReply:
    own(call)
    return ApiReply(204)


def server_groups_of(call: Call) -> ApiReply:
    world, thing = one(call)
    groups = dict.fromkeys(group for seat in interfaces(world, thing) for group in seat.groups)
    found = [security_groups.data(world, world.thing(one)) for one in groups if one in world.desired.by_address]
    return ApiReply(body={"security_groups": found})
