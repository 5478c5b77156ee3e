"""Routers behind their host's own address: a cable to the host, which hides what comes by it behind its own addresses.

Whoever is reached sees the host, and other hosts trust it. So nothing that comes by such a cable gets to the host
itself, to other hosts of the site, or to private addresses, but for what the plan opens. Its rules are in a table of
their own: no other table of the host is touched, and what another one forbids stays forbidden.

A host that forwards for its routers is none for its neighbours: between the interfaces that it had before, nothing
passes.
"""

from __future__ import annotations

import ipaddress
import json
import os
import threading
from itertools import permutations
from typing import Any, Dict, Iterable, List, Mapping, NamedTuple, Optional, Sequence, Set, Tuple

from ....wire.router import UplinkWant
from ...base import commands, paths
from ...base.errors import Failed, FailureCode
from ...base.step import Want
from ...base.work import Work
from .. import links, namespaces, rules
from ..links import Links
from . import forwards, naming

PORT_USED = FailureCode("STEAD-E221", "a program on the host uses a forwarded port")
TABLE = "inet stead_uplinks"
INSIDE = "uplink"  # in the namespace of the router
FOLDER = paths.ROOT + "/uplinks"
GIVEN = os.path.join(FOLDER, "base.nft")
BEFORE = os.path.join(FOLDER, "before.json")  # interfaces that the host had when it was made to forward
FORWARDS = "/proc/sys/net/ipv4/ip_forward"
MTU = 1500  # what is beyond the host is Ethernet, or tells otherwise
# RFC 6890: what is nobody's on the internet, and may be somebody's behind the host.
PRIVATE = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "224.0.0.0/4",
    "240.0.0.0/4",
]
REFUSE = "reject with icmpx admin-prohibited"
_TO = "fib daddr type local dnat ip to {0} dport map @of_{0}"
# What is only bridged may pass here too; bridges of Stead's networks are called so.
_FROM_OUTSIDE, _OF_THE_HOST = 'iifname != "sb*" ', "ip daddr != 127.0.0.0/8 "
BASE = [
    "add table {0}".format(TABLE),
    "add set {0} ends {{ type ifname; }}".format(TABLE),
    "add set {0} apart {{ type ifname . ifname; }}".format(TABLE),
    "add map {0} links {{ type ifname : verdict; }}".format(TABLE),
    *("add map {0} of_{1} {{ type inet_service : ipv4_addr; }}".format(TABLE, one) for one in ("tcp", "udp")),
    *rules.anew(
        TABLE,
        "inward",
        "type nat hook prerouting priority dstnat",
        *(_FROM_OUTSIDE + _TO.format(one) for one in ("tcp", "udp")),
    ),
    *rules.anew(
        TABLE,
        "of_the_host",
        "type nat hook output priority -100",
        *(_OF_THE_HOST + _TO.format(one) for one in ("tcp", "udp")),
    ),
    *rules.anew(
        TABLE,
        "itself",
        "type filter hook input priority filter",
        "iifname @ends ct direction reply ct state established,related accept",
        "iifname @ends " + REFUSE,
    ),
    *rules.anew(
        TABLE,
        "through",
        "type filter hook forward priority filter",
        "iifname vmap @links",
        "oifname @ends ct direction reply ct state established,related accept",
        "oifname @ends ct status dnat accept",
        "oifname @ends drop",
        "iifname . oifname @apart drop",
    ),
    *rules.anew(TABLE, "outward", "type nat hook postrouting priority srcnat", "iifname @ends masquerade"),
]
_changing = threading.Lock()


class Members(NamedTuple):
    """What is in the table's sets and maps."""

    ends: Set[str]
    apart: Set[Tuple[str, str]]  # pairs of interfaces: what is only bridged comes and leaves by one
    links: Set[str]
    ports: Mapping[str, Mapping[int, str]]  # protocol -> port -> address of a router


def ensure(want: Want, namespace: str, inside: Links, work: Work) -> None:
    uplink, outside = want["uplink"], naming.uplink_name(want["uuid"])
    with work.part("uplink", there={}):
        _cable(uplink, want["uuid"], namespace, inside, work)
    with work.part("rules"), _changing:
        free(want, work)
        work.directory(FOLDER, paths.PASSABLE)
        before = _before(work)
        _base(work)
        _own(outside, uplink, work)
        _keep(outside, want, before, work)
        if work.now.setting(FORWARDS) != "1":
            work.act("forward what routers send", _set, "1")


