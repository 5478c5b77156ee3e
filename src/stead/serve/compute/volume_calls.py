"""Nova's own calls for volumes and snapshots, as they were until microversion 2.36: Cinder's, in other words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stead.serve.compute.servers import V
from stead.serve.routes import (
    ID,
    LONG,
    MAYBE_FLAG,
    MAYBE_ID,
    MAYBE_TEXT,
    METADATA,
    AccessPolicy,
    ApiReply,
    ApiRoute,
    Call,
    Handler,
    record,
    wrapped,
)
from stead.serve.volume import snapshots, volumes

# Nova's word -> Cinder's.
_SAID = {"display_name": "name", "display_description": "description"}
_TOLD = {
    "id": "id",
    "status": "status",
    "size": "size",
    "displayName": "name",
    "displayDescription": "description",
    "createdAt": "created_at",
}
_OF_VOLUME = {
    **_TOLD,
    "availabilityZone": "availability_zone",
    "volumeType": "volume_type",
    "snapshotId": "snapshot_id",
    "metadata": "metadata",
}
_OF_SNAPSHOT = {**_TOLD, "volumeId": "volume_id"}
Item = Mapping[str, Any]


def _volume(told: Item) -> dict[str, Any]:
    attachments = [
        {"id": told["id"], "volumeId": told["id"], "serverId": one["server_id"], "device": one["device"]}
        for one in told["attachments"]
    ]
    return {**{word: told[name] for word, name in _OF_VOLUME.items()}, "attachments": attachments or [{}]}


def _snapshot(told: Item) -> dict[str, Any]:
    return {word: told[name] for word, name in _OF_SNAPSHOT.items()}


def _asked(call: Call, handler: Handler) -> Any:
    """The answer of the volume service, whose paths name the project."""
    call.path = {**call.path, "project": call.world.project_id(call.project)}
    return handler(call).body


def _in_cinders_words(call: Call, name: str) -> None:
    call.body = {name: {_SAID.get(word, word): one for word, one in call.body[name].items()}}


def list_volumes(call: Call) -> ApiReply:
    found = _asked(call, volumes.detail_volumes)["volumes"]
    return ApiReply(body={"volumes": [_volume(one) for one in found]})


def show_volume(call: Call) -> ApiReply:
    return ApiReply(body={"volume": _volume(_asked(call, volumes.show_volume)["volume"])})


def create_volume(call: Call) -> ApiReply:
    _in_cinders_words(call, "volume")
    return ApiReply(body={"volume": _volume(_asked(call, volumes.create_volume)["volume"])})


def list_snapshots(call: Call) -> ApiReply:
    found = _asked(call, snapshots.list_snapshots)["snapshots"]
    return ApiReply(body={"snapshots": [_snapshot(one) for one in found]})


def show_snapshot(call: Call) -> ApiReply:
    return ApiReply(body={"snapshot": _snapshot(_asked(call, snapshots.show_snapshot)["snapshot"])})


def create_snapshot(call: Call) -> ApiReply:
    _in_cinders_words(call, "snapshot")
    return ApiReply(body={"snapshot": _snapshot(_asked(call, snapshots.create_snapshot)["snapshot"])})


_NEW_VOLUME = record(
    ["size"],
    size={"type": ["integer", "string"], "pattern": "^[1-9][0-9]{0,5}$", "minimum": 1, "maximum": 999999},
    display_name=MAYBE_TEXT,
    display_description=LONG,
    snapshot_id=MAYBE_ID,
    volume_type=MAYBE_ID,
    availability_zone=MAYBE_TEXT,
    metadata=METADATA,
)
_NEW_SNAPSHOT = record(["volume_id"], volume_id=ID, display_name=MAYBE_TEXT, display_description=LONG, force=MAYBE_FLAG)
READER, MEMBER = AccessPolicy.READER, AccessPolicy.MEMBER
VOLUMES, SNAPSHOTS = f"{V}/os-volumes", f"{V}/os-snapshots"
ROUTES = (
    ApiRoute("GET", VOLUMES, READER, list_volumes),
    ApiRoute("GET", f"{VOLUMES}/detail", READER, list_volumes),
    ApiRoute("POST", VOLUMES, MEMBER, create_volume, wrapped("volume", _NEW_VOLUME)),
    ApiRoute("GET", f"{VOLUMES}/{{id}}", READER, show_volume),
    ApiRoute("DELETE", f"{VOLUMES}/{{id}}", MEMBER, volumes.delete_volume),
    ApiRoute("GET", SNAPSHOTS, READER, list_snapshots),
    ApiRoute("GET", f"{SNAPSHOTS}/detail", READER, list_snapshots),
    ApiRoute("POST", SNAPSHOTS, MEMBER, create_snapshot, wrapped("snapshot", _NEW_SNAPSHOT)),
    ApiRoute("GET", f"{SNAPSHOTS}/{{id}}", READER, show_snapshot),
    ApiRoute("DELETE", f"{SNAPSHOTS}/{{id}}", MEMBER, snapshots.delete_snapshot),
)
