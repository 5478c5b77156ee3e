"""The host's half of driver lvm-thin: thin volumes of a thin pool that the administrator made."""

from __future__ import annotations

from . import logical_disks
from .driver import HostStorageDriver, Pool, StoredDisk

SHAPE = "VOLUME-GROUP/THIN-POOL"


def _group(pool: Pool) -> logical_disks.Group:
    name, _slash, thin = str(pool.get("path") or "").partition("/")
    if not name or not thin:
        raise logical_disks.misnamed(pool, SHAPE)
    return logical_disks.Group(name, thin)


def _disk(pool: Pool, name: str, _form: str) -> StoredDisk:
    return logical_disks.Logical(_group(pool), name)


def _snapshot(pool: Pool, uuid: str) -> StoredDisk:
    return _disk(pool, uuid + ".snapshot", "raw")


DRIVER = HostStorageDriver(
    name="lvm-thin",
    formats=("raw",),
    disk=_disk,
    source=lambda pool, name, _form: logical_disks.source(_group(pool), name),
    place=logical_disks.place,
    there=lambda pool: logical_disks.there(_group(pool)),
    room=logical_disks.room,
    require=lambda pool: logical_disks.require(_group(pool)),
    prepare=logical_disks.prepare,
    root=logical_disks.root,
    snapshot=_snapshot,
)
