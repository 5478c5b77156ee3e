"""A lab that is there: its hosts, how to reach them, and what can happen to them. `lifecycle` makes and removes it."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from stead.lab import cgroups, links, outside
from stead.lab.codes import HOST_OFF, NO_ANSWER, NO_HOST, NO_LINK, refuse
from stead.lab.commands import try_run
from stead.lab.inventory import ssh_options
from stead.lab.layout import NEIGHBOUR, LabHost, LabLayout, Link
from stead.lab.paths import Rooms

# Seconds for a started host to answer ssh: it takes 2, and 20 when twelve start on two cores; a machine that does much
# else may need many times that, and a host that has ended is not waited for.
ANSWER_WITHIN = 240.0
OFF_WITHIN = 60.0  # seconds for an orderly shutdown, before the power is cut


@dataclass(frozen=True, slots=True, kw_only=True)
class LabHostState:
    host: LabHost
    running: bool
    answers: bool
    memory: int  # bytes held by its processes, guests included
    cut: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lab:
    layout: LabLayout
    rooms: Rooms

    @property
    def hosts(self) -> tuple[LabHost, ...]:
        return self.layout.hosts

    @property
    def inventory(self) -> Path:
        return self.rooms.inventory

    def host(self, name: str) -> LabHost:
        found = self.layout.host(name)
        if found is None:
            names = ", ".join(one.name for one in self.hosts)
            refuse(NO_HOST, f"There is no host {name!r} in lab {self.layout.name!r}. It has {names}.")
        return found

    def ssh_argv(self, name: str, argv: Sequence[str] = ()) -> list[str]:
        """The command that runs `argv` on a host, or as the neighbour; a shell when there is none."""
        if name == NEIGHBOUR:
            return outside.enter_argv(self.layout, argv)
        options = [word for option in ssh_options(self.rooms) for word in option.split(" ", 1)]
        return ["ssh", "-i", str(self.rooms.key), *options, f"root@{self.host(name).address}", *argv]

    def run(self, name: str, argv: Sequence[str], *, feed: str | None = None, timeout: float = 120) -> str:
        """What a command printed on a host. Its words arrive as they are given, whatever is in them."""
        words = list(argv) if name == NEIGHBOUR else [shlex.join(argv)]
        done = subprocess.run(
            self.ssh_argv(name, words), input=feed or "", capture_output=True, text=True, check=False, timeout=timeout
        )
        if done.returncode != 0:
            raise subprocess.CalledProcessError(done.returncode, [name, *argv], done.stdout, done.stderr)
        return done.stdout

    def console_argv(self, name: str, argv: Sequence[str] = ()) -> list[str]:
        """The same without network or sshd: straight into the host's namespaces."""
        leader = self.leader(self.host(name))
        if leader is None:
            refuse(HOST_OFF, f"{name} is off. `stead lab reboot {name}` switches it on.")
        return ["nsenter", "--target", str(leader), "--all", "--", *(argv or ("bash", "--login"))]

    def console_log(self, name: str) -> Path:
        return self.rooms.host(self.host(name).name) / "console.log"

    def leader(self, host: LabHost) -> int | None:
        """The process that is number 1 inside the host, or nothing when it is off."""
        try:
            pid = int((self.rooms.host(host.name) / "pid").read_text(encoding="utf-8"))
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8").split()
        except (OSError, ValueError):
            return None
        alive = pid in cgroups.processes(self.layout.name, f"{host.name}/box")  # not another process of that number
        return int(children[0]) if alive and children else None

    def status(self) -> list[LabHostState]:
        with ThreadPoolExecutor(max_workers=32) as pool:
            return list(pool.map(self.state, self.hosts))

    def state(self, host: LabHost) -> LabHostState:
        cut = self.rooms.host(host.name) / "cut"
        return LabHostState(
            host=host,
            running=self.leader(host) is not None,
            answers=greets(host.address),
            memory=cgroups.memory(self.layout.name, host.name),
            cut=tuple(sorted(mark.name for mark in cut.glob("*"))),
        )

    def start(self, hosts: Sequence[LabHost], within: float = ANSWER_WITHIN) -> None:
        """Switches on what is off and waits until all of them take an ssh login."""
        for host in hosts:
            if self.leader(host) is None:
                self.power_on(host)
        with ThreadPoolExecutor(max_workers=8) as pool:
            list(pool.map(lambda host: self.wait(host, within), hosts))

    def power_on(self, host: LabHost) -> None:
        cgroups.kill(self.layout.name, host.name)  # a keeper whose host died under it, or who has none yet
        groups = cgroups.make(self.layout.name, f"{host.name}/keeper")
        with (self.rooms.host(host.name) / "keeper.log").open("ab") as log:
            subprocess.Popen(
                [sys.executable, "-m", "stead.lab.keeper", str(self.rooms.top), host.name],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,
                # before its first instruction, and so before a lock of ours is free: whoever comes next finds it there
                preexec_fn=lambda: cgroups.enter(groups),  # noqa: PLW1509 - our threads have ended, or not begun
            )

    def wait(self, host: LabHost, within: float = ANSWER_WITHIN) -> None:
        """Until a login works: a greeting alone is given by an sshd that is about to be restarted, too."""
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            if "underlay" in self.state(host).cut:
                return
            if greets(host.address) and try_run(self.ssh_argv(host.name, ["true"])):
                return
            if not cgroups.processes(self.layout.name, host.name):
                refuse(NO_ANSWER, f"{host.name} has stopped. Its console said:\n{self.last_words(host)}")
            time.sleep(0.1)
        refuse(
            NO_ANSWER,
            f"{host.name} accepted no SSH login within {within:.0f} s. `stead lab console --name {self.layout.name}"
            f" {host.name} journalctl -b` shows its log. Its console said:\n{self.last_words(host)}",
        )

    def last_words(self, host: LabHost) -> str:
        logs = [self.rooms.host(host.name) / name for name in ("keeper.log", "console.log")]
        return "".join(log.read_text(encoding="utf-8", errors="replace")[-1500:] for log in logs if log.exists())

    def crash(self, host: LabHost) -> None:
        """A power cut: every process of the host at once, and its links with it."""
        self.forget_connection(host)
        cgroups.kill(self.layout.name, host.name)
        (self.rooms.host(host.name) / "pid").unlink(missing_ok=True)
        links.unplug(self.layout, host)

    def shut_down(self, host: LabHost) -> None:
        """An orderly end; the power is cut only when that takes too long."""
        with contextlib.suppress(OSError, ValueError):
            pid = int((self.rooms.host(host.name) / "pid").read_text(encoding="utf-8"))
            if self.leader(host) is not None:
                os.kill(pid, signal.SIGTERM)  # nspawn tells the host's systemd to power off
        deadline = time.monotonic() + OFF_WITHIN
        while cgroups.processes(self.layout.name, host.name) and time.monotonic() < deadline:
            time.sleep(0.05)
        self.crash(host)

    def reboot(self, hosts: Sequence[LabHost]) -> None:
        """Off in order and on again; a host that is off is switched on."""
        with ThreadPoolExecutor(max_workers=8) as pool:
            list(pool.map(self.shut_down, hosts))
        self.start(hosts)

    def link(self, host: LabHost, network: str) -> Link:
        found = next((link for link in host.links if network in (link.network, link.device)), None)
        if found is None:
            names = ", ".join(f"{link.network} ({link.device})" for link in host.links)
            refuse(NO_LINK, f"{host.name} has no link {network!r}. It has {names}.")
        return found

    def cut(self, host: LabHost, network: str = "underlay") -> None:
        link = self.link(host, network)
        marks = self.rooms.host(host.name) / "cut"
        marks.mkdir(exist_ok=True)
        (marks / link.network).touch()
        if link.network == "underlay":
            self.forget_connection(host)  # ssh would go on waiting on its shared connection
        links.set_link(self.layout, link, up=False)

    def heal(self, host: LabHost, network: str = "underlay") -> None:
        link = self.link(host, network)
        (self.rooms.host(host.name) / "cut" / link.network).unlink(missing_ok=True)
        links.set_link(self.layout, link, up=True)

    def forget_connection(self, host: LabHost) -> None:
        """Ends ssh's shared connection, which would outlive the host by a minute."""
        words = self.ssh_argv(host.name)
        try_run([*words[:1], "-O", "exit", *words[1:]])


def greets(address: str, patience: float = 0.3) -> bool:
    """Whether an sshd speaks at the address."""
    try:
        with socket.create_connection((address, 22), timeout=patience) as link:
            link.settimeout(5.0)
            return link.recv(4) == b"SSH-"
    except OSError:
        return False
