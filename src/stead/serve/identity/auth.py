"""Logging in, what a token says, and the catalog: where the services are."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from stead.core.address import Address
from stead.serve.faults import bad, not_found, unauthenticated
from stead.serve.identity.people import BAD_LOGIN, DOMAIN, SYSTEM, Caller, implied, role_id
from stead.serve.identity.tokens import Token
from stead.serve.routes import ID, ApiReply, Call, record, wrapped
from stead.serve.world import bare, made_of

REGION = "RegionOne"
DOMAIN_DATA = {"id": DOMAIN, "name": "Default"}
# type, name, path: what the catalog has. A project's id goes where {project} stands.
CATALOG = (
    ("identity", "keystone", "/identity/v3"),
    ("compute", "nova", "/compute/v2.1"),
    ("network", "neutron", "/network"),
    ("image", "glance", "/image"),
    ("block-storage", "cinder", "/volume/v3/{project}"),
    ("volumev3", "cinderv3", "/volume/v3/{project}"),
)
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
        record(project=record(id=ID, name=ID, domain=_DOMAIN), system=record(), domain=_DOMAIN),
    ]
}
SCHEMA = wrapped("auth", record(["identity"], identity=_IDENTITY, scope=_SCOPE))


def log_in(call: Call) -> ApiReply:
    said = call.body["auth"]
    identity, methods = said["identity"], said["identity"]["methods"]
    credential = ""
    if "password" in methods and "password" in identity:
        user = _by_password(call, identity["password"]["user"])
    elif "token" in methods and "token" in identity:
        old = call.people.caller(identity["token"]["id"], call.world.project)
        if old.token is None or old.token.credential:
            raise unauthenticated(BAD_LOGIN)
        user = old.user
    elif "application_credential" in methods and "application_credential" in identity:
        user, credential, where = _by_credential(call, identity["application_credential"])
    else:
        raise bad("The methods are password, token and application_credential.")
    call.audit["who"] = call.people.user(user)["name"]
    where = where if credential else _scope(call, user, said.get("scope"))
    token = call.people.issue(user, where, tuple(methods), credential)
    text = call.people.tokens.sealed(token)
    caller = call.people.caller(text, call.world.project)
    if caller.token is None:
        raise unauthenticated(BAD_LOGIN)
    return ApiReply(201, {"token": token_data(call, caller)}, {"x-subject-token": text})


def _by_password(call: Call, user: Mapping[str, Any]) -> str:
    name = user.get("name") or call.people.known().get(("user", user.get("id", "")), {}).get("name", "")
    domain = user.get("domain") or DOMAIN_DATA
    if domain.get("id", DOMAIN) != DOMAIN or domain.get("name", "Default").lower() != "default":
        name = ""
    call.audit["who"] = name[:64]
    return call.people.log_in(name, user.get("password", ""))


def _by_credential(call: Call, said: Mapping[str, Any]) -> tuple[str, str, str]:
    name = said.get("id", "")
    if not name and said.get("user"):
        user = call.people.named(said["user"].get("id") or said["user"].get("name", ""))
        found = (
            one
            for one, known in call.people.of_kind("credential")
            if (known["user"], known["name"]) == (user, said.get("name"))
        )
        name = next(found, "")
    user, known = call.people.by_credential(name, said["secret"])
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
    if "project" not in scope:
        raise unauthenticated(BAD_LOGIN)  # of a domain: nobody has a role in one
    said = scope["project"]
    if "id" in said:
        return bare(said["id"]) if call.world.project(said["id"]) else "nowhere"
    mine = set(call.people.projects_of(user))
    for one in call.world.things("projects"):
        if said.get("name") in (one.name, one.address.name) and bare(one.id) in mine:
            return bare(one.id)
    raise unauthenticated(BAD_LOGIN)


def instant(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def seconds(text: str | None) -> float | None:
    if not text:
        return None
    try:
        read = datetime.fromisoformat(text)
    except ValueError as error:
        raise bad("expires_at is a time such as 2030-01-01T00:00:00.000000Z.") from error
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()


def token_data(call: Call, caller: Caller) -> dict[str, Any]:
    token = caller.token
    assert token is not None  # noqa: S101 - who calls has looked
    found: dict[str, Any] = {
        "methods": list(token.methods),
        "user": {"id": caller.user, "name": caller.name, "domain": DOMAIN_DATA, "password_expires_at": None},
        "issued_at": instant(token.issued),
        "expires_at": instant(token.expires),
        "audit_ids": [token.audit],
    }
    if token.system:
        found["system"] = {"all": True}
    if token.project:
        thing = call.world.thing(Address("", "projects", caller.project))
        found["project"] = {"id": bare(thing.id), "name": thing.name, "domain": DOMAIN_DATA}
        found["is_domain"] = False
    if token.project or token.system:
        found["roles"] = [{"id": role_id(one), "name": one} for one in sorted(implied(caller.roles))]
        found["catalog"] = catalog(call, token)
    if token.credential:
        found["application_credential"] = {"id": token.credential, "restricted": True}
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


def catalog(call: Call, token: Token) -> list[dict[str, Any]]:
    found = []
    for type_, name, path in CATALOG:
        if "{project}" in path and not token.project:
            continue
        url = call.root + path.replace("{project}", token.project)
        endpoints = [
            {
                "id": bare(made_of("endpoint", type_, interface)),
                "interface": interface,
                "region": REGION,
                "region_id": REGION,
                "url": url,
            }
            for interface in ("public", "internal", "admin")
        ]
        found.append({"id": bare(made_of("service", type_)), "type": type_, "name": name, "endpoints": endpoints})
    return found


def show_catalog(call: Call) -> ApiReply:
    token = call.caller.token
    assert token is not None  # noqa: S101 - the route's policy has looked
    return ApiReply(body={"catalog": catalog(call, token), "links": {"self": f"{call.root}/identity/v3/auth/catalog"}})


def services(call: Call) -> list[dict[str, Any]]:
    found = []
    for type_, name, _ in CATALOG:
        one = bare(made_of("service", type_))
        links = {"self": f"{call.root}/identity/v3/services/{one}"}
        found.append({"id": one, "type": type_, "name": name, "enabled": True, "description": "", "links": links})
    return found


def endpoints(call: Call) -> list[dict[str, Any]]:
    return [
        {
            "id": bare(made_of("endpoint", type_, interface)),
            "interface": interface,
            "region": REGION,
            "region_id": REGION,
            "service_id": bare(made_of("service", type_)),
            "url": call.root + path.replace("{project}", "$(project_id)s"),
            "enabled": True,
            "links": {"self": f"{call.root}/identity/v3/endpoints/{bare(made_of('endpoint', type_, interface))}"},
        }
        for type_, _, path in CATALOG
        for interface in ("public", "internal", "admin")
    ]
