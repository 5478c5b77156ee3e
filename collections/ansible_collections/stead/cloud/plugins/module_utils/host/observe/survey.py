"""Facts of a host before it is prepared: the few that the roles need to choose what to do.

It only reads, and needs only Python, because no package has been installed yet.
"""

from __future__ import annotations

import glob
import os
import platform
from typing import Any, Dict, List, Mapping, Sequence

from ..base import commands
from ..base.errors import Failed
from . import kernel

FAMILIES = (("debian", ("debian", "ubuntu")), ("redhat", ("rhel", "fedora", "centos", "rocky", "almalinux")))
# Whichever of these keeps the clock, another one beside it would fight with it.
CLOCKS = (
    "chrony.service",
    "chronyd.service",
    "systemd-timesyncd.service",
    "ntp.service",
    "ntpsec.service",
    "openntpd.service",
)


def survey(candidates: Sequence[str] = ()) -> Dict[str, Any]:
    told = release()
    family = _family(told)
    return {
        "system": {
            "id": told.get("ID", ""),
            "version": told.get("VERSION_ID", ""),
            "name": told.get("PRETTY_NAME", ""),
            "family": family,
            "architecture": platform.machine(),
            "kernel": platform.release(),
            "python": platform.python_version(),
            "container": container(),
        },
        "installed": installed(family, candidates),
        "clock": clock(),
        "kernel": {name: kernel.has(name) for name in ("nfsd",)},
        "host_keys": host_keys(),
    }


def release() -> Dict[str, str]:
    found: Dict[str, str] = {}
    for line in _text("/etc/os-release").splitlines():
        name, equals, value = line.partition("=")
        if equals:
            found[name] = value.strip().strip("\"'")
    return found


def _family(told: Mapping[str, str]) -> str:
    ids = [told.get("ID", "")] + told.get("ID_LIKE", "").split()
    return next((family for family, names in FAMILIES if set(ids) & set(names)), told.get("ID", ""))


def container() -> str:
    """The kind of container that this host is, or nothing: its clock and kernel are then the machine's."""
    try:
        return commands.attempt(["systemd-detect-virt", "--container"])[1].strip().replace("none", "")
    except Failed:
        return ""


def installed(family: str, candidates: Sequence[str]) -> List[str]:
    if not candidates:
        return []
    if family == "debian":
        words = ["dpkg-query", "--show", "--showformat", "${Package} ${db:Status-Status}\n"] + sorted(candidates)
        lines = [line.split() for line in commands.attempt(words)[1].splitlines()]
        return sorted({line[0] for line in lines if line[1:] == ["installed"]})
    words = ["rpm", "--query", "--queryformat", "%{NAME}\n", "--whatprovides"] + sorted(candidates)
    names = set(commands.attempt(words)[1].splitlines())
    return sorted(names & set(candidates))


def clock() -> str:
    """The service that keeps the time, when one runs."""
    states = commands.attempt(["systemctl", "is-active"] + list(CLOCKS))[1].split()
    return next((name for name, state in zip(CLOCKS, states) if state == "active"), "")


def host_keys() -> List[str]:
    """Of this host's sshd, as known_hosts has them: kind and key, no comment."""
    found: List[str] = []
    for path in sorted(glob.glob("/etc/ssh/ssh_host_*_key.pub")):
        words = _text(path).split()
        if len(words) >= 2:
            found.append(" ".join(words[:2]))
    return found


def _text(path: str) -> str:
    if not os.path.exists(path):
        return ""
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read().strip()
