# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""When two networks differ, as one host has them: the wire, the ports behind other hosts, and the services."""

from __future__ import annotations

from typing import Dict, List, TypedDict

from .compare import compare
from .instance import Allowed
from .parts import Identified, Route

__all__ = ["compare"]


class SubnetWant(TypedDict, total=False):
    cidr: str
    routes: List[Route]
    gateway: str
    server: str
    dns: List[str]
    ipv6: str  # how guests get their address


class ForwardingWant(TypedDict):
    addresses: List[str]
    at: str  # the host


class DhcpHost(TypedDict, total=False):
    addresses: List[str]
    name: str
    routed: bool


class ServiceWant(TypedDict, total=False):
    """The network's own server, on one host."""

    addresses: List[str]
    domain: str
    hosts: Dict[str, DhcpHost]  # by MAC
    mac: str
    names: Dict[str, List[str]]
    upstream: List[str]


class PlaceWant(TypedDict):
    """Where a host reaches its own guests in the network."""

    addresses: List[str]
    mac: str


class SwitchPortWant(TypedDict, total=False):
    """An interface, for who keeps all of them in one database."""

    addresses: List[str]
    allowed: List[Allowed]
    at: str  # the host
    filtered: bool
    groups: List[str]
    routed: bool


class NetworkWant(Identified, total=False):
    driver: str
    type: str
    mtu: int
    vni: int
    vlan: int
    physical: str
    device: str
    subnets: Dict[str, SubnetWant]
    forwarding: Dict[str, ForwardingWant]  # by MAC
    peers: Dict[str, str]  # host -> its address between hosts
    service: ServiceWant
    place: PlaceWant
    switch_ports: Dict[str, SwitchPortWant]  # by MAC
    router_ports: Dict[str, str]  # MAC -> router
