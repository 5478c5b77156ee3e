"""Pairs of an access key and a secret (OS-EC2): credentials of the type ec2, made by Stead and kept as others are."""

from __future__ import annotations

import hashlib
import json
import secrets
import uuid
from typing import Any

from stead.serve.faults import forbidden, not_found
from stead.serve.identity.answers import V, listed
from stead.serve.identity.blobs import CREDENTIALS, checked_credential
from stead.serve.identity.records import ANYONE, Item, items
from stead.serve.identity.user_calls import of_user
from stead.serve.routes import ID, ApiReply, ApiRoute, Call, record
from stead.serve.world import bare

TYPE = "ec2"


def _id(access: str) -> str:
    return hashlib.sha256(access.encode()).hexdigest()


def _data(call: Call, one: Item) -> dict[str, Any]:
    try:
        pair = json.loads(one["blob"])
    except (ValueError, RecursionError):
        pair = {}  # somebody wrote it as a credential of any form
    pair = pair if isinstance(pair, dict) else {}
    links = {"self": f"{call.root}{V}/users/{one['user_id']}/credentials/OS-EC2/{pair.get('access')}"}
    words = {"access": pair.get("access"), "secret": pair.get("secret"), "trust_id": None, "links": links}
    return {**words, "user_id": one["user_id"], "tenant_id": one["project_id"]}


def _pairs(call: Call) -> list[Item]:
    user = of_user(call)
    return [one for one in items(call, CREDENTIALS) if (one["user_id"], one["type"]) == (user, TYPE)]


def _one(call: Call) -> Item:
    for one in _pairs(call):
        if one["id"] == _id(call.path["access"]):
            return one
    raise not_found("Credential", call.path["access"])


def create_pair(call: Call) -> ApiReply:
    access, secret = uuid.uuid4().hex, secrets.token_hex(16)
    said = {"user_id": of_user(call), "project_id": bare(call.body["tenant_id"]), "type": TYPE}
    known = checked_credential(call, {**said, "blob": json.dumps({"access": access, "secret": secret})}, "")
    call.people.write({(CREDENTIALS.kind, _id(access)): known})
    return ApiReply(201, {"credential": _data(call, {**known, "id": _id(access)})})


def list_pairs(call: Call) -> ApiReply:
    return listed(call, "credentials", [_data(call, one) for one in _pairs(call)])


def show_pair(call: Call) -> ApiReply:
    return ApiReply(body={"credential": _data(call, _one(call))})


def delete_pair(call: Call) -> ApiReply:
    one, token = _one(call), call.caller.token
    if token is None or token.is_delegated:
        raise forbidden("A credential is deleted with a token that came by a password.")
    call.people.write({(CREDENTIALS.kind, one["id"]): None})
    return ApiReply(204)


P = f"{V}/users/{{id}}/credentials/OS-EC2"
ROUTES = (
    ApiRoute("GET", P, ANYONE, list_pairs),
    ApiRoute("POST", P, ANYONE, create_pair, record(["tenant_id"], tenant_id=ID)),
    ApiRoute("GET", f"{P}/{{access}}", ANYONE, show_pair),
    ApiRoute("DELETE", f"{P}/{{access}}", ANYONE, delete_pair),
)
