"""The host's half of driver lvm-thin: thin volumes of a thin pool that the administrator made."""

from __future__ import annotations

from .logical_disks import logical

DRIVER = logical("lvm-thin", "VOLUME-GROUP/THIN-POOL", thin=True)
