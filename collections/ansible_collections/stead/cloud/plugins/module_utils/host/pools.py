"""Where a disk lies: a file in a directory of this host, or something that qemu reaches over the network by itself."""

from __future__ import annotations

import os

from . import places
from .failing import Failed

ENDINGS = {"qcow2": "qcow2", "raw": "raw"}


def folder(pool):
    """Of a pool that is a directory here."""
    return pool.get("path") or os.path.join(places.POOLS, pool["name"])


def is_local(pool):
    return pool.get("type", "dir") == "dir"


def path_of(pool, name, form):
    if not is_local(pool):
        raise Failed("Pool {0} is of type {1}, which is no directory here.".format(pool["name"], pool["type"]))
    return os.path.join(folder(pool), "{0}.{1}".format(name, ENDINGS[form]))


def volume_path(volume):
    """Of a want's volume, or of an attachment of one."""
    return path_of(volume["pool"], volume["uuid"], volume["format"])


def root_path(want):
    return path_of(want["root"]["pool"], want["uuid"] + ".root", "qcow2")


def extra_path(want, name):
    """Swap and ephemeral disks live and die with the root disk."""
    return path_of(want["root"]["pool"], "{0}.{1}".format(want["uuid"], name), "raw")
