"""Secrets of volumes that hosts serve by iSCSI, one for each volume, in files that only root reads.

A secret is born on the host that serves the volume, before the volume is. The controller brings it by SSH to a host
that is to use it, with the step that needs it (`volume_account`, `converge`). So it is in no plan, store, ledger, log
or list of processes, and both hosts have it after a boot without anybody's help.
"""

from __future__ import annotations

import os
import secrets

from ..base import paths
from ..base.work import Work

SERVED = paths.ROOT + "/accounts/served"
USED = paths.ROOT + "/accounts/used"
LENGTH = 16  # bytes


def user_of(uuid: str) -> str:
    return "stead-" + uuid


def make(uuid: str, work: Work) -> None:
    """On the host that serves it."""
    path = _path(SERVED, uuid)
    if not os.path.exists(path):
        work.act("make a secret for volume {0}".format(uuid), paths.write, path, secrets.token_hex(LENGTH))


def served(uuid: str) -> str:
    """Nothing of a volume that is older than secrets are."""
    return _read(SERVED, uuid)


def forget_served(uuid: str, work: Work) -> None:
    work.remove(_path(SERVED, uuid))


def used(uuid: str) -> str:
    return _read(USED, uuid)


def used_file(uuid: str) -> str:
    """For programs that are told of a file and never of what is in it."""
    return _path(USED, uuid)


def brought(uuid: str, work: Work) -> str:
    """What this host is to use: as it was handed with this step, as it serves it itself, or as it has it."""
    return work.handed.get(uuid, "") or served(uuid) or used(uuid)


def keep_used(uuid: str, secret: str, work: Work) -> None:
    work.write(_path(USED, uuid), secret)


def forget_used(uuid: str, work: Work) -> None:
    work.remove(_path(USED, uuid))


def _path(folder: str, uuid: str) -> str:
    return os.path.join(folder, os.path.basename(uuid))


def _read(folder: str, uuid: str) -> str:
    return (paths.read_bytes(_path(folder, uuid)) or b"").decode()
