"""The controller's half of driver iscsi: files in a directory of one host, which serves them by iSCSI."""

from __future__ import annotations

from stead.core.driver import DriverScope
from stead.drivers.storage import StorageDriver, shared

DRIVER = StorageDriver(
    name="iscsi",
    help="Files in a directory of one host, which serves them to the others by iSCSI.",
    scope=DriverScope.HOST,
    formats=("raw",),
    path=shared.DIRECTORY,
    capabilities=shared.SERVED_FILES,
)
