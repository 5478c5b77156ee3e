"""Each network apart on its host: its connections from those of others, and the host itself from what it only carries.

Tenants have the same addresses, and one's connection must not open another's: each of Stead's bridges has a zone of the
kernel's connection tracking. The numbers are the host's own, and mean nothing elsewhere.

Linux takes what is meant for any of its addresses on every interface, though a bridge has none: a tenant whose subnet
is like the underlay would speak to the host in another host's name, and not reach a guest that has the host's address.

A bridge of the site's may carry the host's own connections, and is left alone.
"""

from __future__ import annotations

import os
import threading
from typing import Dict, List, Mapping, Optional, Set, Tuple

from ...base import paths
from ...base.errors import Failed, FailureCode
from ...base.work import Work
from .. import rules

NO_ZONE = FailureCode("STEAD-E206", "no conntrack zone is free on this host")
TABLE = "inet stead"
LAST = 65535
# What the rules were when they were given last.
GIVEN = paths.ROOT + "/apart.nft"
BASE = [
    "add table {0}".format(TABLE),
    "add map {0} zones {{ typeof iifname : ct zone; }}".format(TABLE),
    "add set {0} bridges {{ type ifname; }}".format(TABLE),
    *rules.anew(TABLE, "apart", "type filter hook prerouting priority raw", "ct zone set iifname map @zones"),
    *rules.anew(TABLE, "itself", "type filter hook input priority filter", "iifname @bridges drop"),
    # What is only bridged may pass here too, and leaves by the bridge that it came by.
    *rules.anew(
        TABLE,
        "through",
        "type filter hook forward priority filter",
        "iifname @bridges oifname != @bridges drop",
    ),
]
DEAF = "/proc/sys/net/ipv4/conf/{0}/arp_ignore"
_choosing = threading.Lock()


def ensure(bridge: str, work: Work) -> None:
    path = DEAF.format(bridge)
    if work.now.setting(path) != "1":
        work.act("answer nobody on {0}".format(bridge), _write, path)
    with _choosing:
        listing = work.now.listing(TABLE)
        zones, bridges = _members(listing)
        text = "\n".join(BASE) + "\n"
        if not rules.same(GIVEN, text, _rules(listing), work):
            rules.give(GIVEN, text, text, lambda: _rules(work.now.listing(TABLE)), work)
        lines, zone = _own(bridge, zones)
        if lines:
            lines.append('add element {0} zones {{ "{1}" : {2} }}'.format(TABLE, bridge, zone))
        if bridge not in bridges:
            lines.append('add element {0} bridges {{ "{1}" }}'.format(TABLE, bridge))
        if lines:
            rules.put("\n".join(lines) + "\n", work)


def _own(bridge: str, zones: Mapping[str, int]) -> Tuple[List[str], int]:
    """A zone that is nobody else's, and what has to go before it is given; none of either where all is well."""
    others = {zone for name, zone in zones.items() if name != bridge}
    has = zones.get(bridge)
    # Of two that have the same, one keeps it.
    if has is not None and not any(zone == has for name, zone in zones.items() if name < bridge):
        return [], has
    zone = next((one for one in range(1, LAST + 1) if one not in others), None)
    if zone is None:
        raise Failed(NO_ZONE, "All {0} are taken by other networks of this host.".format(LAST))
    gone = 'delete element {0} zones {{ "{1}" }}' if has is not None else "add table {0}"
    return [gone.format(TABLE, bridge)], zone


def _write(path: str) -> None:
    """A file of the kernel's, which is changed where it is."""
    handle = os.open(path, os.O_WRONLY)
    try:
        os.write(handle, b"1\n")
    finally:
        os.close(handle)


def remove(bridge: str, work: Work) -> None:
    """With the last one goes the table: nothing is left of what is not in use."""
    with _choosing:
        zones, bridges = _members(work.now.listing(TABLE))
        gone = [what for what, has in (("zones", zones), ("bridges", bridges)) if bridge in has]
        lines = ['delete element {0} {1} {{ "{2}" }}'.format(TABLE, what, bridge) for what in gone]
        if lines and {bridge}.issuperset(zones):
            lines = ["delete table {0}".format(TABLE)]
            rules.forget(GIVEN, work)
        if lines:
            rules.put("\n".join(lines) + "\n", work)


def _members(listing: Optional[rules.Listing]) -> Tuple[Dict[str, int], Set[str]]:
    """bridge -> zone; and the bridges that the host is kept out of."""
    return dict(rules.members(listing, "map", "zones")), set(rules.members(listing, "set", "bridges"))


def _rules(listing: Optional[rules.Listing]) -> Optional[rules.Listing]:
    return None if listing is None else rules.without_members(listing)
