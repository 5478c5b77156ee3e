"""What a network is, whoever makes it: what hosts should have of it is its driver's to say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from stead.core.address import Address
from stead.core.kind import HostNeeds, Member, World
from stead.core.needs import STANDBY
from stead.core.want import Want
from stead.drivers.network import Layout, named, refusal
from stead.kinds.network.model import Network, Subnet
from stead.kinds.network.needs import SECOND_MAC, SERVER_MAC, TUNNELS, is_served
from stead.kinds.shared import two_hosts, underlay
from stead.kinds.shared.name_servers import second, servers
from stead.kinds.shared.subnets import Net, nets_of
from stead.language.desired import Block


def realise(block: Block, members: Sequence[Member], world: World) -> Iterator[Mapping[str, Want]]:
    model: Network = block.model
    driver = named(model.driver)
    common = _common(block, members[0].leases, world)
    nets, served = nets_of(block, world.desired), is_served(block, world.desired)
    for member in members:
        numbers = {key: int(member.leases[key]) for key in ("vni", "vlan") if key in member.leases}
        fields = {**common, **numbers, "name": str(member.address), "uuid": member.leases["uuid"]}
        ports = [*world.contributions(member.address, "port"), *world.contributions(member.address, "interface")]
        service = _service(block, member, nets, world) if served else None
        seconds = _second(service, member, nets) if service is not None else {}
        yield driver.realise(Layout(fields, service, member.host, ports, world.hosts, seconds))


def _common(block: Block, leases: Mapping[str, str], world: World) -> dict[str, Any]:
    """A network with a second server is the only one of its block."""
    model: Network = block.model
    found: dict[str, Any] = {
        "driver": model.driver,
        "mtu": underlay.mtu(model, world),
        "subnets": {net.name: _subnet(net, model.subnets[net.name], leases) for net in nets_of(block, world.desired)},
        "type": model.type,
    }
    if model.type not in TUNNELS and model.physical:
        found["physical"] = model.physical
    return found


def _subnet(net: Net, subnet: Subnet, leases: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {"cidr": net.cidr, "routes": [{"to": one.to, "via": one.via} for one in subnet.routes]}
    if net.gateway is not None:
        found["gateway"] = net.write(net.gateway)
    if net.server is not None:
        found["server"] = net.write(net.server)
    if asked := servers(net, leases):
        found["dns"] = asked
    if net.version == 6:
        found["ipv6"] = subnet.ipv6
    return found


def _service(block: Block, member: Member, nets: Sequence[Net], world: World) -> dict[str, Any]:
    """What the network's own server tells: addresses, names, and the way to the rest of the world."""
    ports = world.contributions(member.address, "port")
    own = [net.sized(net.write(net.server)) for net in nets if net.server is not None]
    # It answers for a second one that finds no host: guests ask there as well.
    lonely = two_hosts.is_pair(member) and len(two_hosts.hosts_of(member)) == 1
    upstream = list(dict.fromkeys(one for net in nets if net.server is not None for one in net.dns))
    return {
        "addresses": [*own, *(_second_addresses(member, nets) if lonely else ())],
        "domain": domain(block, world),
        "hosts": {
            port["mac"]: {"addresses": port["addresses"], "name": port["name"], "routed": port["routed"]}
            for port in ports
        },
        "mac": member.leases[SERVER_MAC],
        "names": _neighbours(member, world),
        **({"upstream": upstream} if upstream else {}),
    }


def _second(service: Mapping[str, Any], member: Member, nets: Sequence[Net]) -> dict[str, dict[str, Any]]:
    """The same on another host, at addresses of its own."""
    addresses = _second_addresses(member, nets) if two_hosts.is_pair(member) else []
    hosts = two_hosts.hosts_of(member)[1:] if addresses else ()
    return {host: {**service, "addresses": addresses, "mac": member.leases[SECOND_MAC]} for host in hosts}


def _second_addresses(member: Member, nets: Sequence[Net]) -> list[str]:
    return [net.sized(member.leases[second(net)]) for net in nets if second(net) in member.leases]


def _neighbours(member: Member, world: World) -> dict[str, list[str]]:
    """Names in the networks that a router joins with this one: they resolve here too."""
    joined = {
        network
        for interface in world.contributions(member.address, "interface")
        for network in interface["siblings"]
        if network != member.address
    }
    names: dict[str, list[str]] = {}
    for network in sorted(joined, key=str):
        for port in world.contributions(network, "port"):
            names.setdefault(port["name"], []).extend(port["addresses"])
    return names


def domain(block: Block, world: World) -> str:
    model: Network = block.model
    if model.domain:
        return model.domain
    site = world.desired.site
    return project_domain(block.project, world) or (f"{block.project}.{site.domain}" if block.project else site.domain)


def project_domain(project: str, world: World) -> str:
    owner = world.desired.get(Address("", "projects", project)) if project else None
    return (owner.model.domain or "") if owner is not None else ""


def facts(block: Block, member: Member, world: World) -> dict[str, Any]:
    model: Network = block.model
    nets = nets_of(block, world.desired)
    found: dict[str, Any] = {
        "name": member.address.label,
        "uuid": member.leases["uuid"],
        "type": model.type,
        "mtu": underlay.mtu(model, world),
        "cidr": nets[0].cidr if nets else "",
        "gateway": nets[0].write(nets[0].gateway) if nets and nets[0].gateway is not None else "",
        "domain": domain(block, world),
        "subnets": {
            net.name: {
                "cidr": net.cidr,
                "gateway": "" if net.gateway is None else net.write(net.gateway),
                "dns": servers(net, member.leases),
            }
            for net in nets
        },
        "host": member.host,
        "standby": member.leases.get(STANDBY, ""),
    }
    for key in ("vni", "vlan"):
        if key in member.leases:
            found[key] = int(member.leases[key])
    return found


def host_needs(fields: Mapping[str, Any]) -> HostNeeds:
    return HostNeeds(physical=str(fields.get("physical") or ""), unable=refusal(fields))
