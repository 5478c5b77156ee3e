"""The storage drivers, and the operations that do not depend on the driver. The only place that lists them all.

Ansible packs what it sees imported: built-in drivers are listed here, and a site's own in its collection `stead.site`,
whose `module_utils/storage.py` has a tuple `DRIVERS`. What a driver has no operation for is refused here.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, Dict, Iterable, List, Mapping, Optional, Tuple

from ...wire.parts import DEFAULT_STORAGE
from ..base.errors import Failed, FailureCode
from ..base.work import Work
from . import clients, dir, iscsi, lvm, lvm_thin, nfs, rbd  # noqa: A004 - a driver's file has its name
from .driver import DiskSource, HostStorageDriver, Pool, Serving, StoredDisk

try:
    from ansible_collections.stead.site.plugins.module_utils.storage import DRIVERS as SITE  # type: ignore[import-not-found,import-untyped,unused-ignore]
except ImportError:
    SITE = ()

UNKNOWN = FailureCode("STEAD-E100", "this host has no such storage driver")
UNABLE = FailureCode("STEAD-E101", "the pool's driver cannot do this")

BUILT_IN: Tuple[HostStorageDriver, ...] = (
    dir.DRIVER,
    nfs.DRIVER,
    iscsi.DRIVER,
    lvm.DRIVER,
    lvm_thin.DRIVER,
    rbd.DRIVER,
)
DRIVERS: Mapping[str, HostStorageDriver] = MappingProxyType({one.name: one for one in (*SITE, *BUILT_IN)})


def name_of(pool: Pool) -> str:
    return str(pool.get("type") or DEFAULT_STORAGE)


def driver(pool: Pool) -> HostStorageDriver:
    found = DRIVERS.get(name_of(pool))
    if found is None:
        text = (
            "Pool {0} is of type {1}. Install the collection stead.site that has its driver, and run `stead bootstrap`."
        )
        raise Failed(UNKNOWN, text.format(pool.get("name", ""), name_of(pool)))
    return found


def unable(pool: Pool, what: str) -> Failed:
    return Failed(UNABLE, "Pool {0} is of type {1}: {2}".format(pool.get("name", ""), name_of(pool), what))


def serving(pool: Pool) -> Optional[Serving]:
    """How it is served to other hosts; nothing of a pool that is not."""
    found = driver(pool).serving
    return found if pool.get("server") else None


def shared(pool: Pool) -> bool:
    """Whether guests on other hosts use it: they are told by those hosts of what changes."""
    return driver(pool).cluster or serving(pool) is not None


def disk(pool: Pool, name: str, form: str) -> StoredDisk:
    """On the host that keeps it."""
    of = driver(pool)
    if form not in of.formats:
        best = " or ".join("`format: {0}`".format(one) for one in of.formats)
        raise unable(pool, "it has no volumes in format {0}. Write {1}, or leave `format` out.".format(form, best))
    return of.disk(pool, name, form)


def volume(want: Mapping[str, Any]) -> StoredDisk:
    return disk(want["pool"], want["uuid"], want["format"])


def snapshot(pool: Pool, uuid: str) -> StoredDisk:
    """Where the copy is that a snapshot is."""
    make = driver(pool).snapshot
    if make is None:
        raise unable(pool, "it has no snapshots.")
    return make(pool, uuid)


def root_disk(want: Mapping[str, Any]) -> StoredDisk:
    """Of an instance that does not boot from a volume."""
    pool = want["root"]["pool"]
    return _own(want, "root", want["root"].get("format") or driver(pool).formats[0])


def extra_disk(want: Mapping[str, Any], name: str) -> StoredDisk:
    """Swap and ephemeral disks live and die with the root disk."""
    return _own(want, name, "raw")


def _own(want: Mapping[str, Any], name: str, form: str) -> StoredDisk:
    pool = want["root"]["pool"]
    if driver(pool).root is None:
        text = "it holds no root disks. Make a volume from the image there, and boot from that: boot_volume."
        raise unable(pool, text)
    return disk(pool, "{0}.{1}".format(want["uuid"], name), form)


def own_source(want: Mapping[str, Any], name: str) -> DiskSource:
    """Of a disk of an instance's own, for its guest."""
    pool = want["root"]["pool"]
    found = root_disk(want) if name == "root" else extra_disk(want, name)
    return driver(pool).source(pool, "{0}.{1}".format(want["uuid"], name), found.format)


def source(pool: Pool, uuid: str, form: str) -> DiskSource:
    """Of a volume, on a host that uses it."""
    return driver(pool).source(pool, uuid, form)


def guard(want: Mapping[str, Any], work: Work) -> None:
    """Before a volume is made here: what others will need to use it, beside its address."""
    by = serving(want["pool"])
    if by is not None and by.guard is not None:
        by.guard(want["pool"], want["uuid"], work)


def hand(want: Mapping[str, Any], alone: bool, work: Work) -> str:
    """That, for a host that is to use a volume of this one; nothing where an address will do."""
    by = serving(want["pool"])
    return by.hand(want["pool"], want["uuid"], alone, work) if by is not None and by.hand is not None else ""


def without_secret(wants: Iterable[Mapping[str, Any]]) -> List[str]:
    """Names of volumes that any host can open that knows their addresses, although they could have a secret."""
    work = Work("", check=True)
    guarded = [one for one in wants for by in _serving(one["pool"]) if by.hand is not None and serving(one["pool"])]
    return sorted(one["name"] for one in guarded if not hand(one, False, work))


def reach(attached: Iterable[Mapping[str, Any]], work: Work) -> None:
    """Before a guest starts, or is given a volume."""
    for one in attached:
        by, directly = serving(one["pool"]), driver(one["pool"]).reach
        if by is not None:
            by.reach(one["pool"], one["uuid"], work)
        elif directly is not None:
            directly(one["pool"], work)


def leave(attached: Iterable[Mapping[str, Any]], work: Work) -> None:
    """After the last guest of this host has let go of it."""
    for one in attached:
        by = serving(one["pool"])
        if by is not None:
            by.leave(one["pool"], one["uuid"], work)


def silent(portals: Mapping[str, Mapping[str, Any]]) -> Dict[str, str]:
    """pool -> why this host cannot use it, of pools that other hosts serve; empty where it can."""
    return {name: clients.silent(one["server"], by.port) for name, one in portals.items() for by in _serving(one)}


def units() -> List[str]:
    """How the names of units begin that serve pools."""
    return [unit for one in DRIVERS.values() if one.serving is not None for unit in one.serving.units]


def speechless(names: Iterable[str]) -> List[str]:
    """Those drivers whose protocol neither QEMU nor the kernel of this host has a client for."""
    return [
        name for name in sorted(names) for by in _serving({"type": name}) if not clients.speaks(by.protocol, by.client)
    ]


def _serving(pool: Pool) -> Iterable[Serving]:
    of = DRIVERS.get(name_of(pool))
    return (of.serving,) if of is not None and of.serving is not None else ()
