"""Interfaces of a container that runs: each is a cable with an end in a bridge of its host.

The host's end is named as the plan says, so that it is found again; taken away, it takes the other along.
"""

from __future__ import annotations

import json
import os
from typing import Any, Dict, List, Mapping

from ...base import commands
from ...base.step import Want
from ...base.work import Work
from ...net.driver import Plug
from ..driver import Plugs
from . import config

Link = Dict[str, Any]
INNER = "stnew"  # of a cable's other end, until it is where it belongs


def links(process: int = 0) -> List[Link]:
    """Of this host, or of a container by its first process."""
    inside = ["nsenter", "--target", str(process), "--net"] if process else []
    found: List[Link] = json.loads(commands.run([*inside, "ip", "-json", "link", "show"]) or "[]")
    return found


def adjust(want: Want, plugs: Plugs, process: int, work: Work) -> None:
    here = {one["ifindex"]: one for one in links()}
    has = {one["address"]: here.get(one.get("link_index", 0), {}) for one in links(process) if "link_index" in one}
    wanted = {port["mac"].lower(): (nic, port, plug) for nic, port, plug in config.ordered(want, plugs)}
    for mac in sorted(has.keys() - wanted.keys()):
        if "ifname" in has[mac]:
            _unplug(want, has[mac]["ifname"], work)
    for mac, (nic, port, plug) in wanted.items():
        if has.get(mac, {}).get("master") != plug.bridge:
            if "ifname" in has.get(mac, {}):
                _unplug(want, has[mac]["ifname"], work)
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
