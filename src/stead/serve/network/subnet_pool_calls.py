"""Calls for subnet pools."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stead.serve.edits import all_of, put
from stead.serve.faults import NOT_ALLOWED, Fault, bad, forbidden, not_built
from stead.serve.keys import new_key
from stead.serve.network.answers import answered, bodies, in_own, own_projects, told
from stead.serve.network.networks import SUBNET_NOTES
from stead.serve.network.subnet_pools import (
    POOLS,
    SubnetPool,
    change_known,
    find_pool,
    own_pool,
    pool_data,
    pool_fields,
    pools_of,
    remove_pool,
)
from stead.serve.routes import ApiReply, Call, true

MOST = 256  # of a project: no quota counts them


def list_pools(call: Call) -> ApiReply:
    world = call.world
    return answered(call, "subnetpools", [pool_data(world, one) for one in pools_of(world, own_projects(call))])


def show_pool(call: Call) -> ApiReply:
    return ApiReply(body={"subnetpool": pool_data(call.world, find_pool(call, call.world, call.path["id"]))})


def create_pool(call: Call) -> ApiReply:
    said, _ = bodies(call, "subnetpool", "subnetpools")
    keys, edits = [], []
    for one in said:
        in_own(call, one)
    if sum(1 for _ in pools_of(call.world, [call.project])) + len(said) > MOST:
        raise Fault(409, NOT_ALLOWED.id, f"A project has at most {MOST} subnet pools.", quota=True)
    for one in said:
        key, fields = new_key(POOLS), {**_fields(one, {}), "created": call.cloud.clock()}
        keys.append(key)
        edits.append(_putting(key, fields))
    world = call.edit("create subnet pool", all_of(*edits))
    made = [one for key in keys for one in pools_of(world, [call.project]) if one.key == key]
    return told(call, "subnetpool", "subnetpools", [pool_data(world, one) for one in made])


def _putting(key: str, fields: Mapping[str, Any]) -> Any:
    return lambda content: put(content, POOLS, key, fields)


def _fields(said: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    if true(said.get("shared")):
        raise forbidden("A subnet pool is of one project.")
    if true(said.get("is_default")) or said.get("address_scope_id") or said.get("default_quota") is not None:
        raise not_built("There are no default pools, address scopes and quotas of pools. docs/api.md lists what is.")
    if not before and "prefixes" not in said:
        raise bad("A subnet pool needs prefixes.")
    return pool_fields(said, before)


def change_pool(call: Call) -> ApiReply:
    pool: SubnetPool = own_pool(call)
    fields = {**_fields(call.body["subnetpool"], pool.known), "updated": call.cloud.clock()}
    call.edit("change subnet pool", change_known(pool.key, fields))
    return show_pool(call)


def delete_pool(call: Call) -> ApiReply:
    call.edit("delete subnet pool", remove_pool(own_pool(call).key, SUBNET_NOTES))
    return ApiReply(204)
