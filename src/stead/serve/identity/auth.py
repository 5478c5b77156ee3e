"""Logging in, and what a token says."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Any

from stead.core.address import Address
from stead.serve.faults import bad, not_found, unauthenticated
from stead.serve.identity import catalog, held, times, trusts
from stead.serve.identity.answers import reference
from stead.serve.identity.registry import BAD_LOGIN, CREDENTIAL, DOMAIN, DOMAINS, TRUST, Key, in_domain
from stead.serve.identity.role_calls import role_reference
from stead.serve.identity.roles import Caller
from stead.serve.identity.scopes import SYSTEM, of_domain
from stead.serve.routes import ID, ApiReply, Call, record, wrapped
from stead.serve.world import bare

BY_TRUST = "OS-TRUST:trust"
_DOMAIN = record(id=ID, name=ID)
_SECRET = {"type": "string", "maxLength": 1024}
_USER = record(id=ID, name=ID, password=_SECRET, domain=_DOMAIN)
_IDENTITY = record(
    ["methods"],
    methods={"type": "array", "minItems": 1, "maxItems": 3, "items": {"type": "string", "maxLength": 64}},
    password=record(["user"], user=_USER),
    token=record(["id"], id={"type": "string", "maxLength": 4096}),
    application_credential=record(["secret"], id=ID, name=ID, secret=_SECRET, user=_USER),
)
_SCOPE = {
    "anyOf": [
        {"enum": ["unscoped"]},
        record(
            project=record(id=ID, name=ID, domain=_DOMAIN),
            system=record(),
            domain=_DOMAIN,
            **{BY_TRUST: record(["id"], id=ID)},
        ),
    ]
}
SCHEMA = wrapped("auth", record(["identity"], identity=_IDENTITY, scope=_SCOPE))


def log_in(call: Call) -> ApiReply:
    said = call.body["auth"]
    identity, methods, scope = said["identity"], said["identity"]["methods"], said.get("scope")
    given: Key | None = None
    until = inf
    if "password" in methods and "password" in identity:
        user = _by_password(call, identity["password"]["user"])
    elif "token" in methods and "token" in identity:
        old = call.people.caller(identity["token"]["id"], call.world.project)
        if old.token is None or old.token.is_delegated:
            raise unauthenticated(BAD_LOGIN)
        user, until = old.user, old.token.expires  # or a token would be good for ever
        methods = [*old.token.methods, *(one for one in methods if one not in old.token.methods)]
    elif "application_credential" in methods and "application_credential" in identity:
        user, credential, where = _by_credential(call, identity["application_credential"])
        given = (CREDENTIAL, credential)
    else:
        raise bad("The methods are password, token and application_credential.")
    call.audit["who"] = call.people.user(user)["name"]
    if given is None and isinstance(scope, Mapping) and BY_TRUST in scope:
        given = (TRUST, scope[BY_TRUST]["id"])
        trust = trusts.entered(call, given[1], user)
        user, where = trust["user"] if trust["impersonation"] else user, trust["project"]
    elif given is None:
        where = _scope(call, user, scope)
    text = call.people.tokens.sealed(call.people.issue(user, where, tuple(methods), given, until))
    caller = call.people.caller(text, call.world.project)
    if caller.token is None:
        raise unauthenticated(BAD_LOGIN)
    return ApiReply(201, {"token": token_data(call, caller)}, {"x-subject-token": text})


def _by_password(call: Call, said: Mapping[str, Any]) -> str:
    user, name = _user_of(call, said)
    call.audit["who"] = name[:64]
    domain, outside = _domain_of(call, user, said), call.people.outside
    if outside is not None and outside.has(domain):
        return outside.log_in(domain, user if "id" in said else None, name, said.get("password", ""), call.source)
    return call.people.log_in(user, name, said.get("password", ""), call.source)


def _user_of(call: Call, said: Mapping[str, Any]) -> tuple[str | None, str]:
    """The id, and the name by which guesses are counted: it is the same for all ways to name somebody."""
    if "id" in said:
        user = said["id"] if ("user", said["id"]) in call.people.known() else None
        name = call.people.user(user)["name"] if user is not None else said["id"]
        return user, name
    name, domain = said.get("name", ""), domain_named(call, said.get("domain") or {"id": DOMAIN})
    return (call.people.named(name, domain) if domain else None), name


def _domain_of(call: Call, user: str | None, said: Mapping[str, Any]) -> str:
    if user is not None:
        return in_domain(call.people.user(user))
    return domain_named(call, said.get("domain") or {"id": DOMAIN})


def domain_named(call: Call, said: Mapping[str, Any]) -> str:
    """The id of the domain with this id or name; empty where there is none."""
    known = {DOMAIN: "Default", **{id_: one["name"] for id_, one in call.people.of_kind(DOMAINS)}}
    if "id" in said:
        return str(said["id"]) if said["id"] in known else ""
    name = str(said.get("name", "")).lower()
    return next((id_ for id_, one in known.items() if one.lower() == name), "")


def _by_credential(call: Call, said: Mapping[str, Any]) -> tuple[str, str, str]:
    name = said.get("id", "")
    if not name and said.get("user"):
        user, _ = _user_of(call, said["user"])
        found = (
            one
            for one, known in call.people.of_kind("credential")
            if (known["user"], known["name"]) == (user, said.get("name"))
        )
        name = next(found, "")
    user, known = call.people.by_credential(name, said["secret"], call.source)
    return user, name, known["project"]


def _scope(call: Call, user: str, scope: Any) -> str:
    """The project's id, the system, or nothing. Without a word, the user's own project."""
    if scope == "unscoped":
        return ""
    if not scope:
        default = call.people.user(user).get("default_project_id") or ""
        return default if default and call.people.roles_in(user, default) else ""
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
        found["application_credential"] = {"id": token.credential, "restricted": True}
    if token.trust:
        found[BY_TRUST] = trusts.reference(token.trust, call.people.known()[TRUST, token.trust])
    return found


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
