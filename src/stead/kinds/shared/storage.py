"""Where pools are, and how large volumes and root disks are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stead.core.address import Address
from stead.core.effect import Effect
from stead.core.observed import Host, StoragePool
from stead.drivers import storage as drivers
from stead.kinds.shared.memoize_last import memoize_last
from stead.language.desired import Desired


def _shared(hosts: Mapping[str, Host]) -> Mapping[str, tuple[Host, StoragePool]]:
    found: dict[str, tuple[Host, StoragePool]] = {}
    for name in sorted(hosts):
        for pool in hosts[name].pools.values():
            if pool.shared:
                found.setdefault(pool.name, (hosts[name], pool))
    return found


shared_pools = memoize_last(_shared)


def location(pool: str, host: str, hosts: Mapping[str, Host]) -> dict[str, Any]:
    """How the host reaches the pool: by a path of its own, or at the host that serves it; or where no host keeps it."""
    there = hosts[host].pools.get(pool) if host in hosts else None
    if there is not None:
        return _described(there, hosts[host])
    served = shared_pools(hosts).get(pool)
    return {"name": pool} if served is None else _described(served[1], served[0])


def place(model: Any, host: str, hosts: Mapping[str, Host]) -> dict[str, Any]:
    """Of a volume: where its pool is, and which file there it has always been."""
    found = location(model.pool, host, hosts)
    return {**found, "file": model.file} if model.file else found


def _described(pool: StoragePool, host: Host) -> dict[str, Any]:
    found = {"name": pool.name, "type": pool.type}
    if pool.path:
        found["path"] = pool.path
    if pool.shared and not pool.cluster:
        found |= {"host": host.name, "server": host.underlay}
    return found


def pool_effects(stem: str, elsewhere: Effect, *, another: Effect) -> dict[str, Effect]:
    """Of the fields of a pool only its name says which one it is: the rest is how it is reached."""
    return {
        **{f"{stem}.{one}": elsewhere for one in ("file", "host", "path", "server", "type")},
        f"{stem}.name": another,
    }


def best_format(asked: str | None, pool: Mapping[str, Any], *, shareable: bool = False) -> str:
    """Several writers of one qcow2 file would destroy it; and what one host serves, that host must be able to enlarge
    and to copy while another has it open, which takes a volume that is nothing but its content.
    """
    return asked or ("raw" if shareable else drivers.best_format(drivers.type_of(pool)))


# A chain of volumes made from snapshots of volumes ends; a circle has been reported before anyone asks.
_LONGEST_CHAIN = 64


def volume_size(address: Address, desired: Desired) -> int:
    """Bytes; 0 when nobody says, which is the volume's mistake to report."""
    for _ in range(_LONGEST_CHAIN):
        block = desired.get(address)
        if block is None:
            return 0
        found = desired.kinds[block.kind].extent(block)
        if isinstance(found, int):
            return found
        address = found
    return 0


def taken(pool: Mapping[str, Any] | None, size: int) -> tuple[tuple[str, str, int], ...]:
    """Room that a disk takes, as `HostNeeds` has it."""
    return ((str(pool.get("host", "")), f"disk:{pool.get('name', '')}", size),) if pool and size else ()
