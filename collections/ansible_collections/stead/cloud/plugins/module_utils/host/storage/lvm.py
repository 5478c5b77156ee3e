"""The host's half of driver lvm: logical volumes of a volume group that the administrator made."""

from __future__ import annotations

from .logical_disks import logical

DRIVER = logical("lvm", "VOLUME-GROUP", thin=False)
