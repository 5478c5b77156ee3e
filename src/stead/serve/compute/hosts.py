"""Zones for everybody; hypervisors, hosts and services for an admin: what the hosts last said of themselves."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from stead.core.address import Address
from stead.core.observed import Host, HostStatus
from stead.serve.compute.servers import V, instance_name
from stead.serve.faults import not_built, not_found
from stead.serve.routes import MAYBE_TEXT, NAME, AccessPolicy, ApiReply, ApiRoute, Call, record, wrapped
from stead.serve.world import BORN, KnownResource, made_of, moment

BINARY = "nova-compute"
# What the numbers of all hypervisors together are sums of.
_SUMMED = (
    "current_workload",
    "disk_available_least",
    "free_disk_gb",
    "free_ram_mb",
    "local_gb",
    "local_gb_used",
    "memory_mb",
    "memory_mb_used",
    "running_vms",
    "vcpus",
    "vcpus_used",
)


def computes(call: Call) -> list[Host]:
    hosts = call.cloud.observed.hosts.values()
    return sorted((one for one in hosts if "compute" in one.roles), key=lambda one: one.name)


def _number(kind: str, name: str) -> int:
    """Until microversion 2.53, Nova numbers hosts. Made from the name, it stays when others come and go."""
    return UUID(made_of(kind, name)).int >> 97


def zones(call: Call) -> ApiReply:
    names = sorted({one.zone for one in computes(call)})
    found = [{"zoneName": name, "zoneState": {"available": True}, "hosts": None} for name in names]
    return ApiReply(body={"availabilityZoneInfo": found})


def aggregates(call: Call) -> ApiReply:
    return ApiReply(body={"aggregates": _aggregates(call)})


def _aggregates(call: Call) -> list[dict[str, Any]]:
    """A zone of the inventory is what Nova calls an aggregate with a zone."""
    found: dict[str, list[str]] = {}
    for host in computes(call):
        found.setdefault(host.zone, []).append(host.name)
    return [
        {
            "id": _number("aggregate", zone),
            "name": zone,
            "availability_zone": zone,
            "hosts": names,
            "metadata": {"availability_zone": zone},
            "created_at": moment(BORN),
            "updated_at": None,
            "deleted": False,
            "deleted_at": None,
        }
        for zone, names in sorted(found.items())
    ]


def show_aggregate(call: Call) -> ApiReply:
    for one in _aggregates(call):
        if str(one["id"]) == call.path["id"]:
            return ApiReply(body={"aggregate": one})
    raise not_found("Aggregate", call.path["id"])


def change_aggregate(call: Call) -> ApiReply:
    if "id" in call.path:
        show_aggregate(call)
    raise not_built("Aggregates are the zones of hosts, which the inventory has. Change it there.")


def _hypervisor(host: Host) -> dict[str, Any]:
    up = host.state.answers
    return {
        "id": _number("hypervisor", host.name),
        "hypervisor_hostname": host.name,
        "state": "up" if up else "down",
        "status": "enabled" if host.state is HostStatus.UP else "disabled",
    }


def hypervisors(call: Call) -> ApiReply:
    return ApiReply(body={"hypervisors": [_hypervisor(one) for one in computes(call)]})


def hypervisors_detail(call: Call) -> ApiReply:
    return ApiReply(body={"hypervisors": [_detail(call, one) for one in computes(call)]})


def show_hypervisor(call: Call) -> ApiReply:
    for one in computes(call):
        if call.path["id"] == str(_number("hypervisor", one.name)):
            return ApiReply(body={"hypervisor": _detail(call, one)})
    raise not_found("Hypervisor", call.path["id"])


def statistics(call: Call) -> ApiReply:
    """Of hypervisors that may be used, as Nova counts."""
    found = [_detail(call, one) for one in computes(call) if one.state is HostStatus.UP]
    summed = {name: sum(one[name] for one in found) for name in _SUMMED}
    return ApiReply(body={"hypervisor_statistics": {"count": len(found), **summed}})


def uptime(call: Call) -> ApiReply:
    """As Nova answers where a driver does not tell."""
    show_hypervisor(call)
    raise not_built("Hosts do not say how long they have been up.")


def search(call: Call) -> ApiReply:
    return ApiReply(body={"hypervisors": [_hypervisor(one) for one in _matching(call)]})


def servers_by_host(call: Call) -> ApiReply:
    found = []
    for host in _matching(call):
        servers = [{"name": instance_name(one), "uuid": one.id} for one in _on(call, host)]
        found.append({**_hypervisor(host), **({"servers": servers} if servers else {})})
    return ApiReply(body={"hypervisors": found})


def _matching(call: Call) -> list[Host]:
    part = call.path["id"]
    found = [one for one in computes(call) if part in one.name]
    if not found:
        raise not_found("Hypervisor", part)
    return found


def _on(call: Call, host: Host) -> list[KnownResource]:
    return [one for one in call.world.things("instances") if one.host == host.name]


def _taken(call: Call, things: Iterable[KnownResource]) -> tuple[int, int]:
    """vCPUs, and memory in MiB."""
    vcpus, memory = 0, 0
    for thing in things:
        flavor = thing.model.flavor
        block = call.world.desired.get(flavor) if isinstance(flavor, Address) else None
        size = block.model if block is not None else flavor
        vcpus, memory = vcpus + size.vcpus, memory + size.memory
    return vcpus, memory >> 20


def _disk(host: Host) -> int:
    return sum(pool.size for pool in host.pools.values()) >> 30


def _detail(call: Call, host: Host) -> dict[str, Any]:
    servers = _on(call, host)
    vcpus, taken = _taken(call, servers)
    total, disk = host.memory >> 20, _disk(host)
    return {
        **_hypervisor(host),
        "hypervisor_type": "QEMU",
        "hypervisor_version": 7002000,
        "host_ip": host.underlay,
        "vcpus": host.vcpus,
        "vcpus_used": vcpus,
        "memory_mb": total,
        "memory_mb_used": taken,
        "free_ram_mb": total - taken,
        "local_gb": disk,
        "local_gb_used": 0,
        "free_disk_gb": disk,
        "disk_available_least": disk,
        "running_vms": len(servers),
        "current_workload": 0,
        "cpu_info": "",
        "service": {"id": _number("service", host.name), "host": host.name, "disabled_reason": None},
    }


def services(call: Call) -> ApiReply:
    host, binary = call.asked("host"), call.asked("binary") or BINARY
    found = [_service(one) for one in computes(call) if host in ("", one.name) and binary == BINARY]
    return ApiReply(body={"services": found})


def _service(host: Host) -> dict[str, Any]:
    return {
        "id": _number("service", host.name),
        "binary": BINARY,
        "host": host.name,
        "zone": host.zone,
        "status": "enabled" if host.state is HostStatus.UP else "disabled",
        "state": "up" if host.state.answers else "down",
        "updated_at": None,
        "disabled_reason": host.why or None,
    }


def hosts(call: Call) -> ApiReply:
    zone = call.asked("zone")
    found = [one for one in computes(call) if zone in ("", one.zone)]
    shown = [{"host_name": one.name, "service": "compute", "zone": one.zone} for one in found]
    return ApiReply(body={"hosts": shown})


def show_host(call: Call) -> ApiReply:
    """What it has, what is taken, and by whom."""
    host = _host(call)
    servers = _on(call, host)
    by_project: dict[str, list[KnownResource]] = {}
    for one in servers:
        by_project.setdefault(call.world.project_id(one.address.project), []).append(one)
    rows = [_row(host, "(total)", host.vcpus, host.memory >> 20, _disk(host))]
    rows += [_row(host, name, *_taken(call, servers), 0) for name in ("(used_now)", "(used_max)")]
    rows += [_row(host, name, *_taken(call, some), 0) for name, some in sorted(by_project.items())]
    return ApiReply(body={"host": rows})


def _host(call: Call) -> Host:
    for one in computes(call):
        if one.name == call.path["host"]:
            return one
    raise not_found("Host", call.path["host"])


def change_host(call: Call) -> ApiReply:
    _host(call)
    raise not_built("Hosts are emptied, fenced and started by the site's people: see `stead drain`.")


def _row(host: Host, project: str, cpu: int, memory: int, disk: int) -> dict[str, Any]:
    row = {"host": host.name, "project": project, "cpu": cpu, "memory_mb": memory, "disk_gb": disk}
    return {"resource": row}


_POWER = ("reboot", "shutdown", "startup")
_SWITCH = {"type": "string", "enum": ["enable", "disable"]}
_CHANGE = {**record(status=_SWITCH, maintenance_mode=_SWITCH), "minProperties": 1}
_AGGREGATE = wrapped("aggregate", record(["name"], name=NAME, availability_zone=MAYBE_TEXT))
A = f"{V}/os-aggregates"
ROUTES = (
    ApiRoute("GET", A, AccessPolicy.ADMIN, aggregates),
    ApiRoute("POST", A, AccessPolicy.ADMIN, change_aggregate, _AGGREGATE),
    ApiRoute("GET", f"{A}/{{id}}", AccessPolicy.ADMIN, show_aggregate),
    ApiRoute("PUT", f"{A}/{{id}}", AccessPolicy.ADMIN, change_aggregate),
    ApiRoute("DELETE", f"{A}/{{id}}", AccessPolicy.ADMIN, change_aggregate),
    ApiRoute("POST", f"{A}/{{id}}/action", AccessPolicy.ADMIN, change_aggregate),
    ApiRoute("GET", f"{V}/os-availability-zone", AccessPolicy.READER, zones),
    ApiRoute("GET", f"{V}/os-availability-zone/detail", AccessPolicy.ADMIN, zones),
    ApiRoute("GET", f"{V}/os-hypervisors", AccessPolicy.ADMIN, hypervisors),
    ApiRoute("GET", f"{V}/os-hypervisors/detail", AccessPolicy.ADMIN, hypervisors_detail),
    ApiRoute("GET", f"{V}/os-hypervisors/statistics", AccessPolicy.ADMIN, statistics),
    ApiRoute("GET", f"{V}/os-hypervisors/{{id}}", AccessPolicy.ADMIN, show_hypervisor),
    ApiRoute("GET", f"{V}/os-hypervisors/{{id}}/uptime", AccessPolicy.ADMIN, uptime),
    ApiRoute("GET", f"{V}/os-hypervisors/{{id}}/search", AccessPolicy.ADMIN, search),
    ApiRoute("GET", f"{V}/os-hypervisors/{{id}}/servers", AccessPolicy.ADMIN, servers_by_host),
    ApiRoute("GET", f"{V}/os-hosts", AccessPolicy.ADMIN, hosts),
    ApiRoute("GET", f"{V}/os-hosts/{{host}}", AccessPolicy.ADMIN, show_host),
    ApiRoute("PUT", f"{V}/os-hosts/{{host}}", AccessPolicy.ADMIN, change_host, _CHANGE),
    *(ApiRoute("GET", f"{V}/os-hosts/{{host}}/{one}", AccessPolicy.ADMIN, change_host) for one in _POWER),
    ApiRoute("GET", f"{V}/os-services", AccessPolicy.ADMIN, services),
)
