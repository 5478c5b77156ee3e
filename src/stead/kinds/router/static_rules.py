"""Where a router's static routes can lead, and by which next hop. Looks only at the spec."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import ip_network

from stead.core.diagnostics import Code, Diagnostic
from stead.kinds.router.model import Router, StaticRoute
from stead.kinds.router.needs import Joined, interfaces
from stead.kinds.shared.subnets import Net, nets_of, read
from stead.language.desired import Block, Desired

NO_WAY = Code("STEAD-N025", "the next hop is on none of the router's networks")
NO_HOP = Code("STEAD-N038", "invalid next hop")
TWO_WAYS = Code("STEAD-N039", "two routes of a router lead to the same network")

DEFAULT = {4: "0.0.0.0/0", 6: "::/0"}


def check(block: Block, desired: Desired) -> Iterator[Diagnostic]:
    model: Router = block.model
    if not model.routes:
        return
    joined = interfaces(block, desired)
    nets = [net for one in joined for net in nets_of(one.block, desired)]
    ways = _ways(joined)
    for at, route in enumerate(model.routes):
        yield from _hop(block, f"routes.{at}.via", route, joined, nets)
        first = ways.setdefault(route.to, route.via)
        if first != route.via:
            text = f"{route.to} already has a route through {first}. Remove one of the two."
            yield TWO_WAYS.at(block.place(f"routes.{at}.to"), text)


def _ways(joined: Sequence[Joined]) -> dict[str, str]:
    """Where it leads without any static route, and by what."""
    found = {stand.net.cidr: f"{one.network} itself" for one in joined for stand in one.stands}
    for one in joined:
        if one.key == "external":
            for stand in one.stands:
                if stand.net.gateway is not None:
                    found[DEFAULT[stand.net.version]] = f"the gateway of {one.network}"
    return found


def _hop(
    block: Block, path: str, route: StaticRoute, joined: Sequence[Joined], nets: Sequence[Net]
) -> Iterator[Diagnostic]:
    version, number = read(route.via)
    net = next((net for net in nets if net.version == version and net.holds(number)), None)
    own = next((one.network for one in joined for stand in one.stands if stand.fixed == route.via), None)
    if net is None:
        have = ", ".join(net.cidr for net in nets) or "none"
        text = (
            f"{route.via} cannot be reached directly: the router's subnets are {have}. Choose one of their addresses."
        )
        yield NO_WAY.at(block.place(path), text)
    elif ip_network(route.to).version != version:
        text = f"{route.to} and {route.via} are of different families. Choose a next hop of the destination's."
        yield NO_WAY.at(block.place(path), text)
    elif own is not None:
        text = f"{route.via} is the router itself, in {own}. Name the next router."
        yield NO_HOP.at(block.place(path), text)
    elif not net.is_host(number):
        text = f"{route.via} is the network or broadcast address of {net.cidr}. Choose another."
        yield NO_HOP.at(block.place(path), text)
