"""A router behind its host's own address: the link to its host, what it may reach by it, and which ports it has.

Whoever is reached by it sees the host, and hosts of the site trust each other. So what is private stays closed, other
hosts too, and the site opens by name what its people want reached.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from stead.core.address import Address
from stead.core.diagnostics import Code, Diagnostic
from stead.core.kind import Member, Reach, World
from stead.kinds.router.model import Router
from stead.kinds.router.needs import UPLINK, inner, outer
from stead.kinds.shared import forwards
from stead.kinds.shared.memoize_last import memoize_last
from stead.kinds.shared.subnets import Net, write
from stead.language.desired import Block, Desired

TWO_WAYS_OUT = Code("STEAD-N055", "a router has two ways out")
ON_ONE_HOST = Code("STEAD-N056", "a router behind its host's address is on one host")
NEEDS_WAY_OUT = Code("STEAD-N057", "the router has no way out that this is for")
PORT_TAKEN = Code("STEAD-N058", "two routers forward the same port of their host")
PORT_OF_HOST = Code("STEAD-N059", "hosts need this port themselves")

# Link-local, so that nobody routes it, and clear of the address at which clouds tell machines who they are. A link
# takes four addresses of it: the second is its host's, the third its router's.
FIRST, LENGTH = 0xA9FE4000, 30
# What hosts of a site say to each other, and how people reach them: docs/hosts.md.
OF_HOSTS: Mapping[str, Mapping[range, str]] = {
    "tcp": {
        range(22, 23): "SSH",
        range(2049, 2050): "NFS",
        range(3260, 3261): "iSCSI",
        range(6641, 6643): "OVN",
        range(7480, 7481): "images",
        range(16509, 16510): "libvirt",
        range(16514, 16515): "libvirt",
        range(20048, 20049): "NFS",
        range(49152, 49216): "migrations",
    },
    "udp": {
        range(4789, 4790): "VXLAN",
        range(6081, 6082): "Geneve",
        range(2049, 2050): "NFS",
        range(20048, 20049): "NFS",
    },
}


def _ends(number: str) -> tuple[str, str]:
    """The addresses of host and router."""
    base = FIRST + 4 * int(number)
    return write(4, base + 1), write(4, base + 2)


def number_of(uplink: Mapping[str, Any]) -> str:
    """The reverse, from a want."""
    last = [int(part) for part in uplink["gateway"].split(".")]
    return str(((last[0] << 24 | last[1] << 16 | last[2] << 8 | last[3]) - FIRST) // 4)


def of_member(block: Block, member: Member, world: World) -> dict[str, Any]:
    """In a want: nothing where it has none."""
    model: Router = block.model
    if model.uplink is None:
        return {}
    gateway, address = _ends(member.leases[UPLINK.key])
    hosts = {address for host in world.hosts.values() for address in (host.underlay, host.management)}
    made = {
        "address": f"{address}/{LENGTH}",
        "closed": sorted(one for one in hosts if _is_v4(one)),
        "gateway": gateway,
        "name_servers": sorted({one for one in world.desired.site.dns if _is_v4(one)}),
        "open": sorted(model.reach),
    }
    return {"uplink": made}


def _is_v4(text: str) -> bool:
    return text.replace(".", "").isdigit()


def leads(block: Block, desired: Desired) -> forwards.Leads:
    stands = {(one.network, slot.net.name) for one in inner(block, desired) for slot in one.stands}

    def stands_in(network: Address, net: Net) -> bool:
        return (network, net.name) in stands

    return stands_in


def reaches(block: Block) -> Iterator[Reach]:
    model: Router = block.model
    for at, cidr in enumerate(model.reach):
        yield Reach("reach", cidr, f"reach.{at}", f"It would reach {cidr} behind the address of its host")
    for at, one in enumerate(model.forwards if model.uplink else ()):
        why = f"It would take {one.protocol} port {one.port} of its host"
        yield Reach("host_ports", one.port, f"forwards.{at}.port", why)


def check(block: Block, desired: Desired) -> Iterator[Diagnostic]:
    model: Router = block.model
    yield from forwards.check(block, model.forwards, leads(block, desired), desired)
    if model.uplink is None:
        yield from _without(block, desired)
        return
    if model.external is not None:
        text = f"`uplink` leads out by its host, and `external` by {model.external.network}. Remove one of the two."
        yield TWO_WAYS_OUT.at(block.place("uplink"), text)
    if model.ha is True:
        text = "Another host has another address, so none can take over. Remove `ha`, or use an external network."
        yield ON_ONE_HOST.at(block.place("ha"), text)
    if not model.snat:
        text = "Nobody outside knows the way to inner addresses behind a host. Remove `snat: false`."
        yield NEEDS_WAY_OUT.at(block.place("snat"), text)
    yield from _ports(block, desired)


def _without(block: Block, desired: Desired) -> Iterator[Diagnostic]:
    model: Router = block.model
    if model.reach:
        text = "`reach` opens private addresses behind the host. Set `uplink: host`, or remove it."
        yield NEEDS_WAY_OUT.at(block.place("reach"), text)
    out = outer(block, desired)
    if model.forwards and not (out is not None and any(slot.net.version == 4 for slot in out.stands)):
        text = "The router has no IPv4 address outside. Set `uplink: host`, or `external` to a network with one."
        yield NEEDS_WAY_OUT.at(block.place("forwards"), text)


def _ports(block: Block, desired: Desired) -> Iterator[Diagnostic]:
    model: Router = block.model
    for at, one in enumerate(model.forwards):
        place = block.place(f"forwards.{at}.port")
        if (whose := _user(one.protocol, one.port)) is not None:
            text = f"Hosts use {one.protocol} port {one.port} for {whose}. Choose another port."
            yield PORT_OF_HOST.at(place, text)
        if len(block.members) > 1 and not _apart(block, block):
            count = len(block.members)
            text = f"{count} routers would take {one.protocol} port {one.port} of their host. Use one router for it."
            yield PORT_TAKEN.at(place, text)
        other = next((had for had in claims(desired)[one.key] if had is block or not _apart(had, block)), block)
        if other is not block:
            text = (
                f"{other.members[0].block} forwards {one.protocol} port {one.port} already, and both may be on one "
                "host. Choose another port, or set `host` of both to different hosts."
            )
            yield PORT_TAKEN.at(place, text)


def _user(protocol: str, port: int) -> str | None:
    return next((whose for ports, whose in OF_HOSTS[protocol].items() if port in ports), None)


def _apart(one: Block, other: Block) -> bool:
    hosts = one.model.host, other.model.host
    return all(hosts) and hosts[0] != hosts[1]


def _claims(desired: Desired) -> Mapping[tuple[str, int], list[Block]]:
    found: dict[tuple[str, int], list[Block]] = {}
    for block in desired.of_kind("routers"):
        for one in _behind_hosts(block):
            blocks = found.setdefault(one.key, [])
            if block not in blocks:
                blocks.append(block)
    return found


def _behind_hosts(block: Block) -> Iterable[forwards.Forward]:
    model: Router = block.model
    return model.forwards if model.uplink else ()


claims = memoize_last(_claims)
"""Ports of hosts -> the routers that forward them, in the order of their addresses."""
