"""Interfaces of a container that runs: each is a cable with an end in a bridge of its host.

The host's end is named as the plan says, so that it is found again; taken away, it takes the other along.
"""

from __future__ import annotations

import json
import os
from typing import Any, Dict, Iterable, List, Mapping

from ...base import commands
from ...base.step import Want
from ...base.work import Work
from ...net.driver import Plug
from ..driver import Plugs
from . import config

Link = Dict[str, Any]
INNER = "stnew"  # of a cable's other end, until it is where it belongs


def links() -> List[Link]:
    """Of this host."""
    found: List[Link] = json.loads(commands.run(["ip", "-json", "link", "show"]) or "[]")
    return found


def adjust(want: Want, plugs: Plugs, former: Iterable[str], process: int, work: Work) -> None:
    """Only this host is asked: what links a container shows of itself, and of which number, is its root's to say."""
    here = {one["ifname"]: one for one in links()}
    for device in former:
        if device in here:
            _unplug(want, device, work)
    for nic, port, plug in config.ordered(want, plugs):
        if here.get(plug.device, {}).get("master") != plug.bridge:
            if plug.device in here:
                _unplug(want, plug.device, work)
            work.act("plug {0}".format(plug.device), _plug, want, nic, port, plug, process)


def _unplug(want: Want, device: str, work: Work) -> None:
    work.act("unplug {0}".format(device), _call, want, "down", device)
    work.run(["ip", "link", "delete", device])


def _plug(want: Want, nic: Mapping[str, Any], port: Mapping[str, Any], plug: Plug, process: int) -> None:
    mtu, name = str(nic["mtu"]), config.name_of(nic)
    peer = ["peer", "name", INNER, "address", port["mac"], "mtu", mtu, "netns", str(process)]
    commands.run(["ip", "link", "add", plug.device, "mtu", mtu, "type", "veth", *peer])
    _call(want, "up", plug.device)
    lines = ["link set {0} name {1}".format(INNER, name), "link set {0} up".format(name)]
    for address, gateway in config.addresses(nic, port):
        lines.append("address add {0} dev {1}".format(address, name))
        lines += ["route replace default via {0} dev {1}".format(gateway, name)] if gateway else []
    inside = ["nsenter", "--target", str(process), "--net", "ip", "-batch", "-"]
    commands.run(inside, feed="\n".join(lines) + "\n")


def _call(want: Want, what: str, device: str) -> None:
    """The hook that LXC calls for one that it makes itself."""
    told = ["LXC_HOOK_TYPE=" + what, "LXC_NET_PEER=" + device]
    commands.run(["env", *told, os.path.join(config.home(want["uuid"]), "hooks")])
