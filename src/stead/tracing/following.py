"""Follows a packet from who sends it to where it ends, and its answer back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from ipaddress import ip_address

from stead.core.address import Address, parse
from stead.core.named import NamedTuple
from stead.core.wiring import version
from stead.tracing.filtering import forged, judged
from stead.tracing.model import Hop, Packet, Trace, Traced
from stead.tracing.routing import Translated, bare, inward, longest, of_version, outward, remembered, way
from stead.tracing.site import PlugAt, RouterAt, WiredSite, in_any, is_in, net

MOST_HOPS = 32
DNS = 53


class Stuck(Exception):  # noqa: N818 - it is no fault of the program
    """It gets no further."""


class End(NamedTuple):
    """Where a packet has arrived: at an interface, where it left the site, or at what answers without more ado."""

    plug: PlugAt | None
    network: str = ""  # by which it left
    router: str = ""  # behind whose host it left


class Sent(NamedTuple):
    """What is known of a packet that arrived, when its answer comes."""

    start: End
    first: Packet
    end: End
    last: Packet
    translated: Sequence[Translated]
    let_out: bool  # the answer passes by itself, where it was sent
    let_in: bool  # and where it arrived


def trace(site: WiredSite, owner: Address | None, packet: Packet, meant: Address | None = None) -> Traced:
    """`owner` sends it, from the interface that leads to its target; None is somebody outside. What is `meant` for a
    resource of the site gets nowhere by leaving it."""
    walk = _Walk(site, meant=meant)
    there = walk.told(lambda: walk.begin(owner, packet))
    if walk.end in (None, End(None)):
        return Traced(there, None)
    back = _Walk(site, walk.sent())
    return Traced(there, back.told(back.come_back))


class _Walk:
    def __init__(self, site: WiredSite, question: Sent | None = None, meant: Address | None = None) -> None:
        self.site, self.question, self.meant = site, question, meant
        self.hops: list[Hop] = []
        self.mtus: list[int] = []
        self.translated: list[Translated] = []
        self.start, self.end = End(None), None if question is None else question.start
        self.let_out = self.let_in = True

    def told(self, go: Callable[[], None]) -> Trace:
        refused = ""
        try:
            go()
        except Stuck as stuck:
            refused, self.end = str(stuck), None
        return Trace(self.hops, refused, min(filter(None, self.mtus), default=0))

    def sent(self) -> Sent:
        assert self.end is not None  # noqa: S101 - asked only of what arrived
        first, last = self.hops[0].packet, self.hops[-1].packet
        return Sent(self.start, first, self.end, last, self.translated, self.let_out, self.let_in)

    def begin(self, owner: Address | None, packet: Packet) -> None:
        if owner is not None:
            self.send(owner, packet)
            return
        network = self.site.physical_with(packet.target)
        self.start = End(None, network)
        self.hop(None, (), packet, "sent outside the site")
        if not network:
            raise Stuck(f"nobody outside knows the way to {packet.target}: it needs a floating IP or a forward")
        self.wire(network, packet.target, packet)

    def come_back(self) -> None:
        question = self.question
        assert question is not None  # noqa: S101 - only answers come back
        last = question.last
        packet = last._replace(source=last.target, target=last.source, answers=True)
        self.end = None
        if question.end.plug is not None:
            self.send(question.end.plug.owner, packet)
            return
        self.hop(None, (), packet, "answered outside the site")
        if question.end.router:
            self.through(self.site.routers[question.end.router], "", packet)
        else:
            self.wire(question.end.network, packet.target, packet)

    def send(self, owner: Address, packet: Packet) -> None:
        plug, via = self._interface(owner, packet.target)
        wiring = plug.wiring
        source = packet.source or of_version(wiring.speaks_from or wiring.addresses, packet.target)
        packet = packet._replace(source=source)
        self.start = End(plug)
        self.mtus.append(wiring.mtu)
        if wiring.off:
            self.hop(owner, plug.hosts, packet)
            raise Stuck(f"{owner} sends nothing: {wiring.off}")
        if not source:
            raise Stuck(f"{owner} has no IPv{version(packet.target)} address in {wiring.network}")
        if why := forged(wiring, packet):
            self.hop(owner, plug.hosts, packet)
            raise Stuck(why)
        self.let_out = self.filtered(plug, "out", packet, question=self.question and self.question.let_in)
        self.wire(wiring.network, via, packet)

    def filtered(self, plug: PlugAt, direction: str, packet: Packet, *, question: bool | None) -> bool:
        """Whether what answers this passes by itself."""
        if question:
            self.hop(plug.owner, plug.hosts, packet, "an answer, which passes")
            return True
        found = judged(plug.wiring, direction, packet, self.site)
        self.hop(plug.owner, plug.hosts, packet, found.says)
        if not found.passes:
            raise Stuck(found.says)
        return found.stateful

    def _interface(self, owner: Address, target: str) -> tuple[PlugAt, str]:
        """And whom it hands the packet to in that network."""
        plugs = self.site.plugs.get(owner, [])
        linked = [
            (net(cidr).prefixlen, plug, target) for plug in plugs for cidr in plug.wiring.nets if is_in(target, cidr)
        ]
        routed = [
            (net(route.to).prefixlen, plug, route.via)
            for plug in plugs
            for route in plug.wiring.routes
            if is_in(target, route.to)
        ]
        found = longest((*linked, *routed))
        if found is None:
            raise Stuck(f"{owner} has no route to {target}")
        return found

    def wire(self, network: str, via: str, packet: Packet) -> None:
        """`via` is the address, in this network, of who gets it next."""
        if len(self.hops) > MOST_HOPS:
            raise Stuck("it goes in a circle")
        wiring = self.site.networks.get(network)
        if wiring is not None:
            self.mtus.append(wiring.mtu)
            where = f" of physical network {wiring.physical}" if wiring.physical else ""
            self.hop(parse(network), (), packet, f"{wiring.type}{where}, MTU {wiring.mtu}, to {via}")
        if (plug := self.site.plug_at(network, via)) is not None:
            self.arrive(plug, via, packet)
        elif (router := self.site.router_at(network, via)) is not None:
            self.through(router, network, packet)
        elif wiring is not None and via in wiring.servers:
            self.hop(parse(network), (), packet, "its DHCP and DNS server")
            self.end = End(None)
        elif wiring is not None and wiring.physical:
            self.leave(packet, End(None, network))
        else:
            where = "" if via == packet.target else f", which is the way to {packet.target}"
            raise Stuck(f"nobody in {network} has {via}{where}")

    def leave(self, packet: Packet, end: End) -> None:
        self.hop(None, (), packet, "outside the site")
        if self.meant is not None:
            raise Stuck(f"it leaves the site, as no router on its way leads to the network of {self.meant}")
        self.end = end

    def arrive(self, plug: PlugAt, via: str, packet: Packet) -> None:
        wiring = plug.wiring
        if packet.target != via and not in_any(packet.target, wiring.allowed):
            self.hop(plug.owner, plug.hosts, packet)
            raise Stuck(f"{plug.owner} is the gateway, and whether it sends the packet on is its own affair")
        self.mtus.append(wiring.mtu)
        self.let_in = self.filtered(plug, "in", packet, question=self.question and self.question.let_out)
        if wiring.off:
            raise Stuck(f"{plug.owner} does not answer: {wiring.off}")
        if packet.port and not packet.answers and packet[2:4] not in (wiring.listens or [packet[2:4]]):
            ports = ", ".join(f"{protocol}/{port}" for protocol, port in wiring.listens or ())
            raise Stuck(f"{plug.owner} listens at {ports}, and not at {packet.service}")
        if self.question is not None and packet.source != self.question.first.target:
            raise Stuck(f"it comes from {packet.source}, where {self.question.first.target} was asked")
        self.end = End(plug)

    def through(self, router: RouterAt, network: str, packet: Packet) -> None:
        """`network` is the one that it comes from."""
        if packet.answers:
            new, says = remembered(router, packet, self.question.translated if self.question else ())
        else:
            new, says = inward(router, network, packet, self.site)
        if any(new.target in bare(leg) for leg in router.wiring.legs):
            self.at_router(router, new)
            return
        found = way(router, new.target)
        if found is None:
            self.hop(router.owner, router.hosts, new, *says)
            raise Stuck(f"{router.owner} has no route to {new.target}")
        leg, via = found
        if not packet.answers:
            inner = any(network == one.network and not one.out for one in router.wiring.legs)
            new, more = outward(router, leg, new, self.site, called=inner and new.target != packet.target)
            says = [*says, *more]
            self.translated.append(Translated(str(router.owner), packet, new))
        self.hop(router.owner, router.hosts, new, *says)
        if leg is None:
            self.by_host(router, new)
            return
        self.mtus.append(leg.mtu)
        self.wire(leg.network, via, new)

    def at_router(self, router: RouterAt, packet: Packet) -> None:
        self.hop(router.owner, router.hosts, packet, "the router itself")
        if packet.port and not packet.answers:
            raise Stuck(f"{router.owner} has no forward of {packet.service}, and answers nothing but ping itself")
        self.end = End(None)

    def by_host(self, router: RouterAt, packet: Packet) -> None:
        """What a router may reach behind the address of its host."""
        uplink, target = router.wiring.uplink, packet.target
        assert uplink is not None  # noqa: S101 - else there is a leg
        asks = target in uplink.name_servers and packet.port == DNS
        if not asks and in_any(target, uplink.closed):
            raise Stuck(f"{target} is a host of the site, which nobody reaches behind the address of a host")
        if not asks and not in_any(target, uplink.open) and not ip_address(target).is_global:
            raise Stuck(f"{target} is a private address: `reach` of {router.owner} does not open it")
        self.leave(packet, End(None, router=str(router.owner)))

    def hop(self, address: Address | None, hosts: Sequence[str], packet: Packet, *says: str) -> None:
        self.hops.append(Hop(address, hosts, packet, says))


def everybody(traced: Traced) -> Iterator[Address]:
    """Whom the packet and its answer met."""
    for one in (traced.there, traced.back):
        yield from dict.fromkeys(hop.address for hop in (one.hops if one else ()) if hop.address is not None)
