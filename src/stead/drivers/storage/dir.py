"""The controller's half of driver dir: files in a directory of one host."""

from __future__ import annotations

from stead.core.driver import DriverScope, Proven, yes
from stead.drivers.storage import StorageDriver, shared

_LAB = yes(Proven.LAB)

DRIVER = StorageDriver(
    name="dir",
    help="Files in a directory of one host, for its own instances.",
    scope=DriverScope.HOST,
    formats=("qcow2", "raw"),
    path=shared.DIRECTORY,
    capabilities={
        "volumes": _LAB,
        "qcow2": _LAB,
        "root disks": yes(Proven.LAB, "a root disk keeps only what differs from its image"),
        "grow": _LAB,
        "snapshots": _LAB,
        "freeze": yes(Proven.NOT_HERE, "with a guest agent"),
        "clones": _LAB,
        "export": shared.EXPORTS,
        "shared": shared.OWN_HOST,
        "multi-attach": yes(Proven.NOT_HERE, "by instances of the same host, and raw"),
        "move": _LAB,
        "qos": shared.NO_LIMITS,
    },
)
