"""Disks that are logical volumes, thick or of a thin pool. Stead's carry a tag, and no other is touched.

Not tried on real hosts: the kernel that Stead is tested on has no device-mapper.
"""

from __future__ import annotations

import os
from typing import List, NamedTuple

from ..base import commands
from ..base.errors import Failed, FailureCode
from ..base.work import Work
from . import disk_files
from .driver import Content, DiskSource, HostStorageDriver, Pool, PoolRoom, StoredDisk

MISNAMED = FailureCode("STEAD-E140", "the pool's path does not name a volume group")
NO_GROUP = FailureCode("STEAD-E141", "the volume group or thin pool is not here")
ANOTHERS = FailureCode("STEAD-E142", "a logical volume is not Stead's")

TAG = "stead"
UNITS = ["--units", "b", "--nosuffix", "--noheadings"]


class Group(NamedTuple):
    name: str
    thin: str = ""  # the thin pool in it

    def __str__(self) -> str:
        return self.name + ("/" + self.thin if self.thin else "")


def place(pool: Pool) -> str:
    return str(pool.get("path") or "")


def source(group: Group, name: str) -> DiskSource:
    return DiskSource(Logical(group, name).path, device=True)


def there(group: Group) -> bool:
    words = ["lvs", "--noheadings", "--options", "lv_name", "--", str(group)]
    if not group.thin:
        words = ["vgs", "--noheadings", "--options", "vg_name", "--", group.name]
    return commands.attempt(words)[0] == 0


def require(group: Group) -> None:
    if not there(group):
        raise Failed(NO_GROUP, "There is no {0} here. Make it with vgcreate and lvcreate first.".format(group))


def prepare(_pool: Pool, _work: Work) -> None:
    """Which of a host's disks may be used is the administrator's to say."""


def room(pool: Pool) -> PoolRoom:
    words = ["vgs", *UNITS, "--options", "vg_size,vg_free", "--", place(pool).partition("/")[0]]
    try:
        numbers = commands.attempt(words)[1].split()
    except Failed:
        numbers = []
    size, free = map(int, numbers) if len(numbers) == 2 else (0, 0)
    return {"size": size, "free": free}


def root(disk: StoredDisk, image: str, size: int, work: Work) -> None:
    """All of the image is copied: what is no file is laid over none."""
    disk.fill(Content(image, "qcow2"), size, work)


def logical(name: str, shape: str, thin: bool) -> HostStorageDriver:
    """The driver of this name, whose pools have paths of this shape."""

    def group(pool: Pool) -> Group:
        called, _slash, inside = place(pool).partition("/")
        if not called or bool(inside) != thin:
            text = "Pool {0} is of type {1}: its path is {2}. Write it so in stead_pools."
            raise Failed(MISNAMED, text.format(pool["name"], pool["type"], shape))
        return Group(called, inside)

    def disk(pool: Pool, name: str, _form: str) -> StoredDisk:
        return Logical(group(pool), name)

    return HostStorageDriver(
        name=name,
        formats=("raw",),
        disk=disk,
        source=lambda pool, name, _form: source(group(pool), name),
        place=place,
        there=lambda pool: there(group(pool)),
        room=room,
        require=lambda pool: require(group(pool)),
        prepare=prepare,
        root=root,
        snapshot=lambda pool, uuid: disk(pool, uuid + ".snapshot", "raw"),
    )


