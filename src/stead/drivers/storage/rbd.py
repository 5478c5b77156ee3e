"""The controller's half of driver rbd: images of a Ceph cluster, which every host with the cluster's key uses."""

from __future__ import annotations

from stead.core.driver import DriverScope, Proven, yes
from stead.drivers.storage import PoolPath, StorageDriver, shared

_LAB = yes(Proven.LAB)
_NAME = "[A-Za-z0-9][A-Za-z0-9._-]*"

DRIVER = StorageDriver(
    name="rbd",
    help="Images of a Ceph cluster that is there already. No host keeps them.",
    scope=DriverScope.CLUSTER,
    formats=("raw",),
    path=PoolPath("{}", f"({_NAME}@)?{_NAME}", "the pool of the cluster, vms say, or USER@POOL"),
    capabilities={
        "volumes": _LAB,
        "qcow2": shared.RAW_ONLY,
        "root disks": shared.NO_ROOT,
        "grow": _LAB,
        "snapshots": _LAB,
        "freeze": shared.NO_FREEZE,
        "clones": yes(Proven.LAB, "in no time, of images too; removing what others stand on copies it"),
        "export": shared.EXPORTS,
        "shared": _LAB,
        "multi-attach": yes(Proven.NOT_HERE),
        "move": shared.MOVES_NOT,
        "qos": shared.NO_LIMITS,
    },
)
