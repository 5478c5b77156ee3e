"""Prepares a host for OVN: who it is, where the database is, and what carries its tunnels.

The northbound database listens on a socket of its host alone. The southbound one takes whoever shows a certificate of
the site's authority, and lets each change what is its own.
"""

from __future__ import annotations

import json
import os
import time
from typing import Any, Dict, List, Mapping, Sequence

from ...base import paths
from ...base.errors import Failed, FailureCode
from ...base.work import Work
from .. import links
from . import apart, vswitch
from .ovsdb import OvsdbDatabase, Row

NO_TUNNELS = FailureCode("STEAD-E215", "nothing can carry the host's tunnels")

SOUTHBOUND = OvsdbDatabase("OVN_Southbound", "/run/ovn/ovnsb_db.sock")
PORT = 6642
SYSTEM_ID = "/etc/openvswitch/system-id.conf"  # by which the switch calls itself whenever it starts
READABLE = 0o644
STARTS = 60  # seconds that a service may take to listen
CARRIER = "stead-carrier"  # the bridge whose uplink carries tunnels, where the kernel has no switch
KEPT = paths.ROOT + "/carrier.json"  # what a boot forgets of it
CERTIFICATES = ("server-key.pem", "server-cert.pem", "ca-cert.pem")


def prepare(given: Mapping[str, Any], work: Work) -> None:
    pem = [os.path.join(given["certificates"], name) for name in CERTIFICATES]
    if given.get("keeps"):
        _serve(given["database"], pem, work)
    if given.get("joins"):
        _join(given, pem, work)


def _serve(address: str, pem: Sequence[str], work: Work) -> None:
    has = _read(SOUTHBOUND, ("SSL", "Connection"), work)
    if [_files(row) for row in has["SSL"]] != [tuple(pem)]:
        work.run(["ovn-sbctl", "set-ssl", *pem])
    target = "pssl:{0}:{1}".format(PORT, _bracketed(address))
    wanted = [(target, "ovn-controller")]
    if [(row["target"], row["role"]) for row in has["Connection"]] != wanted:
        work.run(["ovn-sbctl", "set-connection", "role=ovn-controller", target])


def _join(given: Mapping[str, Any], pem: Sequence[str], work: Work) -> None:
    apart.ensure(work)
    has = _read(vswitch.SWITCH, ("SSL", "Open_vSwitch"), work)
    if [_files(row) for row in has["SSL"]] != [tuple(pem)]:
        work.run(["ovs-vsctl", "set-ssl", *pem])
    address = given["underlay"] if vswitch.in_kernel() else _carrier(given, work)
    work.write(SYSTEM_ID, given["name"] + "\n", READABLE)
    settings = {
        "system-id": given["name"],
        "ovn-remote": "ssl:{0}:{1}".format(_bracketed(given["database"]), PORT),
        "ovn-encap-type": "geneve",
        "ovn-encap-ip": address,
        "ovn-bridge-datapath-type": vswitch.datapath(),
    }
    there: Any = has["Open_vSwitch"][0]["external_ids"] if has["Open_vSwitch"] else {}
    lacks = sorted(name for name in settings if there.get(name) != settings[name])
    if lacks:
        words = ["external-ids:{0}={1}".format(name, settings[name]) for name in lacks]
        work.run(["ovs-vsctl", "set", "open_vswitch", ".", *words])


def _read(database: OvsdbDatabase, tables: Sequence[str], work: Work) -> Dict[str, List[Row]]:
    """A service that has just been started listens a moment later; in check mode it may come with a package."""
    for _turn in range(0 if work.check else STARTS):
        if os.path.exists(database.path):
            break
        time.sleep(1)
    try:
        return database.select({name: [] for name in tables})
    except Failed:
        if not work.check:
            raise
        return {name: [] for name in tables}


def _files(row: Mapping[str, Any]) -> Any:
    return row["private_key"], row["certificate"], row["ca_cert"]


def _bracketed(address: str) -> str:
    return "[{0}]".format(address) if ":" in address else address


def _carrier(given: Mapping[str, Any], work: Work) -> str:
    """Tunnels of the userspace datapath leave by a bridge that holds the uplink and has its address."""
    device, address = given.get("device", ""), given.get("address", "")
    if not device or "/" not in address:
        text = (
            "Its kernel has no Open vSwitch (module openvswitch), and the datapath in userspace needs a device of its "
            "own: set ovn_tunnel_device and ovn_tunnel_address, with its length."
        )
        raise Failed(NO_TUNNELS, text)
    link = work.now.links().get(device)
    if link is None or links.addresses(link):
        text = "{0} {1}. Name a device in ovn_tunnel_device that is there and has no addresses."
        raise Failed(NO_TUNNELS, text.format(device, "is not there" if link is None else "has addresses of this host"))
    work.write(KEPT, json.dumps({"device": device, "address": address}, sort_keys=True) + "\n")
    if vswitch.interface(device, work) is None:
        words = ["--may-exist", "add-br", CARRIER, "--", "set", "bridge", CARRIER, "datapath_type=netdev"]
        words += ["other-config:hwaddr=" + _mac(link["address"]), "--", "--may-exist", "add-port", CARRIER, device]
        work.run(["ovs-vsctl", *words])
    restore_carrier(work)
    return str(address).partition("/")[0]


def _mac(uplink: str) -> str:
    """Its own, beside the uplink's, and locally administered."""
    first = int(uplink[:2], 16) | 0x02
    return "{0:02x}{1}".format(first ^ 0x04, uplink[2:])


def restore_carrier(work: Work) -> None:
    """After a boot its switch is there, and the address is not."""
    text = paths.read_bytes(KEPT)
    if text is None:
        return
    kept = json.loads(text)
    device, address, there = kept["device"], kept["address"], work.now.links()
    lines: List[str] = [
        "link set {0} up".format(name) for name in (device, CARRIER) if not links.is_up(there.get(name))
    ]
    if address not in links.addresses(there.get(CARRIER)):
        lines.append("address replace {0} dev {1}".format(address, CARRIER))
    work.batch("ip", lines)
    if lines:  # what it is given has no checksum yet where a card would have made it
        work.run(["ethtool", "-K", device, "tx", "off"])
