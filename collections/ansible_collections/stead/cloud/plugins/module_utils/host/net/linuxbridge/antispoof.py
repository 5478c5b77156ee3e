"""What a guest may claim to be: its own addresses, those that it was allowed beside them, and no server or router.

libvirt's filters cannot look into neighbour discovery, nor hold pairs of addresses, so this is nftables' bridge family:
a chain for each filtered interface, reached by the name of its tap, which is the same on every host and after a reboot.
What may pass between interfaces that are what they claim to be is the security groups' to say.
"""

from __future__ import annotations

import ipaddress
import os
import threading
from typing import Any, Dict, Iterable, List, Optional, Sequence, Set, Union

from ...base import paths
from ...base.work import Work
from .. import rules
from ..arp_nd import link_local
from ..driver import Nic, Port
from . import naming

Network = Union[ipaddress.IPv4Network, ipaddress.IPv6Network]
FOLDER = paths.ROOT + "/guards"
TABLE = "bridge stead"
# Before libvirt's own rules of the bridge family, and before anything is translated.
PRIORITY = -310
RARP = "0x8035"  # by which QEMU tells the switches that a guest has moved
NAMELESS = "{ nd-router-solicit, mld-listener-report, mld-listener-done, mld2-listener-report }"
ADVERTISEMENTS = "icmpv6 type nd-neighbor-advert"
BASE = [
    "add table {0}".format(TABLE),
    "add map {0} ports {{ type ifname : verdict; }}".format(TABLE),
    *rules.anew(TABLE, "guests", "type filter hook prerouting priority {0}".format(PRIORITY), "iifname vmap @ports"),
]
# The steps of a host are done a few at once, and one may take the table away while another needs it.
_changing = threading.Lock()


def ensure(nic: Nic, own: Port, work: Work) -> bool:
    """True when the kernel knew of none: it is new, or somebody has emptied the host's tables."""
    name = naming.tap_name(own["mac"])
    text = "".join("add rule {0} {1} {2}\n".format(TABLE, name, rule) for rule in allowed(nic, own))
    return _keep(name, text, work)


def remove(mac: str, work: Work) -> None:
    """With the last one goes the table: nothing is left of what is not in use."""
    name = naming.tap_name(mac)
    with _changing:
        guarded = _guarded(work.now.listing(TABLE))
        if name in guarded:
            lines = ['delete element {0} ports {{ "{1}" }}', "flush chain {0} {1}", "delete chain {0} {1}"]
            lines = lines if guarded != {name} else ["delete table {0}"]
            rules.put("".join(line.format(TABLE, name) + "\n" for line in lines), work)
    rules.forget(_path(name), work)


def restore(mac: str, work: Work) -> bool:
    """As it was given last: nftables forgets everything at a boot. True when it had."""
    name = naming.tap_name(mac)
    text = paths.read_bytes(_path(name))
    return text is not None and _keep(name, text.decode(), work)


def _keep(name: str, text: str, work: Work) -> bool:
    with _changing:
        listing = work.now.listing(TABLE)
        if not rules.same(_path(name), text, _rules(listing, name), work):
            # In one transaction, so that there is no moment without.
            lines = [*BASE, "add chain {0} {1}".format(TABLE, name), "flush chain {0} {1}".format(TABLE, name)]
            link = 'add element {0} ports {{ "{1}" : jump {1} }}\n'.format(TABLE, name)
            feed = "\n".join(lines) + "\n" + text + link
            rules.give(_path(name), text, feed, lambda: _rules(work.now.listing(TABLE), name), work)
        return name not in _guarded(listing)


def _guarded(listing: Optional[rules.Listing]) -> Set[str]:
    """Names of interfaces that are guarded."""
    return {name for name, _verdict in rules.members(listing, "map", "ports")}


def _rules(listing: Optional[rules.Listing], name: str) -> Optional[List[Any]]:
    """All that guards one interface; nothing where it is not guarded."""
    own = [one for one in rules.members(listing, "map", "ports") if one[0] == name]
    return [*rules.chain_of(listing or [], "guests", name), own] if own else None


def _path(name: str) -> str:
    return os.path.join(FOLDER, name)


def allowed(nic: Nic, own: Port) -> List[str]:
    """Of one interface, in order. Pairs: each MAC may be used with its addresses, and with no others."""
    pairs = _pairs(nic, own)
    found = ["ether type ip udp sport 67 drop", "ether type ip6 udp sport 547 drop"]
    found.append("ether type ip6 icmpv6 type { nd-router-advert, nd-redirect } drop")
    for mac, addresses in sorted(pairs.items()):
        found += _of_pair(mac, addresses)
    # What nobody else could be deceived with: who has no address yet asks for one.
    macs = _set(sorted(pairs))
    found.append("ether saddr {0} ether type ip ip saddr 0.0.0.0 udp sport 68 udp dport 67 return".format(macs))
    found.append("ether saddr {0} ether type ip6 ip6 saddr :: icmpv6 type {1} return".format(macs, NAMELESS))
    found.append("ether saddr {0} ether type {1} return".format(macs, RARP))
    return found + ["drop"]


def _pairs(nic: Nic, own: Port) -> Dict[str, List[Network]]:
    """MAC -> networks that it may speak for."""
    mac = own["mac"].lower()
    found = {mac: [ipaddress.ip_network(str(one)) for one in own["addresses"]]}
    for one in nic.get("allowed", []):
        found.setdefault(one.get("mac", mac).lower(), []).append(ipaddress.ip_network(one["address"], strict=False))
    for one, networks in found.items():
        networks.append(ipaddress.ip_network(link_local(one)))
    return found


def _of_pair(mac: str, networks: Sequence[Network]) -> List[str]:
    start = "ether saddr {0} ".format(mac)
    of_four = [one for one in networks if isinstance(one, ipaddress.IPv4Network)]
    four = _collapsed(of_four)
    six = list(ipaddress.collapse_addresses(one for one in networks if isinstance(one, ipaddress.IPv6Network)))
    # Who asks whether an address is free does so from none.
    asking = _set(_collapsed([*of_four, ipaddress.IPv4Network("0.0.0.0/32")]))
    found = [start + "ether type arp arp saddr ether {0} arp saddr ip {1} return".format(mac, asking)]
    if four:
        found.append(start + "ether type ip ip saddr {0} return".format(_set(four)))
    source = start + "ether type ip6 ip6 saddr {0} ".format(_set([str(one) for one in six]))
    # Raw: this nftables has no name for the address that an advertisement speaks of.
    targets = _set([_range(one) for one in six])
    found.append(source + "{0} @th,64,128 {1} return".format(ADVERTISEMENTS, targets))
    found.append(source + "{0} drop".format(ADVERTISEMENTS))
    free = "ether type ip6 ip6 saddr :: icmpv6 type nd-neighbor-solicit @th,64,128 {0} return"
    return found + [source + "return", start + free.format(targets)]


def _collapsed(networks: Iterable[ipaddress.IPv4Network]) -> List[str]:
    return [str(one) for one in ipaddress.collapse_addresses(networks)]


def _range(network: Network) -> str:
    first, last = int(network.network_address), int(network.broadcast_address)
    return "{0:#034x}".format(first) if first == last else "{0:#034x}-{1:#034x}".format(first, last)


def _set(members: Iterable[str]) -> str:
    return "{ " + ", ".join(members) + " }"
