"""Calls for roles, and who has which."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stead.core.address import Address
from stead.serve.faults import conflict, not_built, not_found
from stead.serve.identity.answers import V, listed, reference
from stead.serve.identity.records import Item, RecordKind, item, items
from stead.serve.identity.registry import ASSIGNMENT, CREDENTIAL, GROUP, TRUST, Key, Record, in_domain
from stead.serve.identity.roles import ROLES, role_id
from stead.serve.identity.scopes import SYSTEM, domain_of, of_domain
from stead.serve.routes import LONG, NAME, ApiReply, Call
from stead.serve.world import bare


def _name_is_free(call: Call, said: Record, name: str) -> Record:
    if call.body["role"].get("domain_id"):
        raise not_built("Roles are of no domain: their names are the same everywhere.")
    if said["name"] in [one["name"] for one in items(call, ROLE_KIND) if one["id"] != name]:
        raise conflict(f"There is a role {said['name']} already.")
    return said


def _held(call: Call, name: str) -> Mapping[Key, Record | None]:
    """Who had it has it no more; application credentials and trusts that were given it go on without it."""
    known = call.people.known().items()
    given = {key: one for key, one in known if key[0] in (CREDENTIAL, TRUST) and name in one["roles"]}
    return {
        **{key: None for key, one in known if key[0] == ASSIGNMENT and one["role"] == name},
        **{key: {**one, "roles": [each for each in one["roles"] if each != name]} for key, one in given.items()},
    }


ROLE_KIND: RecordKind = RecordKind(
    kind="role",
    one="role",
    many="roles",
    what="Role",
    fields={"name": {**NAME, "maxLength": 64}, "description": LONG},
    required=("name",),
    defaults={"description": None, "domain_id": None, "options": {}},
    fixed=lambda call: [item(call, ROLE_KIND, role_id(one), {**ROLE_KIND.defaults, "name": one}) for one in ROLES],
    checked=_name_is_free,
    ends_with_it=_held,
)


def key_of(item: Item) -> str:
    return str(item["name"] if item["id"] == role_id(item["name"]) else item["id"])


def key_named(call: Call, said: Mapping[str, Any]) -> str:
    """Of a role that is named by its id or its name."""
    for one in items(call, ROLE_KIND):
        if one["id"] == bare(said["id"]) if "id" in said else one["name"] == said.get("name"):
            return key_of(one)
    raise not_found("Role", said.get("id") or said.get("name", ""))


def role_reference(call: Call, key: str) -> dict[str, str]:
    """How tokens and assignments name a role."""
    return {"id": role_id(key), "name": key if key in ROLES else call.people.known()["role", key]["name"]}


def _role(call: Call) -> str:
    return key_named(call, {"id": call.path["role"]})


def _where(call: Call) -> str:
    if "domain" in call.path:
        call.people.domain(call.path["domain"])
        return of_domain(call.path["domain"])
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
    call.people.assign(_holder(call), _where(call), _role(call))
    return ApiReply(204)


def withdraw(call: Call) -> ApiReply:
    call.people.unassign(_holder(call), _where(call), _role(call))
    return ApiReply(204)


def has_role(call: Call) -> ApiReply:
    if _role(call) not in call.people.own_roles(_holder(call), _where(call)):
        raise not_found("Role assignment", call.path["role"])
    return ApiReply(204)


def roles_of(call: Call) -> ApiReply:
    held = call.people.own_roles(_holder(call), _where(call))
    return listed(call, "roles", [one for one in items(call, ROLE_KIND) if key_of(one) in held])


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
        role = role_reference(call, one["role"])
        if names:
            known = call.people.group(one["user"]) if is_group else call.people.user(one["user"])
            holder |= {"name": known["name"], "domain": reference(call, in_domain(known))}
        scope, role = _scope(call, one["where"], names), role if names else {"id": role["id"]}
        found.append({"group" if is_group else "user": holder, "role": role, "scope": scope, "links": {}})
    for name in ("user", "group", "role", "scope.project", "scope.domain"):
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
    if domain := domain_of(where):
        return {"domain": reference(call, domain) if names else {"id": domain}}
    project = call.world.project(where)
    named = call.world.thing(Address("", "projects", project)).name if project else ""
    domain = call.people.domain_of_project(where)
    return {"project": {"id": where, **({"name": named, "domain": reference(call, domain)} if names else {})}}
