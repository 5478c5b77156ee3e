"""Snapshots of volumes: a copy of what was on the volume at one moment, which needs neither it nor its guest any more.

In a pool of type dir a volume in use is copied by its hypervisor, which holds the moment while the guest goes on
writing. In the others its own pool does it: see `disks`.
"""

from __future__ import annotations

from ..base.errors import Failed
from ..base.kind import HostKind, nothing
from ..hypervisor.driver import copies
from ..storage import disks, pools


def ensure(step, work):
    from . import volume

    want = step["want"]
    copy = disks.snapshot(want["pool"], want["uuid"])
    if copy.exists():
        return
    if want["freeze"] and pools.kind(want["pool"]) != "dir":
        text = "In pool {0} of type {1} snapshots are taken without asking the guest. Set freeze: false."
        raise Failed(text.format(want["pool"]["name"], pools.kind(want["pool"])))
    source = disks.disk(want["pool"], want["volume"]["uuid"], want["format"])
    if not source.exists():
        if work.check:
            work.done.append("snapshot of {0}".format(want["volume"]["address"]))
            return
        raise Failed("Volume {0} is not on this host.".format(want["volume"]["address"]))
    active = volume.in_use(want["volume"]["uuid"], source.path, work)
    if active and pools.kind(want["pool"]) == "dir":
        guest, device = active[0]
        taking = copies(guest).copy
        work.act("back up {0} in use".format(source.path), copy.take, lambda path: taking(device, path, want["freeze"]))
    else:
        source.clone(copy, work)


def remove(step, work):
    want = step.get("have")
    if want is not None:
        disks.snapshot(want["pool"], want["uuid"]).remove(work)


def seen(step, _look):
    want = step["want"]
    return {} if disks.snapshot(want["pool"], want["uuid"]).exists() else None


KIND = HostKind(ensure=ensure, remove=remove, seen=seen, restore=nothing)
