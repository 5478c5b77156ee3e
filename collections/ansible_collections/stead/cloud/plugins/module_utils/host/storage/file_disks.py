"""Disks that are files in a directory of one host. Who else reaches them is the driver's to say."""

from __future__ import annotations

import fcntl
import os
import time
from functools import partial
from typing import Callable, List, Optional

from ..base import commands, paths
from ..base.errors import Failed, FailureCode
from ..base.work import Work
from . import disk_files
from .driver import Content, DiskSource, HostStorageDriver, Pool, PoolRoom

UNSTEADY = FailureCode("STEAD-E110", "a disk in use could not be copied in one moment")
NOT_EMPTY = FailureCode("STEAD-E111", "the pool is not empty")

# linux/fs.h: the new file shares the blocks of the old, as it is at that moment. XFS and btrfs do it.
FICLONE = 0x40049409
# Seconds: how fine the times of files are, generously.
TICK = 0.05
TRIES = 3
ENDINGS = {"qcow2": "qcow2", "raw": "raw"}


def folder(pool: Pool) -> str:
    return str(pool.get("path") or os.path.join(paths.POOLS, pool["name"]))


def disk(pool: Pool, name: str, form: str, owner: Optional[int] = None) -> File:
    """What is being made of it has a name of Stead's own: beside a file of others may be more of theirs."""
    new = os.path.join(folder(pool), _own_name(name, form) + ".new")
    return File(path_of(pool, name, form), form, owner, new)


def path_of(pool: Pool, name: str, form: str) -> str:
    """A file that was there before Stead keeps its name, which belongs to the one volume that the pool is given for."""
    return os.path.join(folder(pool), pool.get("file") or _own_name(name, form))


def _own_name(name: str, form: str) -> str:
    return "{0}.{1}".format(name, ENDINGS[form])


def source(pool: Pool, name: str, form: str) -> DiskSource:
    return DiskSource(path_of(pool, name, form))


def there(pool: Pool) -> bool:
    return os.path.isdir(folder(pool))


def room(pool: Pool) -> PoolRoom:
    if not there(pool):
        return {"size": 0, "free": 0}
    state = os.statvfs(folder(pool))
    return {"size": state.f_blocks * state.f_frsize, "free": state.f_bavail * state.f_frsize}


def require(_pool: Pool) -> None:
    """A directory can be made everywhere."""


def prepare(pool: Pool, work: Work) -> None:
    """A path of the administrator's own may well exist."""
    work.directory(folder(pool), paths.PASSABLE)


def discard(pool: Pool, work: Work) -> None:
    path = folder(pool)
    if os.listdir(path):
        raise Failed(NOT_EMPTY, "{0} has files that are not Stead's. Nothing was removed.".format(path))
    work.act("remove {0}".format(path), os.rmdir, path)


# What all drivers of files in a directory have alike.
files = partial(
    HostStorageDriver, place=folder, there=there, room=room, require=require, prepare=prepare, discard=discard
)


class File:
    def __init__(self, path: str, form: str, owner: Optional[int] = None, new: str = "") -> None:
        self.path = path
        self.format = form
        self._new = new or path + ".new"
        self._owner = owner  # libvirt gives a file of its own host to the guest's user when the guest starts

    def exists(self) -> bool:
        return os.path.exists(self.path)

    def size(self) -> int:
        return disk_files.size_of(self.path, self.format)

    def rounded(self, size: int) -> int:
        return -(-size // disk_files.SECTOR) * disk_files.SECTOR

    def blank(self, size: int, work: Work) -> None:
        self._make(disk_files.new_blank(self._new, self.format, size), work)

    def overlay(self, image: str, size: int, work: Work) -> None:
        """It begins as an image of this host is, and keeps only what differs."""
        self._make(disk_files.new_overlay(self._new, image, size), work)

    def fill(self, source: Content, size: int, work: Work, steady: bool = False) -> None:
        words = [*disk_files.reads("convert", source), "-O", self.format, source.path, self._new]
        self._make(words, work, disk_files.CONVERTS_WITHIN, size, source if steady else None)

    def grow(self, size: int, work: Work) -> None:
        work.run(self._resize(self.path, size))

    def clone(self, other: File, work: Work) -> None:
        work.directory(os.path.dirname(other.path), paths.PASSABLE)
        work.remove(other._new)
        work.act("copy {0} to {1}".format(self.path, other.path), self._clone, other)

    def export(self, target: Content, work: Work) -> None:
        disk_files.export(Content(self.path, self.format), target, work)

    @property
    def unfinished(self) -> str:
        """Where it is until it is whole."""
        return self._new

    def take(self, make: Callable[[str], None]) -> None:
        """What `make(path)` writes, under this name once it is whole."""
        paths.remove(self._new)
        make(self._new)
        self._own(self._new)
        os.replace(self._new, self.path)

    def remove(self, work: Work) -> None:
        work.remove(self._new)
        work.remove(self.path)

    def _make(
        self,
        words: List[str],
        work: Work,
        timeout: float = commands.PATIENCE,
        size: Optional[int] = None,
        steady: Optional[Content] = None,
    ) -> None:
        work.directory(os.path.dirname(self.path), paths.PASSABLE)
        try:
            work.run(words, timeout=timeout)
        except Failed:
            paths.remove(self._new)  # guests that write to a pool that it filled would stand still
            raise
        if work.check:
            return
        if steady:
            disk_files.refuse_unsteady(steady, Content(self._new, self.format))
        if size is not None and disk_files.size_of(self._new, self.format) < size:
            work.run(self._resize(self._new, size))
        self._own(self._new)
        os.replace(self._new, self.path)

    def _resize(self, path: str, size: int) -> List[str]:
        return ["qemu-img", "resize", "-q", "-f", self.format, path, str(size)]

    def _own(self, path: str) -> None:
        os.chmod(path, paths.PRIVATE)
        if self._owner is not None:
            os.chown(path, self._owner, self._owner)

    def _clone(self, other: File) -> None:
        new = other._new
        try:
            if self.format != other.format or not _share(self.path, new):
                _copy(self.path, self.format, new, other.format)
            other._own(new)
            os.replace(new, other.path)
        except BaseException:
            paths.remove(new)
            raise


def _share(path: str, new: str) -> bool:
    """The file system's own copy, which is of one moment however busy the file is. False where it has none."""
    with open(path, "rb") as source, open(new, "wb") as target:
        try:
            fcntl.ioctl(target.fileno(), FICLONE, source.fileno())
        except OSError:
            return False
    return True


def _copy(path: str, form: str, new: str, to: str) -> None:
    """A copy is of one moment when nothing was written while it was made."""
    for _try in range(TRIES):
        _settle(path)
        before = os.stat(path).st_mtime_ns
        words = ["qemu-img", "convert", "-q", "-f", form, "-O", to, path, new]
        commands.run(words, timeout=disk_files.CONVERTS_WITHIN)
        time.sleep(TICK)
        if os.stat(path).st_mtime_ns == before:
            return
    text = (
        "{0} was written to during each of {1} copies of it, so no copy is of one moment. Stop the instance or detach"
        " the volume, or keep the pool on a file system that copies in an instant: XFS with reflinks, or btrfs."
    )
    raise Failed(UNSTEADY, text.format(path, TRIES))


def _settle(path: str) -> None:
    """What is written within the same tick as the last time leaves no trace in it."""
    wait = os.stat(path).st_mtime + TICK - time.time()
    if 0 < wait <= TICK:
        time.sleep(wait)
