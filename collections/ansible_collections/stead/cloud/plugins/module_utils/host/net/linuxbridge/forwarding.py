"""Forwarding entries of a VXLAN network: which MAC is behind which host, and which address has which MAC.

Everything is known when it is planned, so nothing is learned and no packet asks around: the bridge answers ARP and
neighbour discovery for guests elsewhere by itself. Broadcasts go to the network's other hosts, and to no others.

While a guest moves, the entry of its MAC alone may be learned: QEMU's announcement, which its guard lets through, leads
everybody to its new host the moment it goes on there. All other MACs stay where they were written.
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Sequence, Set, Tuple

from ....wire.network import ForwardingWant
from ...base.step import Want
from ...base.work import Work
from . import naming

Line = Tuple[str, str]  # a MAC, and what to do about it
EVERYBODY = "00:00:00:00:00:00"
LEARNING = "link set {0} type vxlan learning ageing 86400"  # who is idle for long is not forgotten
NO_LEARNING = "link set {0} type vxlan nolearning ageing 300"


def ensure(want: Want, work: Work, bridge: str) -> None:
    tunnel = naming.vxlan_name(want["uuid"])
    elsewhere, peers = _elsewhere(want, work.host), want.get("peers", {})
    found = work.now.forwarding(tunnel)
    far, near = _entries(found)
    everybody = {EVERYBODY: {at for host, at in peers.items() if host != work.host and at}}
    reached = {mac: {peers[one["at"]]} for mac, one in elsewhere.items() if one["at"] in peers}
    lines = _far(tunnel, {**reached, **everybody}, far)
    lines += _fixed(tunnel, reached, found)
    lines += _near(tunnel, set(elsewhere), near)
    work.batch("bridge", [line for _mac, line in lines])
    owners = {address: mac for mac, entry in elsewhere.items() for address in entry["addresses"]}
    answers = _neighbours(bridge, owners, work.now.neighbours(bridge))
    work.batch("ip", [line for _mac, line in answers])
    for mac in {mac for mac, _line in lines + answers} - {EVERYBODY}:
        led = ", ".join(sorted(far.get(mac, ())))
        work.differs("forwarding", mac, None if mac in elsewhere else {"addresses": [], "at": led})
    names = {at: host for host, at in peers.items()}
    for at in far.get(EVERYBODY, set()) ^ everybody[EVERYBODY]:
        work.differs("peers", names.get(at, at), at if at in far.get(EVERYBODY, ()) else None)


def expect(want: Want, have: Want, work: Work) -> None:
    """Those who are to be on other hosts than they are. Until then, each is where it was."""
    tunnel, peers = naming.vxlan_name(want["uuid"]), have.get("peers", {})
    was, will_be = have.get("forwarding", {}), want.get("forwarding", {})
    moving = {mac.lower(): one["at"] for mac, one in was.items() if mac in will_be and will_be[mac]["at"] != one["at"]}
    if not moving:
        return
    work.batch("ip", [LEARNING.format(tunnel)])
    lines = ["link set dev {0} learning on".format(tunnel)]
    line = "fdb replace {0} dev {1} dst {2} self dynamic"
    lines += [
        line.format(mac, tunnel, peers[at]) for mac, at in sorted(moving.items()) if at in peers and at != work.host
    ]
    work.batch("bridge", lines)


def again(want: Want, work: Work) -> None:
    """After a port has gone: what its owner sent in its last moments had moved the entry of its MAC to that port."""
    tunnel = naming.vxlan_name(want["uuid"])
    line = "fdb replace {0} dev {1} master static"
    work.batch("bridge", [line.format(mac, tunnel) for mac in sorted(_elsewhere(want, work.host))])


def _elsewhere(want: Want, me: str) -> Dict[str, ForwardingWant]:
    return {mac.lower(): entry for mac, entry in want.get("forwarding", {}).items() if entry["at"] != me}


def _entries(entries: Sequence[Mapping[str, Any]]) -> Tuple[Dict[str, Set[str]], Set[str]]:
    """What the tunnel has: entries of its own (MAC -> where it leads), and those of the bridge that lead to it."""
    far: Dict[str, Set[str]] = {}
    for one in entries:
        if "dst" in one:
            far.setdefault(one["mac"], set()).add(one["dst"])
    return far, {one["mac"] for one in entries if "dst" not in one and one.get("state") == "static"}


def _far(tunnel: str, wanted: Mapping[str, Set[str]], has: Mapping[str, Set[str]]) -> List[Line]:
    """(MAC, what to do)"""
    gone, new = [], []
    for mac in sorted(wanted.keys() | has.keys()):
        should, does = wanted.get(mac, set()), has.get(mac, set())
        how = "append" if mac == EVERYBODY else "add"
        gone += [(mac, "fdb del {0} dev {1} dst {2} self".format(mac, tunnel, at)) for at in sorted(does - should)]
        line = "fdb {3} {0} dev {1} dst {2} self permanent"
        new += [(mac, line.format(mac, tunnel, at, how)) for at in sorted(should - does)]
    return gone + new


def _fixed(tunnel: str, wanted: Mapping[str, Set[str]], entries: Sequence[Mapping[str, Any]]) -> List[Line]:
    """What was learned while a guest moved, and is right, is written down."""
    line = "fdb replace {0} dev {1} dst {2} self permanent"
    learned = [
        one for one in entries if one.get("dst") in wanted.get(one["mac"], ()) and one.get("state") != "permanent"
    ]
    return [(one["mac"], line.format(one["mac"], tunnel, one["dst"])) for one in learned]


def _near(tunnel: str, wanted: Set[str], has: Set[str]) -> List[Line]:
    gone = [(mac, "fdb del {0} dev {1} master static".format(mac, tunnel)) for mac in sorted(has - wanted)]
    return gone + [(mac, "fdb replace {0} dev {1} master static".format(mac, tunnel)) for mac in sorted(wanted - has)]


def _neighbours(bridge: str, wanted: Mapping[str, str], has: Mapping[str, str]) -> List[Line]:
    gone = [
        (has[address], "neighbour del {0} dev {1}".format(address, bridge))
        for address in sorted(set(has) - set(wanted))
    ]
    return gone + [
        (mac, "neighbour replace {0} lladdr {1} dev {2} nud permanent".format(address, mac, bridge))
        for address, mac in sorted(wanted.items())
        if has.get(address) != mac
    ]
