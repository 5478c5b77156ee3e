"""Calls for roles, and who has which."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from stead.serve.faults import conflict, not_found
from stead.serve.identity import held
from stead.serve.identity.answers import V, listed
from stead.serve.identity.records import Item, RecordKind, item, items
from stead.serve.identity.registry import ASSIGNMENT, CREDENTIAL, IMPLICATION, ROLE, TRUST, Key, Record
from stead.serve.identity.roles import ROLES, role_id
from stead.serve.identity.scopes import SYSTEM, of_domain
from stead.serve.routes import LONG, MAYBE_ID, NAME, AccessPolicy, ApiReply, ApiRoute, Call
from stead.serve.world import bare


def _name_is_free(call: Call, said: Record, name: str) -> Record:
    """In its domain, or among those of none."""
    domain = said["domain_id"]
    if domain is not None:
        call.people.domain(domain)
    others = [one["name"] for one in items(call, ROLE_KIND) if one["id"] != name and one["domain_id"] == domain]
    if said["name"] in others:
        raise conflict(f"There is a role {said['name']} already.")
    return said


def ended(call: Call, name: str) -> Mapping[Key, Record | None]:
    """Who had it has it no more; application credentials and trusts that were given it go on without it."""
    known = call.people.known().items()
    given = {key: one for key, one in known if key[0] in (CREDENTIAL, TRUST) and name in one["roles"]}
    return {
        **{key: None for key, one in known if key[0] == ASSIGNMENT and one["role"] == name},
        **{key: None for key, one in known if key[0] == IMPLICATION and name in (one["prior"], one["implied"])},
        **{key: {**one, "roles": [each for each in one["roles"] if each != name]} for key, one in given.items()},
    }


ROLE_KIND: RecordKind = RecordKind(
    kind=ROLE,
    one="role",
    many="roles",
    what="Role",
    fields={"name": {**NAME, "maxLength": 64}, "description": LONG, "domain_id": MAYBE_ID},
    required=("name",),
    defaults={"description": None, "domain_id": None, "options": {}},
    lasting=frozenset({"domain_id"}),
    unasked={"domain_id": None},
    fixed=lambda call: [item(call, ROLE_KIND, role_id(one), {**ROLE_KIND.defaults, "name": one}) for one in ROLES],
    checked=_name_is_free,
    ends_with_it=ended,
)


def key_of(item: Item) -> str:
    return str(item["name"] if item["id"] == role_id(item["name"]) else item["id"])


def key_named(call: Call, said: Mapping[str, Any]) -> str:
    """Of a role that is named by its id or its name."""
    for one in items(call, ROLE_KIND):
        name = one["name"] if one["domain_id"] is None else None
        if one["id"] == bare(said["id"]) if "id" in said else name == said.get("name", ""):
            return key_of(one)
    raise not_found("Role", said.get("id") or said.get("name", ""))


def role_reference(call: Call, key: str) -> dict[str, str]:
    """How tokens and assignments name a role."""
    return {"id": role_id(key), "name": call.people.known().get((ROLE, key), {}).get("name", key)}


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


def grant(call: Call, *, inherited: bool = False) -> ApiReply:
    call.people.assign(_holder(call), _where(call), _role(call), inherited=inherited)
    return ApiReply(204)


def withdraw(call: Call, *, inherited: bool = False) -> ApiReply:
    call.people.unassign(_holder(call), _where(call), _role(call), inherited=inherited)
    return ApiReply(204)


def has_role(call: Call, *, inherited: bool = False) -> ApiReply:
    if _role(call) not in _own_roles(call, inherited):
        raise not_found("Role assignment", call.path["role"])
    return ApiReply(204)


def roles_of(call: Call, *, inherited: bool = False) -> ApiReply:
    mine = _own_roles(call, inherited)
    return listed(call, "roles", [one for one in items(call, ROLE_KIND) if key_of(one) in mine])


def _own_roles(call: Call, inherited: bool) -> frozenset[str]:
    return held.own_roles(call.people.known(), _holder(call), _where(call), inherited=inherited)


def _routes(path: str, end: str, *, inherited: bool) -> Iterator[ApiRoute]:
    calls = (("GET", "", roles_of), ("PUT", "/{role}", grant), ("GET", "/{role}", has_role))
    for method, role, handler in (*calls, ("DELETE", "/{role}", withdraw)):
        yield ApiRoute(method, f"{path}{role}{end}", AccessPolicy.ADMIN, partial(handler, inherited=inherited))


_HOLDERS = ("users/{user}", "groups/{group}")
_PLACES = ("projects/{project}", "domains/{domain}")
ROUTES = (
    *(
        route
        for where in (*_PLACES, SYSTEM)
        for holder in _HOLDERS
        for route in _routes(f"{V}/{where}/{holder}/roles", "", inherited=False)
    ),
    *(
        route
        for where in _PLACES
        for holder in _HOLDERS
        for route in _routes(f"{V}/OS-INHERIT/{where}/{holder}/roles", "/inherited_to_projects", inherited=True)
    ),
)
