"""Where a floating IP can come from, and what it can lead to. Looks only at the spec."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from stead.core.address import Address
from stead.core.diagnostics import Code, Diagnostic, Place
from stead.drivers.network import FLOATING_IPS, FORWARDS
from stead.kinds.floating_ip import forwarded
from stead.kinds.floating_ip.model import FloatingIp
from stead.kinds.floating_ip.realise import Inside, inside, instance_of, source
from stead.kinds.shared.memoize_last import memoize_last
from stead.kinds.shared.network_drivers import cannot
from stead.kinds.shared.subnets import network_block
from stead.language.desired import Block, Desired

NOT_EXTERNAL = Code("STEAD-N030", "the network of a floating IP is not external")
NOT_ROUTED = Code("STEAD-N031", "no router leads from the instance to the external network")
NO_V4 = Code("STEAD-N032", "the external network has no IPv4 subnet")
NOT_THERE = Code("STEAD-N033", "the instance is not in this network")
ONE_FOR_MANY = Code("STEAD-N034", "several floating IPs cannot share an address")
TWO_FOR_ONE = Code("STEAD-N035", "an interface can have one floating IP of each network")
PORT_SAYS = Code("STEAD-N051", "the port already says where the floating IP leads")
ONE_TARGET = Code("STEAD-N091", "a floating IP leads to a load balancer, or to something else")
INSIDE_OF_NOTHING = Code("STEAD-N036", "`inside` needs an instance")


def check(block: Block, desired: Desired) -> Iterator[Diagnostic]:
    model: FloatingIp = block.model
    network = network_block(model.network, desired)
    if network is None:
        return
    if not network.model.external:
        text = f"{model.network} is not external. Choose an external network, or set `external: true` on it."
        yield NOT_EXTERNAL.at(block.place("network"), text)
    elif source(block, desired) is None:
        text = f"{model.network} has no IPv4 subnet for the address to come from. Give it one."
        yield NO_V4.at(block.place("network"), text)
    yield from cannot(network.model, [FLOATING_IPS], block.place("network"))
    if model.address is not None and len(block.members) > 1:
        text = f"{len(block.members)} floating IPs would all be {model.address}. Leave it out, and each gets its own."
        yield ONE_FOR_MANY.at(block.place("address"), text)
    if model.load_balancer is not None:
        yield from _balancer(block, desired)
        return
    if model.forwards:
        yield from cannot(network.model, [FORWARDS], block.place("forwards"))
        yield from _forwards(block, desired)
        return
    yield from _target(block, desired)


def _forwards(block: Block, desired: Desired) -> Iterator[Diagnostic]:
    model: FloatingIp = block.model
    yield from forwarded.check(block, desired)
    if forwarded.router_of(block, desired) is None:
        text = (
            f"No router with `external: {model.network.label}` joins an IPv4 subnet of these instances. Add their "
            "network to such a router."
        )
        yield NOT_ROUTED.at(block.place("forwards"), text)


def _target(block: Block, desired: Desired) -> Iterator[Diagnostic]:
    model: FloatingIp = block.model
    if model.port is not None:
        for name in ("instance", "inside"):
            if getattr(model, name) is not None:
                text = f"{model.port} says where it leads. Remove `{name}`, or `port`."
                yield PORT_SAYS.at(block.place(name), text)
    elif model.instance is None and model.inside is not None:
        text = "`inside` selects one of the instance's networks, but no `instance` is set."
        yield INSIDE_OF_NOTHING.at(block.place("inside"), text)
    target = instance_of(model, desired)
    instance = desired.get(target) if target is not None else None
    if instance is None:
        return
    place = block.place("port" if model.port is not None else "instance")
    networks = [nic.network for nic in instance.model.networks]
    if model.inside is not None and model.inside not in networks:
        have = ", ".join(map(str, networks)) or "no network"
        text = f"{target} is in {have}. Choose one of these, or leave `inside` out."
        yield NOT_THERE.at(block.place("inside"), text)
        return
    found = inside(block, desired)
    if found is None:
        through = f"{model.inside}" if model.inside is not None else (", ".join(map(str, networks)) or "no network")
        text = (
            f"{target} is in {through}, and no router with `external: {model.network.label}` joins an IPv4 "
            "subnet that it is in. Add the network to such a router."
        )
        yield NOT_ROUTED.at(place, text)
        return
    yield from _alone(block, found, place, desired)


def _balancer(block: Block, desired: Desired) -> Iterator[Diagnostic]:
    model: FloatingIp = block.model
    for name in ("instance", "port", "inside", "forwards"):
        if getattr(model, name):
            text = f"It leads to {model.load_balancer}. Remove `{name}`, or `load_balancer`."
            yield ONE_TARGET.at(block.place(name), text)
    target = desired.get(model.load_balancer) if model.load_balancer is not None else None
    if target is None:
        return
    found, place = inside(block, desired), block.place("load_balancer")
    if found is None:
        text = (
            f"{model.load_balancer} is in {target.model.network}, and no router with `external: "
            f"{model.network.label}` joins an IPv4 subnet that it is in. Add the network to such a router."
        )
        yield NOT_ROUTED.at(place, text)
        return
    yield from _alone(block, found, place, desired)


def _alone(block: Block, found: Inside, place: Place, desired: Desired) -> Iterator[Diagnostic]:
    model: FloatingIp = block.model
    first = targets(desired)[found.target, found.network, model.network]
    if first is not block or len(block.members) > 1:
        who = str(first.members[0].block) if first is not block else "another of these"
        text = (
            f"{who} already leads to {found.target} in {found.network}, and replies can use only one address. Use "
            "another interface, or leave `instance` out."
        )
        yield TWO_FOR_ONE.at(place, text)


def _targets(desired: Desired) -> Mapping[tuple[Address, Address, Address], Block]:
    found: dict[tuple[Address, Address, Address], Block] = {}
    for block in desired.of_kind("floating_ips"):
        led: Inside | None = inside(block, desired)
        if led is not None:
            found.setdefault((led.target, led.network, block.model.network), block)
    return found


targets = memoize_last(_targets)
