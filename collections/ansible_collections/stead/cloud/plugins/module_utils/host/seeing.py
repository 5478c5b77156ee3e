"""Of each resource in the ledger: whether it is there, and in what it is not as the ledger says. A function per kind.

Nothing means that it is gone; an empty difference, that it is as it should be. What cannot be seen from outside is
taken to be as the ledger says. Code that only makes things is not imported: it would be compiled at every look.
"""

from __future__ import annotations

from ..wire import instance as instances_differ
from . import domain_seen, forwarding, image, links, network, volume


def seen(kind, want, look):
    call = _SEERS.get(kind)
    return call(want, look) if call is not None else {}


def instance(want, look):
    domain = look.domains.get(want["uuid"])
    if domain is None:
        return {} if look.blind else None
    found = domain_seen.fields(domain, want)
    # The one function that compares says what matters of it.
    differing = {path.split(".")[0] for path, _wanted, _there in instances_differ.compare(want, dict(want, **found))}
    return {name: value for name, value in found.items() if name in differing}


def network_seen(want, look):
    bridge = network.bridge_of(want, look.links)
    if bridge not in look.links:
        return None
    found = {}
    if want["type"] == "vxlan":
        tunnel = look.links.get(links.vxlan_name(want["uuid"]))
        if tunnel is None:
            return None
        found.update(_tunnel(want, tunnel, look))
        if tunnel.get("mtu") != want["mtu"]:
            found["mtu"] = tunnel.get("mtu")
    elif want.get("device") and want["device"] not in look.links:
        found["device"] = ""
    if "service" in want and not look.units.get("stead-dhcp-{0}.service".format(want["uuid"])):
        found["service"] = None
    return found


def _tunnel(want, tunnel, look):
    found, has = {}, look.forwarding.get(tunnel["ifname"], set())
    if links.data(tunnel).get("id") != want["vni"]:
        found["vni"] = links.data(tunnel).get("id")
    peers = want.get("peers") or {}
    there = {at for mac, at in has if mac == forwarding.EVERYBODY}
    reached = {name: at for name, at in peers.items() if name == look.host or not at or at in there}
    if reached != peers:
        found["peers"] = reached
    wanted = want.get("forwarding") or {}
    known = {
        mac: entry
        for mac, entry in wanted.items()
        if entry["at"] == look.host or entry["at"] not in peers or (mac.lower(), peers[entry["at"]]) in has
    }
    lower = {mac.lower() for mac in wanted} | {forwarding.EVERYBODY}
    known.update({mac: {"addresses": [], "at": at} for mac, at in has if mac not in lower})
    if known != wanted:
        found["forwarding"] = known
    return found


def image_seen(want, _look):
    return {} if image.intact(want) else None


_SEERS = {"instances": instance, "networks": network_seen, "images": image_seen, "volumes": volume.seen}
