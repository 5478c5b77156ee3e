"""Volumes, on the host that keeps them. What is on them outlives instances, and is never touched here."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Dict, List, Mapping, Optional

from ..backup import staged
from ..base import ledger
from ..base.errors import Failed, FailureCode
from ..base.kind import HostKind, Seen
from ..base.step import HostStep
from ..base.work import Work
from ..hypervisor import drivers as hypervisors
from ..hypervisor.driver import grows
from ..images import image_files
from ..storage import disk_moves, drivers, found_files, instance_disks
from ..storage.driver import Content

if TYPE_CHECKING:
    from ...wire.volume import VolumeWant
    from ..observe.looking import Look
    from ..storage.driver import StoredDisk

LARGER = FailureCode("STEAD-E150", "a volume is larger than it should be")
ATTACHED = FailureCode("STEAD-E151", "a volume is still attached")
TOO_SMALL_FOR_IMAGE = FailureCode("STEAD-E152", "a volume cannot hold its image")
OTHER_POOL = FailureCode("STEAD-E153", "a snapshot is not where the volume is to be")
SOURCE_IN_USE = FailureCode("STEAD-E154", "the volume to copy is in use")
HERE = FailureCode("STEAD-E158", "the volume cannot come to this host")
DISK = "volume"  # what its one disk is called when it moves
NO_CONTENT = FailureCode("STEAD-E157", "the content of a backup is not on the host")
NO_SOURCE = FailureCode("STEAD-E155", "the volume to copy is not on the host")


def ensure(step: HostStep, work: Work) -> None:
    want = step["want"]
    serving = drivers.serving(want["pool"])
    if serving is not None:
        serving.start(want["pool"], work)
    disk_moves.end("volumes", want["uuid"], work)
    disk = drivers.volume(want)
    found_files.refuse_others(want, disk)
    former = _former(want["uuid"], disk)
    if disk_moves.arrived(step) or former is not None or not disk.exists():
        drivers.guard(want, work)
    if former is not None:
        _move(former, step, disk, work)
    elif not disk.exists():
        _make(want, disk, work)
    elif step.get("action") == "rebuild" and not _is_booked(step):
        _make_anew(want, disk, work)
    elif (left := _left(want["uuid"])) is not None:
        _clear(left, work)
    wanted, grown = disk.rounded(want["size"]), False
    size = disk.size() if disk.exists() else wanted
    if size > wanted:
        text = (
            "{0} has {1} bytes, more than the {2} that are wanted. A volume is never cut: if somebody enlarged it,"
            " write that size in the spec."
        )
        raise Failed(LARGER, text.format(disk.path, size, want["size"]))
    if size < wanted:
        _grow(want, disk, work)
        grown = True
    if serving is not None:
        serving.offer(want["pool"], want["uuid"], disk, want["size"], work, grown)


def _former(uuid: str, disk: StoredDisk) -> Optional[VolumeWant]:
    """How it is in another pool, or in another format, of this host. Pools may share a directory."""
    made = ledger.read("volumes", uuid)
    if made is None:
        return None
    before = drivers.volume(made["want"])
    return None if before.path == disk.path or not before.exists() or _is_same(before, disk) else made["want"]


def _left(uuid: str) -> Optional[VolumeWant]:
    """How it was before a move whose end was not reached."""
    made = ledger.read("volumes", uuid)
    return made.get("left") if made is not None else None


def _is_same(one: StoredDisk, other: StoredDisk) -> bool:
    """Under two names: by links, or by a directory that is mounted twice."""
    return os.path.exists(one.path) and os.path.exists(other.path) and os.path.samefile(one.path, other.path)


def _move(former: VolumeWant, step: HostStep, disk: StoredDisk, work: Work) -> None:
    """Until all of it is in the other pool, this one has it; from then on it is a remnant."""
    want, source = step["want"], drivers.volume(former)
    _refuse_users(want["uuid"], source.path, work)
    _withdraw(former, work)  # who has it open elsewhere is told of here
    disk_moves.within(source, disk, want["size"], work)
    if not work.check:
        ledger.moved(ledger.made_by(step), former)
    _clear(former, work)


def _is_booked(step: HostStep) -> bool:
    """Whether this very step was done: who repeats it loses nothing that was written since."""
    made = ledger.read("volumes", step["uuid"])
    return made is not None and made["digest"] == step["digest"]


def _make_anew(want: VolumeWant, disk: StoredDisk, work: Work) -> None:
    _refuse_users(want["uuid"], disk.path, work)
    _withdraw(want, work)
    drivers.guard(want, work)
    if not os.path.isfile(disk.path):  # a file is replaced when the new one is whole
        disk.remove(work)
    _make(want, disk, work)


def _clear(former: VolumeWant, work: Work) -> None:
    source = drivers.volume(former)
    _refuse_users(former["uuid"], source.path, work)
    source.remove(work)


def _refuse_users(uuid: str, path: str, work: Work) -> None:
    users = [guest.name for guest, _device in in_use(uuid, path, work)]
    if users:
        text = "{0} is in use by {1}. Stop that, and plan again."
        raise Failed(ATTACHED, text.format(path, ", ".join(users)))


def _withdraw(want: VolumeWant, work: Work) -> None:
    serving = drivers.serving(want["pool"])
    if serving is not None:
        serving.withdraw(want["pool"], want["uuid"], work)


def send(step: HostStep, work: Work) -> None:
    """Nobody may use it meanwhile: who is started is refused it by the lock of what reads it."""
    made = ledger.read("volumes", step["uuid"])
    want = made["want"] if made is not None else step["have"]
    disk = drivers.volume(want)
    _refuse_users(step["uuid"], disk.path, work)
    disk_moves.serve({DISK: (disk, want["size"])}, step, work)


def receive(step: HostStep, work: Work) -> None:
    """One that is here is another try's, or a remnant of what went to where it comes from now."""
    want = step["want"]
    disk = drivers.volume(want)
    if not ledger.wants("volumes", step["uuid"]) and disk.exists():
        text = "{0} is on this host already, and not in its ledger. Do hosts share its directory? Else move it away."
        raise Failed(HERE, text.format(disk.path))
    disk_moves.receive({DISK: (disk, want["size"])}, step, work)


