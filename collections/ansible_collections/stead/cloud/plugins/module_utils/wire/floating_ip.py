# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""When two floating IPs differ: the address, and where it leads."""

from __future__ import annotations

from typing import Dict, TypedDict

from .compare import compare
from .parts import Identified

__all__ = ["compare"]


class RouterRef(TypedDict, total=False):
    address: str
    uuid: str


class Distributed(TypedDict):
    """Translated on the host of its guest, whichever that is."""

    mac: str  # of the address outside
    network_uuid: str
    port: str  # MAC of the guest's interface


class FloatingIpWant(Identified, total=False):
    driver: str  # of its network, where that is not the first one
    address: str
    network: str
    forwards: Dict[str, str]  # "tcp/80" -> "10.20.0.5:8080"
    inside: str  # the address of the instance that it leads to
    instance: str
    load_balancer: str
    router: RouterRef
    distributed: Distributed  # missing where its router's gateway translates
    translated: str  # where, in words