def _cable(uplink: UplinkWant, uuid: str, namespace: str, inside: Links, work: Work) -> None:
    outside = naming.uplink_name(uuid)
    port = {"bridge": None, "mac": naming.bridge_mac(uuid), "mtu": MTU, "addresses": [uplink["address"]]}
    namespaces.cable(namespace, inside, outside, INSIDE, port, work)
    length = uplink["address"].partition("/")[2]
    address = "{0}/{1}".format(uplink["gateway"], length)
    has = links.addresses(work.now.links().get(outside))
    lines = ["address del {0} dev {1}".format(one, outside) for one in sorted(has - {address})]
    lines += [] if address in has else ["address replace {0} dev {1}".format(address, outside)]
    work.batch("ip", lines)


def free(want: Want, work: Work) -> None:
    """A forward would take the port from a program that listens there."""
    has = _members(work.now.listing(TABLE)).ports
    for protocol, ports in forwards.ports(want).items():
        new = [port for port in ports if port not in has.get(protocol, {})]
        used = work.now.ask("listening", _listening) if new else {}
        for port in new:
            if port in used.get(protocol, ()):
                text = "{0} port {1} of {2} is in use there (`ss -lnp`). Choose another port, or stop what uses it."
                raise Failed(PORT_USED, text.format(protocol, port, work.host))


def _listening() -> Dict[str, Set[int]]:
    """Ports by protocol, but for those that only the host itself reaches."""
    found: Dict[str, Set[int]] = {"tcp": set(), "udp": set()}
    for line in commands.run(["ss", "-Hlntu"]).splitlines():
        words = line.split()
        address, _colon, port = words[4].rpartition(":") if len(words) > 4 else ("", "", "")
        if words[0] in found and port.isdigit() and not address.startswith(("127.", "[::1]")):
            found[words[0]].add(int(port))
    return found


def _before(work: Work) -> List[str]:
    """Interfaces between which the host passed nothing on; none where it did so already."""
    kept = paths.read_bytes(BEFORE)
    if kept is not None:
        return [str(one) for one in json.loads(kept)]
    if work.now.setting(FORWARDS) == "1":
        return []
    there = work.now.links()
    names = sorted(name for name, link in there.items() if links.addresses(link) and not name.startswith(("lo", "su")))
    work.write(BEFORE, json.dumps(names) + "\n")
    return names


def _base(work: Work) -> None:
    text, listing = "\n".join(BASE) + "\n", work.now.listing(TABLE)
    if not rules.same(GIVEN, text, _base_of(listing), work):
        rules.give(GIVEN, text, text, lambda: _base_of(work.now.listing(TABLE)), work)


def _base_of(listing: Optional[rules.Listing]) -> Optional[rules.Listing]:
    if listing is None:
        return None
    own = rules.chain_of(listing, "inward", "of_the_host", "itself", "through", "outward")
    return own + rules.without_members([one for one in listing if "set" in one or "map" in one])


def _own(name: str, uplink: UplinkWant, work: Work) -> None:
    """The chain of one router: what may come by its cable. In one transaction, so that there is no moment without."""
    path = os.path.join(FOLDER, name)
    text = "".join("add rule {0} {1} {2}\n".format(TABLE, name, rule) for rule in allowed(uplink))
    if rules.same(path, text, _chain(work.now.listing(TABLE), name), work):
        return
    feed = "add chain {0} {1}\nflush chain {0} {1}\n".format(TABLE, name) + text
    rules.give(path, text, feed, lambda: _chain(work.now.listing(TABLE), name), work)


def _chain(listing: Optional[rules.Listing], name: str) -> Optional[rules.Listing]:
    own = rules.chain_of(listing or [], name)
    return own if len(own) > 1 else None


def allowed(uplink: UplinkWant) -> List[str]:
    """In order. What opens a connection is asked each time, so that a change holds for those that there are."""
    source = ipaddress.ip_interface(uplink["address"]).ip
    found = ["meta nfproto ipv6 drop", "ip saddr != {0} drop".format(source), "ct state invalid drop"]
    found += ["ct state related accept", "ct direction reply accept"]
    found += ["oifname @ends ct status dnat accept", "oifname @ends " + REFUSE]
    if uplink.get("name_servers"):
        found.append(
            "ip daddr {0} meta l4proto {{ tcp, udp }} th dport 53 accept".format(_set_of(uplink["name_servers"]))
        )
    if uplink.get("closed"):
        found.append("ip daddr {0} {1}".format(_set_of(uplink["closed"]), REFUSE))
    if uplink.get("open"):
        found.append("ip daddr {0} accept".format(_set_of(uplink["open"])))
    return [*found, "ip daddr {0} {1}".format(_set_of(PRIVATE), REFUSE), "accept"]


