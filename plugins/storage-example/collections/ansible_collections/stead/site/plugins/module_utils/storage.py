# ruff: noqa: PTH112, PTH116 - host code speaks os.path as Ansible does
"""The host's half of driver clusterfs. `DRIVERS` is what Stead's host code looks for in this file."""

from __future__ import annotations

import os

from ansible_collections.stead.cloud.plugins.module_utils.host.base.errors import Failed, FailureCode
from ansible_collections.stead.cloud.plugins.module_utils.host.base.work import Work
from ansible_collections.stead.cloud.plugins.module_utils.host.storage import file_disks
from ansible_collections.stead.cloud.plugins.module_utils.host.storage.driver import (
    HostStorageDriver,
    Pool,
    StoredDisk,
)

# Codes of a site begin with a word of its own.
NOT_MOUNTED = FailureCode("CLUSTERFS-1", "the cluster file system is not mounted")


def _is_mounted(path: str) -> bool:
    return os.path.isdir(path) and os.stat(path).st_dev != os.stat("/").st_dev


def _require(pool: Pool) -> None:
    """In a directory of the host's own file system each host would have a pool of its own, under one name."""
    path = file_disks.folder(pool)
    if not _is_mounted(path):
        raise Failed(NOT_MOUNTED, f"{path} is on the host's own file system. Mount the cluster's there.")


def _prepare(_pool: Pool, _work: Work) -> None:
    """What is mounted where is the administrator's to say."""


def _disk(pool: Pool, name: str, form: str) -> StoredDisk:
    _require(pool)
    return file_disks.disk(pool, name, form)


def _snapshot(pool: Pool, uuid: str) -> StoredDisk:
    return _disk(pool, uuid + ".snapshot", "raw")


DRIVERS = (
    HostStorageDriver(
        name="clusterfs",
        formats=("raw",),
        cluster=True,
        disk=_disk,
        source=file_disks.source,
        place=file_disks.folder,
        there=file_disks.there,
        room=file_disks.room,
        require=_require,
        prepare=_prepare,
        snapshot=_snapshot,
    ),
)
