"""Fills a file system of a host to the last byte, and takes that back. Never one of the machine's own."""

from __future__ import annotations

from stead.lab.codes import NO_LIMIT, refuse
from stead.lab.faults import inside
from stead.lab.site import Lab

FILLER = ".stead-lab-filler"
MEBIBYTE = 2**20
# The rest of a disk that is full to the block; `dd` ends when nothing more fits, which is what it is for.
FILL = """
free=$(($(stat -f -c '%a * %S' "$WHERE") - LEAVE))
[ $free -le 0 ] || fallocate -l $free "$WHERE/$FILLER" 2>/dev/null || true
[ $LEAVE -gt 0 ] || dd if=/dev/zero bs=4k of="$WHERE/$FILLER" oflag=append conv=notrunc 2>/dev/null || true
sync -f "$WHERE"
stat -f -c '%a %S' "$WHERE"
"""


def fill(lab: Lab, host: str, path: str = "/var/lib/stead", leave: int = 0) -> int:
    """How many bytes are left. `heal` removes what fills it, also after a crash of the host."""
    device, kind = inside(lab, host, 'stat -c %d "$WHERE"; stat -f -c %T "$WHERE"', {"WHERE": path}).split() or ("", "")
    if device in ("", str(lab.rooms.top.stat().st_dev)) or kind == "overlayfs":
        refuse(
            NO_LIMIT,
            f"{path} of {host} is not a separate file system: filling it would fill this machine's disk. Give the host"
            " its own file system in the lab file: `disk: 4GiB`.",
        )
    marks = lab.rooms.host(lab.host(host).name) / "filled"
    marks.mkdir(exist_ok=True)
    (marks / path.replace("/", "%")).touch()  # before the first byte, so that nothing fills it unknown
    settings = {"WHERE": path, "LEAVE": str(leave), "FILLER": FILLER}
    blocks, size = map(int, inside(lab, host, FILL, settings).split())
    return blocks * size


def give_back(lab: Lab, host: str) -> list[str]:
    """The paths that have room again."""
    found = []
    for mark in sorted((lab.rooms.host(lab.host(host).name) / "filled").glob("*")):
        path = mark.name.replace("%", "/")
        inside(lab, host, 'rm -f "$WHERE/$FILLER"', {"WHERE": path, "FILLER": FILLER})
        mark.unlink()
        found.append(path)
    return found
