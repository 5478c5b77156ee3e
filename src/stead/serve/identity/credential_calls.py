"""Calls for application credentials: everyone's own."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Mapping
from typing import Any

from stead.serve.faults import bad, conflict, forbidden, not_found
from stead.serve.identity import access_rules, times
from stead.serve.identity.answers import V, listed
from stead.serve.identity.people import digest
from stead.serve.identity.registry import CREDENTIAL
from stead.serve.identity.role_calls import key_named, role_reference
from stead.serve.routes import ApiReply, Call


def credential_data(call: Call, name: str, known: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "id": name,
        "name": known["name"],
        "description": known.get("description"),
        "project_id": known["project"],
        "roles": [{**role_reference(call, one), "domain_id": None} for one in known["roles"]],
        "expires_at": times.instant(known["expires"]).removesuffix("Z") if known.get("expires") else None,
        "unrestricted": False,
        **({"access_rules": access_rules.shown(call, known["rules"])} if known.get("rules") else {}),
        "user_id": known["user"],
        "links": {"self": f"{call.root}{V}/users/{known['user']}/application_credentials/{name}"},
        **more,
    }


def _own(call: Call) -> str:
    if call.path["id"] != call.caller.user:
        raise not_found("User", call.path["id"])
    return call.caller.user


def list_credentials(call: Call) -> ApiReply:
    user = _own(call)
    mine = [credential_data(call, name, one) for name, one in call.people.of_kind(CREDENTIAL) if one["user"] == user]
    return listed(call, "application_credentials", mine)


def _credential(call: Call) -> tuple[str, Mapping[str, Any]]:
    name, user = call.path["credential"], _own(call)
    known = call.people.known().get((CREDENTIAL, name))
    if known is None or known["user"] != user:
        raise not_found("Application credential", name)
    return name, known


def show_credential(call: Call) -> ApiReply:
    return ApiReply(body={"application_credential": credential_data(call, *_credential(call))})


def create_credential(call: Call) -> ApiReply:
    user, said = _own(call), call.body["application_credential"]
    token = call.caller.token
    if token is None or token.is_delegated or not token.project:
        raise forbidden("An application credential is made with a token for a project, that came by a password.")
    held = call.people.roles_in(user, token.project) & call.caller.roles
    asked = {key_named(call, one) for one in said.get("roles") or ()} or held
    if not asked <= call.caller.roles:
        raise bad("An application credential has no role that you have not.")
    expires = times.seconds(said.get("expires_at"))
    more = {"roles": sorted(asked), "description": said.get("description"), "expires": expires}
    if said.get("access_rules"):
        more["rules"] = access_rules.given(call, user, said["access_rules"])
    if any(one["user"] == user and one["name"] == said["name"] for _, one in call.people.of_kind(CREDENTIAL)):
        raise conflict(f"There is an application credential {said['name']} already.")
    name, secret = uuid.uuid4().hex, said.get("secret") or secrets.token_urlsafe(48)
    known = {"user": user, "project": token.project, "name": said["name"], "secret": digest(secret), **more}
    call.people.write({(CREDENTIAL, name): known})
    return ApiReply(201, {"application_credential": credential_data(call, name, known, secret=secret)})


def delete_credential(call: Call) -> ApiReply:
    name, _ = _credential(call)
    if call.caller.token is None or call.caller.token.is_delegated:
        raise forbidden("An application credential is deleted with a token that came by a password.")
    call.people.write({(CREDENTIAL, name): None})
    return ApiReply(204)
