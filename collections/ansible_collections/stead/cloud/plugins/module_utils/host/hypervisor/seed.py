"""What cloud-init finds at an instance's first boot: a NoCloud volume with names, keys, interfaces and the user's data.

JSON is YAML, so nothing more is needed to write it.
"""

from __future__ import annotations

import ipaddress
import json
import os
from typing import Any, Dict, List, Mapping, Sequence

from ..base import paths
from ..base.step import Want
from . import iso

LABEL = "cidata"
# What the firmware's configuration has for the guest, and who looks for it under which name.
FIRMWARE = {"ignition": "opt/com.coreos/config", "combustion": "opt/org.opensuse.combustion/script"}


def has_volume(want: Want) -> bool:
    return "keys" in want["seed"]


def path_of(want: Want) -> str:
    return os.path.join(paths.INSTANCES, want["uuid"], "seed.iso")


def in_firmware(want: Want) -> Dict[str, str]:
    """Files of the host by their part of the seed."""
    return {name: os.path.join(paths.INSTANCES, want["uuid"], name) for name in FIRMWARE if name in want["seed"]}


def volume(want: Want, seed: Mapping[str, Any]) -> bytes:
    """Bytes of the volume."""
    return iso.volume(LABEL, files(want, seed))


def files(want: Want, seed: Mapping[str, Any]) -> Dict[str, bytes]:
    """By their names. `seed` is the want's, with its secrets put in."""
    found = {
        "meta-data": _json(meta_data(want, seed)),
        "network-config": _json(seed.get("network_data") or network_config(want)),
        "user-data": (seed.get("user_data") or "#cloud-config\n{}\n").encode(),
    }
    if seed.get("vendor_data"):
        found["vendor-data"] = seed["vendor_data"].encode()
    return found


def meta_data(want: Want, seed: Mapping[str, Any]) -> Dict[str, Any]:
    """Another instance-id makes cloud-init run again: it stays for an instance's life and for no longer."""
    found = {
        "instance-id": want["uuid"],
        "local-hostname": want["hostname"],
        "hostname": want["hostname"],
        "public-keys": seed.get("keys", []),
    }
    return dict(seed.get("meta_data") or {}, **found)


def network_config(want: Want) -> Dict[str, Any]:
    """Version 2. Interfaces are known by their MACs, since their names depend on the guest."""
    ethernets = {}
    for key, nic in sorted(want["nics"].items(), key=lambda one: one[1]["position"]):
        port = want["ports"][key]
        ethernets["nic{0}".format(nic["position"])] = _ethernet(nic, port)
    return {"version": 2, "ethernets": ethernets}


def _ethernet(nic: Mapping[str, Any], port: Mapping[str, Any]) -> Dict[str, Any]:
    found: Dict[str, Any] = {"match": {"macaddress": port["mac"]}, "mtu": nic["mtu"], "dhcp4": False, "dhcp6": False}
    addresses: List[str] = []
    routes: List[Dict[str, str]] = []
    dns: List[str] = []
    for subnet in nic["subnets"]:
        version = ipaddress.ip_network(subnet["cidr"]).version
        if subnet.get("slaac"):
            found["accept-ra"] = True
            continue
        if subnet["dhcp"] and version == 4:
            found["dhcp4"] = True
            if not nic["routed"]:
                # One interface has the way out; another's DHCP must not take it over.
                found["dhcp4-overrides"] = {"use-routes": False}
            continue
        addresses += static(subnet, port["addresses"])
        if subnet["dhcp"]:
            # Few guests ask by DHCPv6 unasked, and the address is known; the way out is told by the router.
            found["accept-ra"] = True
            continue
        routes += [{"to": one["to"], "via": one["via"]} for one in subnet.get("routes", ())]
        if subnet.get("gateway") and nic["routed"]:
            routes.append({"to": "0.0.0.0/0" if version == 4 else "::/0", "via": subnet["gateway"]})
        dns += subnet.get("dns", ())
    found.update({"addresses": addresses} if addresses else {})
    found.update({"routes": routes} if routes else {})
    found.update({"nameservers": {"addresses": dns}} if dns else {})
    return found


def static(subnet: Mapping[str, Any], addresses: Sequence[str]) -> List[str]:
    """Those of this subnet, with their lengths."""
    net = ipaddress.ip_network(subnet["cidr"])
    own = (ipaddress.ip_address(one) for one in addresses)
    return ["{0}/{1}".format(one, net.prefixlen) for one in own if one.version == net.version and one in net]


def _json(value: object) -> bytes:
    return (json.dumps(value, sort_keys=True, indent=1) + "\n").encode()
