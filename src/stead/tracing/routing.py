"""What a router does with a packet: whom it goes to, and whose address it leaves with.

As kernels do it: the longest prefix decides, what comes in is translated before the way is looked for and what goes
out after it, and an answer is translated back by the router that remembers the packet.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from stead.core.named import NamedTuple
from stead.core.wiring import ANYWHERE, LegWiring, RouteWiring, network_of, version
from stead.tracing.model import Packet
from stead.tracing.site import RouterAt, WiredSite, in_any, is_in, net

Way = TypeVar("Way")


class Translated(NamedTuple):
    """What a router remembers of a packet."""

    router: str
    before: Packet
    after: Packet


class Changed(NamedTuple):
    packet: Packet
    says: Sequence[str] = ()


def remembered(router: RouterAt, packet: Packet, seen: Iterable[Translated]) -> Changed:
    """An answer, with the addresses that were translated."""
    for one in seen:
        if one.router == str(router.owner) and (one.after.target, one.after.source) == packet[:2]:
            back = packet._replace(source=one.before.target, target=one.before.source)
            return Changed(back, ["translated back"] if back != packet else [])
    return Changed(packet)


def inward(router: RouterAt, network: str, packet: Packet, site: WiredSite) -> Changed:
    """`network` is the one that it comes from; empty, it comes from the router's host."""
    for owner, wiring in site.of_router(router):
        if wiring.outside != packet.target:
            continue
        if wiring.inside:
            return Changed(packet._replace(target=wiring.inside), [f"{owner} leads to {wiring.inside}"])
        return _forwarded(packet, wiring.forwards, str(owner))
    outer = {one for leg in router.wiring.legs if leg.out for one in bare(leg)}
    if packet.target in outer or not network:
        return _forwarded(packet, router.wiring.forwards, str(router.owner))
    return Changed(packet)


def _forwarded(packet: Packet, forwards: Mapping[str, str], owner: str) -> Changed:
    to = forwards.get(packet.service)
    if to is None:
        return Changed(packet)
    target, _, port = to.rpartition(":")
    return Changed(packet._replace(target=target, port=int(port)), [f"{owner} forwards {packet.service} to {to}"])


def way(router: RouterAt, target: str) -> tuple[LegWiring | None, str] | None:
    """The interface that it leaves by, None for that of the host; and whom it goes to there. None: there is no way."""
    wiring = router.wiring
    default = [RouteWiring(ANYWHERE[version(via)], via) for via in wiring.gateways]
    nets = [(leg, network_of(one)) for leg in wiring.legs for one in leg.addresses]
    linked = [(net(cidr).prefixlen, leg, target) for leg, cidr in nets if is_in(target, cidr)]
    routed = [
        (net(route.to).prefixlen, leg, route.via)
        for route in (*wiring.routes, *default)
        for leg, cidr in nets
        if is_in(target, route.to) and is_in(route.via, cidr)
    ]
    by_host = wiring.uplink is not None and version(target) == 4
    return longest((*linked, *routed)) or ((None, target) if by_host else None)


def outward(router: RouterAt, leg: LegWiring | None, new: Packet, site: WiredSite, *, called: bool) -> Changed:
    """Whose address it leaves with. A neighbour who called one by its address outside is hidden: the answer has to come
    back this way."""
    if leg is None:
        return Changed(new, ["leaves with the address of its host"])
    if leg.out:
        for owner, wiring in site.of_router(router):
            if wiring.inside == new.source:
                return Changed(new._replace(source=wiring.outside), [f"leaves with the address of {owner}"])
    if not (in_any(new.source, router.wiring.hidden) if leg.out else called):
        return Changed(new)
    source = of_version(bare(leg), new.target)
    return Changed(new._replace(source=source), ["leaves with the address of the router"])


def bare(leg: LegWiring) -> list[str]:
    return [one.partition("/")[0] for one in leg.addresses]


def of_version(addresses: Iterable[str], like: str) -> str:
    return next((one for one in addresses if version(one) == version(like)), "")


def longest(found: Iterable[tuple[int, Way, str]]) -> tuple[Way, str] | None:
    """The first of those with the longest prefix."""
    best = max(found, key=lambda one: one[0], default=None)
    return None if best is None else best[1:]
