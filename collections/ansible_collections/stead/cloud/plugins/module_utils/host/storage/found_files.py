"""Files that were there before Stead, and are volumes from the day on which they are taken over.

Such a file keeps its name. It belongs to one volume, whose ledger entry says so: nothing else is ever made, moved or
copied onto it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Iterator, Tuple

from ..base import ledger
from ..base.errors import Failed, FailureCode
from ..base.step import HostStep
from ..base.work import Work
from . import drivers, instance_disks

if TYPE_CHECKING:
    from ...wire.volume import VolumeWant
    from .driver import StoredDisk

NOT_ITS_FILE = FailureCode("STEAD-E163", "a file is not that of the volume")
NO_FILE = FailureCode("STEAD-E164", "the file that is to be taken over is not there, or not as the spec says")


def adopt(step: HostStep, _work: Work) -> None:
    """It is read, and not touched: the ledger has it from now on."""
    want = step["want"]
    disk = drivers.volume(want)
    taken = {os.path.realpath(path): address for path, address in _taken(want["uuid"])}
    holder = taken.get(os.path.realpath(disk.path), "")
    if holder:
        text = "{0} is {1} already. Name another file, or use that volume."
        raise Failed(NOT_ITS_FILE, text.format(disk.path, holder))
    if os.path.islink(disk.path) or not os.path.isfile(disk.path):
        raise Failed(NO_FILE, "{0} is no file. Correct `file` or `pool` in the spec.".format(disk.path))
    size, wanted = disk.size(), disk.rounded(want["size"])
    if size != wanted:
        text = "{0} has {1} bytes, and the spec says {2}. Write the size that it has, and change it afterwards."
        raise Failed(NO_FILE, text.format(disk.path, size, want["size"]))


def _taken(but: str) -> Iterator[Tuple[str, str]]:
    """Files of other volumes, and of instances, and whose they are. Pools may share a directory under two names."""
    for made in ledger.everything("volumes"):
        if made["uuid"] != but:
            yield drivers.volume(made["want"]).path, made["address"]
    for made in ledger.everything("instances"):
        for disk, _size in instance_disks.own(made["want"]).values():
            yield disk.path, made["address"]


def refuse_others(want: VolumeWant, disk: StoredDisk) -> None:
    made = ledger.read("volumes", want["uuid"])
    its = made is not None and disk.exists() and drivers.volume(made["want"]).path == disk.path
    if want["pool"].get("file") and not its:
        text = "{0} is not the file of this volume. To move it, or to make it anew, leave `file` out of the spec."
        raise Failed(NOT_ITS_FILE, text.format(disk.path))
