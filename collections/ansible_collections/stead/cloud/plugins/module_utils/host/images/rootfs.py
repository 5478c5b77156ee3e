"""Makes a disk of a root file system that came as an archive: a file system of this host's own, with the files in it.

Nobody trusts the archive. It is unpacked in a mount of its own, where no device and no program of it works, into a file
system that is as large as the image may be; whatever kills that takes the mount along.
"""

from __future__ import annotations

import os
import tempfile
from typing import Dict, Optional, Sequence

from ..base import commands, paths
from ..base.errors import Failed, FailureCode
from ..storage.disk_files import SECTOR
from .writing import room

UNFIT = FailureCode("STEAD-E418", "an archive is not a root file system")
NOT_MADE = FailureCode("STEAD-E419", "a root file system cannot be made of an archive")

# Bytes of one whose size nobody says. It takes no more room than what is in it.
MOST = 16 << 30
LEAST = 16 << 20
JOURNAL = 8  # MiB: what is enough for the largest would be most of a small one
WITHIN = 1800  # seconds
MEMORY = 1 << 30  # bytes, for what unpacks
UNPACKS: Dict[str, Sequence[str]] = {
    "tar": (
        "tar", "--extract", "--numeric-owner", "--preserve-permissions", "--same-owner", "--xattrs",
        "--xattrs-include=*", "--warning=no-timestamp", "--file",
    ),
    "squashfs": ("unsquashfs", "-no-progress", "-quiet", "-force", "-dest", "."),
}  # fmt: skip
# Whatever kills this takes all that it has started along, and the mount.
ALONE = ("unshare", "--mount", "--pid", "--fork", "--kill-child", "--")
# Devices in an archive go: a container has its own, and could else open the console of its host.
# $1 the file with the file system, $2 where it is mounted, $3 the archive, then what unpacks it.
SCRIPT = """
mount -o loop,nodev,nosuid,noexec "$1" "$2"
place=$2 archive=$3
cd "$place"
shift 3
"$@" "$archive" >&2
find . -xdev \\( -type b -o -type c \\) -delete
if [ ! -e sbin/init ] && [ ! -L sbin/init ]; then exit 77; fi
cd /
umount "$place"
"""
NO_INIT = 77


def build(archive: str, form: str, target: str, size: Optional[int]) -> None:
    most = size or min(MOST, room(target))
    if most < LEAST:
        text = "A root file system takes at least {0} bytes, and there are {1}. Raise `size`, or free some space."
        raise Failed(NOT_MADE, text.format(LEAST, most))
    _blank(target, most)
    # Beside the images, whose directory nobody may list, and closed: programs in it belong to root of a container.
    with tempfile.TemporaryDirectory(prefix=".rootfs-", dir=paths.IMAGES) as place:
        words = ["prlimit", "--as={0}".format(MEMORY), "--", *ALONE, "sh", "-ec", SCRIPT, "sh"]
        words += [target, place, os.path.abspath(archive), *UNPACKS[form]]
        status, _out, said = commands.attempt(words, timeout=WITHIN)
    if status == NO_INIT:
        text = "It has no /sbin/init, so that nothing would start in it. Make the archive from the root of a system."
        raise Failed(UNFIT, text)
    if status:
        raise Failed(UNFIT, "It cannot be unpacked as {0}: {1}".format(form, said.strip()[-commands.TAIL :]))
    if not size:
        _shrink(target)


def _blank(target: str, size: int) -> None:
    with open(target, "wb") as file:
        file.truncate(size - size % SECTOR)
    commands.run(["mke2fs", "-q", "-t", "ext4", "-m", "0", "-J", "size={0}".format(JOURNAL), "-F", target])


def _shrink(target: str) -> None:
    """To what is in it: root disks of any size may begin with it, and it grows with them."""
    commands.run(["e2fsck", "-f", "-p", target], timeout=WITHIN)
    commands.run(["resize2fs", "-M", target], timeout=WITHIN)
    told = dict(line.split(":", 1) for line in commands.run(["dumpe2fs", "-h", target]).splitlines() if ":" in line)
    os.truncate(target, int(told["Block count"]) * int(told["Block size"]))
