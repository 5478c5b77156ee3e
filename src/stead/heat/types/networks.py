"""Neutron: networks, subnets, ports and floating IPs."""

from __future__ import annotations

from stead.heat.fields import Fields
from stead.heat.handler import Handler, said
from stead.heat.references import slug
from stead.heat.stack import HotResource, Stack
from stead.heat.template import WRONG
from stead.heat.types.compute import subnets_network
from stead.heat.values import Attribute, Reference, Value, each, joined


def _made(resource: HotResource) -> dict[str, Value]:
    assert resource.entry is not None  # noqa: S101 - who calls this has one
    return resource.entry.fields


def network(resource: HotResource, fields: Fields) -> None:
    made = _made(resource)
    made["display_name"] = fields.early("name")
    made["port_security"] = fields.early("port_security_enabled")
    made["domain"] = each(fields.early("dns_domain"), lambda one: one.rstrip(".") if isinstance(one, str) else one)
    made["tags"] = fields.early("tags")
    fields.only("admin_state_up", True, "true", "True")
    fields.only("shared", False, why="A network that every project may join is written at the top of the spec.")


def provider(resource: HotResource, fields: Fields) -> None:
    made = _made(resource)
    made["display_name"] = fields.early("name")
    made["type"] = fields.early("network_type")
    made["physical"] = fields.early("physical_network")
    segment = fields.early("segmentation_id")
    if segment is not None:
        made["vni" if made["type"] in ("vxlan", "geneve", "gre") else "vlan"] = segment
    made["external"] = fields.early("router_external")
    shared = fields.early("shared")
    made["shared"] = None if shared is True else False if shared is None else shared
    made["port_security"] = fields.early("port_security_enabled")
    fields.only("admin_state_up", True)


def subnet(resource: HotResource, fields: Fields) -> None:
    net = fields.take("network", "network_id")
    target = net.resource if isinstance(net, Reference) else None
    if target is None or target.entry is None or target.kind != "networks":
        fields.no_property("network", "The network is none of this template's. Write the subnet in its definition.")
        return
    if resource.condition is not True and resource.condition != target.condition:
        fields.tell(WRONG, "network", "A subnet with a condition that its network does not have has no equivalent.")
        return
    resource.part_of = target
    made = {
        "cidr": fields.early("cidr"),
        "gateway": _gateway(fields),
        "pool": _pool(fields),
        "dhcp": None if (dhcp := fields.early("enable_dhcp")) is True else dhcp,
        "dns": fields.early("dns_nameservers"),
        "routes": fields.maps(["host_routes"], _route),
        "ipv6": _ipv6(fields),
    }
    if made["cidr"] is None:
        fields.no_property(
            "cidr", "Without `cidr`, Stead cannot choose the addresses. Subnet pools have no equivalent."
        )
        return
    target.entry.fields.setdefault("subnets", {})[slug(resource.id)] = {
        name: one for name, one in made.items() if one is not None
    }


def _gateway(fields: Fields) -> Value:
    """`null` and the empty text say that there is none."""
    gateway = fields.early("gateway_ip")
    if gateway == "" or (gateway is None and "gateway_ip" in fields.names()):
        return "none"
    return gateway


def _pool(fields: Fields) -> Value:
    def pool(below: Fields) -> Value:
        return joined([below.early("start"), "-", below.early("end")])

    pools = fields.maps(["allocation_pools"], pool)
    if isinstance(pools, list) and len(pools) > 1:
        fields.no_property(
            "allocation_pools", "A subnet has one pool. Write one, and what it leaves out as `reserved`."
        )
        return None
    return pools[0] if isinstance(pools, list) and pools else None


def _route(fields: Fields) -> Value:
    return {"to": fields.early("destination"), "via": fields.early("nexthop")}


def _ipv6(fields: Fields) -> Value:
    mode = fields.early("ipv6_address_mode") or fields.early("ipv6_ra_mode")
    fields.drop("ipv6_ra_mode")
    return None if mode is None else "slaac" if mode == "slaac" else "dhcp"


def port(resource: HotResource, fields: Fields) -> None:
    made = _made(resource)
    made["display_name"] = fields.early("name")
    made["network"] = fields.ref("networks", "network", "network_id")
    addresses = _fixed(fields, made)
    made["address"] = addresses[0] if isinstance(addresses, list) and len(addresses) == 1 else addresses or None
    made["mac"] = fields.early("mac_address")
    made["security_groups"] = fields.refs("security_groups", "security_groups")
    made["port_security"] = fields.early("port_security_enabled")
    made["allowed_addresses"] = fields.maps(["allowed_address_pairs"], _allowed)
    up = fields.early("admin_state_up")
    made["enabled"] = None if up is True else up
    made["tags"] = fields.early("tags")
    fields.only("binding:vnic_type", "normal", why="Interfaces are virtual ones.")
    fields.only("device_owner", "")


