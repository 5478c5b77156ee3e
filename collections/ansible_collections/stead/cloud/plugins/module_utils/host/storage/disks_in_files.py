"""Disks that are files: in pools of type dir, and on the host that serves pools of type nfs and iscsi."""

from __future__ import annotations

import fcntl
import os
import time

from ..base import commands, paths
from ..base.errors import Failed
from . import disk_files, pools

# Whom clients of an NFS pool are taken for; the role storage says the same to the server. Reserved, and nobody's.
SQUASHED = 65533
# linux/fs.h: the new file shares the blocks of the old, as it is at that moment. XFS and btrfs do it.
FICLONE = 0x40049409
# Seconds: how fine the times of files are, generously.
TICK = 0.05
TRIES = 3


class File:
    def __init__(self, pool, name, form):
        self.path = pools.path_of(pool, name, form)
        self.format = form
        self._pool = pool

    def exists(self):
        return os.path.exists(self.path)

    def size(self):
        return disk_files.size_of(self.path, self.format)

    def rounded(self, size):
        return -(-size // disk_files.SECTOR) * disk_files.SECTOR

    def blank(self, size, work):
        self._make(disk_files.new_blank(self._new, self.format, size), work)

    def fill(self, source, size, work, steady=False):
        path, form = source
        words = ["qemu-img", "convert", "-q", "-f", form, "-O", self.format, path, self._new]
        self._make(words, work, disk_files.CONVERTS_WITHIN, size, source if steady else None)

    def grow(self, size, work):
        work.run(self._resize(self.path, size))

    def clone(self, other, work):
        work.directory(os.path.dirname(other.path), paths.PASSABLE)
        work.remove(other.path + ".new")
        work.act("copy {0} to {1}".format(self.path, other.path), self._clone, other)

    def take(self, make):
        """What `make(path)` writes, under this name once it is whole."""
        paths.remove(self._new)
        make(self._new)
        self._own(self._new)
        os.replace(self._new, self.path)

    def remove(self, work):
        work.remove(self._new)
        work.remove(self.path)

    @property
    def _new(self):
        return self.path + ".new"

    def _make(self, words, work, timeout=commands.PATIENCE, size=None, steady=None):
        work.directory(os.path.dirname(self.path), paths.PASSABLE)
        work.run(words, timeout=timeout)
        if work.check:
            return
        if steady:
            disk_files.refuse_unsteady(*steady, self._new, self.format)
        if size is not None and disk_files.size_of(self._new, self.format) < size:
            work.run(self._resize(self._new, size))
        self._own(self._new)
        os.replace(self._new, self.path)

    def _resize(self, path, size):
        return ["qemu-img", "resize", "-q", "-f", self.format, path, str(size)]

    def _own(self, path):
        """libvirt gives a file of its own host to the guest's user when the guest starts."""
        os.chmod(path, paths.PRIVATE)
        if pools.kind(self._pool) == "nfs":
            os.chown(path, SQUASHED, SQUASHED)

    def _clone(self, other):
        new = other.path + ".new"
        try:
            if self.format != other.format or not _share(self.path, new):
                _copy(self.path, self.format, new, other.format)
            other._own(new)  # noqa: SLF001 - of the same class
            os.replace(new, other.path)
        except BaseException:
            paths.remove(new)
            raise


def _share(path, new):
    """The file system's own copy, which is of one moment however busy the file is. False where it has none."""
    with open(path, "rb") as source, open(new, "wb") as target:
        try:
            fcntl.ioctl(target.fileno(), FICLONE, source.fileno())
        except OSError:
            return False
    return True


def _copy(path, form, new, to):
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
        "{0} was written to during each of {1} copies of it, so that none is of one moment. Stop the instance or detach"
        " the volume, or keep the pool on a file system that copies in an instant: XFS with reflinks, or btrfs."
    )
    raise Failed(text.format(path, TRIES))


def _settle(path):
    """What is written within the same tick as the last time leaves no trace in it."""
    wait = os.stat(path).st_mtime + TICK - time.time()
    if 0 < wait <= TICK:
        time.sleep(wait)
