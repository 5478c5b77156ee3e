"""Servers that an admin moves to other hosts, as `stead migrate` does: one that runs goes on running.

The plan is made before the answer, and the host is chosen by it. The worker does it when nothing else is to be done.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from stead.core.address import Address
from stead.core.effect import Action, Disruption
from stead.plan.planner import Planned
from stead.serve.compute.events import asked
from stead.serve.compute.hosts import computes
from stead.serve.compute.servers import Status, V
from stead.serve.edits import all_of
from stead.serve.faults import bad, conflict
from stead.serve.notes import ACCEPTED, MOVES, NOTES, RESET, began, note
from stead.serve.routes import AccessPolicy, ApiReply, ApiRoute, Call
from stead.serve.world import CloudState, KnownResource, moment

MIGRATE, MIGRATE_LIVE = "migrate", "os-migrateLive"
_READY = {MIGRATE: ("active", "stopped"), MIGRATE_LIVE: ("active", "paused")}


def migrate(call: Call, world: CloudState, thing: KnownResource) -> ApiReply:
    (what, said) = next(iter(call.body.items()))
    status = Status(world, thing)
    if status.vm_state not in _READY[what] or status.task is not None:
        raise conflict(f"Cannot '{what}' instance {thing.id} while it is in vm_state {status.vm_state}")
    to = str((said.get("host") if isinstance(said, Mapping) else None) or "")
    if to and to not in [one.name for one in computes(call)]:
        raise bad(f"Compute host {to[:80]} could not be found.")
    key, move = thing.address.name, new_move(call, thing.host, _chosen(call, thing, to), ACCEPTED)
    edit = all_of(began(key, move), note(key, **{RESET: None}), asked(call, key, what.removeprefix("os-")))
    call.edit(f"migrate server {thing.name}", edit)
    return ApiReply(202)


def new_move(call: Call, source: str, to: str, status: str) -> Mapping[str, Any]:
    now = call.cloud.clock()
    return {"id": uuid.uuid4().hex, "from": source, "to": to, "status": status, "created": now, "updated": now}


def _chosen(call: Call, thing: KnownResource, to: str) -> str:
    planned, found = call.cloud.plan_move(thing.address, to)
    for step in planned.plan.steps if planned.plan is not None else ():
        if step.disturbs is Disruption.DATA_LOSS:
            raise conflict("Other changes, which would lose data, are pending. Apply them first.")
        if step.address == thing.address and step.action is Action.MIGRATE:
            return step.to
    told = [*_stays(planned, thing.address), *(f"{one.summary}: {one.detail}" for one in found)]
    raise bad(f"No valid host was found. {'; '.join(told) or f'It is on {thing.host} already.'}")


def _stays(planned: Planned, address: Address) -> list[str]:
    if planned.blueprint is None:
        return []
    done, unplaced = planned.blueprint.rebalance, planned.blueprint.placement.unplaced
    told = [one.text for one in unplaced if str(address) in one.members]
    return told + [one.text for one in done.stuck if one.member == str(address)] if done is not None else told


def list_migrations(call: Call) -> ApiReply:
    """The latest first."""
    world = call.world
    found = [
        _data(world, Address(project, "instances", key), one)
        for project, document in world.documents.items()
        for key, noted in document.content.get(NOTES, {}).items()
        for one in noted.get(MOVES, ())
    ]
    for word in ("status", "source_compute", "instance_uuid"):
        if text := call.asked(word):
            found = [one for one in found if one[word] == text]
    return ApiReply(body={"migrations": sorted(found, key=lambda one: str(one["created_at"]), reverse=True)})


def _data(world: CloudState, address: Address, one: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": int(one["id"][:7], 16),
        "instance_uuid": world.id_of(address),
        "status": one["status"],
        **dict.fromkeys(("source_compute", "source_node"), one["from"]),
        **dict.fromkeys(("dest_compute", "dest_node"), one["to"]),
        **dict.fromkeys(("dest_host", "old_instance_type_id", "new_instance_type_id")),
        "created_at": moment(one["created"]),
        "updated_at": moment(one["updated"]),
    }


ROUTES = (ApiRoute("GET", f"{V}/os-migrations", AccessPolicy.ADMIN, list_migrations),)
