"""Drivers of object stores: what each can do, and what hosts are told of a store.

Kinds ask here, by the name that a store's `driver` has. A store is on all hosts that are prepared for its driver, and
in one of its zones where it names some.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from stead.core.driver import Capabilities, Capability, DriverScope, Feature, capability
from stead.core.fields import Secret
from stead.core.observed import Host, HostStatus
from stead.core.value import value
from stead.drivers import drivers

FAMILY = "object"

BUCKETS = Feature("buckets", "buckets", ("buckets",))
S3 = Feature("s3", "clients of S3")
SWIFT_API = Feature("swift_api", "clients of Swift's own interface")
QUOTA = Feature("quota", "quotas of buckets and of projects")
VERSIONING = Feature("versioning", "versions of objects")
PUBLIC = Feature("public", "buckets that everybody reads")
CORS = Feature("cors", "rules for scripts of other sites (CORS)")
WEBSITE = Feature("website", "static websites")
LIFECYCLE = Feature("lifecycle", "lifecycle rules")
FEATURES = (BUCKETS, S3, SWIFT_API, QUOTA, VERSIONING, PUBLIC, CORS, WEBSITE, LIFECYCLE)

LEFT = frozenset({HostStatus.GONE, HostStatus.DEAD})  # nobody waits for copies of theirs


@value
class ObjectDriver:
    name: str
    help: str
    scope: DriverScope
    capabilities: Capabilities


@cache
def all_of_them() -> Mapping[str, ObjectDriver]:
    return drivers(FAMILY, ObjectDriver)


def trait(driver: str) -> str:
    return f"{FAMILY}:{driver}"


def traits(host: Host) -> frozenset[str]:
    """What it is prepared for."""
    return frozenset(map(trait, host.object_drivers))


def of(driver: str, feature: Feature) -> Capability:
    return capability(all_of_them().get(driver), feature, driver)


def hosts_of(driver: str, zones: tuple[str, ...], hosts: Mapping[str, Host]) -> list[Host]:
    """Those of a store. One that does not answer keeps what it has; one that is gone for good does not count."""
    return [host for host in _ever(driver, zones, hosts) if host.state not in LEFT]


def lost(driver: str, zones: tuple[str, ...], hosts: Mapping[str, Host]) -> list[Host]:
    """Those that were of a store, and are dead or gone."""
    return [host for host in _ever(driver, zones, hosts) if host.state in LEFT]


def _ever(driver: str, zones: tuple[str, ...], hosts: Mapping[str, Host]) -> Iterator[Host]:
    for _name, host in sorted(hosts.items()):
        if driver in host.object_drivers and (not zones or host.zone in zones):
            yield host


def key_of(secret: str, account: str) -> Secret:
    """The key of a project, by the store's secret: its hosts come to the same."""
    return Secret(hmac.new(secret.encode(), account.encode(), "sha256").hexdigest())


def at(model: Any, addresses: Iterable[str]) -> list[str]:
    """URLs for clients, by what the store's model says."""
    scheme = "https" if model.tls else "http"
    return [f"{scheme}://{_bracketed(one)}:{model.port}" for one in addresses]


def _bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address
