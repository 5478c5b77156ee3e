"""The host's own directory for backups: copies of disks in use, and what came from a backup until a step takes it.

A file has its name only when it is whole. A lock says that somebody works on a disk: it goes with its process.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import time
from typing import BinaryIO, Iterator, List

from ..base import paths
from ..base.errors import Failed, FailureCode
from . import frames

BUSY = FailureCode("STEAD-E185", "another backup or restore of the disk is running")
BAD_NAME = FailureCode("STEAD-E186", "not the name of a disk or of a backup")

FOLDER = paths.ROOT + "/backup"
LOCKS = "/run/stead/backup"  # a boot empties it
_CONTENT = ".raw"
_NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z-]{0,80}\Z")
LOOK = 0.2
CLEARS_WITHIN = 30  # seconds: what one needs that has lost its controller
DAY = 24 * 3600  # seconds: what no step took by then, none will


def path_of(name: str, ending: str) -> str:
    """QEMU, which is another user, reaches a file here; only root lists them."""
    if not _NAME.match(name):
        raise Failed(BAD_NAME, "{0!r}: it has letters, digits and dashes.".format(name))
    return os.path.join(paths.directory(FOLDER, paths.PASSABLE), name + ending)


def content_of(uuid: str, backup: str) -> str:
    """What a disk is to be filled with."""
    return path_of("{0}-{1}".format(uuid, backup), _CONTENT)


def socket_of(name: str) -> str:
    """For whoever is alone with this disk."""
    path_of(name, "")  # refuses a bad name
    return os.path.join(paths.directory(LOCKS), name + ".nbd")


def left(ending: str) -> List[str]:
    """Names of the files with this ending."""
    names = os.listdir(FOLDER) if os.path.isdir(FOLDER) else []
    return sorted(os.path.splitext(name)[0] for name in names if name.endswith(ending))


@contextlib.contextmanager
def alone(name: str, patience: float = CLEARS_WITHIN) -> Iterator[None]:
    path_of(name, "")  # refuses a bad name
    with open(os.path.join(paths.directory(LOCKS), name + ".lock"), "wb") as file:
        until = time.monotonic() + patience
        while not _locked(file):
            if time.monotonic() > until:
                raise Failed(BUSY, "Wait until it has ended, and run it again.")
            time.sleep(LOOK)
        yield


def _locked(file: BinaryIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def take(uuid: str, backup: str, most: int, source: BinaryIO) -> int:
    """Keeps what arrives for a step to come. Returns the size of the disk."""
    path = content_of(uuid, backup)
    with alone(uuid):
        size = frames.size_in(source, most)
        new = path + ".new"
        try:
            with open(new, "wb") as file:
                os.chmod(new, paths.PRIVATE)
                file.truncate(size)
                for offset, data in frames.pieces(source, size):
                    file.seek(offset)
                    file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(new, path)
        except OSError as error:
            raise Failed(paths.UNWRITABLE, "{0}: {1}. Make room there.".format(path, error.strerror)) from error
        finally:
            paths.remove(new)
    return size


def sweep() -> None:
    for path in [os.path.join(FOLDER, name + ending) for ending in (_CONTENT, ".new") for name in left(ending)]:
        with contextlib.suppress(FileNotFoundError):
            if time.time() - os.stat(path).st_mtime > DAY:
                paths.remove(path)
