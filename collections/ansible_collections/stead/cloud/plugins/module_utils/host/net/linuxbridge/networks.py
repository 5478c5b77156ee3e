"""A network is a bridge on each host, joined by VXLAN or by a physical network.

It decides nothing: which hosts, numbers and forwarding entries there are stands in the want.
"""

from __future__ import annotations

from typing import ContextManager, Optional

from ...base import commands
from ...base.errors import Failed, FailureCode
from ...base.readings import Readings
from ...base.step import Want
from ...base.work import Work
from .. import links
from ..driver import NO_DEVICE, UNABLE
from ..links import Link, Links
from . import conntrack, dhcp, forwarding, lookouts, naming

NOT_MADE = FailureCode("STEAD-E202", "the network is not on this host")
IN_USE = FailureCode("STEAD-E203", "the network is still in use on this host")
NO_VLAN = FailureCode("STEAD-E205", "the host cannot make the VLAN")

VXLAN_PORT = 4789
TYPES = ("vxlan", "flat", "vlan")


def ensure(want: Want, work: Work) -> None:
    if want["type"] not in TYPES:
        raise Failed(UNABLE, "It makes no networks of type {0}.".format(want["type"]))
    there = work.now.links()
    bridge = _bridge(want, work, there)
    if want["type"] == "vxlan":
        _tunnel(want, work, there, bridge)
        forwarding.ensure(want, work, bridge)
    else:
        with work.part("device", there=""):
            _uplink(want, work, there, bridge)
    with work.part("ports"):
        _plug(want["uuid"], bridge, work)
    with work.part("service"):
        if "service" in want:
            dhcp.ensure(want, work, bridge)
        else:
            _unserve(want, work)


def _unserve(want: Want, work: Work) -> None:
    before = len(work.done)
    dhcp.remove(want["uuid"], work)
    if len(work.done) > before:
        again(want["uuid"], work)


def again(uuid: str, work: Work) -> None:
    """When a port has gone from the network that may be on another host now."""
    made = work.now.entry("networks", uuid)
    if made is not None and made["want"]["type"] == "vxlan" and is_there(made["want"], work.now):
        forwarding.again(made["want"], work)


def expect(want: Want, have: Want, work: Work) -> None:
    if want["type"] == "vxlan" and is_there(have, work.now):
        forwarding.expect(want, have, work)


def remove(have: Want, work: Work) -> None:
    uuid = have["uuid"]
    dhcp.remove(uuid, work)
    lookouts.remove(uuid, work)
    there = work.now.links()
    bridge = naming.bridge_name(uuid)
    own = {naming.vxlan_name(uuid), naming.vlan_name(uuid), naming.server_name(uuid)}
    physical = have.get("device", "")
    used = [port for port in links.ports_of(bridge, there) if port not in own and port != physical]
    if used and not work.check:  # by what another step may take away
        text = "Bridge {0} still has other ports: {1}. Remove what uses them first."
        raise Failed(IN_USE, text.format(bridge, ", ".join(used)))
    if there.get(physical, {}).get("master") == bridge:
        work.run(["ip", "link", "set", physical, "nomaster"])
    for name in (naming.vxlan_name(uuid), naming.vlan_name(uuid), bridge):
        if name in there:
            work.run(["ip", "link", "delete", name])
    conntrack.remove(bridge, work)


def is_there(want: Want, now: Readings) -> bool:
    there = now.links()
    return bridge_of(want, there) in there and (want["type"] != "vxlan" or naming.vxlan_name(want["uuid"]) in there)


def restore(want: Want, held: bool, work: Work) -> None:
    """What serves addresses is on one host of a network; all else is on each."""
    ensure({name: value for name, value in want.items() if name != "service"} if held else want, work)


def bridge_for(uuid: str, work: Work) -> str:
    """Where an interface of the network goes on this host. In check mode the network may be a step of the same run."""
    made = work.now.entry("networks", uuid)
    if made is None and work.check:
        return ""
    if made is None:
        raise Failed(NOT_MADE, "The ledger has no network {0}. Make the network before resources in it.".format(uuid))
    want = made["want"]
    return bridge_of(want, work.now.links() if want["type"] == "flat" else {})


def bridge_of(want: Want, there: Links) -> str:
    """Stead's own bridge; or the site's, where the physical network is one. Only of flat networks that is looked up."""
    device = str(want.get("device", ""))
    if want["type"] == "flat" and links.kind(there.get(device)) == "bridge":
        return device
    return naming.bridge_name(want["uuid"])


def _bridge(want: Want, work: Work, there: Links) -> str:
    bridge = bridge_of(want, there)
    if bridge == want.get("device"):
        return bridge
    link, mtu = there.get(bridge), want["mtu"]
    lines = []
    if link is None:
        # An address of its own: with that of its lowest port it would change, and forget whom it knows.
        made = "link add {0} address {1} mtu {2} type bridge stp_state 0 forward_delay 0 mcast_snooping 0"
        lines.append(made.format(bridge, naming.bridge_mac(want["uuid"]), mtu))
        # The host itself is not in the network: it must not answer there, or take an address.
        lines.append("link set {0} addrgenmode none".format(bridge))
    elif link.get("mtu") != mtu:
        lines.append("link set {0} mtu {1}".format(bridge, mtu))
    if not links.is_up(link):
        lines.append("link set {0} up".format(bridge))
    with _part("bridge", link, mtu, work):
        work.batch("ip", lines)
    with work.part("apart", there=False):
        conntrack.ensure(bridge, work)
    return bridge


