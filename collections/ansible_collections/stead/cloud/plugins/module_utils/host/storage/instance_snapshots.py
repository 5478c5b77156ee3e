"""Snapshots of instances: copies of the disks that their host keeps in files, all as they were at one moment.

A list beside the copies says which disks they are of. It is written before anything is copied, so that what a killed
run has left is known, and says that all is there once it is. Going back is noted in the same way: until it has ended,
the guest is not started, and whoever comes next ends it. Memory is no part of either.
"""

from __future__ import annotations

import json
import os
from typing import Any, Dict, Iterator, List, Mapping, NamedTuple, Optional

from ..base import commands, ledger, paths
from ..base.errors import Failed, FailureCode
from ..base.step import HostStep, Want
from ..base.work import Work
from ..hypervisor import drivers as hypervisors
from ..hypervisor.driver import Guest, copies
from . import drivers, instance_disks
from .driver import Content

NO_INSTANCE = FailureCode("STEAD-E165", "the instance of a snapshot is not on the host")
NO_ROOM = FailureCode("STEAD-E166", "the pool has no room for a snapshot")
NOT_WHOLE = FailureCode("STEAD-E167", "the instance cannot go back to this snapshot")
NEEDED = FailureCode("STEAD-E168", "an instance is going back to this snapshot")
UNFINISHED = FailureCode("STEAD-E169", "the instance is half back at a snapshot")


class HeldDisk(NamedTuple):
    """A disk of an instance of which a copy is made."""

    name: str  # "root", "swap", "ephemeral", or the UUID of a volume
    disk: Any  # StoredDisk, of a driver that leaves copies in use to the hypervisor
    pool: Mapping[str, Any]
    size: int

    def copy(self, uuid: str) -> Any:
        return _copy(self.pool, uuid, self.name)


def _copy(pool: Mapping[str, Any], uuid: str, name: str) -> Any:
    """Beside the disk: a volume that was a file before Stead has a pool that names that file."""
    beside = {word: said for word, said in pool.items() if word != "file"}
    return drivers.snapshot(beside, "{0}.{1}".format(uuid, name))


def ensure(want: Want, work: Work) -> None:
    if is_whole(want["uuid"]):
        return
    made = ledger.read("instances", want["instance"]["uuid"])
    if work.check:
        work.done.append("snapshot of {0}".format(want["instance"]["address"]))
        return
    if made is None:
        text = "Instance {0} is not on this host. Apply it first, or correct `instance`."
        raise Failed(NO_INSTANCE, text.format(want["instance"]["address"]))
    guest = hypervisors.find(made["uuid"], work.sessions, made["want"]["hypervisor"])
    _clear(want["uuid"], guest, work)
    refuse_unfinished(made["uuid"])
    disks = list(_held(made["want"]))
    _refuse_full(disks)
    listed = [{"name": one.name, "pool": one.pool, "size": one.size} for one in disks]
    known = {"address": made["address"], "uuid": made["uuid"], "disks": listed}
    _write(want["uuid"], known)
    try:
        frozen = _take(disks, want, guest, work)
    except Failed:
        _clear(want["uuid"], guest, work)  # half a snapshot only takes room
        raise
    _write(want["uuid"], {**known, "whole": True, "frozen": frozen})


def _take(disks: List[HeldDisk], want: Want, guest: Optional[Guest], work: Work) -> bool:
    if guest is None or not guest.is_on():
        for one in disks:
            one.copy(want["uuid"]).fill(Content(one.disk.path, one.disk.format), one.size, work)
        return True  # nobody was writing
    frozen = _in_use(disks, want, guest)
    work.done.append("copy {0} disks of {1} in use".format(len(disks), guest.name))
    if not frozen:
        work.done.append("no agent froze its file systems: they are as after a power cut")
    return frozen


def _in_use(disks: List[HeldDisk], want: Want, guest: Guest) -> bool:
    frozen: List[bool] = []

    def begin(left: List[HeldDisk], places: Dict[str, str]) -> None:
        if not left:
            frozen.append(copies(guest).copy(places, want["freeze"] or None))
            return
        one = left[0]
        device = guest.device_of(one.name, one.disk.path)
        if device is None:
            raise Failed(NO_INSTANCE, "The guest has not attached {0}. Apply the instance.".format(one.disk.path))
        one.copy(want["uuid"]).take(lambda path: begin(left[1:], {**places, device: path}))

    begin(disks, {})
    return frozen[0]


def _held(want: Want) -> Iterator[HeldDisk]:
    """What its hypervisor holds at one moment, and nobody else writes to."""
    root = want["root"]
    for name, (disk, size) in sorted(instance_disks.own(want).items()):
        if drivers.driver(root["pool"]).held:
            yield HeldDisk(name, disk, root["pool"], size)
    for one in instance_disks.attached(want):
        if drivers.driver(one["pool"]).held and not one.get("shareable"):
            disk = drivers.disk(one["pool"], one["uuid"], one["format"])
            yield HeldDisk(one["uuid"], disk, one["pool"], disk.size())


def _refuse_full(disks: List[HeldDisk]) -> None:
    """Guests write to the same pools, and would stop at one that is full."""
    needed: Dict[str, int] = {}
    for one in disks:
        place = os.path.dirname(one.disk.path)
        needed[place] = needed.get(place, 0) + _takes(Content(one.disk.path, one.disk.format))
        _refuse(one.pool, needed[place])


def _takes(source: Content) -> int:
    words = ["qemu-img", "measure", "-U", "--output=json", "-f", source.format, "-O", "qcow2", source.path]
    return int(json.loads(commands.run(words))["required"])


