"""What a router lets in and out: nftables in its namespace, and whose address leaves for whose."""

from __future__ import annotations

import os
from typing import Optional, Sequence

from ...base.paths import PASSABLE
from ...base.step import Want
from ...base.work import Work
from .. import rules
from . import forwards, naming, pairs, uplinks

TABLE, MAPS = "ip stead", ("inward", "outward")


def written(want: Want) -> str:
    """The whole table but the members of its maps, which floating IPs put in beside it."""
    out = _outside(want)
    lines = ["add table {0}".format(TABLE)]
    lines += ["add map {0} {1} {{ type ipv4_addr : ipv4_addr; }}".format(TABLE, name) for name in MAPS]
    into = ["dnat to ip daddr map @inward", *forwards.translations(want)]
    lines += rules.anew(TABLE, "before", "type nat hook prerouting priority dstnat", *into)
    if want.get("uplink"):  # what the host's network carries may be less than what the instance's does
        clamp = "tcp flags syn tcp option maxseg size set rt mtu"
        lines += rules.anew(TABLE, "clamp", "type filter hook forward priority mangle", clamp)
    after = []
    if "ha" in want:  # the other host has put in the outer address already, and knows the connection
        stray = 'iifname "{0}" fib saddr type local notrack'.format(pairs.LINK)
        lines += rules.anew(TABLE, "handed_over", "type filter hook prerouting priority raw", stray)
    if out is not None:
        after.append("oifname {0} snat to ip saddr map @outward".format(out))
        after += ["oifname {0} ip saddr {1} masquerade".format(out, cidr) for cidr in want["snat"]]
        # Who calls a neighbour by its floating IP must get the answer back through here.
        outside = "{{ {0}, {1} }}".format(out, pairs.LINK) if "ha" in want else out
        after.append("ct status dnat oifname != {0} iifname != {1} masquerade".format(out, outside))
    lines += rules.anew(TABLE, "after", "type nat hook postrouting priority srcnat", *after)
    return "\n".join(lines) + "\n"


def _outside(want: Want) -> Optional[str]:
    """Its interface on the way out, in quotes."""
    name = uplinks.INSIDE if want.get("uplink") else None
    name = naming.inside_name(want["external"]["mac"]) if want.get("external") else name
    return '"{0}"'.format(name) if name is not None else None


def ensure(want: Want, floating: Sequence[Want], folder: str, work: Work) -> None:
    namespace = naming.namespace_name("router", want["uuid"])
    work.directory(folder, PASSABLE)
    path, text = os.path.join(folder, "rules.nft"), written(want)
    there = namespace in work.now.namespaces()
    listing = work.now.listing(TABLE, namespace) if there else None
    if not rules.same(path, text, _own(listing), work):
        rules.give(path, text, text, lambda: _own(work.now.listing(TABLE, namespace)), work, namespace)
    ours = {
        "inward": {one["address"] for one in floating if "inside" in one},
        "outward": {one["inside"] for one in floating if "inside" in one},
    }
    gone = [
        "delete element {0} {1} {{ {2} }}".format(TABLE, name, key)
        for name in MAPS
        for key, _leads in rules.members(listing, "map", name)
        if key not in ours[name]
    ]
    if gone:
        rules.put("\n".join(gone) + "\n", work, namespace)


def _own(listing: Optional[rules.Listing]) -> Optional[rules.Listing]:
    return None if listing is None else rules.without_members(listing)
