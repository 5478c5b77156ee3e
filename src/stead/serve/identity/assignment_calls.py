"""Who holds which role where: as assigned, or what follows from it (`effective`)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from stead.core.address import Address
from stead.core.named import NamedTuple
from stead.serve.identity import held
from stead.serve.identity.answers import V, reference
from stead.serve.identity.registry import GROUP, USER, in_domain
from stead.serve.identity.role_calls import role_reference
from stead.serve.identity.scopes import SYSTEM, domain_of
from stead.serve.routes import ApiReply, Call
from stead.serve.world import bare


class HeldRole(NamedTuple):
    holder: str  # a user or a group
    where: str
    role: str
    inherited: bool  # not held there, but in what is in there


def _assigned(call: Call) -> Iterator[HeldRole]:
    """What the caller may know: to look at all of a large cloud is much, and only an admin makes the server do it."""
    mine = {call.caller.user, *call.people.groups_of(call.caller.user)}
    for one in held.assignments(call.people.known()):
        if call.caller.admin or one["user"] in mine:
            yield HeldRole(one["user"], one["where"], one["role"], one.get("inherited", False))


def _effective(call: Call) -> Iterator[HeldRole]:
    """Of users, in what they have a token for."""
    known, every, members = call.people.known(), call.world.project_ids(), _members(call)
    for one in _assigned(call):
        holders = members.get(one.holder, [one.holder])
        places = held.below(known, one.where, every) if one.inherited else [one.where]
        roles = held.with_implied(known, [one.role])
        yield from (HeldRole(who, where, role, False) for who in holders for where in places for role in roles)


def _members(call: Call) -> dict[str, list[str]]:
    """Of each group, also those whom a provider tells of."""
    found = {name: [*one["members"]] for name, one in call.people.of_kind(GROUP)}
    for user, one in call.people.of_kind(USER):
        for name in found.keys() & one.get("groups", ()):
            found[name].append(user)
    return found


def list_assignments(call: Call) -> ApiReply:
    """All of them for an admin, one's own and those of one's groups for anybody."""
    names, effective = "include_names", _asked(call, "effective")
    mine = {call.caller.user, *call.people.groups_of(call.caller.user)}
    rows = dict.fromkeys(_effective(call) if effective else _assigned(call))
    found = [_data(call, one, names=_asked(call, names)) for one in rows if call.caller.admin or one.holder in mine]
    for name in ("user", "group", "role", "scope.project", "scope.domain"):
        if text := call.asked(f"{name}.id"):
            found = [one for one in found if _id_in(one, name) == bare(text)]
    return ApiReply(body={"role_assignments": found, "links": {"self": f"{call.root}{V}/role_assignments"}})


def _asked(call: Call, name: str) -> bool:
    """Also without a value."""
    return call.flag(name) or (name, "") in call.query


def _data(call: Call, one: HeldRole, *, names: bool) -> dict[str, Any]:
    is_group = (GROUP, one.holder) in call.people.known()
    holder: dict[str, Any] = {"id": one.holder}
    role = role_reference(call, one.role)
    if names:
        known = call.people.group(one.holder) if is_group else call.people.user(one.holder)
        holder |= {"name": known["name"], "domain": reference(call, in_domain(known))}
    scope = _scope(call, one.where, names)
    if one.inherited:
        scope["OS-INHERIT:inherited_to"] = "projects"
    kind = "group" if is_group else "user"
    return {kind: holder, "role": role if names else {"id": role["id"]}, "scope": scope, "links": {}}


def _id_in(assignment: dict[str, Any], path: str) -> str:
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
