"""What several storage drivers say in the same words."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from stead.core.driver import Capability, Proven, no, yes
from stead.drivers.storage import PoolPath

DIRECTORY = PoolPath("/var/lib/stead/pools/{}")

EXPORTS = yes(Proven.NOT_HERE, "for backups, which are to come; tested without a host")
RAW_ONLY = no("Volumes in pools of this type are raw. Write `format: raw`, or leave `format` out.")
NO_ROOT = no(
    "Pools of this type hold no root disks. Make a volume `from: {image: …}` there, and boot from it: `boot_volume`."
)
OWN_HOST = no("Only instances on the host that keeps the pool use it.")
NO_FREEZE = no(
    "Pools of this type ask no guest to freeze its file systems. Set `freeze: false`, and stop the instance or have it "
    "write everything out before."
)
MOVES_NOT = no(
    "Disks in pools of this type do not move. Make another one in the other pool, and copy what is on it; or have an "
    "empty one made there, and lose what is on this one: `--replace ADDRESS`."
)
NO_LIMITS = no("Limits of a volume (`qos`) are kept by the host of the instance that uses it.")
_LAB = yes(Proven.LAB)
_UNTRIED = yes(Proven.NOT_HERE)  # the lab's kernel has no device-mapper

# Files that their host serves, whatever the protocol.
SERVED_FILES: Mapping[str, Capability] = MappingProxyType(
    {
        "volumes": _LAB,
        "qcow2": RAW_ONLY,
        "root disks": NO_ROOT,
        "grow": _LAB,
        "snapshots": _LAB,
        "freeze": NO_FREEZE,
        "clones": _LAB,
        "export": EXPORTS,
        "shared": _LAB,
        "multi-attach": yes(Proven.NOT_HERE),
        "move": _LAB,
        "qos": NO_LIMITS,
    }
)
# Logical volumes, but for their snapshots.
LOGICAL: Mapping[str, Capability] = MappingProxyType(
    {
        "volumes": _UNTRIED,
        "qcow2": RAW_ONLY,
        "root disks": yes(Proven.NOT_HERE, "a root disk begins as a whole copy of its image"),
        "grow": _UNTRIED,
        "freeze": NO_FREEZE,
        "clones": _UNTRIED,
        "export": EXPORTS,
        "shared": OWN_HOST,
        "multi-attach": yes(Proven.NOT_HERE, "by instances of the same host"),
        "move": yes(Proven.NOT_HERE, "whole, with what is empty"),
        "qos": NO_LIMITS,
    }
)
