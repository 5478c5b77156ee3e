"""Floating IPs: an address on a router's way out, and what it stands for inside."""

from __future__ import annotations

import threading
from typing import Dict, List, NamedTuple, Optional, Sequence, Set, Tuple

from ...base import commands
from ...base.errors import Failed
from ...base.readings import Readings
from ...base.step import Want
from ...base.work import Work
from .. import arp_nd, links, rules
from ..driver import NO_WAY_OUT
from . import forwards, naming

Maps = Dict[str, Dict[str, str]]  # of the table, by name
TABLE = "ip stead"  # of the router's namespace
# The steps of a host are done a few at once.
_changing = threading.Lock()
_removed: Set[str] = set()  # by steps of this batch


def ensure(want: Want, work: Work) -> None:
    before = work.now.entry("floating_ips", want["uuid"])
    if before is not None and "router" in before["want"] and _place(before["want"]) != _place(want):
        take(before["want"], work)
    if "router" in want:
        with _changing:
            _removed.discard(want["uuid"])
            put(want, work)


def remove(have: Want, work: Work) -> None:
    with _changing:
        _removed.add(have["uuid"])
        if "router" in have:
            take(have, work)


def put_again(want: Want, work: Work, router: Want) -> None:
    """With its router, which knows it from the ledger: it may have been removed at the same time."""
    with _changing:
        if want["uuid"] not in _removed:
            put(want, work, router)


def restore(want: Want, held: bool, work: Work) -> None:
    if not held:
        ensure(want, work)


def is_there(_want: Want, _now: Readings) -> bool:
    """It is a line in its router, which is missed by itself."""
    return True


def of_router(uuid: str, work: Work) -> List[Want]:
    found = (made["want"] for made in work.now.entries("floating_ips"))
    return [want for want in found if want.get("router", {}).get("uuid") == uuid]


def _place(want: Want) -> Tuple[object, ...]:
    return want.get("router", {}).get("uuid"), want["address"], want.get("inside"), "forwards" in want


class WayOut(NamedTuple):
    """Of a router on this host."""

    router: Want
    namespace: str
    name: str  # of the interface inside
    mac: str
    answers: bool


def _way_out(want: Want, work: Work, router: Optional[Want] = None) -> Optional[WayOut]:
    from . import routers

    made = work.now.entry("routers", want["router"]["uuid"]) if router is None else None
    router = made["want"] if made is not None else router
    namespace = routers.namespace_of(want["router"]["uuid"])
    if router is None or not router.get("external") or namespace not in work.now.namespaces():
        return None
    mac = router["external"]["mac"]
    return WayOut(router, namespace, naming.inside_name(mac), mac, routers.answers(router, work))


def put(want: Want, work: Work, router: Optional[Want] = None) -> None:
    """`router` is its router as it is from now on, where the ledger does not say so yet."""
    way = _way_out(want, work, router)
    if way is None:
        if work.check:
            with work.part("router"):
                work.done.append("add {0}".format(want["address"]))
            return
        text = "Router {0} is not here, or has no external network. Apply it first."
        raise Failed(NO_WAY_OUT, text.format(want["router"]["address"]))
    address = want["address"]
    new = way.answers and address + "/32" not in _addresses(way.namespace, way.name, work)
    with work.part("address"):
        if new:
            work.batch("ip", ["address replace {0}/32 dev {1}".format(address, way.name)], way.namespace)
        _hand_over(way.router, want, [want], work)
    if "inside" in want:
        with work.part("inside"):
            _lead(way.namespace, address, want["inside"], want, work)
    if "forwards" in want:
        with work.part("forwarded"):
            forwards.put(want, way.namespace, work)
    if new:
        with work.part("address"):
            work.act("announce {0}".format(address), arp_nd.tell, way.namespace, way.name, way.mac, [address])


def _hand_over(router: Want, want: Want, now: Sequence[Want], work: Work) -> None:
    """Whoever answers for a router on two hosts has to know."""
    from . import routers

    if "ha" in router:
        others = [one for one in of_router(router["uuid"], work) if one["uuid"] != want["uuid"]]
        routers.rewrite(router, [*others, *now], work)


def _lead(namespace: str, address: str, inside: str, want: Want, work: Work) -> None:
    has = _members(namespace, work)
    if has.get("inward", {}).get(address) != inside or has.get("outward", {}).get(inside) != address:
        lines = _gone(has, want)
        lines.append("add element ip stead inward {{ {0} : {1} }}".format(address, inside))
        lines.append("add element ip stead outward {{ {0} : {1} }}".format(inside, address))
        rules.put("\n".join(lines) + "\n", work, namespace)
        _cut(namespace, address, inside, work)


def take(want: Want, work: Work) -> None:
    way = _way_out(want, work)
    if way is None:
        return
    namespace = way.namespace
    if "forwards" in want:
        forwards.take(want, namespace, work)
    lines = _gone(_members(namespace, work), want) if "inside" in want else []
    if lines:
        rules.put("\n".join(lines) + "\n", work, namespace)
        _cut(namespace, want["address"], want["inside"], work)
    _hand_over(way.router, want, [], work)
    if "ha" not in way.router and want["address"] + "/32" in _addresses(namespace, way.name, work):
        work.batch("ip", ["address del {0}/32 dev {1}".format(want["address"], way.name)], namespace)


def _cut(namespace: str, address: str, inside: str, work: Work) -> None:
    """What goes on through it went the old way, and would for as long as it lasts."""
    if work.check:
        return
    for words in (["--orig-dst", address], ["--orig-src", inside, "--reply-dst", address]):
        commands.attempt(["ip", "netns", "exec", namespace, "conntrack", "--delete"] + words)


def _gone(has: Maps, want: Want) -> List[str]:
    pairs = [("inward", want["address"]), ("outward", want["inside"])]
    return ["delete element ip stead {0} {{ {1} }}".format(at, key) for at, key in pairs if key in has.get(at, {})]


def _addresses(namespace: str, name: str, work: Work) -> Set[str]:
    return links.addresses(work.now.links(namespace).get(name))


def _members(namespace: str, work: Work) -> Maps:
    listing = work.now.listing(TABLE, namespace)
    return {name: dict(rules.members(listing, "map", name)) for name in ("inward", "outward")}
