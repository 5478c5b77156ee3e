"""What this version's host code can do, as traits of hosts: so that placement and rules ask a host, and not a version.

Real and simulated hosts get them from the same table (`wire/abilities.py`), and so the same plans are refused for both.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from ansible_collections.stead.cloud.plugins.module_utils.wire.abilities import (
    ACTION,
    FREEZE,
    QCOW2,
    ROOT_DISK,
    SERVE,
    SNAPSHOT,
    TABLE,
    VOLUME,
    able,
    row,
)
from stead.core.observed import Host
from stead.core.value import replace
from stead.drivers import hypervisor

__all__ = [
    "ACTION",
    "FREEZE",
    "QCOW2",
    "ROOT_DISK",
    "SERVED",
    "VOLUME",
    "able",
    "lacks",
    "rehearses",
    "row",
    "why_nowhere_in",
    "with_abilities",
]

# Trait of a host that cannot: by the name of the row; of pools by the name of the pool, which placement and users know.
_WORDS: Mapping[str, str] = {
    ACTION: "without:{}",
    VOLUME: "without:volumes in pool {}",
    QCOW2: "without:qcow2 in pool {}",
    ROOT_DISK: "without:root disks in pool {}",
    SNAPSHOT: "without:snapshots in pool {}",
    FREEZE: "without:freeze in pool {}",
}
_PLAIN = (ACTION,)
_OF_POOLS = (VOLUME, QCOW2, ROOT_DISK, SNAPSHOT, FREEZE)
SERVED = frozenset(able(SERVE))


def lacks(what: str, name: str) -> str:
    """The trait of a host that cannot. `name` is that of the pool where `what` is of pools."""
    return _WORDS[what].format(name)


def rehearses(action: str) -> str:
    """The trait of a simulated host that does what no real one does yet."""
    return f"rehearses:{action}"


def with_abilities(host: Host, *, simulated: bool = False) -> Host:
    pools = tuple((pool.name, pool.type) for pool in host.pools.values())
    able_to_run = hypervisor.known_of(host.hypervisors)
    found = _traits(pools, simulated) | hypervisor.traits(able_to_run)
    return replace(host, traits=host.traits | found if host.traits else found, hypervisors=able_to_run)


@lru_cache(maxsize=1024)  # hosts are many, and alike
def _traits(pools: tuple[tuple[str, str], ...], simulated: bool) -> frozenset[str]:
    rehearsed = {one.name for one in TABLE if one.rehearsed and simulated}
    found = {lacks(one.what, one.name) for one in TABLE if one.what in _PLAIN and not one.can} - {
        lacks(ACTION, name) for name in rehearsed
    }
    found |= {rehearses(name) for name in rehearsed}
    return frozenset(
        found | {lacks(what, name) for name, kind in pools for what in _OF_POOLS if not row(what, kind).can}
    )


def why_nowhere_in(what: str, pool: str, hosts: Mapping[str, Host]) -> tuple[str, str]:
    """Why no host with this pool can, in the words of the table, and the types that it has. Empty where one can."""
    trait, types = lacks(what, pool), set[str]()
    for host in hosts.values():
        if pool in host.pools:
            if trait not in host.traits:
                return "", ""
            types.add(host.pools[pool].type)
    return (row(what, min(types)).text, " and ".join(sorted(types))) if types else ("", "")
