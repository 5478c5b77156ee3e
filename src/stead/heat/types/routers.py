"""Neutron: routers, and what is added to them."""

from __future__ import annotations

from stead.heat.fields import Fields
from stead.heat.handler import Handler
from stead.heat.stack import HotResource, Stack
from stead.heat.types.compute import ports_network, subnets_network
from stead.heat.values import Either, Expr, Reference, Value


def router(resource: HotResource, fields: Fields) -> None:
    assert resource.entry is not None  # noqa: S101 - routers have one
    made = resource.entry.fields
    made["display_name"] = fields.early("name")
    up = fields.early("admin_state_up")
    made["enabled"] = None if up is True else up
    made["ha"] = fields.early("ha")
    made["tags"] = fields.early("tags")
    fields.only("distributed", False, why="Routers run on network hosts.")
    gateway = fields.map("external_gateway_info")
    if gateway is not None:
        _leads_out(made, gateway)
        gateway.rest()


def _leads_out(made: dict[str, Value], fields: Fields) -> None:
    network = fields.ref("networks", "network", "network_id")
    addresses = fields.maps(["external_fixed_ips"], _address)
    snat = fields.early("enable_snat")
    made["snat"] = None if snat is True else snat
    if addresses:
        made["external"] = {"network": network, "address": addresses[0] if len(addresses) == 1 else addresses}
    else:
        made["external"] = network


def _address(fields: Fields) -> Value:
    fields.drop("subnet", "subnet_id")
    return fields.early("ip_address")


def _router_of(resource: HotResource, fields: Fields, *names: str) -> HotResource | None:
    value = fields.take(*names)
    target: HotResource | None = value.resource if isinstance(value, Reference) else None
    if target is None or target.entry is None or target.kind != "routers":
        fields.no_property(names[0], "The router is none of this template's. Its definition says what it joins.")
        return None
    resource.part_of = target
    return target


def interface(resource: HotResource, fields: Fields) -> None:
    """An entry of the router's networks."""
    target = _router_of(resource, fields, "router", "router_id")
    item: Value
    if "port" in fields.names() or "port_id" in fields.names():
        item = _through(fields)
    else:
        item = subnets_network(fields, "subnet", "subnet_id")
    if target is None or target.entry is None or item is None:
        return
    if isinstance(resource.condition, Expr):
        item = Either(resource.condition, item, None)
    known = target.entry.fields.get("networks") or []
    if item not in known:
        target.entry.fields["networks"] = [*known, item]


def _through(fields: Fields) -> Value:
    value = fields.take("port", "port_id")
    name = fields.named("ports", value, "port")
    target = value.resource if isinstance(value, Reference) else None
    if target is None:
        fields.no_property("port", "The port is none of this template's.")
        return None
    return {"network": ports_network(target), "port": name}


def gateway(resource: HotResource, fields: Fields) -> None:
    target = _router_of(resource, fields, "router_id")
    network = fields.ref("networks", "network", "network_id")
    if target is not None and target.entry is not None:
        target.entry.fields["external"] = network


def routes(resource: HotResource, fields: Fields) -> None:
    target = _router_of(resource, fields, "router", "router_id")
    made = fields.maps(["routes"], _route) if "routes" in fields.names() else [_route(fields)]
    if target is not None and target.entry is not None and isinstance(made, list):
        target.entry.fields["routes"] = [*(target.entry.fields.get("routes") or []), *made]


def _route(fields: Fields) -> Value:
    return {"to": fields.early("destination"), "via": fields.early("nexthop")}


def _outside(resource: HotResource, stack: Stack, path: tuple[Value, ...], member: str) -> Value:
    """`external_gateway_info, external_fixed_ips, 0, ip_address`."""
    if path[:1] != ("external_fixed_ips",) or path[-1:] != ("ip_address",):
        return None
    return resource.late(stack, "address", member)


TYPES = {
    "OS::Neutron::Router": Handler(
        router, "routers", {"name": "name", "external_gateway_info": _outside}, frozenset({"value_specs"})
    ),
    "OS::Neutron::RouterInterface": Handler(interface, counts=False),
    "OS::Neutron::RouterGateway": Handler(gateway, counts=False),
    "OS::Neutron::ExtraRoute": Handler(routes, counts=False),
    "OS::Neutron::ExtraRouteSet": Handler(routes, counts=False),
}