def stay(step: HostStep, work: Work) -> None:
    disk_moves.stop(step["uuid"], work)


def report(entries: List[Dict[str, Any]], _look: Look) -> None:
    """A run was killed while it moved. Where another host has it, what is here is a remnant."""
    for entry in entries:
        if entry.get("going_to"):
            entry["moving"] = True


def remove(step: HostStep, work: Work) -> None:
    want = step.get("have")
    if want is None:
        return
    disk = drivers.volume(want)
    made = ledger.read("volumes", want["uuid"])
    find = in_use if made is not None and made.get("going_to") else _attached  # who is off goes after it
    users = [guest.name for guest, _device in find(want["uuid"], disk.path, work)] if disk.exists() else []
    if users and not work.check:  # of which another step may be what detaches it
        raise Failed(
            ATTACHED, "{0} is still attached to {1}. Detach it there first.".format(disk.path, ", ".join(users))
        )
    _withdraw(want, work)
    disk_moves.end("volumes", want["uuid"], work)
    disk.remove(work)


def restore(step: HostStep, work: Work) -> None:
    want = step["want"]
    serving = drivers.serving(want["pool"])
    if serving is not None:
        serving.restore(want["pool"], want["uuid"], drivers.volume(want), want["size"], work)


def seen(step: HostStep, look: Look) -> Seen:
    want = step["want"]
    disk = drivers.volume(want)
    if not disk.exists():
        return None
    size = disk.size()
    found: Dict[str, Any] = {}
    if size != disk.rounded(want["size"]):
        found["size"] = size
    serving = drivers.serving(want["pool"])
    left = _left(want["uuid"])
    if left is not None:
        found["pool"] = dict(want["pool"], path=drivers.volume(left).path)
    elif serving is not None and not serving.offers(want["pool"], want["uuid"], look.now):
        found["pool"] = dict(want["pool"], server="")
    return found


def _attached(uuid: str, path: str, work: Work) -> Any:
    return hypervisors.users_of(uuid, path, work.sessions)


