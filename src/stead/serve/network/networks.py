"""Networks and subnets: a subnet is an entry of its network, and its id is made of both."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from ipaddress import ip_address, ip_network
from typing import Any

from stead.core.named import NamedTuple
from stead.kinds.network.model import Network, Subnet
from stead.kinds.shared.subnets import Net, nets_of
from stead.serve.edits import Content, Edit, change, entry_of
from stead.serve.faults import bad, conflict, not_built, not_found
from stead.serve.network import subnet_pools
from stead.serve.network.ports import subnet_id
from stead.serve.network.subnet_pools import OF_POOL
from stead.serve.routes import Call, true
from stead.serve.world import CloudState, KnownResource, ResourceStatus


class SubnetResource(NamedTuple):
    id: str
    key: str
    network: KnownResource
    model: Subnet
    net: Net


def status(thing: KnownResource) -> str:
    """All of it is chosen before it is answered, so it can be used at once."""
    return "ERROR" if thing.state is ResourceStatus.FAILED else "ACTIVE"


def visible(call: Call, world: CloudState) -> list[KnownResource]:
    """One's own, and what the site shares; an admin sees all."""
    projects = None if call.caller.admin else [call.caller.project, ""]
    return [
        one
        for one in world.things("networks", projects)
        if one.address.project or one.model.shared or one.model.external or call.caller.admin
    ]


def subnets_of(world: CloudState, network: KnownResource) -> Iterator[SubnetResource]:
    nets = {net.name: net for net in nets_of(network.block, world.desired)}
    for key, model in network.model.subnets.items():
        yield SubnetResource(subnet_id(network.id, key), key, network, model, nets[key])


def find_subnet(call: Call, world: CloudState, identity: str) -> SubnetResource:
    for network in visible(call, world):
        for one in subnets_of(world, network):
            if one.id == identity:
                return one
    raise not_found("Subnet", identity)


def network_data(call: Call, world: CloudState, thing: KnownResource) -> dict[str, Any]:
    model: Network = thing.model
    project = world.project_id(thing.address.project)
    found: dict[str, Any] = {
        "id": thing.id,
        "name": thing.name,
        "tenant_id": project,
        "project_id": project,
        "admin_state_up": True,
        "status": status(thing),
        "shared": not thing.address.project and model.shared,
        "router:external": model.external,
        "is_default": False,
        "subnets": [one.id for one in subnets_of(world, thing)],
        "mtu": model.mtu or 1450,
        "port_security_enabled": model.port_security,
        "description": model.description,
        "availability_zone_hints": [],
        "availability_zones": [],
        "ipv4_address_scope": None,
        "ipv6_address_scope": None,
        "qos_policy_id": None,
        "dns_domain": "",
        "tags": list(thing.settings.tags),
        "revision_number": 1,
        "created_at": thing.created,
        "updated_at": thing.updated,
    }
    if call.caller.admin:
        number = thing.leases.get("vni") or thing.leases.get("vlan")
        found |= {
            "provider:network_type": model.type,
            "provider:physical_network": model.physical,
            "provider:segmentation_id": int(number) if number else None,
        }
    return found


def subnet_data(world: CloudState, one: SubnetResource) -> dict[str, Any]:
    net, thing = one.net, one.network
    project, notes = world.project_id(thing.address.project), notes_of(world, thing, one.key)
    pool = notes.get(OF_POOL)
    ipv6 = {"dhcp": "dhcpv6-stateful", "slaac": "slaac"}[one.model.ipv6] if net.version == 6 else None
    return {
        "id": one.id,
        "name": _name_of(world, thing, one.key),
        "network_id": thing.id,
        "tenant_id": project,
        "project_id": project,
        "ip_version": net.version,
        "cidr": net.cidr,
        "gateway_ip": None if net.gateway is None else net.write(net.gateway),
        "enable_dhcp": net.server is not None,
        "dns_nameservers": list(one.model.dns),
        "host_routes": [{"destination": route.to, "nexthop": route.via} for route in one.model.routes],
        "allocation_pools": _pools(net),
        "ipv6_ra_mode": ipv6,
        "ipv6_address_mode": ipv6,
        "subnetpool_id": subnet_pools.pool_id(world, thing.address.project, pool) if pool else None,
        "service_types": [],
        "segment_id": None,
        "dns_publish_fixed_ip": False,
        "router:external": thing.model.external,
        "description": notes.get("description", ""),
        "tags": list(notes.get("tags", ())),
        "revision_number": 1,
        "created_at": thing.created,
        "updated_at": thing.updated,
    }


def _pools(net: Net) -> list[dict[str, str]]:
    """What ports get their addresses from: the gateway is in none, as in Neutron."""
    ends = [(net.first, net.last)]
    if net.gateway is not None and net.first <= net.gateway <= net.last:
        ends = [(net.first, net.gateway - 1), (net.gateway + 1, net.last)]
    return [{"start": net.write(first), "end": net.write(last)} for first, last in ends if first <= last]


SUBNET_NOTES = "serve_subnets"  # a section of documents that the planner does not read: names and descriptions


def notes_of(world: CloudState, network: KnownResource, key: str) -> Mapping[str, Any]:
    document = world.documents.get(network.address.project)
    notes = document.content.get(SUBNET_NOTES, {}) if document else {}
    found: Mapping[str, Any] = notes.get(f"{network.address.name}/{key}", {})
    return found


def _name_of(world: CloudState, network: KnownResource, key: str) -> str:
    notes = notes_of(world, network, key)
    name: str = notes.get("name", "" if notes else key)
    return name


