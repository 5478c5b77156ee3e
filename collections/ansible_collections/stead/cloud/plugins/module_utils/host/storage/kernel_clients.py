"""The kernel's NFS and iSCSI clients, for hosts whose QEMU has none of its own.

A pool is mounted once for all volumes, by a unit that comes back at boot; a target is logged in to for as long as a
guest has the volume. Not tried on real hosts: the kernel that Stead is tested on has neither.
"""

from __future__ import annotations

import os
import re

from ..base import commands, paths
from ..base.errors import Failed
from . import iscsi_targets, pools

MOUNTS = paths.ROOT + "/mounts"
UNITS = "/etc/systemd/system"
READABLE = 0o644
# What open-iscsi says of a session that is there already, and of one that is not.
ALREADY, NONE = 15, 21
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


def path_of(pool, uuid, form):
    if pools.kind(pool) == "nfs":
        return os.path.join(mounted(pool), os.path.basename(pools.path_of(pool, uuid, form)))
    words = (pool["server"], iscsi_targets.PORT, iscsi_targets.name_of(uuid), iscsi_targets.LUN)
    return "/dev/disk/by-path/ip-{0}:{1}-iscsi-{2}-lun-{3}".format(*words)


def mounted(pool):
    return os.path.join(MOUNTS, pool["name"])


def reach(pool, uuid, work):
    if pools.kind(pool) == "nfs":
        _mount(pool, work)
    else:
        _log_in(pool, uuid, work)


def leave(pool, uuid, work):
    """A pool stays mounted for the next volume."""
    if pools.kind(pool) == "iscsi" and os.path.exists(path_of(pool, uuid, "raw")):
        portal = _portal(pool, uuid)
        _tell([*portal, "--logout"], NONE, work)
        _tell([*portal, "--op", "delete"], NONE, work)


def _mount(pool, work):
    at = mounted(pool)
    if not re.match(r"[A-Za-z0-9_.-]+\Z", pool["name"]) or any(one.isspace() for one in pools.folder(pool)):
        raise Failed("Pool {0} cannot be mounted: its name or path has signs that a unit has not.".format(pool["name"]))
    told = {"name": pool["name"], "host": pool["host"], "server": pool["server"], "path": pools.folder(pool), "at": at}
    unit = commands.run(["systemd-escape", "--path", "--suffix=mount", at]).strip()
    work.directory(at, paths.PASSABLE)
    if work.write(os.path.join(UNITS, unit), UNIT.format(**told), READABLE):
        work.run(["systemctl", "daemon-reload"])
    if commands.attempt(["systemctl", "is-active", "--quiet", unit])[0] != 0:
        work.run(["systemctl", "enable", "--now", "--quiet", unit])


def _log_in(pool, uuid, work):
    if os.path.exists(path_of(pool, uuid, "raw")):
        return
    portal = _portal(pool, uuid)
    work.run([*portal, "--op", "new"])
    work.run([*portal, "--op", "update", "--name", "node.startup", "--value", "automatic"])
    _tell([*portal, "--login"], ALREADY, work)
    work.run(["udevadm", "settle"])


def _portal(pool, uuid):
    portal = "{0}:{1}".format(pool["server"], iscsi_targets.PORT)
    return ["iscsiadm", "--mode", "node", "--targetname", iscsi_targets.name_of(uuid), "--portal", portal]


def _tell(words, fine, work):
    work.done.append(commands.shown(words))
    if not work.check:
        status, out, said = commands.attempt(words)
        if status not in (0, fine):
            raise Failed("`{0}` ended with status {1}: {2}".format(commands.shown(words), status, said or out))
