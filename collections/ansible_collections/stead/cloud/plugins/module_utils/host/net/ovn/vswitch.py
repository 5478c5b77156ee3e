"""The switch of this host: Open vSwitch, with the kernel's datapath where the kernel has one, else with its own."""

from __future__ import annotations

from typing import Any, Dict, Optional, Sequence

from ...base.work import Work
from ...observe import kernel
from . import naming, ovsdb
from .ovsdb import OvsdbDatabase

SWITCH = OvsdbDatabase("Open_vSwitch", "/run/openvswitch/db.sock")


def in_kernel() -> bool:
    return kernel.has("openvswitch")


def datapath() -> str:
    return "system" if in_kernel() else "netdev"


def interface(name: str, work: Work) -> Optional[Dict[str, Any]]:
    """None where the switch has none of this name. A whole host is compared with what is read once."""
    found = work.now.ask("interfaces", _interfaces) if work.check else _interfaces(name)
    return found.get(name)


def _interfaces(name: str = "") -> Dict[str, Dict[str, Any]]:
    where = [ovsdb.equals("name", name)] if name else []
    rows: Sequence[Any] = SWITCH.select({"Interface": where})["Interface"]
    return {row["name"]: row for row in rows}


def remove_port(name: str, work: Work) -> None:
    if interface(name, work) is not None:
        work.run(["ovs-vsctl", "--if-exists", "del-port", naming.BRIDGE, name])
