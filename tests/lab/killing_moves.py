"""Kills in the middle of a migration: after each, one apply, and then exactly one host runs the guest.

A kill counts when virsh was there to move the guest and the victim died. The moment is left to chance within the time
that an undisturbed move takes.
"""

from __future__ import annotations

import random
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from driving import Driven
from killing import children, slain
from killing_worlds import words
from waiting import patiently

from stead.core.address import Address
from stead.lab import faults
from stead.store import open_store

WEB = Address("acme", "instances", "left")
HOSTS = ("compute-1", "compute-2")
VICTIMS = ("stead", "virsh", "libvirtd of the source", "libvirtd of the target", "power of the target")
LOOK = 0.02


@dataclass
class KillingMoves:
    """`spec` makes the document that has the guest on a host."""

    site: Driven
    spec: Callable[[str], str]
    seed: int
    span: float = 0.0  # seconds that virsh takes, undisturbed
    tally: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)  # noqa: S311 - a seed that repeats it is what is wanted

    def prepare(self) -> None:
        self.site.write(self.spec(HOSTS[0]))
        self.site.apply()
        source, target = self.turned()
        with self.started() as apply:
            began = self.moving(apply)
            assert began, f"nothing moved from {source} to {target}"
            while drivers(apply.pid):
                time.sleep(LOOK)
            self.span = time.monotonic() - began
            apply.wait()
        self.one_runs()

    def kill(self, victim: str) -> bool:
        """Whether it was there."""
        source, target = self.turned()
        with self.started() as apply:
            if not self.moving(apply):
                return False
            time.sleep(self.random.uniform(0, self.span))
            died = self.strike(apply, victim, source, target)
            apply.wait()
        if victim.startswith("power"):
            self.site.lab.reboot([self.site.lab.host(target)])
        patiently(lambda: all(self.site.run(host, "virsh list --all --name") is not None for host in HOSTS))
        self.site.apply()
        self.site.assert_nothing_to_do()
        self.one_runs()
        self.tally[victim] += died
        return died

    def strike(self, apply: subprocess.Popen[str], victim: str, source: str, target: str) -> bool:
        lab = self.site.lab
        match victim:
            case "stead":
                return bool(slain([apply.pid]))
            case "virsh":
                return bool(slain(drivers(apply.pid)))
            case "libvirtd of the source" | "libvirtd of the target":
                return bool(faults.kill(lab, source if victim.endswith("source") else target, "libvirtd"))
        there = bool(drivers(apply.pid))
        lab.crash(lab.host(target))
        return there

    def turned(self) -> tuple[str, str]:
        """From now on the spec wants it on the other host."""
        store = open_store("", directory=self.site.folder / ".stead")
        try:
            source = store.recorded().resources[WEB].host
        finally:
            store.close()
        target = next(one for one in HOSTS if one != source)
        self.site.write(self.spec(target))
        return source, target

    def started(self) -> subprocess.Popen[str]:
        argv = self.site.argv("apply", "--auto-approve", "--quiet")
        return subprocess.Popen(
            argv, cwd=self.site.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True
        )

    def moving(self, apply: subprocess.Popen[str]) -> float:
        """When virsh began to move it; 0 when the run ended without."""
        while apply.poll() is None:
            if drivers(apply.pid):
                return time.monotonic()
            time.sleep(LOOK)
        return 0.0

    def one_runs(self) -> None:
        """And it is where the spec wants it, with nothing of it on the other."""
        running = [host for host in HOSTS for _name in self.domains(host, "--state-running")]
        defined = [host for host in HOSTS for _name in self.domains(host, "--all")]
        assert len(running) == 1, running
        assert running == defined

    def domains(self, host: str, which: str) -> list[str]:
        return [
            one for one in self.site.run(host, f"virsh list {which} --name").split() if one.endswith(f".{WEB.name}")
        ]


def drivers(pid: int) -> list[int]:
    """The processes below that move a guest."""
    return [one for one in children(pid) if "virsh\0" in words(one) and "\0migrate\0" in words(one)]
