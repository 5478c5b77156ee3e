"""Storage drivers: what keeps volumes, snapshots and the disks of instances. A pool's type is the name of its driver.

`FEATURES` are the rows of their matrix. A driver answers for each whether it can, and the host's half
(`module_utils/host/storage/<name>.py`) has the operations that a feature names. What a driver lacks,
`pytest tests/contract/test_storage_drivers.py` says by name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any

from ansible_collections.stead.cloud.plugins.module_utils.wire.parts import DEFAULT_STORAGE as DEFAULT_STORAGE
from stead.core.driver import Capabilities, Capability, DriverScope, Feature, capability
from stead.core.named import NamedTuple
from stead.core.observed import Host, StoragePool
from stead.core.value import value
from stead.drivers import drivers

FAMILY = "storage"

VOLUMES = Feature("volumes", "volumes")
QCOW2 = Feature("qcow2", "volumes in format qcow2")
ROOT_DISKS = Feature("root disks", "root, swap and ephemeral disks", ("root",))
GROW = Feature("grow", "volumes that grow in use")
SNAPSHOTS = Feature("snapshots", "snapshots", ("snapshot",))
FREEZE = Feature("freeze", "snapshots with `freeze: true`", ("held",))
CLONES = Feature("clones", "volumes made from volumes and snapshots")
EXPORT = Feature("export", "what is on a disk as a file, and back")
SHARED = Feature("shared", "instances on other hosts use its volumes", ("serving", "cluster"))
MULTI_ATTACH = Feature("multi-attach", "volumes that several instances use at once")
MOVE = Feature("move", "disks that move to another host or pool while nobody uses them")
QOS = Feature("qos", "limits that the pool itself keeps")
FEATURES = (
    VOLUMES, QCOW2, ROOT_DISKS, GROW, SNAPSHOTS, FREEZE, CLONES, EXPORT, SHARED, MULTI_ATTACH, MOVE, QOS,
)  # fmt: skip
# What placement asks hosts for: those where a pool is, but cannot, say so by a trait.
PLACED = (VOLUMES, QCOW2, ROOT_DISKS, SNAPSHOTS, FREEZE)


class PoolPath(NamedTuple):
    """What the path of a pool is, in the inventory."""

    default: str = ""  # `{}` is the pool's name; without one, a path has to be written
    pattern: str = ""
    wanted: str = ""  # in words, with an example

    def of(self, name: str) -> str:
        return self.default.format(name)

    def takes(self, path: str) -> bool:
        return not self.pattern or re.fullmatch(self.pattern, path) is not None


@value
class StorageDriver:
    """The controller's half."""

    name: str
    help: str
    scope: DriverScope
    capabilities: Capabilities
    formats: tuple[str, ...]  # of volumes; the first is taken where nobody asks for one
    path: PoolPath


@cache
def all_of_them() -> Mapping[str, StorageDriver]:
    return drivers(FAMILY, StorageDriver)


def can(type_: str, feature: Feature) -> Capability:
    """Whether pools of this type can."""
    return capability(all_of_them().get(type_), feature, type_)


def refusal(pool: Mapping[str, Any] | None, *features: Feature) -> str:
    """Why no host can, in a pool as a want has it; empty where hosts do."""
    found = (can(type_of(pool or {}), one) for one in features)
    return next((one.text for one in found if not one.can), "")


def is_cluster(type_: str) -> bool:
    """Whether no host keeps pools of this type."""
    driver = all_of_them().get(type_)
    return driver is not None and driver.scope is DriverScope.CLUSTER


def is_shared(pool: Mapping[str, Any]) -> bool:
    """Whether instances on other hosts use this pool, as a want has it: those hosts tell them of what changes."""
    return "server" in pool or is_cluster(type_of(pool))


def best_format(type_: str) -> str:
    driver = all_of_them().get(type_)
    return driver.formats[0] if driver is not None else "raw"


def pool(name: str, type_: str, size: int, path: str | None = None, *, shared: bool | None = None) -> StoragePool:
    """One of a host, where nobody says more of it."""
    driver = all_of_them().get(type_)
    path = path if path is not None or driver is None else driver.path.of(name)
    shared = can(type_, SHARED).can if shared is None else shared
    return StoragePool(name, type_, size, path or "", shared, is_cluster(type_))


def lacks(feature: Feature, pool: str) -> str:
    """The trait of a host whose pool of this name cannot."""
    return f"without:{feature.name} in pool {pool}"


def traits(host: Host) -> frozenset[str]:
    return _traits(tuple((pool.name, pool.type) for pool in host.pools.values()))


@lru_cache(maxsize=1024)  # hosts are many, and alike
def _traits(pools: tuple[tuple[str, str], ...]) -> frozenset[str]:
    return frozenset(lacks(one, name) for name, type_ in pools for one in PLACED if not can(type_, one).can)


def why_nowhere(feature: Feature, pool: str, hosts: Mapping[str, Host]) -> str:
    """Why no host's pool of this name can, in the words of its driver. Empty where one can, and where there is none."""
    trait = lacks(feature, pool)
    having = [host for host in hosts.values() if pool in host.pools]
    if not having or not all(trait in host.traits for host in having):
        return ""
    types = sorted({host.pools[pool].type for host in having})
    return f"Pool {pool} is of type {' and '.join(types)}. {can(types[0], feature).text}"


def type_of(pool: Mapping[str, Any]) -> str:
    """Of a pool as a want has it."""
    return str(pool.get("type") or DEFAULT_STORAGE)
