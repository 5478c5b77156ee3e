"""The controller's half of driver nfs: files in a directory of one host, which serves them by NFS."""

from __future__ import annotations

from stead.core.driver import DriverScope
from stead.drivers.storage import StorageDriver, shared

DRIVER = StorageDriver(
    name="nfs",
    help="Files in a directory of one host, which serves them to the others by NFS.",
    scope=DriverScope.HOST,
    formats=("raw",),
    path=shared.DIRECTORY,
    capabilities=shared.SERVED_FILES,
)
