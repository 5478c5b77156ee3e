"""The controller's half of driver lvm: logical volumes of a volume group of one host."""

from __future__ import annotations

from stead.core.driver import DriverScope, Proven, yes
from stead.drivers.storage import PoolPath, StorageDriver, shared

_UNTRIED = yes(Proven.NOT_HERE)  # the lab's kernel has no device-mapper

DRIVER = StorageDriver(
    name="lvm",
    help="Logical volumes of a volume group of one host, for its own instances.",
    scope=DriverScope.HOST,
    formats=("raw",),
    path=PoolPath(pattern="[^/]+", wanted="the volume group, vg0 say"),
    capabilities={
        "volumes": _UNTRIED,
        "qcow2": shared.RAW_ONLY,
        "root disks": yes(Proven.NOT_HERE, "a root disk begins as a whole copy of its image"),
        "grow": _UNTRIED,
        "snapshots": yes(Proven.NOT_HERE, "a whole copy"),
        "freeze": shared.NO_FREEZE,
        "clones": _UNTRIED,
        "export": shared.EXPORTS,
        "shared": shared.OWN_HOST,
        "multi-attach": yes(Proven.NOT_HERE, "by instances of the same host"),
        "qos": shared.NO_LIMITS,
    },
)
