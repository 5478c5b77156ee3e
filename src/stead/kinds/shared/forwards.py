"""Port forwards: a port of an address outside that leads to one of an instance, through a router between the two."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, ClassVar, Literal

from stead.core.address import Address
from stead.core.diagnostics import Code, Diagnostic
from stead.core.fields import Example, Ref, Whole
from stead.core.kind import World
from stead.core.named import NamedTuple
from stead.core.value import value
from stead.kinds.shared import network_names
from stead.kinds.shared.interfaces import own_slots, with_port
from stead.kinds.shared.subnets import Net, network_block
from stead.language.desired import Block, Desired

NO_WAY_IN = Code("STEAD-N052", "the router of a forward does not lead to the instance")
PORT_TWICE = Code("STEAD-N053", "a port is forwarded twice")
NOT_IN_NETWORK = Code("STEAD-N054", "the instance of a forward is not in this network")

Leads = Callable[[Address, Net], bool]  # whether a router stands in this subnet of this network


@value
class ForwardTarget:
    """Where a forward leads."""

    SHORT: ClassVar[str] = "instance"
    AFTER_COLON: ClassVar[str] = "port"

    instance: Annotated[Address, Ref("instances", orderly=False), "The instance", Example("web[0]")]
    port: Annotated[int, Whole(least=0, most=65_535), "Its port; left out or 0, the same as outside", Example(80)] = 0
    network: Annotated[
        Address | None,
        Ref("networks"),
        "The instance's network that it leads to; left out, the first one of the router's",
        Example("app"),
    ] = None


@value
class Forward:
    """A port that leads to an instance."""

    port: Annotated[int, Whole(least=1, most=65_535), "The port outside", Example(8080)]
    to: Annotated[ForwardTarget, "The instance, and its port", Example("web[0]:80")]
    protocol: Annotated[Literal["tcp", "udp"], "Its protocol"] = "tcp"

    @property
    def key(self) -> tuple[str, int]:
        return self.protocol, self.port


class ForwardEntry(NamedTuple):
    """The interface of an instance that a forward leads to."""

    network: Address
    lease: str  # of the instance


def entry(target: ForwardTarget, leads: Leads, desired: Desired) -> ForwardEntry | None:
    """The first interface with an IPv4 address in a subnet that the router stands in."""
    instance = desired.get(target.instance)
    if instance is None:
        return None
    nics = instance.model.networks
    keys = network_names.keys([nic.network for nic in nics], instance.project)
    for nic, key in zip(nics, keys, strict=True):
        block = network_block(nic.network, desired) if target.network in (None, nic.network) else None
        slots = own_slots(with_port(nic, desired), block, desired) if block is not None else ()
        if any(slot.net.version == 4 and leads(nic.network, slot.net) for slot in slots):
            return ForwardEntry(nic.network, f"nics.{key}.v4")
    return None


def wanted(forwards: Sequence[Forward], leads: Leads, world: World) -> dict[str, dict[str, str]]:
    """In a want, what the router's host should have of them: nothing where there are none."""
    found = {}
    for one in sorted(forwards, key=lambda forward: forward.key):
        way = entry(one.to, leads, world.desired)
        if way is not None:
            address = world.member(one.to.instance).leases[way.lease]
            found[f"{one.protocol}/{one.port}"] = f"{address}:{one.to.port or one.port}"
    return {"forwards": found} if found else {}


def check(block: Block, forwards: Sequence[Forward], leads: Leads, desired: Desired) -> Iterator[Diagnostic]:
    first: dict[tuple[str, int], int] = {}
    for at, one in enumerate(forwards):
        before = first.setdefault(one.key, at)
        if before != at:
            text = (
                f"{one.protocol} port {one.port} leads to {forwards[before].to.instance} already. "
                "Choose another port, or remove one of the two."
            )
            yield PORT_TWICE.at(block.place(f"forwards.{at}.port"), text)
        yield from _leads_on(block, f"forwards.{at}.to", one, leads, desired)


def _leads_on(block: Block, path: str, one: Forward, leads: Leads, desired: Desired) -> Iterator[Diagnostic]:
    instance = desired.get(one.to.instance)
    if instance is None:
        return
    networks = [nic.network for nic in instance.model.networks]
    have = ", ".join(map(str, networks)) or "no network"
    if one.to.network is not None and one.to.network not in networks:
        text = f"{one.to.instance} is in {have}. Choose one of these, or leave `network` out."
        yield NOT_IN_NETWORK.at(block.place(f"{path}.network"), text)
    elif entry(one.to, leads, desired) is None:
        text = (
            f"{one.to.instance} is in {have}, and the router is in no IPv4 subnet of it. "
            "Add the network to the router's `networks`."
        )
        yield NO_WAY_IN.at(block.place(path), text)
