"""What a router can join, and how it can lead there. Looks only at the spec."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from stead.core.address import Address
from stead.core.diagnostics import Code, Diagnostic, Severity
from stead.core.driver import Feature
from stead.core.observed import Host
from stead.drivers.network import (
    FORWARDS,
    ROUTERS,
    ROUTERS_HA,
    ROUTERS_OUT,
    ROUTERS_OUT_TUNNELS,
    ROUTERS_WIRED,
    UPLINKS,
    all_of_them,
    named,
)
from stead.kinds.router import static_rules, uplink
from stead.kinds.router.model import Router
from stead.kinds.router.needs import Joined, inner, interfaces, outer
from stead.kinds.shared.interfaces import check_port
from stead.kinds.shared.memoize_last import memoize_last
from stead.kinds.shared.network_drivers import WIRES, cannot
from stead.kinds.shared.subnets import Net, holds, nets_of, overlap
from stead.language.desired import Block, Desired

OVERLAP = Code("STEAD-N020", "the router's networks overlap")
NO_GATEWAY = Code("STEAD-N021", "the network has no address for a router")
TWO_GATEWAYS = Code("STEAD-N022", "two routers would have the same address")
NOT_EXTERNAL = Code("STEAD-N023", "the network is not external")
JOINED_TWICE = Code("STEAD-N024", "a network is listed twice")
NO_SUBNET = Code("STEAD-N026", "the external network has no subnet")
NOT_SHARED = Code("STEAD-N027", "the network is not shared with projects")
ONE_FOR_MANY = Code("STEAD-N028", "several routers cannot share an address")
TWO_ADDRESSES = Code("STEAD-N029", "a router can have only one address in a subnet")
TWO_DRIVERS = Code("STEAD-N048", "the router's networks have different drivers")
OPEN_PORT = Code("STEAD-N050", "the port of a router has no address of its own")
NO_TAKEOVER = Code("STEAD-N061", "no host takes over the router's way out", Severity.WARNING)
NOT_ITS_GATEWAY = Code("STEAD-N037", "the gateway of an external network is not the router")


def check(block: Block, desired: Desired) -> Iterator[Diagnostic]:
    joined = list(inner(block, desired))
    out = outer(block, desired)
    yield from _drivers(block, interfaces(block, desired))
    yield from _outside(block, out, desired)
    yield from _inside(block, joined, out, desired)
    yield from _gateways(block, joined, desired)
    yield from _overlaps(block, interfaces(block, desired), desired)
    yield from static_rules.check(block, desired)
    yield from uplink.check(block, desired)


def _drivers(block: Block, joined: list[Joined]) -> Iterator[Diagnostic]:
    """One driver makes all of a router."""
    places = _places(block)
    for one in joined:
        model, first = one.block.model, joined[0].block.model.driver
        place = block.place(places.get(one.network, "external"))
        if model.driver != first:
            text = (
                f"{one.network} has driver {model.driver} and {joined[0].network} has {first}, and no router joins "
                "networks of two. Give them the same `driver`, or use two routers."
            )
            yield TWO_DRIVERS.at(place, text)
        yield from cannot(model, _asked_of(one, block.model), place)
    for feature, field in ((UPLINKS, "uplink"), (FORWARDS, "forwards")):
        if joined and getattr(block.model, field):
            yield from cannot(joined[0].block.model, [feature], block.place(field))


def _asked_of(one: Joined, model: Router) -> list[Feature]:
    wired = one.block.model.type in WIRES
    if one.key == "external":
        found = [ROUTERS_OUT] if wired else [ROUTERS_OUT, ROUTERS_OUT_TUNNELS]
    else:
        found = [ROUTERS_WIRED] if wired else []
    return [ROUTERS, *found, *([ROUTERS_HA] if model.ha is True else [])]


def fits(block: Block, desired: Desired, hosts: Mapping[str, Host]) -> Iterator[Diagnostic]:
    """Where more than one host leads out by name only: none takes over for another."""
    out, model = outer(block, desired), block.model
    if out is None or out.block.model.driver not in all_of_them() or model.ha is False:
        return
    driver = named(out.block.model.driver)
    able = driver.leads_out("", out.block.model.physical or "", hosts)
    if able and len(able) < driver.takes_over and (model.ha is True or len(able) > 1):
        text = (
            f"{', '.join(able)} can lead out to {out.network}, and the driver {driver.name} needs {driver.takes_over} "
            "such hosts before one takes over for another: with fewer, one that hears nobody believes that it is cut "
            "off itself. Add network hosts with the physical network, or write `ha: false`."
        )
        yield NO_TAKEOVER.at(block.place("external"), text)


def _outside(block: Block, out: Joined | None, desired: Desired) -> Iterator[Diagnostic]:
    model: Router = block.model
    if out is None or model.external is None:
        return
    place = block.place("external")
    if not out.block.model.external:
        text = f"{out.network} is not external. Set `external: true` on it, or list it under `networks`."
        yield NOT_EXTERNAL.at(place, text)
    if not nets_of(out.block, desired):
        text = f"{out.network} has no subnet, so the router could have no address there. Give it one."
        yield NO_SUBNET.at(place, text)
    if out.asked and len(block.members) > 1:
        text = f"{len(block.members)} routers would all have it. Leave it out, and each gets its own."
        yield ONE_FOR_MANY.at(block.place("external.address"), text)
    yield from _said_twice(block, "external.address", out, desired)


def _inside(block: Block, joined: list[Joined], out: Joined | None, desired: Desired) -> Iterator[Diagnostic]:
    seen = {out.network} if out is not None else set()
    places = _places(block)
    for at, written in enumerate(block.model.networks):
        yield from check_port(block, at, written, desired)
    for one in joined:
        place = block.place(places[one.network])
        if one.network in seen:
            yield JOINED_TWICE.at(place, f"The router is in {one.network} already. Remove one of the two.")
        seen.add(one.network)
        if not one.block.project and not one.block.model.shared:
            text = (
                f"{one.network} is the site's and not shared. Set `shared: true` on it, or use a network of the "
                "project."
            )
            yield NOT_SHARED.at(place, text)
        yield from _said_twice(block, f"{places[one.network]}.address", one, desired)
        if one.block.model.external and not one.asked:
            text = (
                f"{one.network} is external, so its gateway is another device, and the router would take its "
                "address. Make it the router's `external`, or say the router's own `address` there."
            )
            yield NOT_ITS_GATEWAY.at(place, text)
        if one.port is not None and not one.asked:
            text = f"{one.port} has its address chosen, and a router's has to be known. Write its `address`."
            yield OPEN_PORT.at(place, text)
        elif not one.stands:
            nets = nets_of(one.block, desired)
            why = "none of its subnets has a gateway" if nets else "it has no subnet"
            text = (
                f"{one.network} cannot be joined: {why}. Give a subnet a gateway, or say the router's `address` there."
            )
            yield NO_GATEWAY.at(place, text)


def _said_twice(block: Block, path: str, one: Joined, desired: Desired) -> Iterator[Diagnostic]:
    """Inside, it has one address in each subnet; outside, one of each family."""
    had = {stand.fixed for stand in one.stands}
    nets = nets_of(one.block, desired)
    unused = [address for address in one.asked if address not in had and any(holds(net, address) for net in nets)]
    if unused:
        beside = next(own for own in one.asked if own in had and (":" in own) == (":" in unused[0]))
        text = f"It cannot have {unused[0]} beside {beside}. Keep one of them."
        yield TWO_ADDRESSES.at(block.place(path), text)


def _places(block: Block) -> dict[Address, str]:
    """The last mention of each network: the first is not the mistake."""
    return {joined.network: f"networks.{at}" for at, joined in enumerate(block.model.networks)}


def _claimed(desired: Desired) -> Mapping[tuple[Address, str], list[Block]]:
    found: dict[tuple[Address, str], list[Block]] = {}
    for block in desired.of_kind("routers"):
        for joined in {one.network: one for one in inner(block, desired)}.values():
            for stand in joined.stands:
                found.setdefault((joined.network, stand.fixed or ""), []).extend([block] * len(block.members))
    return found


claimed = memoize_last(_claimed)


def _gateways(block: Block, joined: list[Joined], desired: Desired) -> Iterator[Diagnostic]:
    places = _places(block)
    for one in {each.network: each for each in joined}.values():
        for stand in one.stands:
            holders = claimed(desired).get((one.network, stand.fixed or ""), [])
            if len(holders) < 2 or (holders[0] is block and holders[1] is not block):
                continue
            if holders[0] is block:
                count = len(block.members)
                text = f"{count} routers would be {stand.fixed} in {one.network}. Use one router for it."
            else:
                text = (
                    f"{holders[0].members[0].block} is {stand.fixed} in {one.network} already. Give one of them "
                    f"another address there: {{network: {one.network.label}, address: …}}."
                )
            yield TWO_GATEWAYS.at(block.place(places[one.network]), text)


def _overlaps(block: Block, joined: list[Joined], desired: Desired) -> Iterator[Diagnostic]:
    """Neighbours in order are enough: whatever overlaps anything overlaps the one before or after it, or hides one."""
    nets = [(net, one) for one in joined for net in nets_of(one.block, desired)]
    nets.sort(key=lambda pair: (pair[0].version, pair[0].base, -pair[0].end))
    places = _places(block)
    reach: tuple[Net, Joined] | None = None
    for net, one in nets:
        if reach is not None and overlap(reach[0], net) and reach[1].network != one.network:
            text = (
                f"{net.cidr} of {one.network} and {reach[0].cidr} of {reach[1].network} share addresses, so "
                "routing would be ambiguous. Renumber one of them, or use two routers."
            )
            yield OVERLAP.at(block.place(places.get(one.network, "external")), text)
        if reach is None or reach[0].version != net.version or net.end > reach[0].end:
            reach = (net, one)