def subnet_fields(said: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """Of a body to those of a subnet, over what it was."""
    fields = {**before, **(_cidr(said) if "cidr" in said else {})}
    for name, (word, read) in _SUBNET_WORDS.items():
        if name in said:
            fields[word] = read(said[name])
    if pools := said.get("allocation_pools"):
        if len(pools) > 1:
            raise not_built("A subnet has one allocation pool here.")
        fields["pool"] = f"{_address(pools[0]['start'])}-{_address(pools[0]['end'])}"
    if mode := _ipv6_mode(said):
        fields["ipv6"] = mode
    return {name: one for name, one in fields.items() if one not in (None, [])}


def _ipv6_mode(said: Mapping[str, Any]) -> str | None:
    """Routers announce what addresses are made by; one of the two fields says both."""
    modes = {said[name] for name in ("ipv6_ra_mode", "ipv6_address_mode") if said.get(name)}
    if len(modes) > 1:
        raise bad("Invalid input: ipv6_ra_mode and ipv6_address_mode have to be the same.")
    if "dhcpv6-stateless" in modes:
        raise not_built("dhcpv6-stateless is not built: addresses are told by DHCPv6, or made from the MAC (slaac).")
    return {"slaac": "slaac", "dhcpv6-stateful": "dhcp"}[modes.pop()] if modes else None


def _cidr(said: Mapping[str, Any]) -> dict[str, str]:
    try:
        network = ip_network(said["cidr"], strict=False)
    except ValueError as error:
        raise bad(f"Invalid input for cidr: {str(said['cidr'])[:60]!r} is no CIDR.") from error
    if said.get("ip_version") not in (None, network.version):
        raise bad("ip_version and cidr differ.")
    return {"cidr": str(network)}


def _address(text: Any) -> str:
    try:
        return str(ip_address(text))
    except ValueError as error:
        raise bad(f"{str(text)[:60]!r} is not a valid IP address.") from error


# Neutron's word -> ours, and how its value is ours.
_SUBNET_WORDS: Mapping[str, tuple[str, Callable[[Any], Any]]] = {
    "gateway_ip": ("gateway", lambda said: "none" if said is None else _address(said)),
    "enable_dhcp": ("dhcp", true),
    "dns_nameservers": ("dns", lambda said: [_address(one) for one in said or ()]),
    "host_routes": ("routes", lambda said: [{"to": one["destination"], "via": one["nexthop"]} for one in said or ()]),
}


def write_subnet(network: str, key: str, said: Mapping[str, Any], *, new: bool) -> Edit:
    def edit(content: Content) -> Content:
        before = entry_of(content, "networks", network)
        subnets = before.get("subnets", {})
        if not new and key not in subnets:
            raise conflict("The subnet was deleted meanwhile.")
        words = {**said, "cidr": subnet_pools.cut(content, said)} if new and said.get(OF_POOL) else said
        fields = subnet_fields(words, subnets.get(key, {}))
        if new:
            _apart(fields["cidr"], subnets)
        content = change(content, "networks", network, {"subnets": {**subnets, key: fields}})
        return _noted(content, f"{network}/{key}", said)

    return edit


def _apart(cidr: str, subnets: Mapping[str, Any]) -> None:
    new = ip_network(cidr)
    for one in subnets.values():
        other = ip_network(one["cidr"])
        if other.version == new.version and other.overlaps(new):
            raise bad(f"Requested subnet with cidr: {cidr} overlaps with another subnet.")


def tag_subnet(one: SubnetResource, tags: Sequence[str]) -> Edit:
    place = f"{one.network.address.name}/{one.key}"

    def edit(content: Content) -> Content:
        notes = content.get(SUBNET_NOTES, {})
        mine = {**notes.get(place, {"name": one.key}), "tags": [*tags]}
        return {**content, SUBNET_NOTES: {**notes, place: mine}}

    return edit


def _noted(content: Content, place: str, said: Mapping[str, Any]) -> Content:
    notes = content.get(SUBNET_NOTES, {})
    mine = {
        **notes.get(place, {"name": ""}),
        **{name: said[name] for name in ("name", "description", OF_POOL) if said.get(name)},
    }
    return {**content, SUBNET_NOTES: {**notes, place: mine}}


def delete_subnet(network: str, key: str) -> Edit:
    def edit(content: Content) -> Content:
        before = entry_of(content, "networks", network)
        subnets = {name: one for name, one in before.get("subnets", {}).items() if name != key}
        notes = {name: one for name, one in content.get(SUBNET_NOTES, {}).items() if name != f"{network}/{key}"}
        content = {**{name: one for name, one in content.items() if name != SUBNET_NOTES}}
        content = change(content, "networks", network, {"subnets": subnets or None})
        return {**content, SUBNET_NOTES: notes} if notes else content

    return edit


def users_of_subnet(one: SubnetResource, ports: Iterable[Any]) -> list[str]:
    """Addresses that are made from MACs keep no subnet, as in Neutron; a router does."""
    return [
        port.id
        for port in ports
        if any(subnet == one.id for subnet, _ in port.fixed)
        and not (one.net.slaac and not port.role.startswith("network:"))
    ]


def leave_subnet(one: SubnetResource, port: KnownResource) -> Edit:
    """The port names it no more."""
    left = [name for name in port.model.subnets or () if name != one.key]
    return lambda content: change(content, "ports", port.address.name, {"subnets": left})
