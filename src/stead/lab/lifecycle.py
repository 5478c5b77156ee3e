"""A lab's life: up, down, and what can happen to its hosts between. The way in for the command line and for tests.

`up` may be run again and starts what is off; `down` removes everything that carries the lab's name, whatever state a
crash or a half-finished `up` left it in. One of them at a time for a lab; other labs are not held up.
"""

from __future__ import annotations

import contextlib
import fcntl
import ipaddress
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from stead.lab import cgroups, places, wires
from stead.lab.base import Base, ensure_base, locked, make_room
from stead.lab.codes import HOST_OFF, LAB_DIFFERS, NO_ANSWER, NO_HOST, NO_LAB, NO_LINK, refuse
from stead.lab.commands import need, need_root, try_run
from stead.lab.host import known_hosts, new_key, personalise
from stead.lab.inventory import ssh_options, to_yaml
from stead.lab.layout import NEIGHBOUR, LabHost, Layout, Link, from_json, lay_out, to_json
from stead.lab.places import Rooms
from stead.lab.sizes import Sizes, check_name

TOOLS = ("systemd-nspawn", "ip", "ssh", "ssh-keygen", "unshare", "nsenter", "mount")
ANSWER_WITHIN = 60.0  # seconds for a started host to answer ssh: it takes 2, and 20 when twelve start on two cores
OFF_WITHIN = 15.0  # seconds for an orderly shutdown, before the power is cut
ROOM = 2**30  # bytes a lab's own files need to begin with


