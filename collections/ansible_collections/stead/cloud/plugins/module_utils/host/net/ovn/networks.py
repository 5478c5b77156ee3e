"""A network is a switch in OVN's database, on the host that keeps it, and on each host of its guests a place from which
they are reached. OVN does the rest.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Dict, List, Set

from ...base.errors import Failed
from ...base.readings import Readings
from ...base.step import Want
from ...base.work import Work
from ..driver import UNABLE
from . import apart, chassis, naming, ovsdb, physical, preparing, rows, switches
from .rows import NORTHBOUND, Existing

TYPES = ("geneve", *switches.WIRES)
PORTS = "Logical_Switch_Port"
JOINS = {"device", "place"}  # what a host has of a network that it is itself in
Groups = Dict[str, Set[Any]]  # UUIDs of ports by the name of their group


def ensure(want: Want, work: Work) -> None:
    if want["type"] not in TYPES:
        raise Failed(UNABLE, "It makes no networks of type {0}.".format(want["type"]))
    if "switch_ports" in want:
        rows.reconcile(want["uuid"], switches.rows(want), switches.SWITCH, work, partial(_memberships, want))
    if JOINS & want.keys():
        with work.part("apart"):
            _prepare(work)
    if "device" in want:
        with work.part("device", there=""):
            physical.ensure(want, work)
    if "place" in want:
        _join(want, work)
    else:
        with work.part("place"):
            chassis.remove_place(want["uuid"], work)


def _prepare(work: Work) -> None:
    """What a boot forgets of a host that was prepared."""
    apart.ensure(work)
    preparing.restore_carrier(work)


def _join(want: Want, work: Work) -> None:
    """A host of its guests."""
    with work.part("place"):
        chassis.ensure_place(want, work)
    with work.part("plugs"):
        chassis.plug_again(want["uuid"], work)


def remove(have: Want, work: Work) -> None:
    chassis.remove_place(have["uuid"], work)
    if "device" in have:
        physical.remove(have, work)
    if "switch_ports" in have:
        rows.reconcile(have["uuid"], [], switches.SWITCH, work)


def is_there(want: Want, now: Readings) -> bool:
    """On the host that keeps the database, its switch; elsewhere nothing of it has to be there."""
    if "switch_ports" not in want:
        return not want.get("place") or naming.namespace_name(want["uuid"]) in now.namespaces()
    there = rows.existing(want["uuid"], Work("", check=True, now=now))
    return ("Logical_Switch", want["uuid"]) in there


def restore(want: Want, _held: bool, work: Work) -> None:
    """The databases outlive a boot; the rest is the kernel's."""
    if JOINS & want.keys():
        _prepare(work)
    if "device" in want:
        physical.restore(want, work)
    if "place" in want:
        chassis.ensure_place(want, work)


def expect(want: Want, have: Want, work: Work) -> None:
    """Both hosts of a guest that moves get its packets until it runs on one of them."""
    if "switch_ports" not in want:
        return
    for mac, port in want["switch_ports"].items():
        before = have.get("switch_ports", {}).get(mac, {}).get("at")
        if before and port["at"] and before != port["at"]:
            options = {"requested-chassis": "{0},{1}".format(before, port["at"]), "activation-strategy": "rarp"}
            work.act("expect {0} on {1}".format(mac, port["at"]), _set_options, want["uuid"], mac, options)


def _set_options(uuid: str, mac: str, options: Dict[str, str]) -> None:
    where = [ovsdb.equals("name", naming.port_name(uuid, mac))]
    row = {"options": ovsdb.form_of(options)}
    NORTHBOUND.transact([{"op": "update", "table": PORTS, "where": where, "row": row}])


def _memberships(want: Want, there: Existing, work: Work) -> List[ovsdb.Operation]:
    """Which groups its ports are in. One that is not made yet lets nothing through."""
    groups = work.now.ask("groups", _groups) if work.check else _groups()
    own = {mac: rows.reference((PORTS, mac), there) for mac in want["switch_ports"]}
    found: List[ovsdb.Operation] = []
    wanted = _wanted(want)

    for address, macs in sorted(wanted.items()):
        name = naming.group_name(address)
        missing = {mac for mac in macs if own[mac] not in groups.get(name, ())}
        _told(missing, "in", address, work)
        if name not in groups:
            columns = {"name": name, "ports": ovsdb.form_of(frozenset(own[mac] for mac in macs))}
            found.append(rows.inserted(address, ("Port_Group", name), columns))
        elif missing:
            found.append(_mutate(name, "insert", {own[mac] for mac in missing}))
    names = {naming.group_name(address): macs for address, macs in wanted.items()}
    for name, members in sorted(groups.items()):
        left = {mac for mac in own if own[mac] in members and mac not in names.get(name, ())}
        _told(left, "out of", name, work)
        if left:
            found.append(_mutate(name, "delete", {own[mac] for mac in left}))

    return found


def _wanted(want: Want) -> Dict[str, Set[str]]:
    found: Dict[str, Set[str]] = {}
    for mac, port in want["switch_ports"].items():
        for address in port["groups"]:
            found.setdefault(address, set()).add(mac)
    return found


def _groups() -> Groups:
    found: Groups = {}
    for row in NORTHBOUND.select({"Port_Group": []})["Port_Group"]:
        name: Any = row["name"]
        ports: Any = row["ports"]
        if name.startswith(naming.GROUPS):
            found[name] = set(ports) if isinstance(ports, frozenset) else {ports}
    return found


def _told(macs: Set[str], how: str, group: str, work: Work) -> None:
    for mac in sorted(macs):
        with work.part("switch_ports", mac):
            work.done.append("put {0} {1} {2}".format(mac, how, group))


def _mutate(name: str, how: str, ports: Set[Any]) -> ovsdb.Operation:
    change = ["ports", how, ovsdb.form_of(frozenset(ports))]
    return {"op": "mutate", "table": "Port_Group", "where": [ovsdb.equals("name", name)], "mutations": [change]}
