"""Nova's own calls for security groups, as they were until microversion 2.36: the network service's, in other words.

They know rules for what comes in only. Rules for what goes out are made and seen in the network service.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from stead.serve.compute.servers import V
from stead.serve.faults import Fault
from stead.serve.network import group_calls, groups
from stead.serve.network.answers import own_projects, seen
from stead.serve.routes import MAYBE_ID, MAYBE_TEXT, NAME, UUID, AccessPolicy, ApiReply, ApiRoute, Call, record, wrapped
from stead.serve.world import CloudState, KnownResource

READER, MEMBER = AccessPolicy.READER, AccessPolicy.MEMBER
ANYWHERE = {"IPv4": "0.0.0.0/0", "IPv6": "::/0"}
ALL_PORTS = {"tcp": (1, 65535), "udp": (1, 65535)}
NO_TYPE = -1  # of ICMP: any


def data(world: CloudState, thing: KnownResource) -> dict[str, Any]:
    rules = [one for one in groups.rules_of(world, thing) if one["direction"] == "ingress"]
    return {
        "id": thing.id,
        "name": thing.name,
        "description": thing.model.description,
        "tenant_id": world.project_id(thing.address.project),
        "rules": [rule_data(world, one) for one in rules],
    }


def rule_data(world: CloudState, rule: Mapping[str, Any]) -> dict[str, Any]:
    protocol, low, high = rule["protocol"], rule["port_range_min"], rule["port_range_max"]
    if protocol is not None and low is None:
        low, high = ALL_PORTS.get(protocol, (NO_TYPE, NO_TYPE))
    elif protocol in ("icmp", "ipv6-icmp") and high is None:
        high = NO_TYPE
    group = {}
    if other := world.address("security_groups", rule["remote_group_id"] or ""):
        group = {"tenant_id": world.project_id(other.project), "name": world.thing(other).name}
    return {
        "id": rule["id"],
        "parent_group_id": rule["security_group_id"],
        "ip_protocol": protocol,
        "from_port": low,
        "to_port": high,
        "group": group,
        "ip_range": {} if group else {"cidr": rule["remote_ip_prefix"] or ANYWHERE[rule["ethertype"]]},
    }


def list_groups(call: Call) -> ApiReply:
    world = call.world
    projects = own_projects(call) if call.flag("all_tenants") else [call.project]
    return ApiReply(body={"security_groups": [data(world, one) for one in world.things("security_groups", projects)]})


def show_group(call: Call) -> ApiReply:
    return ApiReply(body={"security_group": data(*seen(call, "security_groups", "Security group"))})


def create_group(call: Call) -> ApiReply:
    thing = group_calls.new_groups(call)[0]
    return ApiReply(body={"security_group": data(call.world, thing)})


def change_group(call: Call) -> ApiReply:
    thing = group_calls.changed_group(call)
    return ApiReply(body={"security_group": data(call.world, thing)})


def delete_group(call: Call) -> ApiReply:
    with _no_conflict():
        group_calls.delete_group(call)
    return ApiReply(202)


@contextmanager
def _no_conflict() -> Iterator[None]:
    """Nova has no 409 here."""
    try:
        yield
    except Fault as fault:
        raise Fault(400 if fault.status == 409 else fault.status, fault.code, fault.text) from fault


def create_rule(call: Call) -> ApiReply:
    said = call.body["security_group_rule"]
    cidr = said.get("cidr")
    ports = [None if one is None or int(one) == NO_TYPE else int(one) for one in (said["from_port"], said["to_port"])]
    asked = {
        "security_group_id": said["parent_group_id"],
        "direction": "ingress",
        "ethertype": "IPv6" if cidr and ":" in cidr else "IPv4",
        "protocol": said["ip_protocol"],
        "port_range_min": ports[0],
        "port_range_max": ports[1],
        "remote_ip_prefix": None if cidr in ANYWHERE.values() else cidr,
        "remote_group_id": said.get("group_id"),
    }
    with _no_conflict():
        made = group_calls.new_rules(call, [asked])[0]
    return ApiReply(body={"security_group_rule": rule_data(call.world, made)})


def delete_rule(call: Call) -> ApiReply:
    group_calls.delete_rule(call)
    return ApiReply(202)


_PORT = {"type": ["integer", "string", "null"], "pattern": "^(-1|[0-9]{1,5})$", "minimum": NO_TYPE, "maximum": 65535}
_GROUP = record(name=NAME, description=MAYBE_TEXT)
_RULE = record(
    ["parent_group_id", "ip_protocol", "from_port", "to_port"],
    parent_group_id=UUID,
    ip_protocol={"enum": ["tcp", "udp", "icmp", "TCP", "UDP", "ICMP", None]},
    from_port=_PORT,
    to_port=_PORT,
    cidr=MAYBE_TEXT,
    group_id=MAYBE_ID,
)
G, R = f"{V}/os-security-groups", f"{V}/os-security-group-rules"
ROUTES = (
    ApiRoute("GET", G, READER, list_groups),
    ApiRoute("POST", G, MEMBER, create_group, wrapped("security_group", {**_GROUP, "required": ["name"]})),
    ApiRoute("GET", f"{G}/{{id}}", READER, show_group),
    ApiRoute("PUT", f"{G}/{{id}}", MEMBER, change_group, wrapped("security_group", _GROUP)),
    ApiRoute("DELETE", f"{G}/{{id}}", MEMBER, delete_group),
    ApiRoute("POST", R, MEMBER, create_rule, wrapped("security_group_rule", _RULE)),
    ApiRoute("DELETE", f"{R}/{{id}}", MEMBER, delete_rule),
)