def quiet(_: str) -> None:
    """Says nothing; what a program that uses the library passes for progress."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostState:
    host: LabHost
    running: bool
    answers: bool
    memory: int  # bytes held by its processes, guests included
    cut: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lab:
    layout: Layout
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
        """The command that runs `argv` on a host, or in the neighbour's namespace; a shell when there is none."""
        if name == NEIGHBOUR:
            return ["ip", "netns", "exec", self.layout.neighbour, *(argv or ("bash",))]
        options = [word for option in ssh_options(self.rooms) for word in option.split(" ", 1)]
        return ["ssh", "-i", str(self.rooms.key), *options, f"root@{self.host(name).address}", *argv]

    def run(self, name: str, argv: Sequence[str], *, feed: str | None = None, timeout: float = 120) -> str:
        """What a command printed on a host. Its words arrive as they are given, whatever is in them."""
        import shlex

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

    def status(self) -> list[HostState]:
        with ThreadPoolExecutor(max_workers=32) as pool:
            return list(pool.map(self.state, self.hosts))

    def state(self, host: LabHost) -> HostState:
        cut = self.rooms.host(host.name) / "cut"
        return HostState(
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
        cgroups.kill(self.layout.name, host.name)  # a keeper whose host died under it
        with (self.rooms.host(host.name) / "keeper.log").open("ab") as log:
            subprocess.Popen(
                [sys.executable, "-m", "stead.lab.keeper", str(self.rooms.top), host.name],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,
            )

    def wait(self, host: LabHost, within: float = ANSWER_WITHIN) -> None:
        """Until a login works: a greeting alone is given by an sshd that is about to be restarted, too."""
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            if "underlay" in self.state(host).cut:
                return
            if greets(host.address) and try_run(self.ssh_argv(host.name, ["true"])):
                return
            time.sleep(0.1)
        top = self.rooms.host(host.name)
        said = "".join((top / name).read_text(errors="replace")[-1500:] for name in ("keeper.log", "console.log"))
        refuse(NO_ANSWER, f"{host.name} took no ssh login within {within:.0f} s. It said:\n{said}")

    def crash(self, host: LabHost) -> None:
        """A power cut: every process of the host at once, and its links with it."""
        self.forget_connection(host)
        cgroups.kill(self.layout.name, host.name)
        (self.rooms.host(host.name) / "pid").unlink(missing_ok=True)
        wires.unplug(self.layout, host)

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
        if self.leader(host) is not None:
            wires.set_link(self.layout, link, up=False)

    def heal(self, host: LabHost, network: str = "underlay") -> None:
        link = self.link(host, network)
        (self.rooms.host(host.name) / "cut" / link.network).unlink(missing_ok=True)
        if self.leader(host) is not None:
            wires.set_link(self.layout, link, up=True)

    def forget_connection(self, host: LabHost) -> None:
        """Ends ssh's shared connection, which would outlive the host by a minute."""
        words = self.ssh_argv(host.name)
        try_run([*words[:1], "-O", "exit", *words[1:]])

    def down(self) -> None:
        with lab_lock(self.rooms):
            for host in self.hosts:
                self.forget_connection(host)
            cgroups.kill(self.layout.name)
            wires.remove_network(self.layout)
            shutil.rmtree(self.rooms.top, ignore_errors=True)


def greets(address: str, patience: float = 0.3) -> bool:
    """Whether an sshd speaks at the address."""
    try:
        with socket.create_connection((address, 22), timeout=patience) as link:
            link.settimeout(2.0)
            return link.recv(4) == b"SSH-"
    except OSError:
        return False


def bring_up(sizes: Sizes, name: str, say: Callable[[str], None] = quiet) -> Lab:
    """The lab with all hosts answering; made if it is not there, completed if it is there in part."""
    need_root()
    need(*TOOLS)
    rooms = places.rooms(check_name(name))
    base = ensure_base(say)
    with lab_lock(rooms):
        lab = Lab(layout=settle(sizes, name, rooms), rooms=rooms)
        say("hosts")
        prepare(lab, base)
        wires.build_switch(lab.layout)
        start_neighbour(lab)
        lab.start(lab.hosts)
    return lab


def settle(sizes: Sizes, name: str, rooms: Rooms) -> Layout:
    """The layout there is, or a new one on a subnet that nobody has; one at a time, so that no two labs share it."""
    with locked(places.GLOBAL_LOCK):
        known = read_layout(rooms)
        taken = [ipaddress.IPv4Network(one.underlay) for one in all_layouts() if one.name != name]
        underlay = sizes.underlay or (ipaddress.IPv4Network(known.underlay) if known else wires.free_subnet(taken))
        layout = lay_out(sizes, name, underlay)
        if known and known != layout:
            refuse(
                LAB_DIFFERS,
                f"Lab {name!r} is there with other hosts or networks. `stead lab down --name {name}` removes it; or"
                " give this one another name.",
            )
        make_room(rooms.top, ROOM)
        write_whole(rooms.layout, to_json(layout))
    return layout


def write_whole(path: Path, text: str) -> None:
    """All of the file or none of it, so that `down` can always read what `up` began."""
    new = path.with_name(f".{path.name}.new")
    new.write_text(text, encoding="utf-8")
    new.replace(path)


def prepare(lab: Lab, base: Base) -> None:
    rooms = lab.rooms
    anchor = rooms.top / "base"
    if not anchor.is_symlink():  # a lab stays on the tree it was made from
        anchor.symlink_to(base.top)
    rooms.sockets.mkdir(exist_ok=True, mode=0o700)
    new_key(rooms.key, f"stead-lab-{lab.layout.name}")
    fresh = [host for host in lab.hosts if not (rooms.host(host.name) / "ready").exists()]
    for host in fresh:
        personalise(lab.layout, host, rooms)
        (rooms.host(host.name) / "ready").touch()
    write_whole(rooms.known_hosts, known_hosts(lab.layout, rooms))
    write_whole(rooms.inventory, to_yaml(lab.layout, rooms))


def start_neighbour(lab: Lab) -> None:
    if cgroups.processes(lab.layout.name, NEIGHBOUR):
        return
    groups = cgroups.make(lab.layout.name, NEIGHBOUR)
    subprocess.Popen(
        ["ip", "netns", "exec", lab.layout.neighbour, sys.executable, "-m", "stead.lab.neighbour"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        start_new_session=True,
        preexec_fn=lambda: cgroups.enter(groups),  # noqa: PLW1509 - nothing else runs in this process yet
    )


def open_lab(name: str) -> Lab:
    rooms = places.rooms(check_name(name))
    layout = read_layout(rooms)
    if layout is None:
        names = ", ".join(one.name for one in all_layouts())
        there = f"There are {names}." if names else "There is none; `stead lab up` makes one."
        refuse(NO_LAB, f"There is no lab {name!r}. {there}")
    return Lab(layout=layout, rooms=rooms)


def take_down(name: str) -> bool:
    """Whether there was anything to remove."""
    need_root()
    rooms = places.rooms(check_name(name))
    layout = read_layout(rooms)
    if layout is not None:
        Lab(layout=layout, rooms=rooms).down()
        return True
    return sweep(name, rooms)


def sweep(name: str, rooms: Rooms) -> bool:
    """Remove by name alone, for a lab whose layout was never written or is lost."""
    left = [path.name for path in wires.NETNS.glob(f"stead-{name}.*")] if wires.NETNS.exists() else []
    groups = cgroups.processes(name)
    cgroups.kill(name)
    for namespace in (*left, f"stead-{name}"):
        wires.remove_namespace(namespace)
    link = try_run(["ip", "link", "delete", f"sl-{name}"])
    there = rooms.top.exists()
    shutil.rmtree(rooms.top, ignore_errors=True)
    return bool(left or groups or link or there)


def read_layout(rooms: Rooms) -> Layout | None:
    try:
        return from_json(rooms.layout.read_text(encoding="utf-8"))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def all_layouts() -> list[Layout]:
    found = (read_layout(Rooms(top=path.parent)) for path in sorted(places.home().glob("*/lab.json")))
    return [one for one in found if one is not None]


@contextlib.contextmanager
def lab_lock(rooms: Rooms) -> Iterator[None]:
    """One command at a time may change a lab. `down` removes the lock's file too, so who waited for it looks again."""
    while True:
        rooms.top.mkdir(parents=True, exist_ok=True)
        rooms.top.chmod(0o755)
        with rooms.lock.open("w", encoding="utf-8") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            if not rooms.lock.exists() or rooms.lock.stat().st_ino != os.fstat(held.fileno()).st_ino:
                continue
            yield
            return
