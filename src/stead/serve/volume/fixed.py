"""What clients ask of the service itself: the type, zones, services, quotas; and lists that are empty."""

from __future__ import annotations

from typing import Any

from stead.serve.faults import forbidden, not_found
from stead.serve.quotas import NO_LIMIT, VOLUME, QuotaSet, limits, used
from stead.serve.routes import ApiReply, Call, Handler
from stead.serve.volume.volumes import TYPE
from stead.serve.world import made_of


def type_data() -> dict[str, Any]:
    return {
        "id": made_of("volume type", TYPE),
        "name": TYPE,
        "description": "The pool named default",
        "is_public": True,
        "os-volume-type-access:is_public": True,
        "extra_specs": {},
        "qos_specs_id": None,
    }


def show_type(call: Call) -> ApiReply:
    if call.path["id"] not in (TYPE, made_of("volume type", TYPE)):
        raise not_found("Volume type", call.path["id"])
    return ApiReply(body={"volume_type": type_data()})


def zones(call: Call) -> ApiReply:
    names = sorted({one.zone for one in call.cloud.observed.hosts.values() if one.pools})
    return ApiReply(
        body={"availabilityZoneInfo": [{"zoneName": one, "zoneState": {"available": True}} for one in names]}
    )


def services(call: Call) -> ApiReply:
    found = [
        {
            "binary": "cinder-volume",
            "host": f"{host.name}@{pool}",
            "zone": host.zone,
            "status": "enabled",
            "state": "up" if host.state.answers else "down",
            "updated_at": None,
        }
        for host in sorted(call.cloud.observed.hosts.values(), key=lambda one: one.name)
        for pool in host.pools
    ]
    return ApiReply(body={"services": found})


_EXTRA = {"backups": NO_LIMIT, "backup_gigabytes": NO_LIMIT, "groups": NO_LIMIT, "per_volume_gigabytes": NO_LIMIT}
QUOTA = QuotaSet(VOLUME, _EXTRA)


def show_quota(call: Call) -> ApiReply:
    return QUOTA.detail(call) if call.flag("usage") else QUOTA.show(call)


def absolute(call: Call) -> ApiReply:
    world, project = call.world, call.caller.project
    most, now = limits(world, project, VOLUME), used(call, world, project, VOLUME)
    found = {
        "maxTotalVolumes": most["volumes"],
        "maxTotalVolumeGigabytes": most["gigabytes"],
        "maxTotalSnapshots": most["snapshots"],
        "maxTotalBackups": NO_LIMIT,
        "maxTotalBackupGigabytes": NO_LIMIT,
        "totalVolumesUsed": now["volumes"],
        "totalGigabytesUsed": now["gigabytes"],
        "totalSnapshotsUsed": now["snapshots"],
        "totalBackupsUsed": 0,
        "totalBackupGigabytesUsed": 0,
    }
    return ApiReply(body={"limits": {"rate": [], "absolute": found}})


def empty(name: str) -> Handler:
    return lambda _call: ApiReply(body={name: []})


def refused(_call: Call) -> ApiReply:
    raise forbidden("Volume types are the site's: there is one, the pool named default.")
