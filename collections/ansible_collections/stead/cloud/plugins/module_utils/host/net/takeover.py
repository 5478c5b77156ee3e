"""Tells neighbours who answers now: keepalived runs it in the namespace whenever that has changed.

Of two hosts that have a router, each tells what it finds: that it answers, or that the other does. So what is told
last is true, also where both have believed for a while that they were alone. What goes through tunnels is told to one
MAC after the other: their bridges keep from others what is told to everybody.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import time
from typing import Any, Dict, List, Mapping, Sequence, Tuple

from ..base import paths
from . import arp_nd

MARK = "fe80::ffff"  # who has it on the link of the two answers for both
_MARKED = "fe80000000000000000000000000ffff "
LEADS_FOR = 1800  # seconds that guests count on a router that they heard of
Frames = Sequence[Tuple[str, bytes]]  # interface, frame


def main(arguments: Sequence[str] = ()) -> int:
    want = (_read("routers", arguments[0]) or _read("load_balancers", arguments[0])) if arguments else {}
    floating = _floating(want)
    for turn in range(arp_nd.TIMES):
        if turn:
            time.sleep(arp_nd.APART)
        _send(told(want, floating, answers()))
    return 0


def answers() -> bool:
    return _MARKED in (paths.read_bytes("/proc/self/net/if_inet6") or b"").decode()


def told(want: Mapping[str, Any], floating: Sequence[str], here: bool) -> Frames:
    found: List[Tuple[str, bytes]] = []
    out = want.get("external") or {}
    for port in (*want.get("interfaces", {}).values(), *([out] if out else ())):
        mac = port["mac"] if here else port.get("peer_mac")
        if mac is None:  # there is no other host now
            continue
        addresses = [one.partition("/")[0] for one in port["addresses"]] + (list(floating) if port is out else [])
        addresses += [port["link_local"]] if "link_local" in port else []
        frames = [frame for one in addresses for frame in arp_nd.frames(mac, one)]
        if here and "link_local" in port:
            managed = not all(one["slaac"] for one in port["announces"])
            frames.append(arp_nd.leading(mac, LEADS_FOR, managed, port["link_local"]))
        # The other's MAC is told of, and not sent from: switches would look for it here.
        frames = [frame[:6] + arp_nd.octets(port["mac"]) + frame[12:] for frame in frames]
        known = _read("networks", port["network_uuid"]).get("forwarding", {})
        ours = {port["mac"].lower(), mac.lower()}
        frames += [
            arp_nd.octets(one) + frame[6:] for one in sorted(known) if one.lower() not in ours for frame in frames
        ]
        found += [("n" + port["mac"].replace(":", "").lower(), frame) for frame in frames]
    return found


def _floating(want: Mapping[str, Any]) -> List[str]:
    folder, found = os.path.join(paths.LEDGER, "floating_ips"), []
    for name in sorted(os.listdir(folder)) if want.get("external") and os.path.isdir(folder) else ():
        one = _read("floating_ips", name.partition(".")[0])
        if (one.get("router") or {}).get("uuid") == want["uuid"]:
            found.append(one["address"])
    return found


def _read(kind: str, uuid: str) -> Dict[str, Any]:
    """The want in the ledger; nothing where it has none. Read as it is: this is in a hurry."""
    data = paths.read_bytes(os.path.join(paths.LEDGER, kind, os.path.basename(uuid) + ".json"))
    found: Dict[str, Any] = json.loads(data)["want"] if data else {}
    return found


def _send(frames: Frames) -> None:
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as wire:
        for device, frame in frames:
            # An interface that has just gone has nobody who listens.
            with contextlib.suppress(OSError):
                wire.sendto(frame, (device, 0))
