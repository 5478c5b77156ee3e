"""The controller's half of driver lvm: logical volumes of a volume group of one host."""

from __future__ import annotations

from stead.core.driver import DriverScope, Proven, yes
from stead.drivers.storage import PoolPath, StorageDriver, shared

DRIVER = StorageDriver(
    name="lvm",
    help="Logical volumes of a volume group of one host, for its own instances.",
    scope=DriverScope.HOST,
    formats=("raw",),
    path=PoolPath(pattern="[^/]+", wanted="the volume group, vg0 say"),
    capabilities={**shared.LOGICAL, "snapshots": yes(Proven.NOT_HERE, "a whole copy")},
)
