# ruff: noqa: INP001 - a module of its own, and no package
"""The controller's half of driver clusterfs: files in a cluster file system that every host has mounted.

CephFS, GFS2 or OCFS2 at the same path on each host. No host keeps such a pool, so that an instance that uses one may
be anywhere, and the death of a host takes no volume away.
"""

from __future__ import annotations

from stead.core.driver import DriverScope, Proven, no, yes
from stead.drivers.storage import PoolPath, StorageDriver

_UNTRIED = yes(Proven.NOT_HERE)

DRIVER = StorageDriver(
    name="clusterfs",
    help="Files in a cluster file system that every host has mounted.",
    scope=DriverScope.CLUSTER,
    formats=("raw",),
    path=PoolPath(pattern="/.+", wanted="where every host has the file system, /mnt/pool say"),
    capabilities={
        "volumes": _UNTRIED,
        "qcow2": no("Volumes in pools of this type are raw. Leave `format` out."),
        # The host that an instance left removes its own disks: here they would be those that it uses elsewhere.
        "root disks": no("Pools of this type hold no root disks. Boot from a volume there: `boot_volume`."),
        "grow": _UNTRIED,
        "snapshots": _UNTRIED,
        "freeze": no("Pools of this type ask no guest to freeze its file systems. Set `freeze: false`."),
        "clones": _UNTRIED,
        "export": _UNTRIED,
        "shared": _UNTRIED,
        "multi-attach": _UNTRIED,
        "move": no("Disks in pools of this type do not move to other hosts. Copy what is on them by hand."),
        "qos": no("Limits of a volume (`qos`) are kept by the host of the instance that uses it."),
    },
)