class Logical:
    format = "raw"

    def __init__(self, group: Group, name: str) -> None:
        self._group, self._thin = group
        self._name = "stead-" + name  # so that nobody takes it for one of his own
        self.path = self._device(self._name)

    def exists(self) -> bool:
        return os.path.exists(self.path)

    def size(self) -> int:
        words = ["lvs", *UNITS, "--options", "lv_size", "--", self._called(self._name)]
        return int(commands.run(words).strip())

    def rounded(self, size: int) -> int:
        words = ["vgs", *UNITS, "--options", "vg_extent_size", "--", self._group]
        extent = int(commands.run(words).strip())
        return -(-size // extent) * extent

    def blank(self, size: int, work: Work) -> None:
        if self._thin:
            work.run(self._create(self._name, size))
            return
        new = self._empty(size, work)
        work.run(["lvrename", "--quiet", self._group, new, self._name])

    def fill(self, source: Content, size: int, work: Work, steady: bool = False) -> None:
        """-n: the target is there already."""
        new = self._empty(size, work)
        words = [*disk_files.reads("convert", source), "-n", "--target-is-zero", "-O", "raw"]
        work.run([*words, source.path, self._device(new)], timeout=disk_files.CONVERTS_WITHIN)
        if steady and not work.check:
            disk_files.refuse_unsteady(source, Content(self._device(new), "raw"))
        work.run(["lvrename", "--quiet", self._group, new, self._name])

    def grow(self, size: int, work: Work) -> None:
        """Whoever has it open keeps it; a guest is told of it by libvirt."""
        words = ["lvextend", "--quiet", "--size", "{0}b".format(size), "--", self._called(self._name)]
        work.run(words if self._thin else [*words, *self._emptied(size - self.size(), work)])

    def _emptied(self, size: int, work: Work) -> List[str]:
        """Where in the group there is room of this size that reads as zeros. It is emptied while it is another
        volume's, so that no moment shows a guest what others left there, and is not discarded when that is removed."""
        new = self._empty(size, work)
        words = ["lvs", "--noheadings", "--options", "seg_pe_ranges", "--", self._called(new)]
        ranges = [] if work.check else commands.run(words).split()
        work.run(["lvremove", "--quiet", "--yes", "--config", "devices/issue_discards=0", "--", self._called(new)])
        return ranges

    def clone(self, other: Logical, work: Work) -> None:
        """A thin snapshot takes no room until one is written to. A thick one is copied from a short-lived snapshot."""
        if self._thin and (self._group, self._thin) == (other._group, other._thin):
            work.run(self._snapshot(other._name))
            return
        moment = self._name + ".moment"
        self._forget(moment, work)
        work.run([*self._snapshot(moment), *([] if self._thin else ["--extents", "100%ORIGIN"])])
        try:
            size = 0 if work.check else self.size()
            other.fill(Content(self._device(moment), "raw"), size, work)
        finally:
            self._forget(moment, work)

    def export(self, target: Content, work: Work) -> None:
        disk_files.export(Content(self.path, self.format), target, work)

    def remove(self, work: Work) -> None:
        self._forget(self._name + ".new", work)
        self._forget(self._name, work)

    def _empty(self, size: int, work: Work) -> str:
        """One that reads as zeros. What others left on the disks is nobody's to read; in a thin pool nothing is."""
        new = self._name + ".new"
        self._forget(new, work)
        work.run(self._create(new, size))
        if not self._thin:
            work.run(["blkdiscard", "--zeroout", self._device(new)], timeout=disk_files.CONVERTS_WITHIN)
        return new

    def _create(self, name: str, size: int) -> List[str]:
        words = ["lvcreate", "--quiet", "--yes", "--addtag", TAG, "--name", name]
        if self._thin:
            return [*words, "--virtualsize", "{0}b".format(size), "--thinpool", self._thin, "--", self._group]
        return [*words, "--wipesignatures", "y", "--size", "{0}b".format(size), "--", self._group]

    def _snapshot(self, name: str) -> List[str]:
        # A thin snapshot would else be left off at boot.
        words = ["lvcreate", "--quiet", "--yes", "--addtag", TAG, "--setactivationskip", "n", "--snapshot"]
        return [*words, "--name", name, self._called(self._name)]

    def _forget(self, name: str, work: Work) -> None:
        if os.path.exists(self._device(name)):
            tags = commands.run(["lvs", "--noheadings", "--options", "lv_tags", "--", self._called(name)])
            if TAG not in tags.strip().split(","):
                text = "{0} has no tag {1}. Rename or remove it by hand, if nobody needs it."
                raise Failed(ANOTHERS, text.format(self._called(name), TAG))
            work.run(["lvremove", "--quiet", "--yes", "--", self._called(name)])

    def _called(self, name: str) -> str:
        return "{0}/{1}".format(self._group, name)

    def _device(self, name: str) -> str:
        return "/dev/{0}/{1}".format(self._group, name)
