"""Whether what serves an NFS pool to other hosts runs, and can be used. It sets nothing up: the role storage does."""

from __future__ import annotations

import os

from ..base.errors import Failed, FailureCode
from ..base.readings import Readings
from ..base.work import Work
from . import clients, file_disks
from .driver import Pool, StoredDisk

NOT_EXPORTED = FailureCode("STEAD-E121", "the pool is not exported")
NOT_SERVED = FailureCode("STEAD-E120", "nothing serves the pool")

PORT = 2049
# Either serves NFS, by what the role storage wrote for it.
UNITS = ("stead-nfs.service", "nfs-server.service")
SETTINGS = {"stead-nfs.service": "/etc/stead/ganesha.conf", "nfs-server.service": "/etc/exports.d/stead.exports"}


def runs(pool: Pool, _uuid: str, now: Readings) -> bool:
    """As its unit says."""
    units = [now.unit(name) for name in UNITS]
    return any(unit is not None and unit.active for unit in units) and exported(file_disks.folder(pool))


def start(pool: Pool, work: Work) -> None:
    if not runs(pool, "", work.now):
        for name in UNITS:
            if work.now.unit(name) is not None and os.path.exists(SETTINGS[name]):
                work.run(["systemctl", "start", name])
                return


def require(pool: Pool) -> None:
    why = clients.silent(pool["server"], PORT)
    if why:
        text = "Nothing serves NFS at {0} ({1}). Give this host the role storage, and run `stead bootstrap` for it."
        raise Failed(NOT_SERVED, text.format(pool["server"], why))
    path = file_disks.folder(pool)
    if not exported(path):
        text = "Declare the pool with {0} in stead_pools of this host, and run `stead bootstrap` for it."
        raise Failed(NOT_EXPORTED, text.format(path))


def exported(path: str) -> bool:
    """By nfs-ganesha as the role configures it, or by the kernel."""
    for file, wanted in (("/etc/stead/ganesha.conf", 'Path = "{0}";'), ("/etc/exports.d/stead.exports", "{0} ")):
        try:
            with open(file, encoding="utf-8") as text:
                if any(line.strip().startswith(wanted.format(path)) for line in text):
                    return True
        except FileNotFoundError:
            continue
    return False


def offer(_pool: Pool, _uuid: str, _disk: StoredDisk, _size: int, _work: Work, _grown: bool) -> None:
    """All that lies in the directory is served."""


def withdraw(_pool: Pool, _uuid: str, _work: Work) -> None:
    """What is gone from the directory is not served."""


def restore(_pool: Pool, _uuid: str, _disk: StoredDisk, _size: int, _work: Work) -> None:
    """systemd starts the server."""
