"""The controller's half of driver lvm-thin: thin volumes of a thin pool of one host."""

from __future__ import annotations

from stead.core.driver import DriverScope, Proven, yes
from stead.drivers.storage import PoolPath, StorageDriver, shared

DRIVER = StorageDriver(
    name="lvm-thin",
    help="Thin volumes of a thin pool of one host, for its own instances.",
    scope=DriverScope.HOST,
    formats=("raw",),
    path=PoolPath(pattern="[^/]+/[^/]+", wanted="the volume group and the thin pool, vg0/thin-pool say"),
    capabilities={**shared.LOGICAL, "snapshots": yes(Proven.NOT_HERE, "in no time, and taking no room at first")},
)
