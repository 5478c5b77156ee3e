"""Domains: users, groups and projects with names of their own. The default one is always there.

A disabled domain lets nobody in. It ends with its people; a project of it that has resources keeps it from ending.
"""

from __future__ import annotations

from collections.abc import Mapping

from stead.serve.faults import conflict, forbidden
from stead.serve.identity.answers import listed
from stead.serve.identity.project_calls import end_project, must_be_empty
from stead.serve.identity.records import Item, RecordKind, item
from stead.serve.identity.registry import DEFAULT, DOMAIN, DOMAINS, GROUP, PROJECT, ROLE, USER, Key, Record, in_domain
from stead.serve.identity.role_calls import ended
from stead.serve.identity.scopes import of_domain
from stead.serve.routes import LONG, NAME, ApiReply, Call


def _checked(call: Call, said: Record, name: str) -> Record:
    others = [one["name"] for id_, one in call.people.of_kind(DOMAINS) if id_ != name]
    if str(said["name"]).lower() in [DEFAULT["name"].lower(), *(one.lower() for one in others)]:
        raise conflict(f"There is a domain {said['name']} already.")
    return {**said, "description": said["description"] or ""}


def _is_seen(call: Call, one: Item) -> bool:
    """An admin sees all, anybody else the own one."""
    return call.caller.admin or one["id"] == in_domain(call.people.user(call.caller.user))


def _ends_with_it(call: Call, name: str) -> Mapping[Key, Record | None]:
    if call.people.is_on(name):
        raise forbidden("A domain that is enabled cannot be deleted. Disable it first.")
    projects = [id_ for id_, one in call.people.of_kind(PROJECT) if one["domain"] == name]
    things = [one for one in call.world.things("projects") if one.id.replace("-", "") in projects]
    for thing in things:
        must_be_empty(call, thing)
    for thing in things:
        end_project(call, thing)
    for user in [id_ for id_, one in call.people.of_kind(USER) if in_domain(one) == name]:
        call.people.remove_user(user)
    for group in [id_ for id_, one in call.people.of_kind(GROUP) if in_domain(one) == name]:
        call.people.remove_group(group)
    where, known = of_domain(name), call.people.known()
    roles = [id_ for id_, one in call.people.of_kind(ROLE) if one.get("domain_id") == name]
    gone = {key: one for role in roles for key, one in ended(call, role).items()}
    held = {key: None for key, one in known.items() if one.get("where") == where}
    return {**gone, **{(ROLE, one): None for one in roles}, **held}


DOMAIN_KIND: RecordKind = RecordKind(
    kind=DOMAINS,
    one="domain",
    many="domains",
    what="Domain",
    fields={"name": {**NAME, "maxLength": 64}, "description": LONG, "enabled": {"type": "boolean"}},
    required=("name",),
    defaults={"description": "", "enabled": True, "tags": [], "options": {}},
    fixed=lambda call: [item(call, DOMAIN_KIND, DOMAIN, DEFAULT)],
    checked=_checked,
    ends_with_it=_ends_with_it,
    is_seen=_is_seen,
)


def own_domains(call: Call) -> ApiReply:
    """Those in which the caller has a role: what a token can be for."""
    people, user = call.people, call.caller.user
    made = [item(call, DOMAIN_KIND, name, one) for name, one in people.of_kind(DOMAINS)]
    found = [one for one in (*DOMAIN_KIND.fixed(call), *made) if people.roles_in(user, of_domain(one["id"]))]
    return listed(call, "domains", found)
