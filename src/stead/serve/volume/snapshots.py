"""Snapshots: what is told of them, and calls for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from stead.core.address import Address
from stead.serve import volume_notes
from stead.serve.edits import all_of, put, remove
from stead.serve.faults import bad, forbidden
from stead.serve.keys import new_key
from stead.serve.routes import ApiReply, Call
from stead.serve.volume.answers import STATUS, described, listed, own, seen
from stead.serve.volume.statuses import must_be_free, reset, said_status, update
from stead.serve.volume.volumes import attached, gigabytes
from stead.serve.volume_notes import PROGRESS
from stead.serve.world import CloudState, KnownResource, ResourceStatus


def snapshot_data(world: CloudState, thing: KnownResource) -> dict[str, Any]:
    """What a change answers, and the list without details."""
    volume = world.thing(thing.model.volume)
    return {
        "id": thing.id,
        "name": thing.settings.display_name,
        "description": thing.model.description or None,
        "status": said_status(world, thing) or STATUS.get(thing.state, "available"),
        "size": gigabytes(world, volume),
        "volume_id": volume.id,
        "created_at": thing.created.rstrip("Z") + ".000000",
        "updated_at": thing.updated.rstrip("Z") + ".000000",
        "metadata": dict(thing.settings.labels),
    }


def detail(world: CloudState, thing: KnownResource) -> dict[str, Any]:
    return {
        **snapshot_data(world, thing),
        "os-extended-snapshot-attributes:progress": volume_notes.of(world, thing).get(PROGRESS)
        or ("100%" if thing.state is ResourceStatus.MADE else "0%"),
        "os-extended-snapshot-attributes:project_id": world.project_id(thing.address.project),
    }


def list_snapshots(call: Call) -> ApiReply:
    return listed(call, "snapshots", snapshot_data, "snapshots")


def detail_snapshots(call: Call) -> ApiReply:
    return listed(call, "snapshots", detail, "snapshots/detail")


def show_snapshot(call: Call) -> ApiReply:
    return ApiReply(body={"snapshot": detail(*seen(call, "snapshots", "Snapshot"))})


def create_snapshot(call: Call) -> ApiReply:
    said, world, key = call.body["snapshot"], call.world, new_key("snapshots")
    volume = world.find("volumes", said["volume_id"] or "", call.project, what="Volume")
    if attached(world, volume) and said.get("force") not in (True, "true", "True"):
        raise bad(f"Invalid volume: Volume {volume.id} is in use; force takes a snapshot all the same.")
    fields = {
        "volume": volume.address.name,
        "display_name": said.get("name") or None,
        "description": said.get("description") or None,
        "labels": said.get("metadata") or None,
    }
    world = call.edit("create snapshot", lambda content: put(content, "snapshots", key, fields))
    thing = world.thing(Address(call.project, "snapshots", key))
    return ApiReply(202, {"snapshot": snapshot_data(world, thing)})


def change_snapshot(call: Call) -> ApiReply:
    return ApiReply(body={"snapshot": snapshot_data(*described(call, "snapshots", "Snapshot", "snapshot"))})


def act(call: Call) -> ApiReply:
    world, thing = own(call, "snapshots", "Snapshot")
    name, said = next(iter(call.body.items()))
    if name not in ACTIONS or len(call.body) != 1:
        raise bad(f"The body names one action, of {', '.join(ACTIONS)}.")
    return ACTIONS[name](call, world, thing, said)


def _force_delete(call: Call, _world: CloudState, _thing: KnownResource, _said: Any) -> ApiReply:
    """In any state; what is made from it keeps it all the same."""
    if not call.caller.admin:
        raise forbidden("Only an admin deletes a snapshot by force.")
    return delete_snapshot(call, forced=True)


def delete_snapshot(call: Call, *, forced: bool = False) -> ApiReply:
    world, thing = own(call, "snapshots", "Snapshot")
    world.must_be_unused(thing, "Snapshot")
    if not forced:
        must_be_free(world, thing)
    name = thing.address.name
    gone = all_of(partial(remove, kind="snapshots", key=name), partial(volume_notes.forget, address=thing.address))
    call.edit("delete snapshot", gone, loses=lambda one: one == thing.address)
    return ApiReply(202)


ACTIONS: Mapping[str, Callable[[Call, CloudState, KnownResource, Any], ApiReply]] = {
    "os-force_delete": _force_delete,
    "os-reset_status": reset,
    "os-update_snapshot_status": update,
}
