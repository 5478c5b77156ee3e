"""Where a disk lies on the host that keeps it: a file in a directory, or a logical volume.

Who else reaches it, and how, is in `attach`.
"""

from __future__ import annotations

import os

from ..base import paths
from ..base.errors import Failed

# Kept in files of one host; of these, two are served to other hosts over the network.
FILES = ("dir", "nfs", "iscsi")
SERVED = ("nfs", "iscsi")
LOGICAL = ("lvm", "lvm-thin")
ENDINGS = {"qcow2": "qcow2", "raw": "raw"}


def kind(pool):
    return pool.get("type", "dir")


def is_served(pool):
    """Whether instances reach it over the network, also those on the host that keeps it: they may move."""
    return kind(pool) in SERVED and bool(pool.get("server"))


def folder(pool):
    """Of a pool that is a directory of the host that keeps it."""
    return pool.get("path") or os.path.join(paths.POOLS, pool["name"])


def group(pool):
    """Of a pool of logical volumes: its volume group, and its thin pool, if it is one."""
    name, _slash, thin = (pool.get("path") or "").partition("/")
    if not name or (kind(pool) == "lvm-thin") != bool(thin):
        wanted = "VOLUME-GROUP/THIN-POOL" if kind(pool) == "lvm-thin" else "VOLUME-GROUP"
        raise Failed("Pool {0} is of type {1}: its path is {2}.".format(pool["name"], kind(pool), wanted))
    return name, thin


def path_of(pool, name, form):
    """On the host that keeps it."""
    if kind(pool) in LOGICAL:
        return "/dev/{0}/{1}".format(group(pool)[0], logical_name(name))
    return os.path.join(folder(pool), "{0}.{1}".format(name, ENDINGS[form]))


def logical_name(name):
    """So that nobody takes it for one of his own."""
    return "stead-" + name


def volume_path(volume):
    """Of a want's volume, or of an attachment of one."""
    return path_of(volume["pool"], volume["uuid"], volume["format"])


def root_path(want):
    return _beside(want, "root", "qcow2")


def extra_path(want, name):
    """Swap and ephemeral disks live and die with the root disk."""
    return _beside(want, name, "raw")


def _beside(want, name, form):
    pool = want["root"]["pool"]
    if kind(pool) != "dir":
        text = (
            "Pool {0} is of type {1}: root disks lie in pools of type dir. To have it there, make a volume from the"
            " image and boot from that: boot_volume."
        )
        raise Failed(text.format(pool["name"], kind(pool)))
    return path_of(pool, "{0}.{1}".format(want["uuid"], name), form)