def _refuse(pool: Mapping[str, Any], needed: int) -> None:
    free = drivers.driver(pool).room(pool)["free"]
    if needed > free:
        text = "Pool {0} has {1} MiB free, and the copies may take {2} MiB. Make room, or destroy other snapshots."
        raise Failed(NO_ROOM, text.format(pool["name"], free >> 20, needed >> 20))


def remove(uuid: str, work: Work) -> None:
    known = _read(uuid)
    guest = None
    if known is not None and (not known.get("whole") or _goes_to(known["uuid"]) == uuid):
        guest = hypervisors.find(known["uuid"], work.sessions)
    if known is not None and _goes_to(known["uuid"]) == uuid:
        _end(known, uuid, guest, work)
    _clear(uuid, guest, work)


def _end(known: Mapping[str, Any], uuid: str, guest: Optional[Guest], work: Work) -> None:
    """An instance was killed on its way back to it: it arrives before this is gone."""
    if guest is not None and guest.is_on():
        text = "{0} was going back to it when a run was killed, and somebody started it by hand. Apply it first."
        raise Failed(NEEDED, text.format(known["address"]))
    made = ledger.read("instances", known["uuid"])
    if made is not None:
        _fill(uuid, made["want"], work)


def _clear(uuid: str, guest: Optional[Guest], work: Work) -> None:
    """Copies, also half ones, and the job that may still write them."""
    known = _read(uuid)
    for one in known["disks"] if known is not None else ():
        copy = _copy(one["pool"], uuid, one["name"])
        if guest is not None and guest.is_on() and not copy.exists():
            copies(guest).abandon(copy.unfinished)
        copy.remove(work)
    work.remove(_list(uuid))


def is_whole(uuid: str) -> bool:
    known = _read(uuid)
    copied = [_copy(one["pool"], uuid, one["name"]) for one in known["disks"]] if known is not None else []
    return known is not None and known.get("whole", False) and all(one.exists() for one in copied)


# Going back


def asked(step: HostStep) -> str:
    """The snapshot that this step goes back to. Who repeats a step that was done loses nothing written since."""
    if step["action"] != "rebuild" or "origin" not in step["want"]:
        return ""
    made = ledger.read("instances", step["uuid"])
    done = made is not None and made["digest"] == step["digest"]
    return "" if done else str(step["want"]["origin"]["snapshot"]["uuid"])


def go_back(step: HostStep, work: Work) -> None:
    """Its guest is off. What a killed run had begun is ended, whatever the step."""
    want = step["want"]
    uuid = asked(step) or _goes_to(want["uuid"])
    if not uuid:
        return
    _check(uuid, step)
    work.directory(os.path.dirname(_mark(want["uuid"])), paths.PASSABLE)
    work.write(_mark(want["uuid"]), json.dumps({"snapshot": uuid}))
    _fill(uuid, want, work)


def _fill(uuid: str, want: Want, work: Work) -> None:
    there = {one.name: one for one in _held(want)}
    for one in (_read(uuid) or {"disks": ()})["disks"]:
        if one["name"] in there:  # else it was detached since
            to = there[one["name"]]
            to.disk.fill(_kept(uuid, one), to.size, work)
    work.remove(_mark(want["uuid"]))


def _kept(uuid: str, one: Mapping[str, Any]) -> Content:
    return Content(_copy(one["pool"], uuid, one["name"]).path, "qcow2")


def give_up(uuid: str, work: Work) -> None:
    """It gets new disks."""
    work.remove(_mark(uuid))


def is_unfinished(uuid: str) -> bool:
    return bool(_goes_to(uuid))


def refuse_unfinished(uuid: str) -> None:
    """By what does not end it."""
    if _goes_to(uuid):
        raise Failed(UNFINISHED, "A run was killed while it went back. `stead start` or an apply ends that first.")


def _check(uuid: str, step: HostStep) -> None:
    """Before anything is lost. Whoever made a plan may name a snapshot of another instance."""
    known = _read(uuid)
    if known is None or not is_whole(uuid):
        raise Failed(NOT_WHOLE, "The snapshot is not on this host. Choose another, or rebuild the instance.")
    if step["address"] != known["address"] and step["uuid"] != known["uuid"]:
        raise Failed(NOT_WHOLE, "The snapshot is of {0}.".format(known["address"]))
    there = {one.name: one for one in _held(step["want"])}
    for one in known["disks"]:
        if one["name"] in there and one["size"] > there[one["name"]].size:
            text = "Disk {0} had {1} bytes, and the instance has one of {2} now. Enlarge that first."
            raise Failed(NOT_WHOLE, text.format(one["name"], one["size"], there[one["name"]].size))
        if one["name"] in there:  # a disk is there until the one that takes its place is whole
            _refuse(there[one["name"]].pool, _takes(_kept(uuid, one)))


def _goes_to(uuid: str) -> str:
    found = paths.read_bytes(_mark(uuid))
    return str(json.loads(found)["snapshot"]) if found else ""


def _mark(uuid: str) -> str:
    return os.path.join(paths.INSTANCES, uuid, "goes-back.json")


def _list(uuid: str) -> str:
    return os.path.join(paths.SNAPSHOTS, os.path.basename(ledger.path_of("snapshots", uuid)))  # which refuses paths


def _read(uuid: str) -> Optional[Dict[str, Any]]:
    found = paths.read_bytes(_list(uuid))
    return json.loads(found) if found else None


def _write(uuid: str, known: Mapping[str, Any]) -> None:
    paths.directory(paths.SNAPSHOTS)
    paths.write(_list(uuid), json.dumps(known, sort_keys=True))
