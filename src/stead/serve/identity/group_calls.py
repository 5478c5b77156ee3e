"""Calls for groups of users. What a group may, each of its users may."""

from __future__ import annotations

from typing import Any

from stead.serve.faults import conflict, not_found
from stead.serve.identity.answers import V, domain_asked, listed
from stead.serve.identity.registry import GROUP, in_domain
from stead.serve.identity.user_calls import of_user, user_data
from stead.serve.routes import ApiReply, Call


def group_data(call: Call, group: str) -> dict[str, Any]:
    known = call.people.group(group)
    return {
        "id": group,
        "name": known["name"],
        "description": known["description"],
        "domain_id": in_domain(known),
        "links": {"self": f"{call.root}{V}/groups/{group}"},
    }


def list_groups(call: Call) -> ApiReply:
    return listed(call, "groups", [group_data(call, name) for name, _ in call.people.of_kind(GROUP)])


def show_group(call: Call) -> ApiReply:
    return ApiReply(body={"group": group_data(call, call.path["id"])})


def create_group(call: Call) -> ApiReply:
    said = call.body["group"]
    group = call.people.add_group(said["name"], said.get("description") or "", domain=domain_asked(call, said))
    return ApiReply(201, {"group": group_data(call, group)})


def change_group(call: Call) -> ApiReply:
    said, group = call.body["group"], call.path["id"]
    if call.people.named(said.get("name", ""), in_domain(call.people.group(group)), kind=GROUP) not in (None, group):
        raise conflict("There is a group of this name already.")
    fields = {name: said[name] for name in ("name", "description") if said.get(name) is not None}
    call.people.change_group(group, **fields)
    return show_group(call)


def delete_group(call: Call) -> ApiReply:
    call.people.remove_group(call.path["id"])
    return ApiReply(204)


def list_members(call: Call) -> ApiReply:
    return listed(call, "users", [user_data(call, user) for user in call.people.members_of(call.path["id"])])


def add_member(call: Call) -> ApiReply:
    call.people.join(call.path["id"], call.path["user"])
    return ApiReply(204)


def is_member(call: Call) -> ApiReply:
    if call.path["user"] not in call.people.members_of(call.path["id"]):
        raise not_found("User in the group", call.path["user"])
    return ApiReply(204)


def remove_member(call: Call) -> ApiReply:
    call.people.leave(call.path["id"], call.path["user"])
    return ApiReply(204)


def user_groups(call: Call) -> ApiReply:
    return listed(call, "groups", [group_data(call, one) for one in call.people.groups_of(of_user(call))])