def _set_of(networks: Iterable[str]) -> str:
    found = ipaddress.collapse_addresses(ipaddress.IPv4Network(one) for one in networks)
    return "{ " + ", ".join(map(str, found)) + " }"


def _keep(name: str, want: Want, before: Sequence[str], work: Work) -> None:
    """Its members, and none of others."""
    has, address = _members(work.now.listing(TABLE)), forwards.outside(want)[-1]
    apart = [pair for pair in permutations(before, 2) if pair not in has.apart]
    lines = ['add element {0} apart {{ "{1}" . "{2}" }}'.format(TABLE, *pair) for pair in apart]
    lines += [] if name in has.links else ['add element {0} links {{ "{1}" : jump {1} }}'.format(TABLE, name)]
    lines += [] if name in has.ends else ['add element {0} ends {{ "{1}" }}'.format(TABLE, name)]
    for protocol, ports in forwards.ports(want).items():
        there = has.ports.get(protocol, {})
        gone = [port for port, whose in there.items() if (whose == address) != (port in ports)]
        lines += ["delete element {0} of_{1} {{ {2} }}".format(TABLE, protocol, port) for port in gone]
        new = [port for port in ports if there.get(port) != address]
        lines += ["add element {0} of_{1} {{ {2} : {3} }}".format(TABLE, protocol, port, address) for port in new]
    if lines:
        rules.put("\n".join(lines) + "\n", work)


def _members(listing: Optional[rules.Listing]) -> Members:
    ports = {one: dict(rules.members(listing, "map", "of_" + one)) for one in ("tcp", "udp")}
    ends, pairs = (rules.members(listing, "set", one) for one in ("ends", "apart"))
    apart = {(one["concat"][0], one["concat"][1]) for one in pairs}
    return Members(set(ends), apart, {name for name, _verdict in rules.members(listing, "map", "links")}, ports)


def _set(value: str) -> None:
    """A file of the kernel's, which is changed where it is."""
    with open(FORWARDS, "w", encoding="ascii") as file:
        file.write(value + "\n")


def remove(have: Want, work: Work) -> None:
    """With the last one goes all that it needed."""
    name = naming.uplink_name(have["uuid"])
    with _changing:
        if name in work.now.links():
            work.run(["ip", "link", "delete", name])
        listing = work.now.listing(TABLE)
        has = _members(listing)
        if name in has.ends and has.ends == {name}:
            _last(work)
        elif _chain(listing, name) is not None or name in has.ends:
            rules.put("\n".join(_gone(name, have, has)) + "\n", work)
        rules.forget(os.path.join(FOLDER, name), work)


def _last(work: Work) -> None:
    rules.put("delete table {0}\n".format(TABLE), work)
    if paths.read_bytes(BEFORE) is not None:
        work.act("forward nothing any more", _set, "0")
    work.remove_tree(FOLDER)


def _gone(name: str, have: Want, has: Members) -> List[str]:
    address = forwards.outside(have)[-1:]
    lines = [
        "delete element {0} of_{1} {{ {2} }}".format(TABLE, protocol, port)
        for protocol, there in has.ports.items()
        for port, whose in there.items()
        if [whose] == address
    ]
    lines += ['delete element {0} links {{ "{1}" }}'.format(TABLE, name)] if name in has.links else []
    lines += ['delete element {0} ends {{ "{1}" }}'.format(TABLE, name)] if name in has.ends else []
    ends = ("add", "flush", "delete")  # whoever emptied the tables of the host took the chain away
    return [*lines, *("{0} chain {1} {2}".format(word, TABLE, name) for word in ends)]


def cut(before: Want, now: Want, work: Work) -> None:
    """On the host, what goes on through forwards that are no more."""
    lost = forwards.read(before).keys() - forwards.read(now).keys()
    for protocol, port in sorted(lost):
        words: List[Any] = ["conntrack", "--delete", "-p", protocol, "--orig-port-dst", port]
        words += ["--reply-src", forwards.outside(before)[-1]]
        work.act("end connections to {0}/{1}".format(protocol, port), commands.attempt, words)
