"""Network v2.0: networks, subnets, ports, routers, floating IPs, security groups. What else is listed is empty."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from stead.core.address import Address
from stead.serve import versions
from stead.serve.edits import Content, Edit, all_of, change, put, remove
from stead.serve.faults import bad, conflict, forbidden, not_found
from stead.serve.keys import new_key
from stead.serve.listing import filtered, ordered, page, shown
from stead.serve.network import groups, networks, ports, routers
from stead.serve.quotas import NETWORK, NO_LIMIT, limits, project_asked, write
from stead.serve.quotas import details as quota_details
from stead.serve.routes import (
    FLAG,
    ID,
    IDS,
    LONG,
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
    true,
    wrapped,
)
from stead.serve.world import CloudState, KnownResource

V = "/network/v2.0"
EXTENSIONS = {
    "router": "Neutron L3 Router",
    "external-net": "Neutron external network",
    "security-group": "security-group",
    "quotas": "Quota management support",
    "quota_details": "Quota details management support",
    "port-security": "Port Security",
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
    "availability_zone": "Availability Zone",
    "pagination": "Pagination support",
    "sorting": "Sorting support",
}


def answered(call: Call, name: str, items: Sequence[dict[str, Any]]) -> ApiReply:
    found = ordered(call, filtered(call, items))
    part, more = page(call, found)
    body: dict[str, Any] = {name: shown(call, part)}
    if more and part and call.asked("limit"):
        href = f"{call.root}{V}/{name.replace('_', '-')}?limit={call.asked('limit')}&marker={part[-1]['id']}"
        body[f"{name}_links"] = [{"rel": "next", "href": href}]
    return ApiReply(body=body)


def own_projects(call: Call) -> list[str] | None:
    return None if call.caller.admin else [call.caller.project]


def bodies(call: Call, one: str, many: str) -> tuple[list[Mapping[str, Any]], bool]:
    """Neutron makes several at once as well."""
    if many in call.body:
        return call.body[many], True
    return [call.body[one]], False


def in_own(call: Call, said: Mapping[str, Any]) -> None:
    """For another project, an admin would take a token for it."""
    asked = said.get("project_id") or said.get("tenant_id")
    if asked and call.world.project(asked) != call.project:
        raise forbidden("Things are made in the project of the token.")


def made(
    call: Call, kind: str, one: str, many: str, fields: Callable[[Mapping[str, Any]], dict[str, Any]]
) -> list[KnownResource]:
    """One document version for all of a request."""
    said, _ = bodies(call, one, many)
    keys, edits = [], []
    for each in said:
        in_own(call, each)
        key = new_key(kind)
        keys.append(key)
        edits.append(_putting(kind, key, fields(each)))
    world = call.edit(f"create {one.replace('_', ' ')}", all_of(*edits))
    return [world.thing(Address(call.project, kind, key)) for key in keys]


def _putting(kind: str, key: str, fields: Mapping[str, Any]) -> Edit:
    return lambda content: put(content, kind, key, fields)


def told(call: Call, one: str, many: str, items: Sequence[dict[str, Any]]) -> ApiReply:
    _, several = bodies(call, one, many)
    return ApiReply(201, {many: list(items)} if several else {one: items[0]})


def common(said: Mapping[str, Any]) -> dict[str, Any]:
    fields = {
        word: said[name] or None
        for name, word in (("name", "display_name"), ("description", "description"))
        if name in said
    }
    if said.get("admin_state_up") is not None and not true(said["admin_state_up"]):
        raise bad("admin_state_up is always true here.")
    return fields


def changing(kind: str, what: str, thing: KnownResource, call: Call, fields: Mapping[str, Any]) -> KnownResource:
    name = thing.address.name
    world = call.edit(f"change {what}", lambda content: change(content, kind, name, fields))
    return world.thing(thing.address)


def mine(call: Call, kind: str, what: str) -> tuple[CloudState, KnownResource]:
    world = call.world
    return world, world.find(kind, call.path["id"], call.project, what=what)


def seen(call: Call, kind: str, what: str) -> tuple[CloudState, KnownResource]:
    world = call.world
    return world, world.find(kind, call.path["id"], call.caller.project, what=what, admin=call.caller.admin)


# Networks


def list_networks(call: Call) -> ApiReply:
    world = call.world
    return answered(
        call, "networks", [networks.network_data(call, world, one) for one in networks.visible(call, world)]
    )


def show_network(call: Call) -> ApiReply:
    world = call.world
    thing = next((one for one in networks.visible(call, world) if one.id == call.path["id"]), None)
    if thing is None:
        raise not_found("Network", call.path["id"])
    return ApiReply(body={"network": networks.network_data(call, world, thing)})


def network_fields(said: Mapping[str, Any]) -> dict[str, Any]:
    if true(said.get("router:external")) or true(said.get("shared")) or said.get("provider:network_type"):
        raise forbidden("External, shared and provider networks are the site's: write them in its files.")
    fields = common(said)
    if said.get("mtu"):
        fields["mtu"] = said["mtu"]
    if said.get("port_security_enabled") is not None:
        fields["port_security"] = true(said["port_security_enabled"])
    return fields


def create_network(call: Call) -> ApiReply:
    things = made(call, "networks", "network", "networks", network_fields)
    return told(call, "network", "networks", [networks.network_data(call, call.world, one) for one in things])


def change_network(call: Call) -> ApiReply:
    _, thing = mine(call, "networks", "Network")
    after = changing("networks", "network", thing, call, network_fields(call.body["network"]))
    return ApiReply(body={"network": networks.network_data(call, call.world, after)})


def delete_network(call: Call) -> ApiReply:
    world, thing = mine(call, "networks", "Network")
    world.must_be_unused(thing, "Network")
    edits = [networks.delete_subnet(thing.address.name, key) for key in thing.model.subnets]
    call.edit("delete network", all_of(*edits, lambda content: remove(content, "networks", thing.address.name)))
    return ApiReply(204)


# Subnets


def list_subnets(call: Call) -> ApiReply:
    world = call.world
    found = [
        networks.subnet_data(world, one)
        for network in networks.visible(call, world)
        for one in networks.subnets_of(world, network)
    ]
    return answered(call, "subnets", found)


def show_subnet(call: Call) -> ApiReply:
    world = call.world
    return ApiReply(body={"subnet": networks.subnet_data(world, networks.find_subnet(call, world, call.path["id"]))})


def create_subnet(call: Call) -> ApiReply:
    world = call.world
    said, _ = bodies(call, "subnet", "subnets")
    edits, places = [], []
    for one in said:
        in_own(call, one)
        if not one.get("cidr"):
            raise bad("A subnet needs a cidr: there are no subnet pools.")
        network = world.find("networks", one["network_id"], call.project, what="Network")
        key = new_key("subnets")
        edits.append(networks.write_subnet(network.address.name, key, one, new=True))
        places.append((network, key))
    world = call.edit("create subnet", all_of(*edits))
    found = []
    for network, key in places:
        after = world.thing(network.address)
        found += [networks.subnet_data(world, one) for one in networks.subnets_of(world, after) if one.key == key]
    return told(call, "subnet", "subnets", found)


def _own_subnet(call: Call) -> tuple[CloudState, networks.SubnetResource]:
    world = call.world
    one = networks.find_subnet(call, world, call.path["id"])
    if one.network.address.project != call.project:
        raise not_found("Subnet", call.path["id"])
    return world, one


def change_subnet(call: Call) -> ApiReply:
    _, one = _own_subnet(call)
    said = call.body["subnet"]
    world = call.edit("change subnet", networks.write_subnet(one.network.address.name, one.key, said, new=False))
    after = networks.find_subnet(call, world, one.id)
    return ApiReply(body={"subnet": networks.subnet_data(world, after)})


def delete_subnet(call: Call) -> ApiReply:
    world, one = _own_subnet(call)
    if used := networks.users_of_subnet(one, ports.all_ports(world, None)):
        raise conflict(f"Unable to complete operation on subnet {one.id}: ports {', '.join(used[:3])} are in use.")
    call.edit("delete subnet", networks.delete_subnet(one.network.address.name, one.key))
    return ApiReply(204)


# Ports


def list_ports(call: Call) -> ApiReply:
    world = call.world
    items = [ports.data(world, one) for one in ports.all_ports(world, own_projects(call))]
    wanted = [text.partition("=") for name, text in call.query if name == "fixed_ips"]
    for name, _, text in wanted:
        items = [one for one in items if any(str(each.get(name)) == text for each in one["fixed_ips"])]
    call.query = [pair for pair in call.query if pair[0] != "fixed_ips"]
    return answered(call, "ports", items)


def show_port(call: Call) -> ApiReply:
    world = call.world
    for one in ports.all_ports(world, own_projects(call)):
        if one.id == call.path["id"]:
            return ApiReply(body={"port": ports.data(world, one)})
    raise not_found("Port", call.path["id"])


def change_port(call: Call) -> ApiReply:
    """Its security groups: of an interface of a server."""
    world, said = call.world, call.body["port"]
    port = next((one for one in ports.all_ports(world, [call.project]) if one.id == call.path["id"]), None)
    if port is None:
        raise not_found("Port", call.path["id"])
    if set(said) - {"security_groups", "name", "description"}:
        raise bad("Of a port, only its security groups can be changed here.")
    if said.get("security_groups") is not None and port.owner.address.kind == "instances":
        wanted = [
            world.find("security_groups", one, call.project, what="Security group").address.name
            for one in said["security_groups"]
        ]
        at = next(n for n, one in enumerate(ports.of_server(world, port.owner)) if one.id == port.id)
        key = port.owner.address.name

        def edit(content: Content) -> Content:
            nics = [*content["instances"][key]["networks"]]
            nics[at] = {**nics[at], "security_groups": wanted}
            return change(content, "instances", key, {"networks": nics})

        call.edit("change port", edit)
    return show_port(call)


# Routers


def list_routers(call: Call) -> ApiReply:
    world = call.world
    return answered(
        call, "routers", [routers.router_data(world, one) for one in world.things("routers", own_projects(call))]
    )


def show_router(call: Call) -> ApiReply:
    return ApiReply(body={"router": routers.router_data(*seen(call, "routers", "Router"))})


def router_fields(call: Call) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    return lambda said: {**common(said), **routers.router_fields(call, call.world, said)}


def create_router(call: Call) -> ApiReply:
    things = made(call, "routers", "router", "routers", router_fields(call))
    return told(call, "router", "routers", [routers.router_data(call.world, one) for one in things])


def change_router(call: Call) -> ApiReply:
    _, thing = mine(call, "routers", "Router")
    after = changing("routers", "router", thing, call, router_fields(call)(call.body["router"]))
    return ApiReply(body={"router": routers.router_data(call.world, after)})


def delete_router(call: Call) -> ApiReply:
    _, thing = mine(call, "routers", "Router")
    if thing.model.networks:
        raise conflict(f"Router {thing.id} still has ports.")
    call.edit("delete router", lambda content: remove(content, "routers", thing.address.name))
    return ApiReply(204)


def add_interface(call: Call) -> ApiReply:
    world, thing = mine(call, "routers", "Router")
    edit, subnet = routers.join(call, world, thing, call.body)
    world = call.edit("join a network", edit)
    after = world.thing(thing.address)
    port = next(one for one in ports.of_router(world, after) if any(each == subnet for each, _ in one.fixed))
    return ApiReply(body=routers.interface_data(world, after, port, subnet))


def remove_interface(call: Call) -> ApiReply:
    world, thing = mine(call, "routers", "Router")
    edit, port = routers.leave(world, thing, call.body)
    found = routers.interface_data(world, thing, port, port.fixed[0][0] if port.fixed else "")
    call.edit("leave a network", edit)
    return ApiReply(body=found)


# Floating IPs


def list_floating(call: Call) -> ApiReply:
    world = call.world
    found = [routers.floating_data(world, one) for one in world.things("floating_ips", own_projects(call))]
    return answered(call, "floatingips", found)


def show_floating(call: Call) -> ApiReply:
    return ApiReply(body={"floatingip": routers.floating_data(*seen(call, "floating_ips", "Floating IP"))})


def create_floating(call: Call) -> ApiReply:
    world = call.world

    def fields(said: Mapping[str, Any]) -> dict[str, Any]:
        network = world.find("networks", said["floating_network_id"], call.project, what="Network", shared=True)
        if not network.model.external:
            raise bad(f"Network {network.id} is not a valid external network")
        found = {"network": network.address.name, "address": said.get("floating_ip_address") or None, **common(said)}
        return {**found, **routers.leads_to(call, world, said.get("port_id"))}

    things = made(call, "floating_ips", "floatingip", "floatingips", fields)
    return told(call, "floatingip", "floatingips", [routers.floating_data(call.world, one) for one in things])


def change_floating(call: Call) -> ApiReply:
    world, thing = mine(call, "floating_ips", "Floating IP")
    said = call.body["floatingip"]
    fields = common(said) | (routers.leads_to(call, world, said["port_id"]) if "port_id" in said else {})
    after = changing("floating_ips", "floating IP", thing, call, fields)
    return ApiReply(body={"floatingip": routers.floating_data(call.world, after)})


def delete_floating(call: Call) -> ApiReply:
    _, thing = mine(call, "floating_ips", "Floating IP")
    call.edit("delete floating IP", lambda content: remove(content, "floating_ips", thing.address.name))
    return ApiReply(204)


# Security groups


def list_groups(call: Call) -> ApiReply:
    world = call.world
    found = [groups.data(world, one) for one in world.things("security_groups", own_projects(call))]
    return answered(call, "security_groups", found)


def show_group(call: Call) -> ApiReply:
    return ApiReply(body={"security_group": groups.data(*seen(call, "security_groups", "Security group"))})


def create_group(call: Call) -> ApiReply:
    def fields(said: Mapping[str, Any]) -> dict[str, Any]:
        if said.get("name") == "default":
            raise conflict("Default security group already exists.")
        stateful = said.get("stateful")
        more = {"stateful": true(stateful)} if stateful is not None else {}
        return {**common(said), "ingress": [], "egress": groups.ANY_OUT, **more}

    things = made(call, "security_groups", "security_group", "security_groups", fields)
    return told(call, "security_group", "security_groups", [groups.data(call.world, one) for one in things])


def change_group(call: Call) -> ApiReply:
    _, thing = mine(call, "security_groups", "Security group")
    after = changing("security_groups", "security group", thing, call, common(call.body["security_group"]))
    return ApiReply(body={"security_group": groups.data(call.world, after)})


def delete_group(call: Call) -> ApiReply:
    world, thing = mine(call, "security_groups", "Security group")
    if thing.address.name == "default":
        raise conflict("Insufficient rights for removing default security group.")
    world.must_be_unused(thing, "Security group", but=[thing.address])
    call.edit("delete security group", lambda content: remove(content, "security_groups", thing.address.name))
    return ApiReply(204)


def list_rules(call: Call) -> ApiReply:
    world = call.world
    found = [
        one for thing in world.things("security_groups", own_projects(call)) for one in groups.rules_of(world, thing)
    ]
    return answered(call, "security_group_rules", found)


def show_rule(call: Call) -> ApiReply:
    _, rule = groups.group_of_rule(call.world, own_projects(call), call.path["id"])
    return ApiReply(body={"security_group_rule": rule})


def create_rule(call: Call) -> ApiReply:
    world = call.world
    said, _ = bodies(call, "security_group_rule", "security_group_rules")
    edits, asked = [], []
    for one in said:
        group = world.find("security_groups", one["security_group_id"], call.project, what="Security group")
        direction, rule = groups.rule_from(call, world, one)
        edits.append(groups.add_rule(group.address.name, direction, rule))
        asked.append((group, groups.rule_id(group, direction, rule)))
    world = call.edit("create security group rule", all_of(*edits))
    found = [
        rule
        for group, identity in asked
        for rule in groups.rules_of(world, world.thing(group.address))
        if rule["id"] == identity
    ]
    return told(call, "security_group_rule", "security_group_rules", found)


def delete_rule(call: Call) -> ApiReply:
    thing, _ = groups.group_of_rule(call.world, [call.project], call.path["id"])
    call.edit("delete security group rule", groups.remove_rule(thing, call.path["id"]))
    return ApiReply(204)


# Tags of anything


_TAGGED = {
    "networks": "networks",
    "routers": "routers",
    "floatingips": "floating_ips",
    "security-groups": "security_groups",
}


def tags_of(call: Call) -> tuple[str, KnownResource]:
    kind = _TAGGED.get(call.path["kind"])
    if kind is None:
        raise not_found("Resource", call.path["kind"])
    return kind, mine(call, kind, "Resource")[1]


def show_tags(call: Call) -> ApiReply:
    return ApiReply(body={"tags": list(tags_of(call)[1].settings.tags)})


def write_tags(call: Call) -> ApiReply:
    kind, thing = tags_of(call)
    wanted = list(dict.fromkeys(call.body["tags"]))
    changing(kind, "tags", thing, call, {"tags": wanted or None})
    return ApiReply(body={"tags": wanted})


# What is fixed, and what is not there


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
    names = ("networks", "subnets", "ports", "routers", "floatingips", "security-groups", "security-group-rules")
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


def zones(call: Call) -> ApiReply:
    names = sorted({one.zone for one in call.cloud.observed.hosts.values() if "network" in one.roles})
    found = [{"name": name, "resource": kind, "state": "available"} for name in names for kind in ("network", "router")]
    return ApiReply(body={"availability_zones": found})


def empty(name: str) -> Callable[[Call], ApiReply]:
    return lambda _call: ApiReply(body={name: []})


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
_SUBNET = record(
    **_COMMON,
    network_id=ID,
    cidr=MAYBE_TEXT,
    ip_version={"enum": [4, 6]},
    gateway_ip=MAYBE_TEXT,
    enable_dhcp=FLAG,
    dns_nameservers={"type": ["array", "null"], "items": ID, "maxItems": 10},
    host_routes=_ROUTES,
    allocation_pools={"type": ["array", "null"], "items": record(["start", "end"], start=ID, end=ID), "maxItems": 10},
)
_FIXED = {"type": "array", "items": record(ip_address=ID, subnet_id=ID), "maxItems": 4}
_GATEWAY = {
    "anyOf": [{"type": "null"}, record(network_id=MAYBE_ID, enable_snat={"type": "boolean"}, external_fixed_ips=_FIXED)]
}
_ROUTER = record(**_COMMON, external_gateway_info=_GATEWAY, routes=_ROUTES)
_FLOATING = record(**_COMMON, floating_network_id=ID, port_id=MAYBE_ID, floating_ip_address=MAYBE_TEXT)
_GROUP = record(**_COMMON, stateful=FLAG)
_PORT_NUMBER = {"type": ["integer", "string", "null"], "pattern": "^[0-9]{1,5}$", "minimum": 0, "maximum": 65535}
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


def _crud(
    path: str, handlers: Sequence[Callable[[Call], ApiReply]], new: Schema, other: Schema
) -> tuple[ApiRoute, ...]:
    every, create, show, update, delete = handlers
    return (
        ApiRoute("GET", f"{V}/{path}", READER, every),
        ApiRoute("POST", f"{V}/{path}", MEMBER, create, new),
        ApiRoute("GET", f"{V}/{path}/{{id}}", READER, show),
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
    *_crud(
        "security-groups",
        (list_groups, create_group, show_group, change_group, delete_group),
        several("security_group", "security_groups", _GROUP),
        wrapped("security_group", _GROUP),
    ),
    ApiRoute("PUT", f"{V}/routers/{{id}}/add_router_interface", MEMBER, add_interface, _JOIN),
    ApiRoute("PUT", f"{V}/routers/{{id}}/remove_router_interface", MEMBER, remove_interface, _JOIN),
    ApiRoute("GET", f"{V}/ports", READER, list_ports),
    ApiRoute("GET", f"{V}/ports/{{id}}", READER, show_port),
    ApiRoute(
        "PUT", f"{V}/ports/{{id}}", MEMBER, change_port, wrapped("port", record(name=MAYBE_TEXT, security_groups=IDS))
    ),
    ApiRoute("GET", f"{V}/security-group-rules", READER, list_rules),
    ApiRoute(
        "POST",
        f"{V}/security-group-rules",
        MEMBER,
        create_rule,
        several("security_group_rule", "security_group_rules", _RULE),
    ),
    ApiRoute("GET", f"{V}/security-group-rules/{{id}}", READER, show_rule),
    ApiRoute("DELETE", f"{V}/security-group-rules/{{id}}", MEMBER, delete_rule),
    ApiRoute("GET", f"{V}/extensions", READER, list_extensions),
    ApiRoute("GET", f"{V}/extensions/{{alias}}", READER, show_extension),
    ApiRoute("GET", Q, READER, show_quota),
    ApiRoute("PUT", Q, ADMIN, change_quota, wrapped("quota", _QUOTA)),
    ApiRoute("GET", f"{Q}/default", READER, default_quota),
    ApiRoute("GET", f"{Q}/details.json", READER, detail_quota),
    ApiRoute("GET", f"{Q}/details", READER, detail_quota),
    ApiRoute("GET", f"{V}/availability_zones", READER, zones),
    ApiRoute("GET", f"{V}/agents", ADMIN, empty("agents")),
    ApiRoute("GET", f"{V}/service-providers", READER, empty("service_providers")),
    ApiRoute("GET", f"{V}/subnetpools", READER, empty("subnetpools")),
    ApiRoute("GET", f"{V}/address-scopes", READER, empty("address_scopes")),
    ApiRoute("GET", f"{V}/address-groups", READER, empty("address_groups")),
    ApiRoute("GET", f"{V}/rbac-policies", READER, empty("rbac_policies")),
    ApiRoute("GET", f"{V}/trunks", READER, empty("trunks")),
    ApiRoute("GET", f"{V}/qos/policies", READER, empty("policies")),
    ApiRoute("GET", f"{V}/{{kind}}/{{id}}/tags", READER, show_tags),
    ApiRoute("PUT", f"{V}/{{kind}}/{{id}}/tags", MEMBER, write_tags, record(["tags"], tags=TAGS)),
)
UNBUILT = (
    ("POST", f"{V}/ports", "ports of their own"),
    ("DELETE", f"{V}/ports/{{id}}", "the same"),
    ("POST", f"{V}/subnetpools", "subnet pools"),
    ("POST", f"{V}/address-scopes", "address scopes"),
    ("POST", f"{V}/address-groups", "address groups"),
    ("POST", f"{V}/rbac-policies", "sharing networks with single projects"),
    ("POST", f"{V}/trunks", "trunks"),
    ("POST", f"{V}/qos/policies", "QoS policies"),
    ("DELETE", Q, "resetting a quota"),
)
SERVICE = Service(name="network", type="network", title="neutron", endpoint="/network", routes=ROUTES, unbuilt=UNBUILT)
