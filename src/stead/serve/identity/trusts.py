"""Trusts: a user lets another one act in a project, with some of the own roles, and as oneself or as the other.

A token by a trust makes no trust and no credential, so what was given is not given on.
"""

from __future__ import annotations

import uuid
from typing import Any

from stead.serve.faults import bad, forbidden, not_built, not_found, unauthenticated
from stead.serve.identity import times
from stead.serve.identity.answers import V, listed
from stead.serve.identity.records import found, items
from stead.serve.identity.registry import BAD_LOGIN, TRUST, Record
from stead.serve.identity.role_calls import ROLE_KIND, key_named, key_of, role_reference
from stead.serve.routes import ID, AccessPolicy, ApiReply, ApiRoute, Call, record, wrapped
from stead.serve.world import bare

MOST = 100  # of one user
PATH = f"{V}/OS-TRUST/trusts"
ANYONE = AccessPolicy.ANYONE


def trust_data(call: Call, name: str, known: Record) -> dict[str, Any]:
    link = f"{call.root}{PATH}/{name}"
    return {
        "id": name,
        "trustor_user_id": known["user"],
        "trustee_user_id": known["trustee"],
        "project_id": known["project"],
        "impersonation": known["impersonation"],
        "expires_at": times.instant(known["expires"]) if known["expires"] else None,
        "deleted_at": None,
        "remaining_uses": None,
        "redelegation_count": 0,
        "roles": [role_reference(call, one) for one in known["roles"]],
        "roles_links": {"self": f"{link}/roles", "previous": None, "next": None},
        "links": {"self": link},
    }


def list_trusts(call: Call) -> ApiReply:
    trusts = [trust_data(call, name, one) for name, one in call.people.of_kind(TRUST) if _is_seen(call, one)]
    return listed(call, "trusts", trusts)


def _is_seen(call: Call, known: Record) -> bool:
    return call.caller.admin or call.caller.user in (known["user"], known["trustee"])


def _trust(call: Call) -> tuple[str, Record]:
    name = call.path["id"]
    known = call.people.known().get((TRUST, name))
    if known is None or not _is_seen(call, known):
        raise not_found("Trust", name)
    return name, known


def show_trust(call: Call) -> ApiReply:
    return ApiReply(body={"trust": trust_data(call, *_trust(call))})


def create_trust(call: Call) -> ApiReply:
    said, token = call.body["trust"], call.caller.token
    project = bare(said.get("project_id") or "")
    if token is None or token.is_delegated or said["trustor_user_id"] != call.caller.user or token.project != project:
        raise forbidden("A trust is made by the trustor, with a token for its project that came by a password.")
    if said.get("remaining_uses") is not None or said.get("allow_redelegation"):
        raise not_built("A trust is used any number of times, and not given on.")
    asked = {key_named(call, one) for one in said["roles"]}
    if not asked <= call.caller.roles:
        raise forbidden("A trust has no role that you have not.")
    expires = times.seconds(said.get("expires_at"))
    if expires is not None and expires <= call.cloud.clock():
        raise bad("expires_at is over.")
    call.people.user(said["trustee_user_id"])
    if sum(one["user"] == call.caller.user for _, one in call.people.of_kind(TRUST)) >= MOST:
        raise forbidden(f"A user has {MOST} trusts at most.")
    new, known = (
        uuid.uuid4().hex,
        {
            "user": call.caller.user,
            "trustee": said["trustee_user_id"],
            "project": project,
            "roles": sorted(asked),
            "impersonation": said["impersonation"],
            "expires": expires,
        },
    )
    call.people.write({(TRUST, new): known})
    return ApiReply(201, {"trust": trust_data(call, new, known)})


def delete_trust(call: Call) -> ApiReply:
    name, known = _trust(call)
    token = call.caller.token
    is_trustor = known["user"] == call.caller.user and token is not None and not token.is_delegated
    if not (is_trustor or call.caller.admin):
        raise forbidden("A trust is ended by its trustor.")
    call.people.write({(TRUST, name): None})
    return ApiReply(204)


def list_roles(call: Call) -> ApiReply:
    _, known = _trust(call)
    return listed(call, "roles", [one for one in items(call, ROLE_KIND) if key_of(one) in known["roles"]])


def show_role(call: Call) -> ApiReply:
    _, known = _trust(call)
    role = found(call, ROLE_KIND, call.path["role"])
    if key_of(role) not in known["roles"]:
        raise not_found("Role", role["id"])
    return ApiReply(body={"role": role})


def entered(call: Call, name: str, user: str) -> Record:
    """The trust that this user logs in by."""
    known = call.people.known().get((TRUST, name))
    if known is None or known["trustee"] != user:
        raise unauthenticated(BAD_LOGIN)
    return known


def reference(name: str, known: Record) -> dict[str, Any]:
    """How a token names it."""
    people = {word: {"id": known[key]} for word, key in (("trustor_user", "user"), ("trustee_user", "trustee"))}
    return {"id": name, "impersonation": known["impersonation"], **people}


_TRUST = record(
    ["trustor_user_id", "trustee_user_id", "project_id", "impersonation", "roles"],
    trustor_user_id=ID,
    trustee_user_id=ID,
    project_id=ID,
    impersonation={"type": "boolean"},
    expires_at={"type": ["string", "null"], "maxLength": 40},
    roles={"type": "array", "minItems": 1, "maxItems": 10, "items": record(id=ID, name=ID)},
)
ROUTES = (
    ApiRoute("GET", PATH, ANYONE, list_trusts),
    ApiRoute("POST", PATH, ANYONE, create_trust, wrapped("trust", _TRUST)),
    ApiRoute("GET", f"{PATH}/{{id}}", ANYONE, show_trust),
    ApiRoute("DELETE", f"{PATH}/{{id}}", ANYONE, delete_trust),
    ApiRoute("GET", f"{PATH}/{{id}}/roles", ANYONE, list_roles),
    ApiRoute("GET", f"{PATH}/{{id}}/roles/{{role}}", ANYONE, show_role),
)
