"""Each network apart on its host: its connections from those of others, and the host itself from what it only carries.

Tenants have the same addresses, and one's connection must not open another's: each of Stead's bridges has a zone of the
kernel's connection tracking. The numbers are the host's own, and mean nothing elsewhere.

Linux takes what is meant for any of its addresses on every interface, though a bridge has none: a tenant whose subnet
is like the underlay would speak to the host in another host's name, and not reach a guest that has the host's address.

A bridge of the site's may carry the host's own connections, and is left alone.
"""

from __future__ import annotations

import json
import os
import threading

from . import places, running
from .failing import Failed

TABLE = "inet stead"
LAST = 65535
BASE = (
    "add table {0}",
    "add map {0} zones {{ typeof iifname : ct zone; }}",
    "add chain {0} apart {{ type filter hook prerouting priority raw; }}",
    "flush chain {0} apart",
    "add rule {0} apart ct zone set iifname map @zones",
    "add set {0} bridges {{ type ifname; }}",
    "add chain {0} itself {{ type filter hook input priority filter; }}",
    "flush chain {0} itself",
    "add rule {0} itself iifname @bridges drop",
    # What is only bridged may pass here too, and leaves by the bridge that it came by.
    "add chain {0} through {{ type filter hook forward priority filter; }}",
    "flush chain {0} through",
    "add rule {0} through iifname @bridges oifname != @bridges drop",
)
DEAF = "/proc/sys/net/ipv4/conf/{0}/arp_ignore"
_choosing = threading.Lock()


def ensure(bridge, work):
    path = DEAF.format(bridge)
    if (places.read_bytes(path) or b"").strip() != b"1":
        work.act("answer nobody on {0}".format(bridge), _write, path)
    with _choosing:
        zones, bridges = _table()
        if bridge in zones and bridge in bridges:
            return
        taken = set(zones.values())
        zone = zones.get(bridge) or next((one for one in range(1, LAST + 1) if one not in taken), None)
        if zone is None:
            raise Failed("All {0} zones of connection tracking are taken by other networks of this host.".format(LAST))
        lines = [line.format(TABLE) for line in BASE]
        lines.append('add element {0} zones {{ "{1}" : {2} }}'.format(TABLE, bridge, zone))
        lines.append('add element {0} bridges {{ "{1}" }}'.format(TABLE, bridge))
        work.run(["nft", "-f", "-"], feed="\n".join(lines) + "\n")


def _write(path):
    """A file of the kernel's, which is changed where it is."""
    handle = os.open(path, os.O_WRONLY)
    try:
        os.write(handle, b"1\n")
    finally:
        os.close(handle)


def remove(bridge, work):
    """With the last one goes the table: nothing is left of what is not in use."""
    with _choosing:
        zones, bridges = _table()
        gone = [what for what, has in (("zones", zones), ("bridges", bridges)) if bridge in has]
        lines = ['delete element {0} {1} {{ "{2}" }}'.format(TABLE, what, bridge) for what in gone]
        if lines and {bridge}.issuperset(zones):
            lines = ["delete table {0}".format(TABLE)]
        if lines:
            work.run(["nft", "-f", "-"], feed="\n".join(lines) + "\n")


def known():
    """Bridges that are apart."""
    zones, bridges = _table()
    return zones.keys() & bridges


def _table():
    """bridge -> zone; and the bridges that the host is kept out of."""
    status, out, _said = running.attempt(["nft", "-j", "list", "table", *TABLE.split()])
    zones, bridges = {}, set()
    for one in json.loads(out)["nftables"] if status == 0 else []:
        if one.get("map", {}).get("name") == "zones":
            zones = dict(one["map"].get("elem", []))
        elif one.get("set", {}).get("name") == "bridges":
            bridges = set(one["set"].get("elem", []))
    return zones, bridges
