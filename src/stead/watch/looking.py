"""Looks at hosts over two paths: from here to where Ansible reaches them, and from neighbours over the underlay."""

from __future__ import annotations

import shlex
import socket
import subprocess
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Protocol

from stead.site.ssh import ssh
from stead.watch.deciding import Sight

if TYPE_CHECKING:
    from stead.core.observed import Host
    from stead.runner.simulated_state import SimulatedState
    from stead.site.inventory import Inventory

AT_ONCE = 64
PATIENCE = 3.0  # seconds for a greeting
NEIGHBOURS = 3  # asked for their view of a silent host
_SSH_FAILED = 255  # then the neighbour has said nothing
_QUIET = ("-o", "BatchMode=yes", "-o", "ConnectTimeout=3")
_GREETING = b"SSH-"


class Eyes(Protocol):
    def look(self, hosts: Collection[str]) -> Sight: ...


class RealEyes:
    def __init__(self, inventory: Inventory) -> None:
        self._hosts, self._ways = inventory.hosts, inventory.connections

    def look(self, hosts: Collection[str]) -> Sight:
        names = sorted(hosts)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            answers = frozenset(name for name, one in zip(names, pool.map(self._greets, names), strict=True) if one)
            pairs = [(by, name) for name in names if name not in answers for by in _around(name, names, answers)]
            views: dict[str, list[bool]] = {}
            for (_, name), view in zip(pairs, pool.map(lambda pair: self._view(*pair), pairs), strict=True):
                views.setdefault(name, []).extend([] if view is None else [view])
        return Sight(answers, {name: tuple(found) for name, found in views.items()})

    def _greets(self, name: str) -> bool:
        way = self._ways[name]
        address = str(way.get("ansible_host", way.get("ansible_ssh_host", name)))
        try:
            with socket.create_connection((address, _port(way)), timeout=PATIENCE) as link:
                link.settimeout(PATIENCE)
                return link.recv(len(_GREETING)) == _GREETING
        except OSError:
            return False

    def _view(self, by: str, name: str) -> bool | None:
        host: Host = self._hosts[name]
        address = host.underlay or str(self._ways[name].get("ansible_host", name))
        script = f"exec 3<>/dev/tcp/{address}/{_port(self._ways[name])} && head -c 4 <&3"
        words = [shlex.join(["timeout", f"{PATIENCE:.0f}", "bash", "-c", script])]
        try:
            done = subprocess.run(
                ssh(by, self._ways[by], words, options=_QUIET),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=False,
                timeout=3 * PATIENCE,
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        return None if done.returncode == _SSH_FAILED else done.stdout.startswith(_GREETING)


def _around(name: str, names: list[str], answers: Collection[str]) -> list[str]:
    """The next that answer, in a ring: not the same ones for all."""
    at = names.index(name)
    return [one for one in (*names[at + 1 :], *names[:at]) if one in answers][:NEIGHBOURS]


def _port(way: Mapping[str, Any]) -> int:
    return int(way.get("ansible_port", way.get("ansible_ssh_port", 22)))


class SimulatedEyes:
    """A simulated host that is silent is so for its neighbours, too."""

    def __init__(self, state: SimulatedState) -> None:
        self._state = state

    def look(self, hosts: Collection[str]) -> Sight:
        with self._state.said():
            rows = self._state.know(hosts)
        answers = frozenset(name for name in hosts if rows[name].answers)
        silent = sorted(set(hosts) - answers)
        return Sight(answers, {name: (False,) * min(NEIGHBOURS, len(answers)) for name in silent})
