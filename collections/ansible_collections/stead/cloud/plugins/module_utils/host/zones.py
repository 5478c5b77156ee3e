"""Connections of each network apart: tenants have the same addresses, and one's connection must not open another's.

Each of Stead's bridges has a zone of the kernel's connection tracking on this host. The numbers are the host's own, and
mean nothing elsewhere. A bridge of the site's may carry the host's own connections, and is left alone.
"""

from __future__ import annotations

import json
import threading

from . import running
from .failing import Failed

TABLE = "inet stead"
LAST = 65535
BASE = (
    "add table {0}",
    "add map {0} zones {{ typeof iifname : ct zone; }}",
    "add chain {0} apart {{ type filter hook prerouting priority raw; }}",
    "flush chain {0} apart",
    "add rule {0} apart ct zone set iifname map @zones",
)
_choosing = threading.Lock()


def ensure(bridge, work):
    with _choosing:
        has = known()
        if bridge in has:
            return
        taken = set(has.values())
        zone = next((one for one in range(1, LAST + 1) if one not in taken), None)
        if zone is None:
            raise Failed("All {0} zones of connection tracking are taken by other networks of this host.".format(LAST))
        lines = [line.format(TABLE) for line in BASE]
        lines.append('add element {0} zones {{ "{1}" : {2} }}'.format(TABLE, bridge, zone))
        work.run(["nft", "-f", "-"], feed="\n".join(lines) + "\n")


def remove(bridge, work):
    """With the last one goes the table: nothing is left of what is not in use."""
    with _choosing:
        found = known()
        if bridge in found:
            line = 'delete element {0} zones {{ "{1}" }}\n' if set(found) != {bridge} else "delete table {0}\n"
            work.run(["nft", "-f", "-"], feed=line.format(TABLE, bridge))


def known():
    """bridge -> zone."""
    status, out, _said = running.attempt(["nft", "-j", "list", "map"] + TABLE.split() + ["zones"])
    found = json.loads(out)["nftables"] if status == 0 else []
    return {name: zone for one in found if "map" in one for name, zone in one["map"].get("elem", [])}
