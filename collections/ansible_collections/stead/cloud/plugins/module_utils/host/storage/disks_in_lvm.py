"""Disks that are logical volumes: pools of type lvm and lvm-thin. Stead's carry a tag, and no other is touched.

Not tried on real hosts: the kernel that Stead is tested on has no device-mapper.
"""

from __future__ import annotations

import os

from ..base import commands
from ..base.errors import Failed
from . import disk_files, pools

TAG = "stead"
UNITS = ["--units", "b", "--nosuffix", "--noheadings"]


class Logical:
    format = "raw"

    def __init__(self, pool, name):
        self._group, self._thin = pools.group(pool)
        self._name = pools.logical_name(name)
        self.path = pools.path_of(pool, name, self.format)

    def exists(self):
        return os.path.exists(self.path)

    def size(self):
        words = ["lvs", *UNITS, "--options", "lv_size", "--", self._called(self._name)]
        return int(commands.run(words).strip())

    def rounded(self, size):
        words = ["vgs", *UNITS, "--options", "vg_extent_size", "--", self._group]
        extent = int(commands.run(words).strip())
        return -(-size // extent) * extent

    def blank(self, size, work):
        """What others left on the disks is nobody's to read. Of a thin pool new blocks are empty."""
        if self._thin:
            work.run(self._create(self._name, size))
            return
        new = self._name + ".new"
        self._forget(new, work)
        work.run(self._create(new, size))
        work.run(["blkdiscard", "--zeroout", self._device(new)], timeout=disk_files.CONVERTS_WITHIN)
        work.run(["lvrename", "--quiet", self._group, new, self._name])

    def fill(self, source, size, work, steady=False):
        """-n: the target is there already. On a new thin volume what is not written reads as zeros."""
        path, form = source
        new = self._name + ".new"
        self._forget(new, work)
        work.run(self._create(new, size))
        zero = ["--target-is-zero"] if self._thin else []
        words = ["qemu-img", "convert", "-q", "-n", *zero, "-f", form, "-O", "raw", path, self._device(new)]
        work.run(words, timeout=disk_files.CONVERTS_WITHIN)
        if steady and not work.check:
            disk_files.refuse_unsteady(path, form, self._device(new), "raw")
        work.run(["lvrename", "--quiet", self._group, new, self._name])

    def grow(self, size, work):
        """Whoever has it open keeps it; a guest is told of it by libvirt. What is new is emptied before it is told."""
        before = self.size()
        work.run(["lvextend", "--quiet", "--size", "{0}b".format(size), "--", self._called(self._name)])
        if not self._thin:
            words = ["blkdiscard", "--zeroout", "--offset", str(before), self.path]
            work.run(words, timeout=disk_files.CONVERTS_WITHIN)

    def clone(self, other, work):
        """A thin snapshot takes no room until one is written to. A thick one is copied from a short-lived snapshot."""
        if self._thin and (self._group, self._thin) == (other._group, other._thin):  # noqa: SLF001 - of the same class
            work.run(self._snapshot(other._name))  # noqa: SLF001 - as above
            return
        moment = self._name + ".moment"
        self._forget(moment, work)
        work.run([*self._snapshot(moment), *([] if self._thin else ["--extents", "100%ORIGIN"])])
        try:
            size = 0 if work.check else self.size()
            other.fill((self._device(moment), "raw"), size, work)
        finally:
            self._forget(moment, work)

    def remove(self, work):
        self._forget(self._name + ".new", work)
        self._forget(self._name, work)

    def _create(self, name, size):
        words = ["lvcreate", "--quiet", "--yes", "--addtag", TAG, "--name", name]
        if self._thin:
            return [*words, "--virtualsize", "{0}b".format(size), "--thinpool", self._thin, "--", self._group]
        return [*words, "--wipesignatures", "y", "--size", "{0}b".format(size), "--", self._group]

    def _snapshot(self, name):
        # A thin snapshot would else be left off at boot.
        words = ["lvcreate", "--quiet", "--yes", "--addtag", TAG, "--setactivationskip", "n", "--snapshot"]
        return [*words, "--name", name, self._called(self._name)]

    def _forget(self, name, work):
        if os.path.exists(self._device(name)):
            tags = commands.run(["lvs", "--noheadings", "--options", "lv_tags", "--", self._called(name)])
            if TAG not in tags.strip().split(","):
                raise Failed("{0} is not Stead's: it has no tag {1}.".format(self._called(name), TAG))
            work.run(["lvremove", "--quiet", "--yes", "--", self._called(name)])

    def _called(self, name):
        return "{0}/{1}".format(self._group, name)

    def _device(self, name):
        return "/dev/{0}/{1}".format(self._group, name)


def has_group(pool):
    """Whether the volume group is there, and the thin pool in it."""
    group, thin = pools.group(pool)
    words = ["lvs", "--noheadings", "--options", "lv_name", "--", "{0}/{1}".format(group, thin)]
    if not thin:
        words = ["vgs", "--noheadings", "--options", "vg_name", "--", group]
    return commands.attempt(words)[0] == 0
