"""Whether what serves a pool to other hosts runs, and can be used. It sets nothing up: the role storage does."""

from __future__ import annotations

import os
import socket
import time

from ..base import commands
from ..base.errors import Failed
from . import attach, iscsi_targets, pools

PORTS = {"nfs": 2049, "iscsi": iscsi_targets.PORT}
# Either serves NFS, by what the role storage wrote for it.
NFS = ("stead-nfs.service", "nfs-server.service")
SETTINGS = {"stead-nfs.service": "/etc/stead/ganesha.conf", "nfs-server.service": "/etc/exports.d/stead.exports"}
PATIENCE = 3  # seconds
AGAIN = 0.1


def runs(pool, now):
    """As its unit says. Of iSCSI the targets say it."""
    if pools.kind(pool) != "nfs" or not pools.is_served(pool):
        return True
    units = [now.unit(name) for name in NFS]
    return any(unit is not None and unit.active for unit in units) and exported(pools.folder(pool))


def start(pool, work):
    """What was set up here, and somebody stopped."""
    if not runs(pool, work.now):
        for name in NFS:
            if work.now.unit(name) is not None and os.path.exists(SETTINGS[name]):
                work.run(["systemctl", "start", name])
                return


def require(pool, work):
    """Of a pool that is served. In check mode it may be another task that starts the server."""
    if not pools.is_served(pool) or work.check:
        return
    why = silent(pool["server"], PORTS[pools.kind(pool)])
    if why:
        text = "Nothing serves {0} at {1} ({2}). Give this host the role storage, and run `stead bootstrap` for it."
        raise Failed(text.format(pools.kind(pool), pool["server"], why))
    if pools.kind(pool) == "nfs" and not exported(pools.folder(pool)):
        text = (
            "{0} is exported to nobody. Declare the pool in stead_pools of this host, and run `stead bootstrap` for it."
        )
        raise Failed(text.format(pools.folder(pool)))


def silent(server, port):
    """Why nobody answers there; empty when somebody does. Who was started a moment ago does not listen yet."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            socket.create_connection((server, port), PATIENCE).close()
        except OSError as error:
            if time.monotonic() < until:
                time.sleep(AGAIN)
                continue
            return error.strerror or str(error)
        return ""


def exported(path):
    """By nfs-ganesha as the role configures it, or by the kernel."""
    for file, wanted in (("/etc/stead/ganesha.conf", 'Path = "{0}";'), ("/etc/exports.d/stead.exports", "{0} ")):
        try:
            with open(file, encoding="utf-8") as text:
                if any(line.strip().startswith(wanted.format(path)) for line in text):
                    return True
        except FileNotFoundError:
            continue
    return False


def reaches(portals):
    """pool -> why this host cannot use it, of pools that other hosts serve; empty where it can."""
    return {name: silent(one["server"], PORTS[one["type"]]) for name, one in portals.items()}


def speechless(kinds):
    """Those kinds of pools that neither QEMU nor the kernel of this host has a client for."""
    programs = {"nfs": ["mount.nfs", "-V"], "iscsi": ["iscsiadm", "--version"]}
    return [kind for kind in sorted(kinds) if not _spoken(kind) and not _runs(programs[kind])]


def _spoken(kind):
    try:
        return attach.by_qemu(kind)
    except Failed:  # there is no qemu-img
        return False


def _runs(argv):
    try:
        return commands.attempt(argv)[0] == 0
    except Failed:
        return False
