"""What libvirt has on this host that is not Stead's: domains, the networks that it makes, and the files of disks.

It only reads, and is asked by `stead import libvirt` alone: a file system that hangs would hold up a plan.
"""

from __future__ import annotations

import os
from typing import Any, Dict, List
from xml.etree import ElementTree as Xml

from ...base.errors import Failed
from ...storage import disk_files, file_disks
from ..driver import Json
from . import readback


def strangers(connection: Any) -> Json:
    networks = _networks(connection)
    bridges = {name: one["bridge"] for name, one in networks.items()}
    leases = {mac: address for one in networks.values() for mac, address in one.pop("leases").items()}
    seen = readback.everything(connection)
    domains = [_domain(one, bridges, leases) for _uuid, one in sorted(seen.items()) if not one.label()]
    return {"domains": domains, "networks": networks}


def _domain(seen: readback.SeenDomain, bridges: Dict[str, str], leases: Dict[str, str]) -> Json:
    try:
        found = seen.described()
    except ValueError as error:
        return {"name": seen.name, "trouble": str(error)}
    for disk in found["disks"]:
        disk.update(_file(disk) if disk["type"] == "file" and disk["path"] else {})
    for one in found["interfaces"]:
        one["bridge"] = one["bridge"] or bridges.get(one["network"], "")
        one["address"] = leases.get(one["mac"], "")
    return found


def _file(disk: Json) -> Json:
    """Size and backing file. Only the head of the file is read: nothing that it names is opened."""
    path = disk["path"]
    try:
        if not os.path.isfile(path):
            return {"trouble": "there is no such file"}
        room = file_disks.room({"name": "", "path": os.path.dirname(path)})["size"]
        if disk["format"] != "qcow2":
            return {"size": os.path.getsize(path), "room": room}
        head = disk_files.header(path)
        return {"size": head["size"], "backing": head["backing"], "room": room}
    except (Failed, OSError) as error:
        return {"trouble": str(error)}


def _networks(connection: Any) -> Dict[str, Json]:
    return {one.name(): _network(one) for one in connection.listAllNetworks()}


def _network(network: Any) -> Json:
    xml = Xml.fromstring(network.XMLDesc())
    bridge, forward = xml.find("bridge"), xml.find("forward")
    addresses = [_address(one) for one in xml.findall("ip") if one.get("family", "ipv4") == "ipv4"]
    leases = {one.get("mac", "").lower(): one.get("ip", "") for one in xml.findall("ip/dhcp/host")}
    return {
        "bridge": bridge.get("name", "") if bridge is not None else "",
        "forward": forward.get("mode", "nat") if forward is not None else "isolated",
        "addresses": [one for one in addresses if one],
        "leases": {**_leased(network), **leases},
    }


def _address(ip: Xml.Element) -> str:
    length = ip.get("prefix") or ip.get("netmask", "")
    return "{0}/{1}".format(ip.get("address", ""), length) if length else ""


def _leased(network: Any) -> Dict[str, str]:
    """Of a network that is not active, nothing."""
    if not network.isActive():
        return {}
    leases: List[Json] = network.DHCPLeases()
    return {str(one["mac"]).lower(): str(one["ipaddr"]) for one in leases if one.get("mac") and one.get("type") == 0}
