"""Network v2.0: networks, subnets, ports, routers, floating IPs, security groups. What else is listed is empty."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from stead.serve import versions
from stead.serve.network import agents
from stead.serve.network.answers import V, some_fields
from stead.serve.network.fixed import (
    change_quota,
    default_quota,
    detail_quota,
    empty,
    list_extensions,
    reset_quota,
    resources,
    show_extension,
    show_quota,
    zones,
)
from stead.serve.network.forwardings import (
    change_forwarding,
    create_forwarding,
    delete_forwarding,
    list_forwardings,
    show_forwarding,
)
from stead.serve.network.group_calls import (
    change_group,
    create_group,
    create_rule,
    delete_group,
    delete_rule,
    list_groups,
    list_rules,
    show_group,
    show_rule,
)
from stead.serve.network.network_calls import (
    change_network,
    change_subnet,
    create_network,
    create_subnet,
    delete_network,
    delete_subnet,
    list_networks,
    list_subnets,
    show_network,
    show_subnet,
)
from stead.serve.network.port_calls import change_port, create_port, delete_port, list_ports, show_port
from stead.serve.network.router_calls import (
    add_interface,
    change_floating,
    change_router,
    create_floating,
    create_router,
    delete_floating,
    delete_router,
    list_floating,
    list_routers,
    remove_interface,
    show_floating,
    show_router,
)
from stead.serve.network.subnet_pool_calls import change_pool, create_pool, delete_pool, list_pools, show_pool
from stead.serve.network.tags import add_tag, clear_tags, remove_tag, show_tag, show_tags, write_tags
from stead.serve.quotas import NETWORK
from stead.serve.routes import (
    FLAG,
    ID,
    IDS,
    LONG,
    MAYBE_FLAG,
    MAYBE_ID,
    MAYBE_TEXT,
    TAGS,
    AccessPolicy,
    ApiReply,
    ApiRoute,
    Call,
    Schema,
    Service,
    record,
    wrapped,
)


def several(one: str, many: str, schema: Schema) -> dict[str, Any]:
    both = {one: schema, many: {"type": "array", "items": schema, "minItems": 1, "maxItems": 100}}
    return {"type": "object", "properties": both, "anyOf": [{"required": [one]}, {"required": [many]}]}


NUMBER = {"type": ["integer", "null"], "minimum": 0, "maximum": 65535}
_COMMON = {
    "name": MAYBE_TEXT,
    "description": LONG,
    "admin_state_up": FLAG,
    "project_id": MAYBE_ID,
    "tenant_id": MAYBE_ID,
}
_NETWORK = record(**_COMMON, mtu=NUMBER, port_security_enabled=FLAG)
_ROUTES = {
    "type": ["array", "null"],
    "maxItems": 30,
    "items": record(["destination", "nexthop"], destination=ID, nexthop=ID),
}
_BITS = {"type": ["integer", "string", "null"], "pattern": "^[0-9]{1,3}$", "minimum": 0, "maximum": 128}
_IPV6 = {"enum": ["slaac", "dhcpv6-stateful", "dhcpv6-stateless", None]}
_SUBNET = record(
    **_COMMON,
    network_id=ID,
    cidr=MAYBE_TEXT,
    subnetpool_id=MAYBE_ID,
    prefixlen=_BITS,
    ip_version={"enum": [4, 6]},
    gateway_ip=MAYBE_TEXT,
    enable_dhcp=FLAG,
    dns_nameservers={"type": ["array", "null"], "items": ID, "maxItems": 10},
    host_routes=_ROUTES,
    ipv6_ra_mode=_IPV6,
    ipv6_address_mode=_IPV6,
    allocation_pools={"type": ["array", "null"], "items": record(["start", "end"], start=ID, end=ID), "maxItems": 10},
)
_POOL = record(
    **_COMMON,
    prefixes={"type": "array", "items": ID, "minItems": 1, "maxItems": 20},
    min_prefixlen=_BITS,
    default_prefixlen=_BITS,
    max_prefixlen=_BITS,
    shared=MAYBE_FLAG,
    is_default=MAYBE_FLAG,
    address_scope_id=MAYBE_ID,
)
_FIXED = {"type": "array", "items": record(ip_address=ID, subnet_id=ID), "maxItems": 4}
_PORT = record(
    **_COMMON,
    network_id=ID,
    fixed_ips={"type": ["array", "null"], "items": record(ip_address=ID, subnet_id=ID), "maxItems": 4},
    mac_address={"type": "string", "maxLength": 17},
    security_groups=IDS,
    port_security_enabled=FLAG,
    allowed_address_pairs={
        "type": ["array", "null"],
        "maxItems": 10,
        "items": record(["ip_address"], ip_address=ID, mac_address=MAYBE_TEXT),
    },
    device_id=MAYBE_TEXT,
)
_GATEWAY = {
    "anyOf": [{"type": "null"}, record(network_id=MAYBE_ID, enable_snat={"type": "boolean"}, external_fixed_ips=_FIXED)]
}
_ROUTER = record(**_COMMON, external_gateway_info=_GATEWAY, routes=_ROUTES)
_FLOATING = record(**_COMMON, floating_network_id=ID, port_id=MAYBE_ID, floating_ip_address=MAYBE_TEXT)
_OF_FORWARDING = {"type": "integer", "minimum": 1, "maximum": 65535}
_FORWARDING = wrapped(
    "port_forwarding",
    record(
        internal_port_id=ID,
        internal_ip_address=MAYBE_TEXT,
        internal_port=_OF_FORWARDING,
        external_port=_OF_FORWARDING,
        protocol={"enum": ["tcp", "udp"]},
        description=LONG,
    ),
)
_GROUP = record(**_COMMON, stateful=FLAG)
_PORT_NUMBER = {"type": ["integer", "string", "null"], "pattern": "^-?[0-9]{1,5}$"}
_RULE = record(
    ["security_group_id", "direction"],
    security_group_id=ID,
    direction={"enum": ["ingress", "egress"]},
    ethertype={"enum": ["IPv4", "IPv6", "ipv4", "ipv6", None]},
    protocol={"type": ["string", "integer", "null"], "maxLength": 20},
    port_range_min=_PORT_NUMBER,
    port_range_max=_PORT_NUMBER,
    remote_ip_prefix=MAYBE_TEXT,
    remote_group_id=MAYBE_ID,
    description=LONG,
)
_JOIN = record(subnet_id=ID, port_id=ID)
_QUOTA = record(**{name: {"type": ["integer", "string"], "pattern": "^-?[0-9]{1,9}$"} for name in NETWORK})
READER, MEMBER, ADMIN, PUBLIC = AccessPolicy.READER, AccessPolicy.MEMBER, AccessPolicy.ADMIN, AccessPolicy.PUBLIC
Q = f"{V}/quotas/{{target}}"
F = f"{V}/floatingips/{{id}}/port_forwardings"


def _crud(
    path: str, handlers: Sequence[Callable[[Call], ApiReply]], new: Schema, other: Schema
) -> tuple[ApiRoute, ...]:
    every, create, show, update, delete = handlers
    return (
        ApiRoute("GET", f"{V}/{path}", READER, every, kept=True),
        ApiRoute("POST", f"{V}/{path}", MEMBER, create, new),
        ApiRoute("GET", f"{V}/{path}/{{id}}", READER, some_fields(show)),
        ApiRoute("PUT", f"{V}/{path}/{{id}}", MEMBER, update, other),
        ApiRoute("DELETE", f"{V}/{path}/{{id}}", MEMBER, delete),
    )


ROUTES = (
    ApiRoute("GET", "/network", PUBLIC, versions.all_of(versions.network)),
    ApiRoute("GET", V, PUBLIC, resources),
    *_crud(
        "networks",
        (list_networks, create_network, show_network, change_network, delete_network),
        several("network", "networks", _NETWORK),
        wrapped("network", _NETWORK),
    ),
    *_crud(
        "subnets",
        (list_subnets, create_subnet, show_subnet, change_subnet, delete_subnet),
        several("subnet", "subnets", {**_SUBNET, "required": ["network_id"]}),
        wrapped("subnet", _SUBNET),
    ),
    *_crud(
        "subnetpools",
        (list_pools, create_pool, show_pool, change_pool, delete_pool),
        several("subnetpool", "subnetpools", _POOL),
        wrapped("subnetpool", _POOL),
    ),
    *_crud(
        "routers",
        (list_routers, create_router, show_router, change_router, delete_router),
        several("router", "routers", _ROUTER),
        wrapped("router", _ROUTER),
    ),
    *_crud(
        "floatingips",
        (list_floating, create_floating, show_floating, change_floating, delete_floating),
        several("floatingip", "floatingips", {**_FLOATING, "required": ["floating_network_id"]}),
        wrapped("floatingip", _FLOATING),
    ),
    ApiRoute("GET", F, READER, list_forwardings),
    ApiRoute("POST", F, MEMBER, create_forwarding, _FORWARDING),
    ApiRoute("GET", f"{F}/{{forwarding}}", READER, show_forwarding),
    ApiRoute("PUT", f"{F}/{{forwarding}}", MEMBER, change_forwarding, _FORWARDING),
    ApiRoute("DELETE", f"{F}/{{forwarding}}", MEMBER, delete_forwarding),
    *_crud(
        "security-groups",
        (list_groups, create_group, show_group, change_group, delete_group),
        several("security_group", "security_groups", _GROUP),
        wrapped("security_group", _GROUP),
    ),
    ApiRoute("PUT", f"{V}/routers/{{id}}/add_router_interface", MEMBER, add_interface, _JOIN),
    ApiRoute("PUT", f"{V}/routers/{{id}}/remove_router_interface", MEMBER, remove_interface, _JOIN),
    *_crud(
        "ports",
        (list_ports, create_port, show_port, change_port, delete_port),
        several("port", "ports", {**_PORT, "required": ["network_id"]}),
        wrapped("port", _PORT),
    ),
    ApiRoute("GET", f"{V}/security-group-rules", READER, list_rules),
    ApiRoute(
        "POST",
        f"{V}/security-group-rules",
        MEMBER,
        create_rule,
        several("security_group_rule", "security_group_rules", _RULE),
    ),
    ApiRoute("GET", f"{V}/security-group-rules/{{id}}", READER, some_fields(show_rule)),
    ApiRoute("DELETE", f"{V}/security-group-rules/{{id}}", MEMBER, delete_rule),
    ApiRoute("GET", f"{V}/extensions", READER, list_extensions),
    ApiRoute("GET", f"{V}/extensions/{{alias}}", READER, show_extension),
    ApiRoute("GET", Q, READER, show_quota),
    ApiRoute("PUT", Q, ADMIN, change_quota, wrapped("quota", _QUOTA)),
    ApiRoute("DELETE", Q, ADMIN, reset_quota),
    ApiRoute("GET", f"{Q}/default", READER, default_quota),
    ApiRoute("GET", f"{Q}/details.json", READER, detail_quota),
    ApiRoute("GET", f"{Q}/details", READER, detail_quota),
    ApiRoute("GET", f"{V}/availability_zones", READER, zones),
    ApiRoute("GET", f"{V}/agents", READER, agents.list_agents),
    ApiRoute("GET", f"{V}/agents/{{id}}", ADMIN, agents.show_agent),
    ApiRoute("GET", f"{V}/agents/{{id}}/dhcp-networks", ADMIN, agents.networks_of_agent),
    ApiRoute("GET", f"{V}/agents/{{id}}/l3-routers", ADMIN, agents.routers_of_agent),
    ApiRoute("GET", f"{V}/networks/{{id}}/dhcp-agents", ADMIN, agents.agents_of_network),
    ApiRoute("GET", f"{V}/routers/{{id}}/l3-agents", ADMIN, agents.agents_of_router),
    ApiRoute("GET", f"{V}/service-providers", READER, empty("service_providers")),
    ApiRoute("GET", f"{V}/address-scopes", READER, empty("address_scopes")),
    ApiRoute("GET", f"{V}/address-groups", READER, empty("address_groups")),
    ApiRoute("GET", f"{V}/rbac-policies", READER, empty("rbac_policies")),
    ApiRoute("GET", f"{V}/trunks", READER, empty("trunks")),
    ApiRoute("GET", f"{V}/qos/policies", READER, empty("policies")),
    ApiRoute("GET", f"{V}/{{kind}}/{{id}}/tags", READER, show_tags),
    ApiRoute("PUT", f"{V}/{{kind}}/{{id}}/tags", MEMBER, write_tags, record(["tags"], tags=TAGS)),
    ApiRoute("DELETE", f"{V}/{{kind}}/{{id}}/tags", MEMBER, clear_tags),
    ApiRoute("GET", f"{V}/{{kind}}/{{id}}/tags/{{tag}}", READER, show_tag),
    ApiRoute("PUT", f"{V}/{{kind}}/{{id}}/tags/{{tag}}", MEMBER, add_tag),
    ApiRoute("DELETE", f"{V}/{{kind}}/{{id}}/tags/{{tag}}", MEMBER, remove_tag),
)
UNBUILT = (
    ("POST", f"{V}/agents/{{id}}/dhcp-networks", "moving networks between hosts"),
    ("POST", f"{V}/agents/{{id}}/l3-routers", "moving routers between hosts"),
    ("POST", f"{V}/address-scopes", "address scopes"),
    ("POST", f"{V}/address-groups", "address groups"),
    ("POST", f"{V}/rbac-policies", "sharing networks with single projects"),
    ("POST", f"{V}/trunks", "trunks"),
    ("POST", f"{V}/qos/policies", "QoS policies"),
)
SERVICE = Service(
    name="network",
    type="network",
    title="neutron",
    endpoint="/network",
    routes=ROUTES,
    unbuilt=UNBUILT,
    previewed=True,
)
