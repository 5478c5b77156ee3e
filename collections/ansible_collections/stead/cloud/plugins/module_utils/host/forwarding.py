"""Forwarding entries of a VXLAN network: which MAC is behind which host, and which address has which MAC.

Everything is known when it is planned, so nothing is learned and no packet asks around: the bridge answers ARP and
neighbour discovery for guests elsewhere by itself. Broadcasts go to the network's other hosts, and to no others.
"""

from __future__ import annotations

import json

from . import links, running

EVERYBODY = "00:00:00:00:00:00"


def ensure(want, work, bridge):
    tunnel = links.vxlan_name(want["uuid"])
    elsewhere = _elsewhere(want, work.host)
    far, near = _entries(tunnel)
    lines = _far(tunnel, _wanted_far(want, work.host, elsewhere), far)
    lines += _near(tunnel, set(elsewhere), near)
    work.batch("bridge", lines)
    wanted = {address: mac for mac, entry in elsewhere.items() for address in entry["addresses"]}
    work.batch("ip", _neighbours(bridge, wanted, _known(bridge)))


def _elsewhere(want, me):
    return {mac.lower(): entry for mac, entry in want.get("forwarding", {}).items() if entry["at"] != me}


def _wanted_far(want, me, elsewhere):
    """(MAC, host's address): through the tunnel."""
    peers = want.get("peers", {})
    found = {(mac, peers[entry["at"]]) for mac, entry in elsewhere.items() if entry["at"] in peers}
    return found | {(EVERYBODY, address) for host, address in peers.items() if host != me and address}


def _entries(tunnel):
    """What the tunnel has: entries of its own, and those of the bridge that lead to it."""
    status, out, _said = running.attempt(["bridge", "-json", "fdb", "show", "dev", tunnel])
    entries = json.loads(out or "[]") if status == 0 else []
    far = {(one["mac"], one["dst"]) for one in entries if "dst" in one}
    near = {one["mac"] for one in entries if "dst" not in one and one.get("state") == "static"}
    return far, near


def _far(tunnel, wanted, has):
    gone = ["fdb del {0} dev {1} dst {2} self".format(mac, tunnel, at) for mac, at in sorted(has - wanted)]
    return gone + [
        "fdb {3} {0} dev {1} dst {2} self permanent".format(mac, tunnel, at, "append" if mac == EVERYBODY else "add")
        for mac, at in sorted(wanted - has)
    ]


def _near(tunnel, wanted, has):
    gone = ["fdb del {0} dev {1} master static".format(mac, tunnel) for mac in sorted(has - wanted)]
    return gone + ["fdb replace {0} dev {1} master static".format(mac, tunnel) for mac in sorted(wanted - has)]


def _known(bridge):
    status, out, _said = running.attempt(["ip", "-json", "neighbour", "show", "dev", bridge, "nud", "permanent"])
    entries = json.loads(out or "[]") if status == 0 else []
    return {one["dst"]: one["lladdr"] for one in entries if "lladdr" in one}


def _neighbours(bridge, wanted, has):
    gone = ["neighbour del {0} dev {1}".format(address, bridge) for address in sorted(set(has) - set(wanted))]
    return gone + [
        "neighbour replace {0} lladdr {1} dev {2} nud permanent".format(address, mac, bridge)
        for address, mac in sorted(wanted.items())
        if has.get(address) != mac
    ]
