"""A namespace of this host with cables into bridges: what DHCP servers and routers live in."""

from __future__ import annotations

import ipaddress
from typing import Any, Iterable, List, Mapping, Sequence

from ..base.work import Work
from . import links
from .links import Link, Links


def ensure(namespace: str, work: Work) -> Links:
    known = namespace in work.now.namespaces()
    if not known:
        work.run(["ip", "netns", "add", namespace])
    inside = work.now.links(namespace) if known else {}
    if not links.is_up(inside.get("lo")):
        work.batch("ip", ["link set lo up"], namespace)
    return inside


def cable(namespace: str, inside: Links, outside: str, name: str, port: Mapping[str, Any], work: Work) -> List[str]:
    """From a bridge to `name` in the namespace. Gives back the new addresses.

    `port` has bridge (None: it ends at the host itself), mac, mtu and addresses; `others`, that it may have beside;
    `quiet`, if it takes none by itself.
    """
    there, mtu = work.now.links(), port["mtu"]
    link = there.get(outside)
    if link is None or name not in inside:
        if link is not None:
            work.run(["ip", "link", "delete", outside])
        words = ["ip", "link", "add", outside, "mtu", str(mtu), "type", "veth", "peer", "name", name]
        work.run(words + ["mtu", str(mtu), "address", port["mac"], "netns", namespace])
        link, inside = {}, {}
    lines = []
    if link.get("master") != port["bridge"]:
        lines.append("link set {0} master {1}".format(outside, port["bridge"]))
    if link.get("mtu", mtu) != mtu:
        lines.append("link set {0} mtu {1}".format(outside, mtu))
    if link.get("inet6_addr_gen_mode") != "none":
        lines.append("link set {0} addrgenmode none".format(outside))
    if not links.is_up(link):
        lines.append("link set {0} up".format(outside))
    work.batch("ip", lines)
    return settle(namespace, inside.get(name, {}), name, port, work)


def settle(namespace: str, link: Link, name: str, port: Mapping[str, Any], work: Work) -> List[str]:
    has = links.addresses(link)
    wanted = {str(ipaddress.ip_interface(one)) for one in port["addresses"]}
    lines = []
    if port.get("quiet") and link.get("inet6_addr_gen_mode") != "none":
        lines.append("link set {0} addrgenmode none".format(name))
    if link.get("address", port["mac"]).lower() != port["mac"].lower():
        lines.append("link set {0} address {1}".format(name, port["mac"]))
    if link.get("mtu", port["mtu"]) != port["mtu"]:
        lines.append("link set {0} mtu {1}".format(name, port["mtu"]))
    if not links.is_up(link):
        lines.append("link set {0} up".format(name))
    lines += ["address del {0} dev {1}".format(one, name) for one in sorted(has - wanted - port.get("others", set()))]
    lines += [
        "address replace {0} dev {1}{2}".format(one, name, " nodad" if ":" in one else " broadcast +")
        for one in sorted(wanted - has)
    ]
    work.batch("ip", lines, namespace)
    return sorted(one.partition("/")[0] for one in wanted - has)


def lead_out(namespace: str, name: str, gateways: Iterable[str], work: Work) -> None:
    """One of each family at most. Only routes that were made here are taken away."""
    routes = work.now.routes(namespace) if namespace in work.now.namespaces() else []
    has = {one.get("gateway", "") for one in routes if one["dst"] == "default" and one.get("protocol") == "static"}
    line = "-{0} route {1} default via {2}{3} proto static"
    for one in sorted(has - set(gateways)):
        _say(namespace, line.format(_version(one), "del", one, ""), work)
    for one in sorted(set(gateways) - has):
        _say(namespace, line.format(_version(one), "replace", one, " dev " + name), work)


def _say(namespace: str, line: str, work: Work) -> None:
    work.run(["ip", "-netns", namespace, *line.split()])


def _version(address: str) -> int:
    return 6 if ":" in address else 4


def remove(namespace: str, outsides: Sequence[str], work: Work) -> None:
    there = work.now.links()
    for outside in outsides:
        if outside in there:
            work.run(["ip", "link", "delete", outside])
    if namespace in work.now.namespaces():
        work.run(["ip", "netns", "delete", namespace])
