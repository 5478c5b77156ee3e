"""What a router's host should have, and what the networks it joins are told of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from stead.core.kind import Contribution, Member, World
from stead.core.want import Body, Want
from stead.drivers.network import mark, named
from stead.kinds.router.model import Router
from stead.kinds.router.needs import Joined, driver_of, inner, interfaces, outer
from stead.kinds.shared import underlay
from stead.kinds.shared.subnets import Net
from stead.language.desired import Block


def contribute(block: Block, members: Sequence[Member], world: World) -> Iterator[Contribution]:
    joined = interfaces(block, world.desired)
    siblings = tuple(one.network for one in inner(block, world.desired))
    for member in members if block.model.enabled else ():
        leases = member.leases
        for one in joined:
            fact = {
                "addresses": [leases[one.lease(stand.net)] for stand in one.stands],
                "host": member.host,
                "mac": leases[one.mac],
                "router": str(member.address),
                "siblings": () if one.key == "external" else siblings,
            }
            yield Contribution(one.network, "interface", fact)


def realise(block: Block, members: Sequence[Member], world: World) -> Iterator[Mapping[str, Want]]:
    model: Router = block.model
    out = outer(block, world.desired)
    joined = list(inner(block, world.desired))
    driver = driver_of(interfaces(block, world.desired))
    body = Body.of(
        {
            **mark(driver),
            "routes": [{"to": one.to, "via": one.via} for one in model.routes],
            "snat": _hidden(joined) if model.snat and out is not None else [],
        }
    )
    for member in members:
        own = {
            "external": _interface(out, member, world) | {"gateways": _gateways(out)} if out is not None else {},
            "interfaces": {str(one.network): _inner(one, member, world) for one in joined},
            "name": str(member.address),
            "uuid": member.leases["uuid"],
        }
        hosts = named(driver).on_hosts([member.host], world.hosts) if model.enabled else [""]
        yield dict.fromkeys(hosts, Want.of(body, own))


def _interface(joined: Joined, member: Member, world: World) -> dict[str, Any]:
    return {
        "addresses": [stand.net.sized(member.leases[joined.lease(stand.net)]) for stand in joined.stands],
        "mac": member.leases[joined.mac],
        "mtu": underlay.mtu(joined.block.model, world),
        "network": str(joined.network),
        "network_uuid": world.member(joined.network).leases["uuid"],
    }


def _inner(joined: Joined, member: Member, world: World) -> dict[str, Any]:
    found = _interface(joined, member, world)
    announced = [_announced(stand.net) for stand in joined.stands if stand.net.version == 6]
    return found | {"announces": announced} if announced else found


def _announced(net: Net) -> dict[str, Any]:
    """What router advertisements say of a subnet: only the gateway may tell guests to use it."""
    return {"cidr": net.cidr, "dns": [one for one in net.name_servers if ":" in one], "slaac": net.slaac}


def _gateways(out: Joined) -> list[str]:
    gateways = [stand.net for stand in out.stands if stand.net.gateway is not None]
    return [net.write(net.gateway) for net in gateways if net.gateway is not None]


def _hidden(joined: Sequence[Joined]) -> list[str]:
    """Inner addresses that leave as the router's. IPv6 needs no hiding, so it is not hidden."""
    return sorted(stand.net.cidr for one in joined for stand in one.stands if stand.net.version == 4)


def facts(block: Block, member: Member, world: World) -> dict[str, Any]:
    out = outer(block, world.desired)
    outside = [member.leases[out.lease(stand.net)] for stand in out.stands] if out is not None else []
    return {
        "name": member.address.label,
        "uuid": member.leases["uuid"],
        "host": member.host,
        "address": outside[0] if outside else "",
        "addresses": outside,
        "networks": {
            one.network.label: [member.leases[one.lease(stand.net)] for stand in one.stands]
            for one in inner(block, world.desired)
        },
    }