def _plug(uuid: str, bridge: str, work: Work) -> None:
    """Guests' interfaces that run, and are in no bridge: somebody took them out, or made the bridge anew."""
    there, lines = work.now.links(), []
    for made in work.now.entries("instances"):
        nics = made["want"].get("nics", {})
        ours = [made["want"]["ports"][key]["mac"] for key, nic in nics.items() if nic.get("network_uuid") == uuid]
        for name in map(naming.tap_name, ours):
            if name in there and there[name].get("master") != bridge:
                lines.append("link set {0} master {1}".format(name, bridge))
            if name in there and not links.is_up(there[name]):
                lines.append("link set {0} up".format(name))
    work.batch("ip", lines)


def _tunnel(want: Want, work: Work, there: Links, bridge: str) -> None:
    name, mtu = naming.vxlan_name(want["uuid"]), want["mtu"]
    local = want.get("peers", {}).get(work.host)
    link = there.get(name)
    if link is not None and not _same_tunnel(link, want["vni"], local):
        with work.part("vni", there=links.data(link).get("id")):
            work.run(["ip", "link", "delete", name])
        link = None
    lines = []
    if link is None:
        made = "link add {0} mtu {1} type vxlan id {2} dstport {3} nolearning"
        source = " local {0}".format(local) if local else ""
        lines.append(made.format(name, mtu, want["vni"], VXLAN_PORT) + source)
        lines.append("link set {0} addrgenmode none".format(name))
    elif link.get("mtu") != mtu:
        lines.append("link set {0} mtu {1}".format(name, mtu))
    if links.data(link).get("learning"):  # a guest has moved
        lines.append(forwarding.NO_LEARNING.format(name))
    if link is None or link.get("master") != bridge:
        lines.append("link set {0} master {1}".format(name, bridge))
    if not links.is_up(link):
        lines.append("link set {0} up".format(name))
    with _part("tunnel", link, mtu, work):
        work.batch("ip", lines)
        _quiet(name, link, work)


def _quiet(name: str, link: Optional[Link], work: Work) -> None:
    wanted = {"learning": False, "flood": False, "neigh_suppress": True}
    if {key: links.port(link).get(key) for key in wanted} != wanted:
        # What is known goes to where it is, without asking around; broadcasts still reach the network's hosts.
        work.run(["bridge", "link", "set", "dev", name, "learning", "off", "flood", "off", "neigh_suppress", "on"])


def _part(name: str, link: Optional[Link], mtu: int, work: Work) -> ContextManager[None]:
    if link is not None and link.get("mtu") != mtu:
        return work.part("mtu", there=link.get("mtu"))
    return work.part(name)


def _same_tunnel(link: Link, vni: int, local: Optional[str]) -> bool:
    has = links.data(link)
    return has.get("id") == vni and has.get("port") == VXLAN_PORT and (local is None or has.get("local") == local)


def _uplink(want: Want, work: Work, there: Links, bridge: str) -> None:
    """A physical network, or a VLAN of one, becomes a port of the bridge."""
    device = want.get("device", "")
    if device not in there:
        if not want.get("physical"):
            raise Failed(NO_DEVICE, "There is no device {0!r} on this host. Name an existing one.".format(device))
        text = "Physical network {0} is at device {1!r} of this host, which is not there. Mend stead_physical_networks."
        raise Failed(NO_DEVICE, text.format(want["physical"], device))
    if device == bridge:
        return
    if want["type"] == "vlan":
        device = _vlan(want, work, there, device)
    master = there.get(device, {}).get("master")
    if master == bridge:
        return
    if master is not None:
        text = "{0} is a port of {1} already, which is not Stead's. Take it out, or name {1} in its place."
        raise Failed(NO_DEVICE, text.format(device, master))
    if device in there and (held := links.addresses(there[device])):
        text = "{0} has addresses of this host ({1}), which it would lose as a port. Make it a bridge, and name that."
        raise Failed(NO_DEVICE, text.format(device, ", ".join(sorted(held))))
    work.batch("ip", ["link set {0} master {1}".format(device, bridge), "link set {0} up".format(device)])


def _vlan(want: Want, work: Work, there: Links, device: str) -> str:
    name = naming.vlan_name(want["uuid"])
    link = there.get(name)
    if link is not None and (links.data(link).get("id") != want["vlan"] or link.get("link") != device):
        work.run(["ip", "link", "delete", name])
        link = None
    if link is None:
        words = ["ip", "link", "add", "link", device, "name", name, "type", "vlan", "id", str(want["vlan"])]
        work.done.append(commands.shown(words))
        status, _out, said = (0, "", "") if work.check else commands.attempt(words)
        if status != 0 and "Unknown device type" in said:
            raise Failed(NO_VLAN, "Its kernel has no 802.1Q (module 8021q). Use vxlan or flat here, or another kernel.")
        if status != 0:
            text = "VLAN {0} on {1}: `ip` says: {2}"
            raise Failed(NO_VLAN, text.format(want["vlan"], device, said.strip()))
    return name
