"""Control groups of a lab: every process of a host is in the host's own, so that all of them can be found and ended.

Without this, hosts started from one shell would share a group, and one host's systemd would manage another's processes.
Works with version 1, version 2 and both together; groups lie directly below each hierarchy's root, named after the lab.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

PATIENCE = 60.0  # seconds for killed processes to be gone; a guest's memory takes a while to be given back


def hierarchies() -> list[Path]:
    """The root of every control group hierarchy that is mounted, each once."""
    found: dict[str, Path] = {}
    for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines():
        fields = line.split(" ")
        kind = fields[fields.index("-") + 1]
        if kind in ("cgroup", "cgroup2") and fields[3] == "/":
            found.setdefault(fields[2], Path(fields[4]))
    return list(found.values())


def group_name(lab: str, part: str = "") -> Path:
    return Path(f"stead-{lab}") / part


def make(lab: str, part: str) -> list[Path]:
    """The group in every hierarchy. Hosts make theirs at the same time, so each step may find its work done."""
    groups = []
    for root in hierarchies():
        group = root
        for name in group_name(lab, part).parts:
            if group != root:
                pass_on_controllers(group)
            group /= name
            group.mkdir(exist_ok=True)
            inherit_cpuset(group)
        groups.append(group)
    return groups


def inherit_cpuset(group: Path) -> None:
    """Version 1 gives a new cpuset no CPUs, and nothing may enter such a group."""
    for name in ("cpuset.cpus", "cpuset.mems"):
        if (group / "tasks").exists() and (group / name).exists():
            (group / name).write_text((group.parent / name).read_text(encoding="utf-8"), encoding="utf-8")


def pass_on_controllers(group: Path) -> None:
    """Version 2 gives a group's children only the controllers it names; systemd and libvirt inside want them all."""
    with contextlib.suppress(OSError):
        for controller in (group / "cgroup.controllers").read_text(encoding="utf-8").split():
            (group / "cgroup.subtree_control").write_text(f"+{controller}", encoding="utf-8")


def enter(groups: list[Path]) -> None:
    for group in groups:
        (group / "cgroup.procs").write_text("0", encoding="utf-8")


def limit_memory(groups: list[Path], size: int) -> None:
    for group in groups:
        for name in ("memory.limit_in_bytes", "memory.max"):
            if (group / name).exists():
                (group / name).write_text(str(size), encoding="utf-8")


def processes(lab: str, part: str = "") -> set[int]:
    """Every process of the lab, or of one part of it, in whichever hierarchy it is found."""
    found: set[int] = set()
    for root in hierarchies():
        for group in below(root / group_name(lab, part)):
            with contextlib.suppress(OSError):
                found.update(map(int, (group / "cgroup.procs").read_text(encoding="utf-8").split()))
    return found - {0, os.getpid()}


def below(top: Path) -> Iterator[Path]:
    """The group and all groups in it, the deepest first, which is the order they can be removed in."""
    try:
        inner = [entry for entry in top.iterdir() if entry.is_dir()]
    except OSError:  # gone, or going while we look
        return
    for entry in inner:
        yield from below(entry)
    yield top


def kill(lab: str, part: str = "") -> None:
    """End every process at once and remove the groups: a power cut."""
    deadline = time.monotonic() + PATIENCE
    while (left := processes(lab, part)) and time.monotonic() < deadline:
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)
    for root in hierarchies():
        for group in below(root / group_name(lab, part)):
            with contextlib.suppress(OSError):
                group.rmdir()


def memory(lab: str, part: str = "") -> int:
    """Bytes the processes hold themselves, without the page cache, which is the machine's to take back."""
    for root in hierarchies():
        with contextlib.suppress(OSError):
            stat = (root / group_name(lab, part) / "memory.stat").read_text(encoding="utf-8")
            words = dict(line.split() for line in stat.splitlines())
            return int(words.get("total_rss") or words.get("anon") or 0)  # version 1's word, version 2's
    return 0
