"""Snapshots: a copy of what was on a volume at one moment, which needs neither it nor its guest any more. Those of
instances are in `storage/instance_snapshots`.

Where a guest holds the disk that it uses, a volume in use is copied by its hypervisor, which holds the moment while the
guest goes on writing. Elsewhere its own pool does it: see `storage/driver`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..base import ledger
from ..base.errors import Failed, FailureCode
from ..base.kind import HostKind, Seen, nothing
from ..base.step import HostStep, Want
from ..base.work import Work
from ..hypervisor.driver import copies
from ..storage import drivers, instance_snapshots

if TYPE_CHECKING:
    from ..observe.looking import Look
    from ..storage.driver import StoredDisk

NO_VOLUME = FailureCode("STEAD-E156", "the volume of a snapshot is not on the host")


def ensure(step: HostStep, work: Work) -> None:
    want = step["want"]
    if "instance" in want:
        instance_snapshots.ensure(want, work)
    else:
        _of_volume(want, work)


def _of_volume(want: Want, work: Work) -> None:
    from . import volume

    copy = drivers.snapshot(want["pool"], want["uuid"])
    if copy.exists():
        return
    held = drivers.driver(want["pool"]).held
    if want["freeze"] and not held:
        raise drivers.unable(want["pool"], "it takes snapshots without asking the guest. Set freeze: false.")
    source = _source(want)
    if not source.exists():
        if work.check:
            work.done.append("snapshot of {0}".format(want["volume"]["address"]))
            return
        raise Failed(
            NO_VOLUME,
            "Volume {0} is not on this host. Apply it first, or correct `volume`.".format(want["volume"]["address"]),
        )
    active = volume.in_use(want["volume"]["uuid"], source.path, work)
    if active and held:
        guest, device = active[0]
        taking = copies(guest).copy

        keeping: Any = copy  # of a driver that leaves copies in use to the hypervisor
        work.act(
            "back up {0} in use".format(source.path), keeping.take, lambda path: taking({device: path}, want["freeze"])
        )
    else:
        source.clone(copy, work)


def _source(want: Want) -> StoredDisk:
    """A volume that was a file before Stead lies under its own name in the pool."""
    made = ledger.read("volumes", want["volume"]["uuid"])
    file = made["want"]["pool"].get("file") if made is not None else None
    pool = dict(want["pool"], file=file) if file else want["pool"]
    return drivers.disk(pool, want["volume"]["uuid"], want["format"])


def remove(step: HostStep, work: Work) -> None:
    want = step.get("have")
    if want is not None and "instance" in want:
        instance_snapshots.remove(want["uuid"], work)
    elif want is not None:
        drivers.snapshot(want["pool"], want["uuid"]).remove(work)


def seen(step: HostStep, _look: Look) -> Seen:
    want = step["want"]
    if "instance" in want:
        return {} if instance_snapshots.is_whole(want["uuid"]) else None
    return {} if drivers.snapshot(want["pool"], want["uuid"]).exists() else None


KIND = HostKind(ensure=ensure, remove=remove, seen=seen, restore=nothing)
