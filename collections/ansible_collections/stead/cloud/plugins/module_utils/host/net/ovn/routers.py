"""A router in OVN's database: every host of a guest routes for that guest, and no packet makes a detour.

What leads out is at a gateway: of the hosts that are planned for it, the first that the others can hear.
"""

from __future__ import annotations

import ipaddress
from functools import partial
from typing import Any, Dict, Iterator, List, Sequence

from ....wire.parts import Route
from ....wire.router import RouterPort
from ...base.readings import Readings
from ...base.step import Want
from ...base.work import Work
from . import naming, nat, ovsdb, rows
from .rows import Existing, Part, WantedRow, links

ROUTER: Part = ("links", None)
PORTS, ROUTES = "Logical_Router_Port", "Logical_Router_Static_Route"
GATEWAYS, GROUP = "HA_Chassis", "HA_Chassis_Group"
TELLS_EVERY = 10, 30  # seconds between advertisements, at least and at most
OUT: Part = ("external", None)


def ensure(want: Want, work: Work) -> None:
    wanted = rows_of(want)
    rows.reconcile(want["uuid"], wanted, ROUTER, work, partial(_translations, want["uuid"], wanted))


def _translations(uuid: str, wanted: Sequence[WantedRow], there: Existing, work: Work) -> List[ovsdb.Operation]:
    with work.part("rules"):
        own = [one.key for one in wanted if one.table == nat.NAT]
        return nat.attach(uuid, own, there, work) + nat.strays(uuid, work)


def remove(have: Want, work: Work) -> None:
    rows.reconcile(have["uuid"], [], ROUTER, work)


def is_there(want: Want, now: Readings) -> bool:
    there = rows.existing(want["uuid"], Work("", check=True, now=now))
    return ("Logical_Router", want["uuid"]) in there


def restore(want: Want, held: bool, work: Work) -> None:
    """The database outlives a boot."""


def rows_of(want: Want) -> List[WantedRow]:
    inner = sorted(want["interfaces"].items())
    found = [_port(port, ("interfaces", key), {"ipv6_ra_configs": _announced(port)}) for key, port in inner]
    found += _outside(want)
    found += _routes(want["routes"], ("routes", None))
    columns = {
        "name": want["uuid"],
        "enabled": True,
        "policies": frozenset(),
        "ports": links(PORTS, [one.key for one in found if one.table == PORTS]),
        "static_routes": links(ROUTES, [one.key for one in found if one.table == ROUTES]),
    }
    return [*found, WantedRow("Logical_Router", want["uuid"], columns, ROUTER)]


def _outside(want: Want) -> Iterator[WantedRow]:
    out = want.get("external")
    if not out:
        return
    ranks = {name: rank for rank, name in enumerate(reversed(out["chassis"]), start=1)}
    for name, rank in sorted(ranks.items()):
        yield WantedRow(GATEWAYS, name, {"chassis_name": name, "priority": rank}, OUT)
    yield WantedRow(GROUP, want["uuid"], {"name": want["uuid"], "ha_chassis": links(GATEWAYS, ranks)}, OUT)
    yield _port(out, OUT, {"ha_chassis_group": links(GROUP, [want["uuid"]])})
    ways: List[Route] = [{"to": "::/0" if ":" in via else "0.0.0.0/0", "via": via} for via in out["gateways"]]
    yield from _routes(ways, OUT)
    own = next((one.partition("/")[0] for one in out["addresses"] if ":" not in one), "")
    for cidr in want["snat"] if own else ():
        columns = {"type": "snat", "external_ip": own, "logical_ip": cidr}
        yield WantedRow(nat.NAT, cidr, columns, ("snat", None))


def _port(port: RouterPort, part: Part, more: Dict[str, Any]) -> WantedRow:
    columns = {
        **more,
        "name": naming.router_port_name(port["network_uuid"], port["mac"]),
        "mac": port["mac"],
        "networks": frozenset(port["addresses"]),
    }
    return WantedRow(PORTS, port["mac"], columns, part)


def _announced(port: RouterPort) -> Dict[str, str]:
    """Who comes hears of its way out, and how it gets an address."""
    told = port.get("announces", ())
    if not told:
        return {}
    modes = {"slaac" if one["slaac"] else "dhcpv6_stateful" for one in told}
    servers = [server for one in told for server in one["dns"]]
    return {
        "address_mode": min(modes),
        "mtu": str(port["mtu"]),
        "send_periodic": "true",
        "min_interval": str(TELLS_EVERY[0]),
        "max_interval": str(TELLS_EVERY[1]),
        **({"rdnss": servers[0]} if servers else {}),
    }


def _routes(routes: Sequence[Route], part: Part) -> Iterator[WantedRow]:
    for one in routes:
        to = str(ipaddress.ip_network(one["to"]))
        yield WantedRow(ROUTES, to + " " + one["via"], {"ip_prefix": to, "nexthop": one["via"]}, part)
