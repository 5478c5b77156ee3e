"""A physical network on a host: a bridge of its switch with the device, by the name that OVN's networks have for it."""

from __future__ import annotations

import threading
from typing import Any, Dict, Set

from ...base.errors import Failed
from ...base.step import Want
from ...base.work import Work
from .. import links
from ..driver import NO_DEVICE
from . import naming, vswitch

MAPPINGS = "ovn-bridge-mappings"
_changing = threading.Lock()  # the steps of a host are done a few at once, and all have one line
_leaving: Set[str] = set()  # networks that this run takes away, though the ledger has them still


def ensure(want: Want, work: Work) -> None:
    device, physical = want["device"], want["physical"]
    before = work.now.entry("networks", want["uuid"])
    old = before["want"].get("device", device) if before is not None else device
    if old != device and not _others(want, old, work):
        vswitch.remove_port(old, work)
    if vswitch.interface(device, work) is None:
        _plug(device, physical, work)
    elif not links.is_up(work.now.links().get(device)):
        _start(device, work)
    with _changing:
        _leaving.discard(want["uuid"])
        _map({**_mappings(work), physical: naming.physical_bridge(physical)}, work)


def _plug(device: str, physical: str, work: Work) -> None:
    link = work.now.links().get(device)
    if link is None:
        text = "Physical network {0} is at device {1!r} of this host, which is not there. Mend stead_physical_networks."
        raise Failed(NO_DEVICE, text.format(physical, device))
    if held := links.addresses(link):
        text = "{0} has addresses of this host ({1}), which it would lose. Name another in stead_physical_networks."
        raise Failed(NO_DEVICE, text.format(device, ", ".join(sorted(held))))
    if "master" in link:
        text = "{0} is a port of {1} already. Name another device in stead_physical_networks."
        raise Failed(NO_DEVICE, text.format(device, link["master"]))
    bridge = naming.physical_bridge(physical)
    words = ["--may-exist", "add-br", bridge, "--", "set", "bridge", bridge, "datapath_type=" + vswitch.datapath()]
    work.run(["ovs-vsctl", *words, "--", "--may-exist", "add-port", bridge, device])
    _start(device, work)


def _start(device: str, work: Work) -> None:
    work.batch("ip", ["link set {0} up".format(device)])
    if not vswitch.in_kernel():  # what the switch is given has no checksum yet where a card would have made it
        work.run(["ethtool", "-K", device, "tx", "off"])


def remove(have: Want, work: Work) -> None:
    """With the last network that is in it."""
    physical = have["physical"]
    with _changing:
        _leaving.add(have["uuid"])
        if not _others(have, have["device"], work):
            _map({name: bridge for name, bridge in _mappings(work).items() if name != physical}, work)
            work.run(["ovs-vsctl", "--if-exists", "del-br", naming.physical_bridge(physical)])


def restore(want: Want, work: Work) -> None:
    """The switch has its bridges after a boot, and the device is not up."""
    _start(want["device"], work)


def _others(want: Want, device: str, work: Work) -> bool:
    stay = {made["uuid"]: made["want"] for made in work.now.entries("networks")}
    wants = [one for uuid, one in stay.items() if uuid != want["uuid"] and uuid not in _leaving]
    return any(one.get("driver") == want["driver"] and one.get("device") == device for one in wants)


def _mappings(work: Work) -> Dict[str, str]:
    ids = work.now.ask("identity", _identity) if work.check else _identity()
    return dict(one.split(":", 1) for one in ids.get(MAPPINGS, "").split(",") if ":" in one)


def _identity() -> Dict[str, str]:
    rows: Any = vswitch.SWITCH.select({"Open_vSwitch": []})["Open_vSwitch"]
    found: Dict[str, str] = rows[0]["external_ids"] if rows else {}
    return found


def _map(wanted: Dict[str, str], work: Work) -> None:
    if wanted == _mappings(work):
        return
    text = ",".join("{0}:{1}".format(name, wanted[name]) for name in sorted(wanted))
    words = ["set", "open_vswitch", ".", 'external-ids:{0}="{1}"'.format(MAPPINGS, text)]
    work.run(["ovs-vsctl", *(words if wanted else ["remove", "open_vswitch", ".", "external-ids", MAPPINGS])])
