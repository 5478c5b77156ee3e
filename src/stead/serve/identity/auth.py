"""Logging in, and what a token says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stead.core.address import Address
from stead.serve.faults import not_found, unauthenticated
from stead.serve.identity import catalog, held, second_factor, times, trusts
from stead.serve.identity.answers import reference
from stead.serve.identity.methods import DOMAIN_REFERENCE, IDENTITY, Proved, SecondFactorNeeded, domain_named, proved
from stead.serve.identity.registry import BAD_LOGIN, DOMAIN, TRUST, in_domain
from stead.serve.identity.role_calls import role_reference
from stead.serve.identity.roles import Caller
from stead.serve.identity.scopes import SYSTEM, of_domain
from stead.serve.routes import ID, ApiReply, Call, record, wrapped
from stead.serve.world import bare

BY_TRUST = "OS-TRUST:trust"
_SCOPE = {
    "anyOf": [
        {"enum": ["unscoped"]},
        record(
            project=record(id=ID, name=ID, domain=DOMAIN_REFERENCE),
            system=record(),
            domain=DOMAIN_REFERENCE,
            **{BY_TRUST: record(["id"], id=ID)},
        ),
    ]
}
SCHEMA = wrapped("auth", record(["identity"], identity=IDENTITY, scope=_SCOPE))


def log_in(call: Call) -> ApiReply:
    said = call.body["auth"]
    scope = said.get("scope")
    try:
        who = proved(call, said["identity"])
    except SecondFactorNeeded as needed:
        return second_factor.asked(call.people, needed.user)
    return entered(call, who, scope)


def entered(call: Call, who: Proved, scope: Any) -> ApiReply:
    """The token of somebody who has proved to be who they are."""
    user, given, where = who.user, who.given, who.where
    call.audit["who"] = call.people.user(user)["name"]
    if given is None and isinstance(scope, Mapping) and BY_TRUST in scope:
        given = (TRUST, scope[BY_TRUST]["id"])
        trust = trusts.entered(call, given[1], user)
        user, where = trust["user"] if trust["impersonation"] else user, trust["project"]
    elif given is None:
        where = _scope(call, user, scope)
    text = call.people.tokens.sealed(call.people.issue(user, where, who.methods, given, who.until))
    caller = call.people.caller(text, call.world.project)
    if caller.token is None:
        raise unauthenticated(BAD_LOGIN)
    return ApiReply(201, {"token": token_data(call, caller)}, {"x-subject-token": text})


def _scope(call: Call, user: str, scope: Any) -> str:
    """The project's id, the system, or nothing. Without a word, the user's own project."""
    if scope == "unscoped":
        return ""
    if not scope:
        default = call.people.user(user).get("default_project_id") or ""
        there = default and call.world.project(default) is not None
        return default if there and call.people.roles_in(user, default) else ""
    if "system" in scope:
        return SYSTEM
    if "domain" in scope and "project" not in scope:
        return of_domain(domain_named(call, scope["domain"]) or "nowhere")
    return _project(call, user, scope.get("project", {}))


def _project(call: Call, user: str, said: Mapping[str, Any]) -> str:
    if "id" in said:
        return bare(said["id"]) if call.world.project(said["id"]) else "nowhere"
    mine = set(held.projects_of(call.people.known(), user, call.world.project_ids()))
    domain = domain_named(call, said.get("domain") or {"id": DOMAIN})
    for one in call.world.things("projects"):
        id_ = bare(one.id)
        named = said.get("name") in (one.name, one.address.name)
        if named and id_ in mine and call.people.domain_of_project(id_) == domain:
            return id_
    raise unauthenticated(BAD_LOGIN)


def token_data(call: Call, caller: Caller) -> dict[str, Any]:
    token = caller.token
    assert token is not None  # noqa: S101 - who calls has looked
    own = reference(call, in_domain(call.people.user(caller.user)))
    found: dict[str, Any] = {
        "methods": list(token.methods),
        "user": {"id": caller.user, "name": caller.name, "domain": own, "password_expires_at": None},
        "issued_at": times.instant(token.issued),
        "expires_at": times.instant(token.expires),
        "audit_ids": [token.audit],
    }
    if token.system:
        found["system"] = {"all": True}
    if token.domain:
        found["domain"] = reference(call, token.domain)
    if token.project:
        thing = call.world.thing(Address("", "projects", caller.project))
        domain = reference(call, call.people.domain_of_project(token.project))
        found |= {"project": {"id": bare(thing.id), "name": thing.name, "domain": domain}, "is_domain": False}
    if token.where:
        found["roles"] = [role_reference(call, one) for one in sorted(caller.roles)]
        found["catalog"] = catalog.seen_by(call, token)
    if token.credential:
        found["application_credential"] = {"id": token.credential, "restricted": True, **_rules(caller)}
    if token.trust:
        found[BY_TRUST] = trusts.reference(token.trust, call.people.known()[TRUST, token.trust])
    return found


def _rules(caller: Caller) -> dict[str, Any]:
    return {} if caller.rules is None else {"access_rules": [one._asdict() for one in caller.rules]}


def show_token(call: Call) -> ApiReply:
    text = call.headers.get("x-subject-token", "")
    subject = call.people.caller(text, call.world.project)
    if subject.token is None or not (call.caller.admin or subject.user == call.caller.user):
        raise not_found("Token")
    return ApiReply(200, {"token": token_data(call, subject)}, {"x-subject-token": text})


def revoke(call: Call) -> ApiReply:
    subject = call.people.caller(call.headers.get("x-subject-token", ""), call.world.project)
    if subject.token is None or not (call.caller.admin or subject.user == call.caller.user):
        raise not_found("Token")
    call.people.revoke(subject.token)
    return ApiReply(204)
