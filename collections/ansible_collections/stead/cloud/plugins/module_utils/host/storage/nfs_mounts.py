"""The kernel's NFS client, for hosts whose QEMU has none of its own.

A pool is mounted once for all volumes, by a unit that comes back at boot. Not tried on real hosts: the kernel that
Stead is tested on has no such client.
"""

from __future__ import annotations

import os
import re

from ..base import commands, paths
from ..base.errors import Failed, FailureCode
from ..base.work import Work
from . import file_disks
from .driver import Pool

UNMOUNTABLE = FailureCode("STEAD-E122", "the pool's name or path cannot be in a mount unit")

MOUNTS = paths.ROOT + "/mounts"
UNITS = "/etc/systemd/system"
READABLE = 0o644
UNIT = """# Stead's: pool {name} of {host}.
[Unit]
After=network-online.target
Wants=network-online.target
Before=libvirtd.service virtqemud.service

[Mount]
What={server}:{path}
Where={at}
Type=nfs
# A server that is away makes guests wait, and never loses what they wrote.
Options=vers=3,proto=tcp,hard,nolock,nosuid,nodev,noexec,_netdev

[Install]
WantedBy=remote-fs.target
"""


def mounted(pool: Pool) -> str:
    return os.path.join(MOUNTS, pool["name"])


def path_of(pool: Pool, name: str, form: str) -> str:
    return os.path.join(mounted(pool), os.path.basename(file_disks.path_of(pool, name, form)))


def mount(pool: Pool, work: Work) -> None:
    at, path = mounted(pool), file_disks.folder(pool)
    if not re.match(r"[A-Za-z0-9_.-]+\Z", pool["name"]) or any(one.isspace() for one in path):
        text = "Pool {0} at {1}: name it in letters, digits and `_.-`, and let its path have no spaces."
        raise Failed(UNMOUNTABLE, text.format(pool["name"], path))
    told = {"name": pool["name"], "host": pool["host"], "server": pool["server"], "path": path, "at": at}
    unit = commands.run(["systemd-escape", "--path", "--suffix=mount", at]).strip()
    work.directory(at, paths.PASSABLE)
    if work.write(os.path.join(UNITS, unit), UNIT.format(**told), READABLE):
        work.run(["systemctl", "daemon-reload"])
    if commands.attempt(["systemctl", "is-active", "--quiet", unit])[0] != 0:
        work.run(["systemctl", "enable", "--now", "--quiet", unit])
