"""Makes a lab and removes it. The way in for the command line and for tests.

`up` may be run again and starts what is off; `down` removes everything that carries the lab's name, whatever state a
crash or a half-finished `up` left it in. One of them at a time for a lab; other labs are not held up.
"""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import os
import shlex
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from stead.lab import cgroups, links, outside, paths
from stead.lab.base import Base
from stead.lab.base_cache import ensure_base, make_room
from stead.lab.codes import LAB_DIFFERS, NO_LAB, NO_OVERLAY, refuse
from stead.lab.commands import need, need_root, try_run
from stead.lab.host import known_hosts, new_key, personalise
from stead.lab.inventory import to_yaml
from stead.lab.layout import LabLayout, from_json, lay_out, to_json
from stead.lab.locking import locked, take
from stead.lab.paths import Rooms
from stead.lab.site import ANSWER_WITHIN, Lab
from stead.lab.sizes import Sizes, check_name

TOOLS = ("systemd-nspawn", "ip", "ssh", "ssh-keygen", "unshare", "nsenter", "mount")
# What hosts use of the machine's kernel, for kernels that keep it in modules: a host may not load any.
MODULES = ("overlay", "bridge", "veth", "vxlan", "tun", "nf_tables", "fuse", "kvm_intel", "kvm_amd", "vhost_net")
# All hosts' root is one user to the kernel, and each systemd holds about eight inotify objects: with the usual 128 the
# thirteenth host stops in the middle of its boot. The only thing of the machine that a lab changes and leaves so.
LIMITS = {Path("/proc/sys/fs/inotify/max_user_instances"): 8192}
ROOM = 2**30  # bytes a lab's own files need to begin with
FENCE_ENVIRONMENT = ("STEAD_LAB_HOME", "STEAD_LAB_CACHE")
GOING = 100  # times that something may go, or come, just before it is looked at


def quiet(_: str) -> None:
    """Says nothing; what a program that uses the library passes for progress."""


def bring_up(sizes: Sizes, name: str, say: Callable[[str], None] = quiet) -> Lab:
    """The lab with all hosts answering; made if it is not there, completed if it is there in part."""
    need_root()
    need(*TOOLS)
    rooms = paths.rooms(check_name(name))
    base = ensure_base(say)
    try_run(["modprobe", "--all", "--quiet", *MODULES])
    raise_limits()
    with lab_lock(rooms):
        probe_overlay(rooms, base)
        lab = Lab(layout=settle(sizes, name, rooms), rooms=rooms)
        say("hosts")
        prepare(lab, base)
        links.build_switch(lab.layout)
        outside.start(lab.layout, rooms, base)
        lab.start(lab.hosts)
        outside.wait(lab.layout, rooms, ANSWER_WITHIN)
    return lab


def raise_limits() -> None:
    for path, least in LIMITS.items():
        if int(path.read_text(encoding="utf-8")) < least:
            path.write_text(str(least), encoding="utf-8")


def probe_overlay(rooms: Rooms, base: Base) -> None:
    """Mounts one and lets it go, since only the kernel knows which file systems may hold an overlay's upper layer."""
    trial = rooms.top / "trial"
    for name in ("upper", "work", "root"):
        (trial / name).mkdir(parents=True, exist_ok=True)
    options = f"lowerdir={base.bare},upperdir={trial / 'upper'},workdir={trial / 'work'}"
    mount = ["mount", "-t", "overlay", "stead-lab-trial", "-o", options, str(trial / "root")]
    if not try_run(["unshare", "--mount", "--propagation=private", *mount]):
        refuse(
            NO_OVERLAY,
            f"An overlay with its upper layer in {rooms.top} cannot be mounted. It needs a kernel with overlayfs, and a"
            " directory on ext4, xfs, btrfs or tmpfs, not itself on an overlay: set STEAD_LAB_HOME to one that is.",
        )
    shutil.rmtree(trial)


