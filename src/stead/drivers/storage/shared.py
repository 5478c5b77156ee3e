"""What several storage drivers say in the same words."""

from __future__ import annotations

from stead.core.driver import Proven, no, yes
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
NO_LIMITS = no("Limits of a volume (`qos`) are kept by the host of the instance that uses it.")
