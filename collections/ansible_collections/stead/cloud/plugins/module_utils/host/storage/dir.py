"""The host's half of driver dir: files that only the host that keeps them uses.

A guest's QEMU locks the file that it uses, so that a volume in use is copied and grown through its hypervisor.
"""

from __future__ import annotations

from ..base.work import Work
from . import file_disks
from .driver import Content, Pool, StoredDisk


def _root(disk: StoredDisk, image: str, size: int, work: Work) -> None:
    if not isinstance(disk, file_disks.File):  # which all disks of this driver are
        raise TypeError(disk)
    if disk.format == "raw":  # what is no qcow2 is laid over nothing
        disk.fill(Content(image, "qcow2"), size, work)
    else:
        disk.overlay(image, size, work)


def _snapshot(pool: Pool, uuid: str) -> StoredDisk:
    """Packed, which the hypervisor writes as well as qemu-img."""
    return file_disks.disk(pool, uuid + ".snapshot", "qcow2")


DRIVER = file_disks.files(
    name="dir",
    formats=("qcow2", "raw"),
    disk=file_disks.disk,
    source=file_disks.source,
    root=_root,
    snapshot=_snapshot,
    held=True,
)