def settle(sizes: Sizes, name: str, rooms: Rooms) -> LabLayout:
    """The layout there is, or a new one on a subnet that nobody has; one at a time, so that no two labs share it."""
    with locked(paths.GLOBAL_LOCK):
        known = read_layout(rooms)
        taken = [ipaddress.IPv4Network(one.underlay) for one in all_layouts() if one.name != name]
        underlay = sizes.underlay or (ipaddress.IPv4Network(known.underlay) if known else links.free_subnet(taken))
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
    write_whole(rooms.fence_agent, fence_program(lab.layout.name))
    rooms.fence_agent.chmod(0o755)
    write_whole(rooms.inventory, to_yaml(lab.layout, rooms))


def open_lab(name: str) -> Lab:
    rooms = paths.rooms(check_name(name))
    layout = read_layout(rooms)
    if layout is None:
        names = ", ".join(one.name for one in all_layouts())
        there = f"There are {names}." if names else "There is none; `stead lab up` makes one."
        refuse(NO_LAB, f"There is no lab {name!r}. {there}")
    return Lab(layout=layout, rooms=rooms)


def take_down(name: str) -> bool:
    """Whether there was anything to remove."""
    need_root()
    rooms = paths.rooms(check_name(name))
    there = rooms.top.exists()
    with lab_lock(rooms):
        layout = read_layout(rooms)
        if layout is not None:
            for host in layout.hosts:
                Lab(layout=layout, rooms=rooms).forget_connection(host)
            wires_left = cgroups.processes(name) or links.has_namespace(layout.switch)
            cgroups.kill(name)
            links.remove_network(layout)
        else:
            wires_left = sweep(name)
        remove_tree(rooms.top)
    with contextlib.suppress(OSError):
        rooms.top.parent.rmdir()  # when this was the last lab
    return there or bool(wires_left)


def remove_tree(top: Path) -> None:
    """Beside the last of ssh's shared connections, which remove their sockets when they see that the host is gone."""
    for _ in range(GOING):
        try:
            shutil.rmtree(top)
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ENOTEMPTY):
                raise
        else:
            return
    shutil.rmtree(top)


def sweep(name: str) -> bool:
    """Remove by name alone, for a lab whose layout was never written or is lost."""
    left = [path.name for path in links.NETNS.glob(f"stead-{name}*") if path.name.split(".")[0] == f"stead-{name}"]
    found = bool(cgroups.processes(name) or left)
    cgroups.kill(name)
    for namespace in left:
        links.remove_namespace(namespace)
    return try_run(["ip", "link", "delete", f"sl-{name}"]) or found


def read_layout(rooms: Rooms) -> LabLayout | None:
    try:
        return from_json(rooms.layout.read_text(encoding="utf-8"))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def all_layouts() -> list[LabLayout]:
    found = (read_layout(Rooms(top=path.parent)) for path in sorted(paths.home().glob("*/lab.json")))
    return [one for one in found if one is not None]


@contextlib.contextmanager
def lab_lock(rooms: Rooms) -> Iterator[None]:
    """One command at a time may change a lab. `down` removes the lock's file too, so who waited for it looks again."""
    while True:
        with open_lock(rooms) as held:
            take(held)
            if os.fstat(held.fileno()).st_nlink:
                yield
                return


def open_lock(rooms: Rooms) -> IO[str]:
    """The last lab's `down` removes the directory of all labs, maybe just after it was made for this one."""
    for _ in range(GOING):
        with contextlib.suppress(FileNotFoundError):
            rooms.top.mkdir(parents=True, exist_ok=True)
            return rooms.lock.open("w", encoding="utf-8")
    return rooms.lock.open("w", encoding="utf-8")


def fence_program(lab: str) -> str:
    """What a lab's inventory names: it finds this lab whatever the environment of who calls it."""
    source = Path(__file__).parents[2]
    words = [
        f"PYTHONPATH={source}",
        *(f"{name}={value}" for name in FENCE_ENVIRONMENT if (value := os.environ.get(name))),
    ]
    return f"#!/bin/sh\nexec env {shlex.join([*words, sys.executable, '-m', 'stead.lab.fence_agent', lab])}\n"
