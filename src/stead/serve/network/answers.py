"""What is alike for everything of Network v2.0: how it is listed, found, made and changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from stead.core.address import Address
from stead.serve.edits import Edit, all_of, change, put
from stead.serve.faults import bad
from stead.serve.keys import new_key
from stead.serve.listing import filtered, ordered, page, shown
from stead.serve.routes import ApiReply, Call, Handler, true
from stead.serve.world import CloudState, KnownResource

V = "/network/v2.0"


def answered(call: Call, name: str, items: Sequence[dict[str, Any]]) -> ApiReply:
    found = ordered(call, filtered(call, items))
    part, more = page(call, found)
    body: dict[str, Any] = {name: shown(call, part)}
    if more and part and call.asked("limit"):
        href = f"{call.root}{V}/{name.replace('_', '-')}?limit={call.asked('limit')}&marker={part[-1]['id']}"
        body[f"{name}_links"] = [{"rel": "next", "href": href}]
    return ApiReply(body=body)


def some_fields(handler: Handler) -> Handler:
    """One thing is shown with the fields that are asked for, as lists are."""

    def handled(call: Call) -> ApiReply:
        (name, item), *_ = handler(call).body.items()
        return ApiReply(body={name: shown(call, [item])[0]})

    return handled


def own_projects(call: Call) -> list[str] | None:
    return None if call.caller.admin else [call.caller.project]


def bodies(call: Call, one: str, many: str) -> tuple[list[Mapping[str, Any]], bool]:
    """Neutron makes several at once as well."""
    if many in call.body:
        return call.body[many], True
    return [call.body[one]], False


def in_own(call: Call, said: Mapping[str, Any]) -> None:
    """A request makes things in one project: the token's, or the one that an admin names."""
    if asked := said.get("project_id") or said.get("tenant_id"):
        call.act_in(call.world.project(asked))
    elif call.caller.project:
        call.act_in(call.caller.project)


def made(
    call: Call, kind: str, one: str, many: str, fields: Callable[[Mapping[str, Any]], dict[str, Any]]
) -> list[KnownResource]:
    """One document version for all of a request."""
    said, _ = bodies(call, one, many)
    keys, edits = [], []
    for each in said:
        in_own(call, each)
        key = new_key(kind)
        keys.append(key)
        edits.append(_putting(kind, key, fields(each)))
    world = call.edit(f"create {one.replace('_', ' ')}", all_of(*edits))
    return [world.thing(Address(call.project, kind, key)) for key in keys]


def _putting(kind: str, key: str, fields: Mapping[str, Any]) -> Edit:
    return lambda content: put(content, kind, key, fields)


def told(call: Call, one: str, many: str, items: Sequence[dict[str, Any]]) -> ApiReply:
    _, several = bodies(call, one, many)
    return ApiReply(201, {many: list(items)} if several else {one: items[0]})


def common(said: Mapping[str, Any]) -> dict[str, Any]:
    fields = {
        word: said[name] or None
        for name, word in (("name", "display_name"), ("description", "description"))
        if name in said
    }
    if said.get("admin_state_up") is not None and not true(said["admin_state_up"]):
        raise bad("admin_state_up is always true here.")
    return fields


def changing(kind: str, what: str, thing: KnownResource, call: Call, fields: Mapping[str, Any]) -> KnownResource:
    name = thing.address.name
    world = call.edit(f"change {what}", lambda content: change(content, kind, name, fields))
    return world.thing(thing.address)


def seen(call: Call, kind: str, what: str) -> tuple[CloudState, KnownResource]:
    world = call.world
    return world, world.find(kind, call.path["id"], call.caller.project, what=what, admin=call.caller.admin)
