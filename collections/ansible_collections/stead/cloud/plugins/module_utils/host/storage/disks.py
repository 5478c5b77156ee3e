"""Disks on the host that keeps them, whatever the pool: one protocol, and who fulfils it.

    path                          where it is; the name of it for qemu-img here
    exists() size()               what is there
    rounded(size)                 what a size becomes here
    blank(size, work)             an empty one
    fill(source, size, work)      one with what is in `source`, (path, format), at least that large; `steady` where
                                  others may write to the source meanwhile: then it fails instead
    grow(size, work)              while nobody on this host has it open
    clone(other, work)            `other`, in the same sort of pool, as this is at one moment, though it is written to
    remove(work)                  it and all that is on it

Under its own name a disk is whole: a run that was killed half way is no matter.
"""

from __future__ import annotations

from ..base.errors import Failed
from . import pools
from .disks_in_files import File
from .disks_in_lvm import Logical


def disk(pool, name, form):
    kind = pools.kind(pool)
    if kind != "dir" and form != "raw":
        text = "Pool {0} is of type {1}, where a volume is raw: write `format: raw`, or leave it out."
        raise Failed(text.format(pool["name"], kind))
    if kind in pools.LOGICAL:
        return Logical(pool, name)
    return File(pool, name, form)


def volume(want):
    return disk(want["pool"], want["uuid"], want["format"])


def snapshot(pool, uuid):
    """Packed where a file can be; else as the volume itself is."""
    return disk(pool, uuid + ".snapshot", "qcow2" if pools.kind(pool) == "dir" else "raw")
