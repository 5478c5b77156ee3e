"""What was asked for of a server: who, when, by which request. The latest are notes of its document."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from stead.serve import notes
from stead.serve.compute.servers import V, notes_of
from stead.serve.edits import Edit
from stead.serve.faults import not_found
from stead.serve.routes import AccessPolicy, ApiReply, ApiRoute, Call
from stead.serve.world import CloudState, KnownResource


def asked(call: Call, key: str, action: str) -> Edit:
    """Goes with the edit that does it."""
    return notes.did(key, {"action": action, "request": call.request, "by": call.caller.user, "at": call.cloud.clock()})


def _server(call: Call) -> tuple[CloudState, KnownResource]:
    caller, world = call.caller, call.world
    return world, world.find("instances", call.path["id"], caller.project, what="Instance", admin=caller.admin)


def _data(world: CloudState, thing: KnownResource, said: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "action": said["action"],
        "instance_uuid": thing.id,
        "request_id": said["request"],
        "user_id": said["by"],
        "project_id": world.project_id(thing.address.project),
        "start_time": datetime.fromtimestamp(said["at"], UTC).strftime("%Y-%m-%dT%H:%M:%S.%f"),
        "message": None,
    }


def _all(call: Call) -> list[dict[str, Any]]:
    """The latest first."""
    world, thing = _server(call)
    return [_data(world, thing, one) for one in reversed(notes_of(world, thing).get(notes.DID, ()))]


def list_events(call: Call) -> ApiReply:
    return ApiReply(body={"instanceActions": _all(call)})


def show_event(call: Call) -> ApiReply:
    for one in _all(call):
        if one["request_id"] == call.path["request"]:
            return ApiReply(body={"instanceAction": one})
    raise not_found("Action of the instance by request", call.path["request"])


A = f"{V}/servers/{{id}}/os-instance-actions"
ROUTES = (
    ApiRoute("GET", A, AccessPolicy.READER, list_events),
    ApiRoute("GET", f"{A}/{{request}}", AccessPolicy.READER, show_event),
)
