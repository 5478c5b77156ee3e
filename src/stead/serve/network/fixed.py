"""What clients ask of the service itself: extensions, resources, quotas, zones; and lists that are empty."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from stead.serve.faults import not_found
from stead.serve.network.answers import V
from stead.serve.quotas import NETWORK, NO_LIMIT, limits, project_asked, write
from stead.serve.quotas import details as quota_details
from stead.serve.routes import ApiReply, Call

EXTENSIONS = {
    "router": "Neutron L3 Router",
    "external-net": "Neutron external network",
    "security-group": "security-group",
    "quotas": "Quota management support",
    "quota_details": "Quota details management support",
    "port-security": "Port Security",
    "subnet_allocation": "Subnet Allocation",
    "allowed-address-pairs": "Allowed Address Pairs",
    "ip-substring-filtering": "IP address substring filtering",
    "binding": "Port Binding",
    "ext-gw-mode": "Neutron L3 Configurable external gateway mode",
    "extraroute": "Neutron Extra Route",
    "provider": "Provider Network",
    "net-mtu": "Network MTU",
    "standard-attr-description": "standard-attr-description",
    "standard-attr-timestamp": "Resource timestamps",
    "standard-attr-tag": "Tag support for resources with standard attribute",
    "stateful-security-group": "Stateful security group",
    "agent": "agent",
    "dhcp_agent_scheduler": "DHCP Agent Scheduler",
    "l3_agent_scheduler": "L3 Agent Scheduler",
    "availability_zone": "Availability Zone",
    "floating-ip-port-forwarding": "Floating IP Port Forwarding",
    "pagination": "Pagination support",
    "sorting": "Sorting support",
}


def extension(alias: str) -> dict[str, Any]:
    return {
        "alias": alias,
        "name": EXTENSIONS[alias],
        "description": EXTENSIONS[alias],
        "updated": "2026-01-01T00:00:00-00:00",
        "links": [],
    }


def list_extensions(_call: Call) -> ApiReply:
    return ApiReply(body={"extensions": [extension(alias) for alias in EXTENSIONS]})


def show_extension(call: Call) -> ApiReply:
    if call.path["alias"] not in EXTENSIONS:
        raise not_found("Extension", call.path["alias"])
    return ApiReply(body={"extension": extension(call.path["alias"])})


def resources(call: Call) -> ApiReply:
    names = (
        "networks",
        "subnets",
        "subnetpools",
        "ports",
        "routers",
        "floatingips",
        "security-groups",
        "security-group-rules",
    )
    found = [
        {
            "name": name.removesuffix("s"),
            "collection": name,
            "links": [{"rel": "self", "href": f"{call.root}{V}/{name}"}],
        }
        for name in names
    ]
    return ApiReply(body={"resources": found})


def show_quota(call: Call) -> ApiReply:
    return ApiReply(body={"quota": limits(call.world, project_asked(call), NETWORK)})


def detail_quota(call: Call) -> ApiReply:
    found = quota_details(call, project_asked(call), NETWORK, "used")
    return ApiReply(body={"quota": found})


def default_quota(call: Call) -> ApiReply:
    project_asked(call)
    return ApiReply(body={"quota": dict.fromkeys(NETWORK, NO_LIMIT)})


def change_quota(call: Call) -> ApiReply:
    write(call, project_asked(call), NETWORK, call.body["quota"])
    return show_quota(call)


def reset_quota(call: Call) -> ApiReply:
    write(call, project_asked(call), NETWORK, dict.fromkeys(NETWORK, NO_LIMIT))
    return ApiReply(204)


def zones(call: Call) -> ApiReply:
    names = sorted({one.zone for one in call.cloud.observed.hosts.values() if "network" in one.roles})
    found = [{"name": name, "resource": kind, "state": "available"} for name in names for kind in ("network", "router")]
    return ApiReply(body={"availability_zones": found})


def empty(name: str) -> Callable[[Call], ApiReply]:
    return lambda _call: ApiReply(body={name: []})
