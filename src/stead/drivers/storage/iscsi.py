"""The controller's half of driver iscsi: files in a directory of one host, which serves them by iSCSI."""

from __future__ import annotations

from stead.core.driver import DriverScope, Proven, yes
from stead.drivers.storage import StorageDriver, shared

_LAB = yes(Proven.LAB)

DRIVER = StorageDriver(
    name="iscsi",
    help="Files in a directory of one host, which serves them to the others by iSCSI.",
    scope=DriverScope.HOST,
    formats=("raw",),
    path=shared.DIRECTORY,
    capabilities={
        "volumes": _LAB,
        "qcow2": shared.RAW_ONLY,
        "root disks": shared.NO_ROOT,
        "grow": _LAB,
        "snapshots": _LAB,
        "freeze": shared.NO_FREEZE,
        "clones": _LAB,
        "export": shared.EXPORTS,
        "shared": _LAB,
        "multi-attach": yes(Proven.NOT_HERE),
        "qos": shared.NO_LIMITS,
    },
)
