# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""When two routers differ: their interfaces, routes, and NAT."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, TypedDict

from . import compare as generic
from .parts import Identified, Route


class Announced(TypedDict):
    """What router advertisements say of a subnet."""

    cidr: str
    dns: List[str]
    slaac: bool


class RouterPort(TypedDict, total=False):
    addresses: List[str]  # with their lengths
    mac: str
    mtu: int
    network: str
    network_uuid: str
    announces: List[Announced]
    gateways: List[str]  # of the way out
    chassis: List[str]  # hosts that lead out, the first before the others, where one database has all of them
    peer_mac: str  # what the other host has of a router on two; its own MAC is its host's own
    link_local: str  # of whoever of the two answers, where it announces


class PairWant(TypedDict):
    """Of what is on two hosts: the tunnel between them."""

    peers: Dict[str, str]  # host -> its address between hosts
    vni: int


class UplinkWant(TypedDict, total=False):
    """Of a router behind its host's own address: the link to its host."""

    address: str  # of the router, with its length
    gateway: str  # of the host
    closed: List[str]  # addresses of hosts, which it does not lead to
    name_servers: List[str]  # which it leads to for names
    open: List[str]  # private networks that it leads to


class RouterWant(Identified, total=False):
    driver: str  # of its networks, where that is not the first one
    ha: PairWant  # of a router on two hosts
    external: RouterPort  # empty where there is no way out
    interfaces: Dict[str, RouterPort]  # by network
    routes: List[Route]
    uplink: UplinkWant
    forwards: Dict[str, str]  # "tcp/8080" -> "10.20.0.5:80"
    snat: List[str]


def compare(want: Mapping[str, Any], have: Mapping[str, Any]) -> List[generic.Difference]:
    wanted, there = _compared(want), _compared(have)
    # A network that was renamed is the same network.
    renamed = generic.renamed(wanted["interfaces"], there["interfaces"], "network_uuid")
    there["interfaces"] = {renamed.get(key, key): value for key, value in there["interfaces"].items()}
    return generic.compare(wanted, there)


def _compared(fields: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(fields)
    found["external"] = generic.without(fields.get("external") or {}, "network")
    interfaces = fields.get("interfaces") or {}
    found["interfaces"] = {key: generic.without(one, "network") for key, one in interfaces.items()}
    return found
