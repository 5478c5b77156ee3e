"""How a volume is reached by a guest, or by qemu-img: a file or a device of this host, or what another host serves.

QEMU speaks NFS and iSCSI by itself, and that is taken where it does: nothing is mounted, nothing is logged in, a
domain's definition is the same on every host, and a server that is away holds up its guests and not the host. A QEMU
without them (Red Hat's) has the kernel's clients, which is told from what QEMU itself says.
"""

from __future__ import annotations

from xml.etree import ElementTree as Xml

from ..base import commands
from ..base.elements import element
from . import iscsi_targets, kernel_clients, pools

_spoken = {}


def by_qemu(kind):
    """Whether this host's QEMU has a client for pools of the kind. One that has complains of the empty address only."""
    if kind not in _spoken:
        _status, out, said = commands.attempt(["qemu-img", "info", kind + ":"])
        _spoken[kind] = "Unknown protocol" not in out + said
    return _spoken[kind]


def disk(pool, uuid, form):
    """A disk element with its source, for the domain of an instance on this host."""
    if pools.is_served(pool) and not _by_kernel(pool):
        found = Xml.Element("disk", {"type": "network", "device": "disk"})
        source = element(found, "source", {"protocol": pools.kind(pool), "name": _named(pool, uuid, form)})
        port = {"port": iscsi_targets.PORT} if pools.kind(pool) == "iscsi" else {}  # NFS has its own way of telling
        element(source, "host", dict({"name": pool["server"]}, **port))
        return found
    path = local(pool, uuid, form)
    if _is_device(pool):
        found = Xml.Element("disk", {"type": "block", "device": "disk"})
        element(found, "source", {"dev": path})
        return found
    found = Xml.Element("disk", {"type": "file", "device": "disk"})
    source = element(found, "source", {"file": path})
    if pools.is_served(pool):  # whom the server takes everybody for can open it, and nobody can give it away
        element(source, "seclabel", {"model": "dac", "relabel": "no"})
    return found


def address(pool, uuid, form):
    """What qemu-img calls it on this host."""
    if not pools.is_served(pool) or _by_kernel(pool):
        return local(pool, uuid, form)
    slash = "" if pools.kind(pool) == "nfs" else "/"
    server = "[{0}]".format(pool["server"]) if ":" in pool["server"] else pool["server"]
    return "{0}://{1}{2}{3}".format(pools.kind(pool), server, slash, _named(pool, uuid, form))


def local(pool, uuid, form):
    if pools.is_served(pool):
        return kernel_clients.path_of(pool, uuid, form)
    return pools.path_of(pool, uuid, form)


def prepare(attached, work):
    """Before a guest starts, or is given a volume: nothing to do where QEMU does all of it."""
    for one in attached:
        if _by_kernel(one["pool"]):
            kernel_clients.reach(one["pool"], one["uuid"], work)


def leave(attached, work):
    """After the last guest of this host has let go of it."""
    for one in attached:
        if _by_kernel(one["pool"]):
            kernel_clients.leave(one["pool"], one["uuid"], work)


def _by_kernel(pool):
    return pools.is_served(pool) and not by_qemu(pools.kind(pool))


def _named(pool, uuid, form):
    if pools.kind(pool) == "nfs":
        return pools.path_of(pool, uuid, form)
    return "{0}/{1}".format(iscsi_targets.name_of(uuid), iscsi_targets.LUN)


def _is_device(pool):
    return pools.kind(pool) in pools.LOGICAL or (pools.kind(pool) == "iscsi" and pools.is_served(pool))
