"""What a router's host should have, and what the networks it joins are told of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

from stead.core.kind import Contribution, Member, World
from stead.core.named import NamedTuple
from stead.core.needs import STANDBY
from stead.core.want import Body, Want
from stead.drivers.network import mark, named
from stead.kinds.router import uplink
from stead.kinds.router.model import Router
from stead.kinds.router.needs import Joined, driver_of, inner, interfaces, outer
from stead.kinds.shared import forwards, two_hosts, underlay
from stead.kinds.shared.name_servers import servers
from stead.kinds.shared.subnets import Net
from stead.kinds.shared.two_hosts import hosts_of
from stead.language.desired import Block


def contribute(block: Block, members: Sequence[Member], world: World) -> Iterator[Contribution]:
    joined = interfaces(block, world.desired)
    siblings = tuple(one.network for one in inner(block, world.desired))
    for member in members if block.model.enabled else ():
        pair = two_hosts.is_pair(member)
        for one, host in product(joined, two_hosts.hosts_of(member) if pair else (member.host,)):
            fact = {
                # Who has the addresses of two is asked for: nobody but the one that answers may say it.
                "addresses": [] if pair else [member.leases[one.lease(stand.net)] for stand in one.stands],
                "host": host,
                "mac": two_hosts.mac_on(member.leases[one.mac], host, member),
                "router": str(member.address),
                "siblings": () if one.key == "external" else siblings,
            }
            yield Contribution(one.network, "interface", fact)


def realise(block: Block, members: Sequence[Member], world: World) -> Iterator[Mapping[str, Want]]:
    model: Router = block.model
    out = outer(block, world.desired)
    joined = list(inner(block, world.desired))
    driver = driver_of(interfaces(block, world.desired))
    leads_out = out is not None or model.uplink is not None
    body = Body.of(
        {
            **mark(driver),
            "routes": [{"to": one.to, "via": one.via} for one in model.routes],
            "snat": _hidden(joined) if model.snat and leads_out else [],
            **forwards.wanted(model.forwards, uplink.leads(block, world.desired), world),
        }
    )
    for member in members:
        if model.enabled and two_hosts.is_pair(member):
            places = [OnHost(member, host, world, True) for host in hosts_of(member)]
            yield {place.host: Want.of(body, _own(out, joined, place)) for place in places}
            continue
        hosts = (named(driver).on_hosts([member.host], world.hosts) or [""]) if model.enabled else [""]
        place = OnHost(member, "", world, model.ha is not False)
        own = _own(out, joined, place) | uplink.of_member(block, member, world)
        yield dict.fromkeys(hosts, Want.of(body, own))


class OnHost(NamedTuple):
    """A router on one of its hosts."""

    member: Member
    host: str  # of two; empty where it is the only one
    world: World
    relieved: bool  # others take over


def _own(out: Joined | None, joined: Sequence[Joined], place: OnHost) -> dict[str, Any]:
    return {
        "external": _outer(out, place) if out is not None else {},
        "interfaces": {str(one.network): _inner(one, place) for one in joined},
        "name": str(place.member.address),
        "uuid": place.member.leases["uuid"],
        **({"ha": two_hosts.link(place.member, place.world)} if place.host else {}),
    }


def _outer(out: Joined, place: OnHost) -> dict[str, Any]:
    model = out.block.model
    chassis = named(model.driver).leads_out(place.member.host, model.physical or "", place.world.hosts)
    kept = chassis if place.relieved else chassis[:1]
    return _interface(out, place) | {"gateways": _gateways(out)} | ({"chassis": list(kept)} if kept else {})


def _interface(joined: Joined, place: OnHost) -> dict[str, Any]:
    member, host, world = place.member, place.host, place.world
    leased, peer = member.leases[joined.mac], two_hosts.peer_of(host, member) if host else ""
    return {
        "addresses": [stand.net.sized(member.leases[joined.lease(stand.net)]) for stand in joined.stands],
        "mac": two_hosts.mac_on(leased, host, member) if host else leased,
        "mtu": underlay.mtu(joined.block.model, world),
        "network": str(joined.network),
        "network_uuid": world.member(joined.network).leases["uuid"],
        **({"peer_mac": two_hosts.mac_on(leased, peer, member)} if peer else {}),
    }


def _inner(joined: Joined, place: OnHost) -> dict[str, Any]:
    found = _interface(joined, place)
    leases = place.world.member(joined.network).leases
    announced = [_announced(stand.net, leases) for stand in joined.stands if stand.net.version == 6]
    if announced and place.host:
        found["link_local"] = two_hosts.link_local(place.member.leases[joined.mac])
    return found | {"announces": announced} if announced else found


def _announced(net: Net, leases: Mapping[str, str]) -> dict[str, Any]:
    """What router advertisements say of a subnet: only the gateway may tell guests to use it."""
    return {"cidr": net.cidr, "dns": [one for one in servers(net, leases) if ":" in one], "slaac": net.slaac}


def _gateways(out: Joined) -> list[str]:
    gateways = [stand.net for stand in out.stands if stand.net.gateway is not None]
    return [net.write(net.gateway) for net in gateways if net.gateway is not None]


def _hidden(joined: Sequence[Joined]) -> list[str]:
    """Inner addresses that leave as the router's. IPv6 needs no hiding, so it is not hidden."""
    return sorted(stand.net.cidr for one in joined for stand in one.stands if stand.net.version == 4)


def facts(block: Block, member: Member, world: World) -> dict[str, Any]:
    out = outer(block, world.desired)
    outside = [member.leases[out.lease(stand.net)] for stand in out.stands] if out is not None else []
    if block.model.uplink is not None and member.host in world.hosts:
        outside = [world.hosts[member.host].underlay]
    return {
        "name": member.address.label,
        "uuid": member.leases["uuid"],
        "host": member.host,
        "standby": member.leases.get(STANDBY, ""),
        "address": outside[0] if outside else "",
        "addresses": outside,
        "networks": {
            one.network.label: [member.leases[one.lease(stand.net)] for stand in one.stands]
            for one in inner(block, world.desired)
        },
    }
