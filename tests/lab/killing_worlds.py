"""The hosts under a site whose applies are killed: real ones of a lab, and simulated ones."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from killing import State, children, slain
from leftovers import listing

from stead.core.diagnostics import Refused
from stead.lab import faults
from stead.lab.codes import NOT_FOUND
from stead.lab.site import Lab
from stead.runner import fork_server
from stead.runner.simulated_state import SimulatedState

# What differs each time that something is made anew: UUIDs, MACs, and the names and addresses made from them.
ANEW = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?<=\bs[bxtrdv])[0-9a-f]{12}|(?<=\bn)[0-9a-f]{12}")
NEW_MAC = re.compile(r"([0-9a-f]{2}:){5}[0-9a-f]{2}|fe80:[0-9a-f:]+")
FORK_SERVER = Path(fork_server.__file__).name
PLACED = re.compile("/(instances|volumes)/")


@dataclass
class Real:
    lab: Lab
    victims: Sequence[str] = ("stead",)

    @property
    def inventory(self) -> Path:
        return self.lab.inventory

    def strike(self, apply: subprocess.Popen[str], victim: str) -> list[int]:
        if victim == "stead":
            return slain([apply.pid])
        below = children(apply.pid)
        if victim == "fork server":
            return slain(below)
        if victim == "ansible":  # what plays, and not the process that it is forked from
            return slain([pid for pid in below[1:] if FORK_SERVER in words(pid)])
        killed: list[str] = []
        for host in self.lab.hosts:
            try:
                killed += faults.kill(self.lab, host.name, victim)
            except Refused as refused:
                if not any(one.code == NOT_FOUND.id for one in refused.diagnostics):
                    raise
        return [int(line.split()[0]) for line in killed]

    def state(self) -> State:
        return {
            f"{host} {what}": sorted(NEW_MAC.sub("MAC", ANEW.sub("ID", line)) for line in lines)
            for host, looks in listing(self.lab).items()
            for what, lines in looks.items()
        }

    def check(self) -> None:
        uuids = Counter(uuid for host in self.lab.hosts for uuid in self.domains(host.name))
        assert not [uuid for uuid, times in uuids.items() if times > 1]
        for host in self.lab.hosts:
            look = "[ ! -e /var/lib/stead/lock ] || flock --nonblock /var/lib/stead/lock true || echo held"
            assert faults.inside(self.lab, host.name, look, {}) == "", f"{host.name}: a lock that nobody should hold"

    def domains(self, host: str) -> list[str]:
        look = "[ ! -e /run/libvirt/libvirt-sock ] || virsh list --all --uuid"
        return faults.inside(self.lab, host, look, {}).split()


@dataclass
class Simulated:
    folder: Path
    inventory: Path
    victims: Sequence[str] = ("stead",)

    def strike(self, apply: subprocess.Popen[str], _victim: str) -> list[int]:
        return slain([apply.pid])

    def state(self) -> State:
        """Where a thing is placed depends on what was there before, and how often it is there does not."""
        return {"placed": sorted(one for one, _host, _uuid in self.things() if PLACED.search(one))}

    def check(self) -> None:
        seen = Counter(uuid for address, _host, uuid in self.things() if "/instances/" in address)
        assert not [uuid for uuid, times in seen.items() if times > 1]

    def things(self) -> list[tuple[str, str, str]]:
        state = SimulatedState(self.folder / ".stead" / "simulated.db")
        try:
            return [(str(row[0]), str(row[1]), str(row[2])) for portion in state.rows() for row in portion]
        finally:
            state.close()


def words(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""
