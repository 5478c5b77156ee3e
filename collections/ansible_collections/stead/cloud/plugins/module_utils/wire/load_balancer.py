# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""When two load balancers differ, as one host has them: where they answer, and who answers behind each port."""

from __future__ import annotations

from typing import Dict, List, TypedDict

from .compare import compare
from .parts import Identified
from .router import PairWant

__all__ = ["compare"]


class BalancerPort(TypedDict, total=False):
    addresses: List[str]  # that clients know, with their lengths
    own: List[str]  # of one on two hosts: from which this host speaks to backends
    mac: str
    mtu: int
    network_uuid: str
    peer_mac: str  # what the other host has


class CheckWant(TypedDict, total=False):
    """Times are in milliseconds."""

    expect: str
    fall: int
    host: str
    interval: int
    method: str
    path: str  # empty: a connection is enough
    port: int
    rise: int
    timeout: int


class StickyWant(TypedDict):
    by: str
    cookie: str
    lasts: int  # seconds


class BackendWant(TypedDict, total=False):
    address: str
    instance: str  # whose address it is, where it is one's
    port: int
    weight: int


class ListenerWant(TypedDict, total=False):
    balance: str
    certificate: Dict[str, str]  # sealed: what is in the file is no matter of the want
    check: CheckWant
    max_connections: int
    members: Dict[str, BackendWant]  # by name
    port: int
    protocol: str
    proxy_protocol: bool
    sticky: StickyWant
    timeouts: Dict[str, int]  # seconds


class LoadBalancerWant(Identified, total=False):
    driver: str  # of its network, where that is not the first one
    gateways: List[str]
    ha: PairWant  # of one on two hosts
    interfaces: Dict[str, BalancerPort]  # the one that it has
    listeners: Dict[str, ListenerWant]  # by name
    network: str
