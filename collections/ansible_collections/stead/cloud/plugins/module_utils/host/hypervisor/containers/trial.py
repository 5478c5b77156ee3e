"""Whether a container runs here: a file system in a file, identifiers of its own, control groups, a program that ends.

A kernel or a host may lack any of them, and none of their files says so.
"""

from __future__ import annotations

import os
import tempfile

from ...base import commands, paths
from ...base.errors import Failed
from . import config

SAYS = 21  # what the first program ends with
SIZE = 8 << 20
WITHIN = 60  # seconds
NAME = "trial"
# The programs of the host, to read: a root file system of eight MiB has none.
PROGRAMS = ("bin", "lib", "lib64", "sbin")


def run() -> str:
    """Why none runs; empty where one did."""
    try:
        with tempfile.TemporaryDirectory(prefix=".trial-", dir=paths.ROOT) as place:
            return _run(place)
    except (Failed, OSError) as error:
        return str(error)


def _run(place: str) -> str:
    disk, root, folder = (os.path.join(place, name) for name in ("disk", "root", NAME))
    os.chmod(place, paths.PASSABLE)
    os.mkdir(root)
    os.mkdir(folder)
    with open(disk, "wb") as file:
        file.truncate(SIZE)
    commands.run(["mke2fs", "-q", "-t", "ext4", "-F", disk])
    commands.run(["mount", "-o", "loop,nodev", disk, root])
    try:
        for name in ("dev", "proc", "sys", "usr"):
            os.mkdir(os.path.join(root, name))
        for name in PROGRAMS:
            os.symlink("usr/" + name, os.path.join(root, name))
        with open(os.path.join(folder, "config"), "w", encoding="utf-8") as file:
            file.write(_config(root, os.path.join(place, "log")))
        words = ["lxc-execute", "--lxcpath", place, "--name", NAME, "--", "/bin/sh", "-c", "exit {0}".format(SAYS)]
        status, _out, said = commands.attempt(words, timeout=WITHIN)
        log = paths.read_bytes(os.path.join(place, "log")) or said.encode()
        return "" if status == SAYS else log.decode(errors="replace").strip()[-commands.TAIL :] or "it ended otherwise"
    finally:
        commands.run(["umount", root])


def _config(root: str, log: str) -> str:
    first = config.LAST
    lines = [
        "lxc.rootfs.path = dir:" + root,
        "lxc.rootfs.options = idmap=container",
        "lxc.idmap = u 0 {0} {1}".format(first, config.IDENTIFIERS),
        "lxc.idmap = g 0 {0} {1}".format(first, config.IDENTIFIERS),
        "lxc.mount.auto = proc:mixed sys:ro cgroup:mixed",
        "lxc.mount.entry = /usr usr none bind,ro 0 0",
        "lxc.net.0.type = empty",
        "lxc.log.file = " + log,
        "lxc.log.level = ERROR",
    ]
    return "".join(line + "\n" for line in lines)
