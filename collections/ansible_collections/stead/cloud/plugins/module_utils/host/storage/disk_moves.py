"""Disks that move to another host while nobody uses them: one host serves what a guest would read, the other takes it.

The source serves to the one host that is to get it, read only, and as long as it does nobody on the source can write to
the disk: QEMU's own locks, which a guest that is started takes too. Both hosts say what they read, as a digest.
"""

from __future__ import annotations

import hashlib
import json
import time
from typing import List, Mapping, Tuple, TypedDict, cast

from ..base import commands, ledger, paths, units
from ..base.errors import Failed, FailureCode
from ..base.step import Entry, HostStep
from ..base.work import Work
from . import disk_digest, disk_files
from .driver import Content, StoredDisk

UNSERVED = FailureCode("STEAD-E112", "the host that a disk comes from does not serve it")
DIFFERS = FailureCode("STEAD-E114", "a disk did not arrive as it was")

SERVES_WITHIN = 60  # seconds: other steps of its host may come first
SERVED_FOR = "1d"  # at most, should nobody come to end it
LOOK = 0.1


Disks = Mapping[str, Tuple[StoredDisk, int]]  # by their names, with the size that they have here


class DiskWay(TypedDict):
    """How the disks of one resource get from host to host, as the controller says."""

    address: str  # of the source
    port: int  # of the first disk; each other has the next
    to: str  # the host that gets them
    encrypted: bool


def serve(disks: Disks, step: HostStep, work: Work) -> None:
    """What is in them, until `stop`. For each, its digest is told."""
    way: DiskWay = step["way"]
    for unit in _units("*"):  # of a run that was killed: they may have the ports
        if not unit.startswith(_name(step, "")):
            units.stop(unit, work)
    for at, (_called, (disk, _size)) in enumerate(sorted(disks.items())):
        words = ["qemu-nbd", "--read-only", "--persistent", "--shared=0", "--export-name=" + _name(step, at)]
        words += ["--bind=" + way["address"], "--port={0}".format(way["port"] + at)]
        if way["encrypted"]:
            who = "authz-simple,id=who,identity=CN={0}".format(way["to"].replace(",", ",,"))
            words += [*_credentials("server"), "--object", who, "--tls-creds=tls", "--tls-authz=who"]
        content = _content(disk)
        words += [*content.objects, "--format=" + content.format, content.path]
        said = "Stead: {0} moves to {1}".format(step["address"], way["to"])
        units.start(_name(step, at) + ".service", said, words, work, {"Restart": "no", "RuntimeMaxSec": SERVED_FOR})
    if not work.check:
        for name, (disk, _size) in sorted(disks.items()):
            work.told[name] = disk_digest.of(_content(disk))


def receive(disks: Disks, step: HostStep, work: Work) -> None:
    """From now on this host has begun it, and none of another time. With the digests of what is here in the end."""
    begun = dict(ledger.made_by(step), came_from=step["came_from"], digests={})
    if not work.check:
        ledger.comes(cast(Entry, begun))  # noqa: TC006 - pylint of ansible-test reads no quotes
    for disk, _size in disks.values():
        disk.remove(work)
    if "way" in step:
        take(disks, step, work)
        if not work.check:
            ledger.comes(cast(Entry, dict(begun, digests=dict(work.told))))  # noqa: TC006 - as above


def take(disks: Disks, step: HostStep, work: Work) -> None:
    """Of the host that serves them. For each, the digest of what is here now is told. Of what fails nothing is left."""
    try:
        _take(disks, step, work)
    except Failed:
        for disk, _size in disks.values():
            disk.remove(work)
        if not work.check:
            ledger.forget(step["kind"], step["uuid"])
        raise


def _take(disks: Disks, step: HostStep, work: Work) -> None:
    way: DiskWay = step["way"]
    objects = tuple(_credentials("client")) if way["encrypted"] else ()
    for at, (name, (disk, size)) in enumerate(sorted(disks.items())):
        server = {"type": "inet", "host": way["address"], "port": str(way["port"] + at)}
        served = {"driver": "nbd", "server": server, "export": _name(step, at)}
        if way["encrypted"]:
            served["tls-creds"] = "tls"
        content = Content("json:" + json.dumps({"driver": "raw", "file": served}), "raw", objects)
        if not work.check:
            _await(content, way)
        disk.fill(content, size, work)
        if not work.check:
            work.told[name] = disk_digest.of(_content(disk))


def within(source: StoredDisk, disk: StoredDisk, size: int, work: Work) -> None:
    """From one pool or format of this host to another."""
    disk.remove(work)  # of a try that was killed
    disk.fill(_content(source), size, work)
    if work.check:
        return
    before, now = disk_digest.of(_content(source)), disk_digest.of(_content(disk))
    if before != now:
        disk.remove(work)
        text = "{0} has the digest {1}, and {2}, from which it was made, {3}. Nothing was changed; move it again."
        raise Failed(DIFFERS, text.format(disk.path, now, source.path, before))


def stop(uuid: str, work: Work) -> None:
    for unit in _units("*-{0}-*".format(uuid)):
        units.stop(unit, work)


def end(kind: str, uuid: str, work: Work) -> None:
    """Of a move that was begun and did not end: this host uses what is its own again."""
    made = ledger.read(kind, uuid)
    if made is not None and made.get("going_to"):
        stop(uuid, work)


def arrived(step: HostStep) -> bool:
    """Whether what is here of its disks is all that there was. Nothing else is taken for what moved."""
    if "digests" not in step:
        return False
    there, came = step["digests"], ledger.digests(step["kind"], step["uuid"]) or {}
    wrong = sorted(name for name in {*there, *came} if there.get(name) != came.get(name))
    if wrong:
        text = "The {0} has the digest {1} here, and had {2} where it comes from. It stays there; move it again."
        name = wrong[0]
        raise Failed(DIFFERS, text.format(name, came.get(name, "of nothing"), there.get(name, "of nothing")))
    return True


def _content(disk: StoredDisk) -> Content:
    return Content(disk.path, disk.format, getattr(disk, "objects", ()))


def _name(step: HostStep, at: object) -> str:
    """Of the unit and of what it serves, by the run: nobody takes from what another run has left."""
    origin = step.get("origin")
    run = hashlib.sha256(origin["token"].encode()).hexdigest()[:12] if origin else "none"  # everybody sees it
    return "stead-move-{0}-".format(run) + ("{0}-{1}".format(step["uuid"], at) if at != "" else "")


def _units(which: str) -> List[str]:
    words = ["systemctl", "list-units", "--all", "--plain", "--no-legend", "stead-move-" + which]
    return [line.split()[0] for line in commands.run(words).splitlines() if line.strip()]


def _credentials(end: str) -> List[str]:
    return ["--object", "tls-creds-x509,id=tls,endpoint={0},dir={1},verify-peer=yes".format(end, paths.MOVES_PKI)]


def _await(content: Content, way: DiskWay) -> None:
    words, until = [*disk_files.reads("info", content), content.path], time.monotonic() + SERVES_WITHIN
    while True:
        status, _out, said = commands.attempt([word for word in words if word != "-q"])
        if status == 0:
            return
        if time.monotonic() > until:
            text = "{0} does not serve it on port {1}: {2}. Plan again."
            raise Failed(UNSERVED, text.format(way["address"], way["port"], said.strip()[-commands.TAIL :]))
        time.sleep(LOOK)
