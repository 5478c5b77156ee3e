"""Calls for users, and what users ask of themselves."""

from __future__ import annotations

from typing import Any

from stead.serve.faults import conflict, not_found
from stead.serve.identity import held
from stead.serve.identity.answers import V, domain_asked, listed
from stead.serve.identity.extra import extra_of
from stead.serve.identity.project_calls import all_projects
from stead.serve.identity.registry import in_domain
from stead.serve.routes import ApiReply, Call


def user_data(call: Call, user: str) -> dict[str, Any]:
    known = call.people.user(user)
    return {
        **known.get("extra", {}),
        "id": user,
        "name": known["name"],
        "domain_id": in_domain(known),
        "enabled": known["enabled"],
        "email": known.get("email"),
        "description": known.get("description", ""),
        "default_project_id": known.get("default_project_id"),
        "password_expires_at": None,
        "options": {},
        "links": {"self": f"{call.root}{V}/users/{user}"},
    }


def of_user(call: Call) -> str:
    """Oneself, or anybody for an admin."""
    user = call.path["id"]
    if not call.caller.admin and user != call.caller.user:
        raise not_found("User", user)
    call.people.user(user)
    return user


def list_users(call: Call) -> ApiReply:
    return listed(call, "users", [user_data(call, name) for name, _ in call.people.of_kind("user")])


def show_user(call: Call) -> ApiReply:
    return ApiReply(body={"user": user_data(call, of_user(call))})


_USER_FIELDS = ("email", "description", "default_project_id")
_KNOWN = frozenset({*_USER_FIELDS, "name", "enabled", "domain_id"})


def create_user(call: Call) -> ApiReply:
    said = call.body["user"]
    more = {name: said[name] for name in _USER_FIELDS if said.get(name) is not None}
    if extra := extra_of(said, _KNOWN, {}):
        more["extra"] = extra
    user = call.people.add_user(said["name"], said.get("password"), domain=domain_asked(call, said), **more)
    if said.get("enabled") is False:
        call.people.change_user(user, enabled=False)
    return ApiReply(201, {"user": user_data(call, user)})


def change_user(call: Call) -> ApiReply:
    said, user = call.body["user"], of_user(call)
    other = call.people.named(said.get("name", ""), in_domain(call.people.user(user)))
    if other not in (None, user):
        raise conflict("There is a user of this name already.")
    fields = {name: said[name] for name in ("name", "enabled", "password", *_USER_FIELDS) if said.get(name) is not None}
    before = call.people.user(user).get("extra", {})
    if (extra := extra_of(said, _KNOWN, before)) != before:
        fields["extra"] = extra
    call.people.change_user(user, **fields)
    return ApiReply(body={"user": user_data(call, user)})


def delete_user(call: Call) -> ApiReply:
    call.people.remove_user(of_user(call))
    return ApiReply(204)


def change_password(call: Call) -> ApiReply:
    """One's own; an admin who knows somebody's changes that."""
    user, said = of_user(call), call.body["user"]
    call.people.log_in(user, call.people.user(user)["name"], said["original_password"], call.source)
    call.people.set_password(user, said["password"])
    return ApiReply(204)


def user_projects(call: Call) -> ApiReply:
    mine = set(held.projects_of(call.people.known(), of_user(call), call.world.project_ids()))
    return listed(call, "projects", [one for one in all_projects(call) if one["id"] in mine])


def own_projects(call: Call) -> ApiReply:
    call.path = {"id": call.caller.user}
    return user_projects(call)
