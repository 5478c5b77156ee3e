"""Snapshots: what is told of them, and calls for them."""

from __future__ import annotations

from typing import Any

from stead.core.address import Address
from stead.serve.edits import put, remove
from stead.serve.faults import bad, forbidden, not_built
from stead.serve.keys import new_key
from stead.serve.routes import ApiReply, Call
from stead.serve.volume.answers import STATUS, described, listed, own, seen
from stead.serve.volume.volumes import attached, gigabytes
from stead.serve.world import CloudState, KnownResource, ResourceStatus


def snapshot_data(world: CloudState, thing: KnownResource) -> dict[str, Any]:
    """What a change answers, and the list without details."""
    volume = world.thing(thing.model.volume)
    return {
        "id": thing.id,
        "name": thing.settings.display_name,
        "description": thing.model.description or None,
        "status": STATUS.get(thing.state, "available"),
        "size": gigabytes(world, volume),
        "volume_id": volume.id,
        "created_at": thing.created.rstrip("Z") + ".000000",
        "updated_at": thing.updated.rstrip("Z") + ".000000",
        "metadata": dict(thing.settings.labels),
    }


def detail(world: CloudState, thing: KnownResource) -> dict[str, Any]:
    return {
        **snapshot_data(world, thing),
        "os-extended-snapshot-attributes:progress": "100%" if thing.state is ResourceStatus.MADE else "0%",
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
    """By force, a snapshot is deleted in any state; what is made from it keeps it all the same."""
    own(call, "snapshots", "Snapshot")
    if [*call.body] != ["os-force_delete"]:
        raise not_built("Of the actions of snapshots, os-force_delete alone is there: a status cannot be written.")
    if not call.caller.admin:
        raise forbidden("Only an admin deletes a snapshot by force.")
    return delete_snapshot(call)


def delete_snapshot(call: Call) -> ApiReply:
    world, thing = own(call, "snapshots", "Snapshot")
    world.must_be_unused(thing, "Snapshot")
    name = thing.address.name
    call.edit(
        "delete snapshot", lambda content: remove(content, "snapshots", name), loses=lambda one: one == thing.address
    )
    return ApiReply(202)
