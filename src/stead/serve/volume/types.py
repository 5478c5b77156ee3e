"""Volume types: the pools of the site that a project may use."""

from __future__ import annotations

from typing import Any

from stead.language.spec.grants import NOTHING
from stead.serve.faults import not_found
from stead.serve.routes import Call
from stead.serve.world import made_of

DEFAULT = "default"
VENDOR = "Stead"


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
