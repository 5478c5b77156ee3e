"""Pools on hosts, in Cinder's words: services, hosts and backends. All of it is the admin's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from stead.core.observed import Host, HostStatus, StoragePool
from stead.serve.faults import not_found
from stead.serve.routes import ApiReply, Call
from stead.serve.volume.answers import is_told
from stead.serve.volume.types import VENDOR
from stead.serve.volume.volumes import gigabytes, place_of
from stead.serve.world import moment

BINARY = "cinder-volume"


def _backends(call: Call) -> Iterator[tuple[Host, StoragePool]]:
    for host in sorted(call.cloud.observed.hosts.values(), key=lambda one: one.name):
        for _, pool in sorted(host.pools.items()):
            yield host, pool


def services(call: Call) -> ApiReply:
    """Of all, or of a host or of one backend of it, and of a program, which is the same everywhere."""
    asked, looked = call.asked("host"), _looked(call)
    found = [
        {
            "binary": BINARY,
            "host": f"{host.name}@{pool.name}",
            "zone": host.zone,
            "status": _status(host),
            "state": "up" if host.state.answers else "down",
            "updated_at": looked,
            "disabled_reason": host.why or None,
        }
        for host, pool in _backends(call)
        if asked in ("", host.name, f"{host.name}@{pool.name}") and call.asked("binary", BINARY) == BINARY
    ]
    return ApiReply(body={"services": found})


def _looked(call: Call) -> str | None:
    """When hosts were last asked."""
    at = call.cloud.looked
    return None if at is None else moment(at).rstrip("Z") + ".000000"


def _status(host: Host) -> str:
    return "enabled" if host.state is HostStatus.UP else "disabled"


def hosts(call: Call) -> ApiReply:
    looked = _looked(call)
    found = [
        {
            "host_name": f"{host.name}@{pool.name}",
            "service": BINARY,
            "zone": host.zone,
            "service-status": "available" if host.state.answers else "unavailable",
            "service-state": _status(host),
            "last-update": looked,
        }
        for host, pool in _backends(call)
    ]
    return ApiReply(body={"hosts": found})


def show_host(call: Call) -> ApiReply:
    """What lies there: of all projects, and of each."""
    _named(call, call.path["name"])
    world = call.world
    there = [one for one in world.things("volumes") if place_of(one) == call.path["name"]]
    snapshots_of_volumes = filter(is_told, world.things("snapshots"))
    taken = [one for one in snapshots_of_volumes if place_of(world.thing(one.model.volume)) == call.path["name"]]
    projects = sorted({one.address.project for one in (*there, *taken)})
    rows: list[dict[str, Any]] = []
    for project in (None, *projects):
        volumes = [one for one in there if project in (None, one.address.project)]
        snapshots = [one for one in taken if project in (None, one.address.project)]
        amounts = {
            "volume_count": len(volumes),
            "total_volume_gb": sum(gigabytes(world, one) for one in volumes),
            "snapshot_count": len(snapshots),
            "total_snapshot_gb": sum(gigabytes(world, world.thing(one.model.volume)) for one in snapshots),
        }
        whose = "(total)" if project is None else world.project_id(project)
        row = {"host": call.path["name"], "project": whose, **{name: str(one) for name, one in amounts.items()}}
        rows.append({"resource": row})
    return ApiReply(body={"host": rows})


def list_pools(call: Call) -> ApiReply:
    detailed = call.flag("detail")
    found = []
    for host, pool in _backends(call):
        name = f"{host.name}@{pool.name}#{pool.name}"
        found.append({"name": name, "capabilities": _capabilities(call, host, pool)} if detailed else {"name": name})
    return ApiReply(body={"pools": found})


def _capabilities(call: Call, host: Host, pool: StoragePool) -> dict[str, Any]:
    world, place = call.world, f"{host.name}@{pool.name}"
    size = pool.size >> 30
    used = sum(gigabytes(world, one) for one in world.things("volumes") if place_of(one) == place)
    return {
        **_about(pool),
        "total_capacity_gb": size,
        "allocated_capacity_gb": used,
        "free_capacity_gb": max(size - used, 0),
        "reserved_percentage": 0,
        "QoS_support": False,
    }


def _about(pool: StoragePool) -> dict[str, Any]:
    return {
        "volume_backend_name": pool.name,
        "storage_protocol": pool.type,
        "vendor_name": VENDOR,
        "driver_version": "1",
    }


def capabilities(call: Call) -> ApiReply:
    _, pool = _named(call, call.path["name"].partition("#")[0])
    more: dict[str, Any] = {
        "namespace": f"OS::Storage::Capabilities::{call.path['name']}",
        "pool_name": pool.name,
        "display_name": pool.name,
        "description": None,
        "visibility": None,
        "replication_targets": [],
        "properties": {},
    }
    return ApiReply(body={**_about(pool), **more})


def _named(call: Call, name: str) -> tuple[Host, StoragePool]:
    found = next((one for one in _backends(call) if f"{one[0].name}@{one[1].name}" == name), None)
    if found is None:
        raise not_found("Host", name)
    return found