def _fixed(fields: Fields, made: dict[str, Value]) -> Value:
    def fixed(below: Fields) -> Value:
        subnet = below.take("subnet", "subnet_id")
        if made["network"] is None and subnet is not None:
            made["network"] = subnets_network(below, "subnet", "subnet_id")
        return below.early("ip_address")

    return fields.maps(["fixed_ips"], fixed)


def _allowed(fields: Fields) -> Value:
    address, mac = fields.early("ip_address"), fields.early("mac_address")
    return address if mac is None else {"address": address, "mac": mac}


def floating_ip(resource: HotResource, fields: Fields) -> None:
    made = _made(resource)
    made["network"] = fields.ref("networks", "floating_network", "floating_network_id", "pool")
    made["address"] = fields.early("floating_ip_address")
    made["tags"] = fields.early("tags")
    leads_to(made, fields, "port_id")
    fields.drop("fixed_ip_address")


def association(resource: HotResource, fields: Fields) -> None:
    """Where a floating IP leads to is said in its definition."""
    floating = fields.take("floatingip_id", "floating_ip")
    target = floating.resource if isinstance(floating, Reference) else None
    if target is None or target.entry is None or target.kind != "floating_ips":
        fields.no_property("floatingip_id", "The floating IP is none of this template's.")
        return
    resource.part_of = target
    leads_to(target.entry.fields, fields, "port_id", "server_id")
    fields.drop("fixed_ip_address")


def leads_to(made: dict[str, Value], fields: Fields, *names: str) -> None:
    value = fields.take(*names)
    match value:
        case None:
            pass
        case Attribute(resource=target, path=("addresses", inside, *_)) if target.kind == "instances":
            made["instance"] = fields.named("instances", Reference(target), names[0])
            if isinstance(inside, Reference):
                made["inside"] = fields.named("networks", inside, names[0])
        case Reference(resource=target) if target.kind == "instances":
            made["instance"] = fields.named("instances", value, names[0])
        case _:
            made["port"] = fields.named("ports", value, names[0])


def _fixed_address(resource: HotResource, stack: Stack, path: tuple[Value, ...], member: str) -> Value:
    """`fixed_ips, 0, ip_address`."""
    if len(path) < 2 or path[1] != "ip_address" or not str(path[0]).isdecimal():
        return None
    return resource.late(stack, "address" if path[0] in (0, "0") else f"addresses[{path[0]}]", member)


def _gateway_of(resource: HotResource, stack: Stack, path: tuple[Value, ...], member: str) -> Value:
    said_so = said("gateway_ip")(resource, stack, path, member)
    if said_so is not None:
        return said_so
    net = Fields(resource, resource.properties()).take("network", "network_id")
    target = net.resource if isinstance(net, Reference) else None
    return None if target is None else target.late(stack, f"subnets['{slug(resource.id)}'].gateway", member)


NETWORK = Handler(network, "networks", {"name": "name", "mtu": "mtu"}, frozenset({"value_specs"}))
PROVIDER = Handler(provider, "networks", NETWORK.attributes, of_site=True)
FLOATING = Handler(
    floating_ip,
    "floating_ips",
    {"floating_ip_address": "address", "ip": "address", "fixed_ip_address": "inside"},
    frozenset({"value_specs"}),
)
ASSOCIATION = Handler(association, counts=False)
TYPES = {
    "OS::Neutron::Net": NETWORK,
    "OS::Neutron::ProviderNet": PROVIDER,
    "OS::Neutron::Subnet": Handler(
        subnet,
        attributes={
            "gateway_ip": _gateway_of,
            "cidr": said("cidr"),
            "name": said("name"),
            "network_id": said("network"),
        },
        ignored=frozenset({"name", "ip_version", "value_specs", "tags"}),
        counts=False,
    ),
    "OS::Neutron::Port": Handler(
        port,
        "ports",
        {"fixed_ips": _fixed_address, "mac_address": "mac", "name": "name"},
        frozenset({"value_specs", "replacement_policy"}),
    ),
    "OS::Neutron::FloatingIP": FLOATING,
    "OS::Neutron::FloatingIPAssociation": ASSOCIATION,
    "OS::Nova::FloatingIP": FLOATING,
    "OS::Nova::FloatingIPAssociation": ASSOCIATION,
}
