# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""When two object stores differ, as a host has them."""

from __future__ import annotations

from typing import Dict, List, TypedDict

from .compare import compare
from .parts import Identified

__all__ = ["compare"]


class StoreHost(TypedDict):
    """A host that keeps objects."""

    address: str  # between hosts
    zone: str


class AccountWant(TypedDict, total=False):
    """What a project has in it."""

    account: str
    public: List[str]  # buckets that everybody reads
    quota: int  # the most that it may have, where nobody need have made a bucket first


class TokenApiWant(TypedDict, total=False):
    """Where tokens of OpenStack's clients are looked at."""

    url: str
    authority: List[str]  # certificates, by base64


class ObjectStoreWant(Identified, total=False):
    driver: str
    secret: Dict[str, str]  # sealed
    replicas: int
    hosts: Dict[str, StoreHost]
    port: int
    tls: bool
    devices: List[str]
    mounted: bool
    part_power: int
    accounts: Dict[str, AccountWant]  # by project
    api: TokenApiWant
