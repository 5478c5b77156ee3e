"""What clients ask of the service itself: zones, services, quotas; and lists that are empty."""

from __future__ import annotations

from stead.serve.quotas import NO_LIMIT, VOLUME, QuotaSet, limits, used
from stead.serve.routes import ApiReply, Call, Handler

EXTENSIONS = {
    "os-availability-zone": "AvailabilityZones",
    "os-hosts": "Hosts",
    "os-quota-sets": "Quotas",
    "os-services": "Services",
    "os-vol-host-attr": "VolumeHostAttribute",
    "os-vol-tenant-attr": "VolumeTenantAttribute",
    "os-volume-actions": "VolumeActions",
    "scheduler-stats": "Scheduler_stats",
}


def extensions(_call: Call) -> ApiReply:
    found = [
        {"alias": alias, "name": name, "description": name, "updated": "2026-01-01T00:00:00+00:00", "links": []}
        for alias, name in EXTENSIONS.items()
    ]
    return ApiReply(body={"extensions": found})


def zones(call: Call) -> ApiReply:
    names = sorted({one.zone for one in call.cloud.observed.hosts.values() if one.pools})
    return ApiReply(
        body={"availabilityZoneInfo": [{"zoneName": one, "zoneState": {"available": True}} for one in names]}
    )


_EXTRA = {"backups": NO_LIMIT, "backup_gigabytes": NO_LIMIT, "groups": NO_LIMIT, "per_volume_gigabytes": NO_LIMIT}
QUOTA = QuotaSet(VOLUME, _EXTRA)


def show_quota(call: Call) -> ApiReply:
    return QUOTA.detail(call) if call.flag("usage") else QUOTA.show(call)


def reset_quota(call: Call) -> ApiReply:
    QUOTA.reset(call)
    return ApiReply()


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
