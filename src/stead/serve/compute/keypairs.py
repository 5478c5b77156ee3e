"""Key pairs. Stead keeps public halves: of a pair that is made here, the private half is in the answer and nowhere."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from stead.core.address import Address
from stead.serve.compute.servers import V
from stead.serve.edits import free_key, put, remove, slug
from stead.serve.faults import conflict, not_found
from stead.serve.keys import fresh
from stead.serve.listing import page
from stead.serve.routes import AccessPolicy, ApiReply, ApiRoute, Call, record, wrapped
from stead.serve.world import KnownResource


def _one(call: Call, projects: list[str]) -> KnownResource:
    for thing in call.world.things("keypairs", projects):
        if thing.name == call.path["name"]:
            return thing
    raise not_found("Keypair", call.path["name"])


def data(thing: KnownResource) -> dict[str, Any]:
    key = thing.model.public_key  # to the letter: clients compare it with their file
    return {"name": thing.name, "public_key": key, "fingerprint": fingerprint(key)}


def fingerprint(key: str) -> str:
    words = key.split()
    try:
        raw = base64.b64decode(words[1] if len(words) > 1 else "", validate=True)
    except ValueError:
        raw = b""
    text = hashlib.md5(raw, usedforsecurity=False).hexdigest()
    return ":".join(text[at : at + 2] for at in range(0, 32, 2))


def list_all(call: Call) -> ApiReply:
    found = [data(thing) for thing in call.world.things("keypairs", [call.caller.project, ""])]
    return ApiReply(body={"keypairs": [{"keypair": one} for one in page(call, found, key="name")[0]]})


def show(call: Call) -> ApiReply:
    thing = _one(call, [call.caller.project, ""])
    more = {
        "user_id": thing.about.get("by", ""),
        "id": 1,
        "created_at": thing.created,
        "updated_at": None,
        "deleted_at": None,
        "deleted": False,
    }
    return ApiReply(body={"keypair": {**data(thing), **more}})


def create(call: Call) -> ApiReply:
    said, project = call.body["keypair"], call.project
    name = said["name"]
    if any(thing.name == name for thing in call.world.things("keypairs", [project])):
        raise conflict(f"Key pair '{name}' already exists.")
    public, private = (said["public_key"], "") if said.get("public_key") else pair()
    stamp = fresh()
    made: list[str] = []

    def edit(content: Any) -> Any:
        key = free_key(content, "keypairs", slug(name), stamp)
        made[:] = [key]
        return put(content, "keypairs", key, {"public_key": public, "display_name": name})

    world = call.edit(f"create key pair {name}", edit)
    found = {**data(world.thing(Address(project, "keypairs", made[0]))), "user_id": call.caller.user}
    return ApiReply(200, {"keypair": {**found, "private_key": private} if private else found})


def pair() -> tuple[str, str]:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )
    return public.decode(), private.decode()


def delete(call: Call) -> ApiReply:
    """Servers that were made with it keep it: a guest has read its keys long ago."""
    thing = _one(call, [call.project])
    name = thing.address.name

    def edit(content: Any) -> Any:
        servers = {
            key: {**one, "keypairs": [each for each in one.get("keypairs", []) if each != name]}
            if name in one.get("keypairs", [])
            else one
            for key, one in content.get("instances", {}).items()
        }
        return remove({**content, "instances": servers} if servers else content, "keypairs", name)

    call.edit(f"delete key pair {thing.name}", edit)
    return ApiReply(202)


_KEYPAIR = record(
    ["name"],
    name={"type": "string", "minLength": 1, "maxLength": 255, "pattern": r"^[a-zA-Z0-9@._ -]+$"},
    public_key={"type": ["string", "null"], "maxLength": 16384},
)
K = f"{V}/os-keypairs"
ROUTES = (
    ApiRoute("GET", K, AccessPolicy.READER, list_all),
    ApiRoute("POST", K, AccessPolicy.MEMBER, create, wrapped("keypair", _KEYPAIR)),
    ApiRoute("GET", f"{K}/{{name}}", AccessPolicy.READER, show),
    ApiRoute("DELETE", f"{K}/{{name}}", AccessPolicy.MEMBER, delete),
)
