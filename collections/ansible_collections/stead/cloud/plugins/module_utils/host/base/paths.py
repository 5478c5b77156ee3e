"""Paths on a host, and how files are written so that a killed process leaves no partial file."""

from __future__ import annotations

import json
import os
import tempfile
from typing import Dict, Optional, Union

from .errors import Failed, FailureCode

UNWRITABLE = FailureCode("STEAD-E007", "a file or directory on the host cannot be written")

ROOT = "/var/lib/stead"
LEDGER = ROOT + "/ledger"
JOURNAL = ROOT + "/journal"
IMAGES = ROOT + "/images"
INSTANCES = ROOT + "/instances"
NETWORKS = ROOT + "/networks"
ROUTERS = ROOT + "/routers"
LOAD_BALANCERS = ROOT + "/load_balancers"
POOLS = ROOT + "/pools"
SNAPSHOTS = ROOT + "/snapshots"
LOCK = ROOT + "/lock"
# Where QEMU finds what it encrypts moves with.
MOVES_PKI = "/etc/pki/qemu"

PRIVATE = 0o600
# libvirt runs guests as another user, who must reach the disks but need not list directories.
PASSABLE = 0o711


def known_as() -> Dict[str, str]:
    """Name in the inventory and address on the underlay; empty before the host was prepared."""
    known: Dict[str, str] = json.loads(read_bytes(ROOT + "/host.json") or b"{}")
    return known


def directory(path: str, mode: int = 0o700) -> str:
    """Makes a directory with its parents. The mode applies to new directories; existing ones are not changed."""
    if not os.path.isdir(path):
        parent = os.path.dirname(path)
        if parent and not os.path.isdir(parent):
            directory(parent, PASSABLE)
        try:
            os.mkdir(path)
        except FileExistsError as error:
            if os.path.isdir(path):  # another step made it first
                return path
            raise Failed(
                UNWRITABLE, "{0} exists and is not a directory. Move it away, and apply again.".format(path)
            ) from error
        except OSError as error:
            raise Failed(UNWRITABLE, "Cannot make directory {0}: {1}.".format(path, error.strerror)) from error
        os.chmod(path, mode)
    return path


def write(path: str, text: Union[str, bytes], mode: int = PRIVATE) -> bool:
    """Writes the whole file or nothing. True if the content has changed."""
    data = text if isinstance(text, bytes) else text.encode()
    if read_bytes(path) == data:
        return False
    folder = directory(os.path.dirname(path))
    try:
        _replace(path, folder, data, mode)
    except OSError as error:
        raise Failed(UNWRITABLE, "Cannot write {0}: {1}.".format(path, error.strerror)) from error
    return True


def _replace(path: str, folder: str, data: bytes, mode: int) -> None:
    prefix, suffix = ".{0}.".format(os.path.basename(path)), ".new"
    for left in os.listdir(folder):  # by one that was killed while it wrote the same file
        if left.startswith(prefix) and left.endswith(suffix):
            remove(os.path.join(folder, left))
    handle, name = tempfile.mkstemp(prefix=prefix, suffix=suffix, dir=folder)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, mode)
        os.replace(name, path)
    except BaseException:
        remove(name)
        raise


def read_bytes(path: str) -> Optional[bytes]:
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None


def remove(path: str) -> bool:
    """True if there was something to remove."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        return False
    return True


def remove_tree(path: str) -> bool:
    """Removes a directory of Stead's with the plain files in it. A directory inside is an error."""
    try:
        names = os.listdir(path)
    except FileNotFoundError:
        return False
    for name in names:
        remove(os.path.join(path, name))
    os.rmdir(path)
    return True