def in_use(uuid: str, path: str, work: Work) -> Any:
    """(guest, what it calls the volume) of each that runs with it on this host."""
    return [one for one in _attached(uuid, path, work) if one[0].is_on()]


def _make(want: VolumeWant, disk: StoredDisk, work: Work) -> None:
    origin = want.get("origin") or {}
    if not origin:
        disk.blank(want["size"], work)
    elif "image" in origin:
        disk.fill(_image(origin["image"], want["size"], work), want["size"], work)
    elif "backup" in origin:
        _restored(origin["backup"], disk, want, work)
    elif "snapshot" in origin:
        _copy(_snapshot(origin["snapshot"], work), disk, want, work)
    else:
        _from_volume(origin["volume"], disk, want, work)


def _image(one: Mapping[str, Any], size: int, work: Work) -> Content:
    source, inside = image_files.standing(one, work)
    if inside > size:
        text = "The disk of image {0} has {1} bytes, the volume {2}. Give it a larger one."
        raise Failed(TOO_SMALL_FOR_IMAGE, text.format(one["address"], inside, size))
    return Content(source, "qcow2")


def _restored(one: Mapping[str, Any], disk: StoredDisk, want: VolumeWant, work: Work) -> None:
    """From what was brought here before this step began."""
    path = staged.content_of(want["uuid"], one["id"])
    if not work.check and not os.path.exists(path):
        text = "Backup {0} of {1} was not brought to this host: only `stead apply` does."
        raise Failed(NO_CONTENT, text.format(one["id"], one["of"]))
    disk.fill(Content(path, "raw"), want["size"], work)
    work.remove(path)


def _snapshot(one: Mapping[str, Any], work: Work) -> StoredDisk:
    source = drivers.snapshot(one["pool"], one["uuid"])
    if not work.check and not source.exists():
        text = "Snapshot {0} is not on this host: a volume is made from one in the same pool."
        raise Failed(OTHER_POOL, text.format(one["address"]))
    return source


def _from_volume(one: Mapping[str, Any], disk: StoredDisk, want: VolumeWant, work: Work) -> None:
    """On this host, or served by another."""
    made = ledger.read("volumes", one["uuid"])
    if made is not None:
        source = drivers.volume(made["want"])
        if in_use(one["uuid"], source.path, work):
            raise Failed(
                SOURCE_IN_USE, "Volume {0} is in use. Take a snapshot of it and copy that.".format(one["address"])
            )
        _copy(source, disk, want, work)
    elif drivers.shared(one["pool"]):
        _from_elsewhere(one, disk, want, work)
    else:
        raise Failed(
            NO_SOURCE,
            "Volume {0} is not on this host, so it cannot be copied here. Make the new one in its pool.".format(
                one["address"]
            ),
        )


def _from_elsewhere(one: Mapping[str, Any], disk: StoredDisk, want: VolumeWant, work: Work) -> None:
    drivers.reach([one], work)
    there = drivers.source(one["pool"], one["uuid"], "raw")
    disk.fill(Content(there.path, "raw", there.objects), want["size"], work, steady=True)
    if not instance_disks.is_used_here(one["uuid"]):
        drivers.leave([one], work)


def _copy(source: StoredDisk, disk: StoredDisk, want: VolumeWant, work: Work) -> None:
    """By whoever keeps both, which may take no time and is of one moment; else through qemu-img."""
    if type(source) is type(disk):
        source.clone(disk, work)
    else:
        disk.fill(Content(source.path, source.format), want["size"], work)


def _grow(want: VolumeWant, disk: StoredDisk, work: Work) -> None:
    active = in_use(want["uuid"], disk.path, work) if disk.exists() else []
    if not active or not drivers.driver(want["pool"]).held:
        disk.grow(want["size"], work)
    # A guest elsewhere is told by its own host.
    for guest, device in active if not drivers.shared(want["pool"]) else ():
        grows(guest).grow(device, want["size"], work)


KIND = HostKind(
    adopt=found_files.adopt,
    ensure=ensure,
    remove=remove,
    seen=seen,
    restore=restore,
    receive=receive,
    send=send,
    stay=stay,
    report=report,
    saved=drivers.volume,
)
