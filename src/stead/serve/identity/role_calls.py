"""Calls for roles, and who has which."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stead.core.address import Address
from stead.serve.faults import not_found
from stead.serve.identity import auth
from stead.serve.identity.answers import V, listed
from stead.serve.identity.people import GROUP, ROLES, SYSTEM, checked_role, role_id
from stead.serve.routes import ApiReply, Call
from stead.serve.world import bare


def role_data(call: Call, name: str) -> dict[str, Any]:
    one = role_id(name)
    return {
        "id": one,
        "name": name,
        "domain_id": None,
        "description": None,
        "options": {},
        "links": {"self": f"{call.root}{V}/roles/{one}"},
    }


def role_of(text: str) -> str:
    for name in ROLES:
        if role_id(name) == bare(text):
            return name
    raise not_found("Role", text)


def list_roles(call: Call) -> ApiReply:
    return listed(call, "roles", [role_data(call, name) for name in ROLES])


def show_role(call: Call) -> ApiReply:
    return ApiReply(body={"role": role_data(call, role_of(call.path["id"]))})


def _where(call: Call) -> str:
    if "project" not in call.path:
        return SYSTEM
    if call.world.project(call.path["project"]) is None:
        raise not_found("Project", call.path["project"])
    return bare(call.path["project"])


def _holder(call: Call) -> str:
    if "group" not in call.path:
        return call.path["user"]
    call.people.group(call.path["group"])
    return call.path["group"]


def grant(call: Call) -> ApiReply:
    call.people.assign(_holder(call), _where(call), checked_role(role_of(call.path["role"])))
    return ApiReply(204)


def withdraw(call: Call) -> ApiReply:
    call.people.unassign(_holder(call), _where(call), role_of(call.path["role"]))
    return ApiReply(204)


def has_role(call: Call) -> ApiReply:
    if role_of(call.path["role"]) not in call.people.own_roles(_holder(call), _where(call)):
        raise not_found("Role assignment", call.path["role"])
    return ApiReply(204)


def roles_of(call: Call) -> ApiReply:
    held = call.people.own_roles(_holder(call), _where(call))
    return listed(call, "roles", [role_data(call, name) for name in ROLES if name in held])


def list_assignments(call: Call) -> ApiReply:
    """All of them for an admin, one's own and those of one's groups for anybody."""
    names = call.flag("include_names")
    mine = {call.caller.user, *call.people.groups_of(call.caller.user)}
    found = []
    for one in call.people.assignments():
        if not call.caller.admin and one["user"] not in mine:
            continue
        is_group = (GROUP, one["user"]) in call.people.known()
        holder: dict[str, Any] = {"id": one["user"]}
        role: dict[str, Any] = {"id": role_id(one["role"])}
        if names:
            known = call.people.group(one["user"]) if is_group else call.people.user(one["user"])
            holder |= {"name": known["name"], "domain": auth.DOMAIN_DATA}
            role |= {"name": one["role"]}
        scope = _scope(call, one["where"], names)
        found.append({"group" if is_group else "user": holder, "role": role, "scope": scope, "links": {}})
    for name in ("user", "group", "role", "scope.project"):
        if text := call.asked(f"{name}.id"):
            found = [one for one in found if _id_in(one, name) == bare(text)]
    return ApiReply(body={"role_assignments": found, "links": {"self": f"{call.root}{V}/role_assignments"}})


def _id_in(assignment: Mapping[str, Any], path: str) -> str:
    for word in path.split("."):
        assignment = assignment.get(word, {})
    return str(assignment.get("id", ""))


def _scope(call: Call, where: str, names: bool) -> dict[str, Any]:
    if where == SYSTEM:
        return {"system": {"all": True}}
    project = call.world.project(where)
    named = call.world.thing(Address("", "projects", project)).name if project else ""
    return {"project": {"id": where, **({"name": named, "domain": auth.DOMAIN_DATA} if names else {})}}
