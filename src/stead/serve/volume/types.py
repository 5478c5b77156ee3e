"""Volume types: the pools of the site that a project may use."""

from __future__ import annotations

from typing import Any

from stead.language.spec.grants import NOTHING
from stead.serve.faults import conflict, forbidden, not_found
from stead.serve.routes import ApiReply, Call
from stead.serve.world import made_of

DEFAULT = "default"


def pools(call: Call) -> list[str]:
    """That of all projects, those that the site grants the caller's, and for an admin every other one."""
    there = {pool for host in call.cloud.observed.hosts.values() for pool in host.pools}
    granted = call.world.desired.grants.get(call.caller.project, NOTHING).pools
    return [DEFAULT, *sorted(there - {DEFAULT} if call.caller.admin else there & {*granted} - {DEFAULT})]


def named(call: Call, asked: str) -> str:
    """The pool of a type that is given by its name or its id."""
    found = next((pool for pool in pools(call) if asked in (pool, id_of(pool))), None)
    if found is None:
        raise not_found("Volume type", asked)
    return found


def id_of(pool: str) -> str:
    return made_of("volume type", pool)


def type_data(pool: str) -> dict[str, Any]:
    return {
        "id": id_of(pool),
        "name": pool,
        "description": f"The pool named {pool}",
        "is_public": pool == DEFAULT,
        "os-volume-type-access:is_public": pool == DEFAULT,
        "extra_specs": {},
        "qos_specs_id": None,
    }


def list_types(call: Call) -> ApiReply:
    return ApiReply(body={"volume_types": [type_data(pool) for pool in pools(call)]})


def show_type(call: Call) -> ApiReply:
    asked = call.path["id"]
    return ApiReply(body={"volume_type": type_data(named(call, asked))})


def refused(call: Call) -> ApiReply:
    if "id" in call.path:
        named(call, call.path["id"])
    elif call.body["volume_type"]["name"] in pools(call):
        raise conflict(f"Volume Type {call.body['volume_type']['name']} already exists.")
    raise forbidden("Volume types are pools of the site: the inventory has them, and `grants` give them to projects.")
