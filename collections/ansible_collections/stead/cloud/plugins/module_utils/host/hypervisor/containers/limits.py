"""What a container may take of its host: CPUs and memory, as control groups of either version say it."""

from __future__ import annotations

import glob
import os
from typing import Dict, List, Optional, Tuple

from ...base import paths
from ...base.errors import Failed, FailureCode
from ...base.step import Want
from ...base.work import Work
from ..driver import Json

NOT_LIMITED = FailureCode("STEAD-E335", "the kernel refuses a limit of a container")
GROUPS = "/sys/fs/cgroup"
PERIOD = 100000  # microseconds, in which it has a quota of processors' time
PAGE = 4096  # bytes, to which the kernel rounds
# Of the first version and of the second: which controller, and the file in it.
_MEMORY = (("memory", "memory.limit_in_bytes"), ("", "memory.max"))
_CPU = (("cpu", "cpu.cfs_quota_us"), ("", "cpu.max"))


def lines(want: Want) -> List[str]:
    quota = want["vcpus"] * PERIOD
    return [
        "lxc.cgroup.memory.limit_in_bytes = {0}".format(want["memory"]),
        "lxc.cgroup.memory.swappiness = 0",
        "lxc.cgroup2.memory.max = {0}".format(want["memory"]),
        "lxc.cgroup2.memory.swap.max = 0",
        "lxc.cgroup.cpu.cfs_period_us = {0}".format(PERIOD),
        "lxc.cgroup.cpu.cfs_quota_us = {0}".format(quota),
        "lxc.cgroup2.cpu.max = {0} {1}".format(quota, PERIOD),
    ]


def adjust(want: Want, work: Work) -> None:
    has = of(want["uuid"])
    for (_controller, name), value in _wanted(want).items():
        path = _file(want["uuid"], _controller, name)
        field = "memory" if "memory" in name else "vcpus"
        if path is not None and field in has and not _same(has[field], want[field]):
            work.act("limit {0} of {1} to {2}".format(field, want["name"], want[field]), _put, path, value)


def _wanted(want: Want) -> Dict[Tuple[str, str], str]:
    quota = want["vcpus"] * PERIOD
    return {
        _MEMORY[0]: str(want["memory"]),
        _MEMORY[1]: str(want["memory"]),
        _CPU[0]: str(quota),
        _CPU[1]: "{0} {1}".format(quota, PERIOD),
    }


def _put(path: str, value: str) -> None:
    """The kernel refuses a limit below what it cannot take away."""
    try:
        with open(path, "w", encoding="ascii") as file:
            file.write(value)
    except OSError as error:
        text = "{0} cannot become {1}: {2}. Free memory in the container, or restart it."
        raise Failed(NOT_LIMITED, text.format(path, value, error.strerror)) from error


def of(uuid: str, wanted: Optional[Want] = None) -> Json:
    """Of one that is on. What the kernel has rounded is as it was wanted."""
    found: Json = {}
    memory, quota = _read(uuid, _MEMORY), _read(uuid, _CPU)
    if memory is not None and memory[0].isdigit():
        same = wanted is not None and _same(int(memory[0]), wanted["memory"])
        found["memory"] = wanted["memory"] if wanted is not None and same else int(memory[0])
    if quota is not None and quota[0].isdigit():
        found["vcpus"] = int(quota[0]) // PERIOD
    return found


def _same(here: int, wanted: int) -> bool:
    return 0 <= wanted - here < PAGE


def _read(uuid: str, places: Tuple[Tuple[str, str], ...]) -> Optional[List[str]]:
    files = (_file(uuid, controller, name) for controller, name in places)
    text = next((paths.read_bytes(one) for one in files if one is not None), None)
    return text.decode().split() if text else None


def _file(uuid: str, controller: str, name: str) -> Optional[str]:
    """A group that a killed container left stays beside that of its next start."""
    groups = glob.glob(os.path.join(GROUPS, controller, "lxc.payload.{0}*".format(uuid)))
    found = (os.path.join(one, name) for one in sorted(groups, key=_is_used, reverse=True))
    return next((one for one in found if os.path.exists(one)), None)


def _is_used(group: str) -> bool:
    """Root of a container may have all its programs in groups below."""
    told = paths.read_bytes(os.path.join(group, "cgroup.events"))
    if told is not None:
        return b"populated 1" in told.splitlines()
    return bool(paths.read_bytes(os.path.join(group, "cgroup.procs"))) or os.stat(group).st_nlink > 2
