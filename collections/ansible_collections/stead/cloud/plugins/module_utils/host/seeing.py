"""Of each resource in the ledger: whether it is there, and in what it is not as the ledger says. A function per kind.

Nothing means that it is gone; an empty difference, that it is as it should be. What cannot be seen from outside is
taken to be as the ledger says. Code that only makes things is not imported: it would be compiled at every look.
"""

from __future__ import annotations

from ..wire import instance as instances_differ
from . import domain_seen, filters, forwarding, image, keeping, links, network, volume


def seen(kind, want, look):
    call = _SEERS.get(kind)
    return call(want, look) if call is not None else {}


def is_seen(kind):
    """Whether one of this kind that the ledger knows nothing of can be told to be there."""
    return kind in _SEERS


def instance(want, look):
    domain = look.domains.get(want["uuid"])
    if domain is None:
        return {} if look.blind else None
    found = domain_seen.fields(domain, want)
    _unguarded(found, want, look)
    # The one function that compares says what matters of it.
    differing = {path.split(".")[0] for path, _wanted, _there in instances_differ.compare(want, dict(want, **found))}
    return {name: value for name, value in found.items() if name in differing}


def _unguarded(found, want, look):
    """An interface whose guard is gone may claim to be anybody."""
    for key, nic in found.get("nics", {}).items():
        if nic.get("filtered") and look.guarded is not None:
            nic["filtered"] = links.tap_name(want["ports"][key]["mac"]) in look.guarded


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
        if not _plugged(tunnel, bridge, look):
            found["peers"] = {}
    elif want.get("device") and not _uplinked(want, bridge, look):
        found["device"] = ""
    if bridge != want.get("device") and look.apart is not None and bridge not in look.apart:
        found["apart"] = False
    if "service" in want and not _served(want, bridge, look):
        found["service"] = None
    return found


def _plugged(link, bridge, look):
    return link is not None and link.get("master") == bridge and links.is_up(link) and links.is_up(look.links[bridge])


def _uplinked(want, bridge, look):
    if bridge == want["device"]:
        return True
    name = links.vlan_name(want["uuid"]) if want["type"] == "vlan" else want["device"]
    return want["device"] in look.links and _plugged(look.links.get(name), bridge, look)


def _served(want, bridge, look):
    """It may well run on, in a namespace that has no name any more and no cable."""
    if not look.units.get("stead-dhcp-{0}.service".format(want["uuid"])):
        return False
    cable = look.links.get(links.server_name(want["uuid"]))
    return links.namespace_name("dhcp", want["uuid"]) in look.namespaces and _plugged(cable, bridge, look)


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


def router_seen(want, look):
    if links.namespace_name("router", want["uuid"]) not in look.namespaces:
        return None
    found = {}
    plugged = {name: port for name, port in want["interfaces"].items() if _joined(port, look)}
    if not look.units.get("stead-announce-{0}.service".format(want["uuid"])):
        plugged = {name: dict(port, announces=[]) if port.get("announces") else port for name, port in plugged.items()}
    if plugged != want["interfaces"]:
        found["interfaces"] = plugged
    if want.get("external") and not _joined(want["external"], look):
        found["external"] = {}
    return found


def _joined(port, look):
    cable = look.links.get(links.router_name(port["mac"]))
    return cable is not None and "master" in cable and links.is_up(cable)


def group_seen(want, look):
    if look.filters is not None and filters.group_name(want["name"]) not in look.filters:
        return None
    sets = {other: _members(other, addresses, look) for other, addresses in want["sets"].items()}
    return {} if sets == want["sets"] else {"sets": sets}


def _members(other, addresses, look):
    """As the ledger has them, where the kernel has the same in its own order."""
    if look.sets is None:
        return addresses
    there = [one for version in (4, 6) for one in look.sets.get(filters.set_name(other, version), [])]
    return addresses if sorted(there) == sorted(addresses) else there


def project_seen(want, look):
    """Its record stays whatever happens to the group that hosts have of it."""
    group = want.get("default_group")
    differs = group_seen(group, look) if group else {}
    if differs is None:
        return {"default_group": None}
    return {"default_group": dict(group, **differs)} if differs else {}


def image_seen(want, _look):
    return {} if image.intact(want) else None


def snapshot_seen(want, _look):
    return {} if keeping.snapshot(want["pool"], want["uuid"]).exists() else None


_SEERS = {
    "images": image_seen,
    "instances": instance,
    "networks": network_seen,
    "projects": project_seen,
    "routers": router_seen,
    "security_groups": group_seen,
    "snapshots": snapshot_seen,
    "volumes": volume.seen,
}
