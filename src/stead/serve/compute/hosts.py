"""Zones for everybody; hypervisors and services for an admin. All of it is what the hosts last said of themselves."""

from __future__ import annotations

from collections import Counter
from typing import Any

from stead.core.address import Address
from stead.core.observed import Host, HostStatus
from stead.serve.compute.servers import V
from stead.serve.faults import not_found
from stead.serve.routes import AccessPolicy, ApiReply, ApiRoute, Call
from stead.serve.world import made_of


def _computes(call: Call) -> list[Host]:
    hosts = call.cloud.observed.hosts.values()
    return sorted((one for one in hosts if "compute" in one.roles), key=lambda one: one.name)


def zones(call: Call) -> ApiReply:
    names = sorted({one.zone for one in _computes(call)})
    found = [{"zoneName": name, "zoneState": {"available": True}, "hosts": None} for name in names]
    return ApiReply(body={"availabilityZoneInfo": found})


def _hypervisor(host: Host) -> dict[str, Any]:
    up = host.state.answers
    return {
        "id": made_of("hypervisor", host.name),
        "hypervisor_hostname": host.name,
        "state": "up" if up else "down",
        "status": "enabled" if host.state is HostStatus.UP else "disabled",
    }


def hypervisors(call: Call) -> ApiReply:
    return ApiReply(body={"hypervisors": [_hypervisor(one) for one in _computes(call)]})


def hypervisors_detail(call: Call) -> ApiReply:
    return ApiReply(body={"hypervisors": [_detail(call, one) for one in _computes(call)]})


def show_hypervisor(call: Call) -> ApiReply:
    for one in _computes(call):
        if made_of("hypervisor", one.name) == call.path["id"]:
            return ApiReply(body={"hypervisor": _detail(call, one)})
    raise not_found("Hypervisor", call.path["id"])


def _detail(call: Call, host: Host) -> dict[str, Any]:
    running, vcpus, memory = Counter[str](), Counter[str](), Counter[str]()
    for thing in call.world.things("instances"):
        flavor = thing.model.flavor
        block = call.world.desired.get(flavor) if isinstance(flavor, Address) else None
        size = block.model if block is not None else flavor
        running[thing.host] += 1
        vcpus[thing.host] += size.vcpus
        memory[thing.host] += size.memory
    total, taken = host.memory >> 20, memory[host.name] >> 20
    disk = sum(pool.size for pool in host.pools.values()) >> 30
    return {
        **_hypervisor(host),
        "hypervisor_type": "QEMU",
        "hypervisor_version": 7002000,
        "host_ip": host.underlay,
        "vcpus": host.vcpus,
        "vcpus_used": vcpus[host.name],
        "memory_mb": total,
        "memory_mb_used": taken,
        "free_ram_mb": total - taken,
        "local_gb": disk,
        "local_gb_used": 0,
        "free_disk_gb": disk,
        "disk_available_least": disk,
        "running_vms": running[host.name],
        "current_workload": 0,
        "cpu_info": "",
        "service": {"id": made_of("service", host.name), "host": host.name, "disabled_reason": None},
    }


def services(call: Call) -> ApiReply:
    found = [
        {
            "id": made_of("service", host.name),
            "binary": "nova-compute",
            "host": host.name,
            "zone": host.zone,
            "status": "enabled" if host.state is HostStatus.UP else "disabled",
            "state": "up" if host.state.answers else "down",
            "updated_at": None,
            "disabled_reason": host.why or None,
        }
        for host in _computes(call)
    ]
    return ApiReply(body={"services": found})


ROUTES = (
    ApiRoute("GET", f"{V}/os-availability-zone", AccessPolicy.READER, zones),
    ApiRoute("GET", f"{V}/os-availability-zone/detail", AccessPolicy.ADMIN, zones),
    ApiRoute("GET", f"{V}/os-hypervisors", AccessPolicy.ADMIN, hypervisors),
    ApiRoute("GET", f"{V}/os-hypervisors/detail", AccessPolicy.ADMIN, hypervisors_detail),
    ApiRoute("GET", f"{V}/os-hypervisors/{{id}}", AccessPolicy.ADMIN, show_hypervisor),
    ApiRoute("GET", f"{V}/os-services", AccessPolicy.ADMIN, services),
)
