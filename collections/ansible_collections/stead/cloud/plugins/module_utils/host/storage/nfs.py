"""The host's half of driver nfs: files in a directory of one host, which it serves to the others.

A pool that its inventory does not serve is its own host's alone.
"""

from __future__ import annotations

from ..base.work import Work
from . import clients, file_disks, nfs_exports, nfs_mounts
from .driver import DiskSource, Pool, Serving, StoredDisk

# Whom clients are taken for; the role storage says the same to the server. Reserved, and nobody's.
SQUASHED = 65533
PROTOCOL = "nfs"


def _disk(pool: Pool, name: str, form: str) -> StoredDisk:
    return file_disks.disk(pool, name, form, SQUASHED)


def _snapshot(pool: Pool, uuid: str) -> StoredDisk:
    return _disk(pool, uuid + ".snapshot", "raw")


def _source(pool: Pool, name: str, form: str) -> DiskSource:
    path = file_disks.path_of(pool, name, form)
    if not pool.get("server"):
        return DiskSource(path)
    if not clients.by_qemu(PROTOCOL):
        return DiskSource(nfs_mounts.path_of(pool, name, form), kept=True)
    url = "{0}://{1}{2}".format(PROTOCOL, clients.url_host(pool["server"]), path)
    return DiskSource(
        url, protocol=PROTOCOL, name=path, server=pool["server"]
    )  # NFS has its own way of telling the port


def _reach(pool: Pool, _uuid: str, work: Work) -> None:
    if not clients.by_qemu(PROTOCOL):
        nfs_mounts.mount(pool, work)


def _leave(_pool: Pool, _uuid: str, _work: Work) -> None:
    """A pool stays mounted for the next volume."""


DRIVER = file_disks.files(
    name="nfs",
    formats=("raw",),
    disk=_disk,
    source=_source,
    snapshot=_snapshot,
    serving=Serving(
        protocol=PROTOCOL,
        port=nfs_exports.PORT,
        units=("nfs",),
        client=("mount.nfs", "-V"),
        require=nfs_exports.require,
        start=nfs_exports.start,
        offer=nfs_exports.offer,
        withdraw=nfs_exports.withdraw,
        offers=nfs_exports.runs,
        restore=nfs_exports.restore,
        reach=_reach,
        leave=_leave,
    ),
)
