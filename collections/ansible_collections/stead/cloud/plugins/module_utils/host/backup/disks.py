"""The disks of this host: read for a backup, each as it was at one moment, and filled from one.

A disk in use is copied by its guest's hypervisor, which holds the moment while the guest goes on writing. Of any other
the file itself is read, and a write meanwhile is noticed. Whatever a killed run has left here, the next one removes.
"""

from __future__ import annotations

import contextlib
import json
import os
from typing import TYPE_CHECKING, BinaryIO, Dict, Iterator, List, Optional, Tuple

from ..base import commands, ledger, nbd, paths
from ..base.errors import Failed, FailureCode
from ..base.sessions import Sessions
from ..hypervisor import drivers as hypervisors
from ..hypervisor.driver import Guest, copies
from ..images.writing import refuse_too_large
from ..kinds.table import KINDS
from . import frames, staged

if TYPE_CHECKING:
    from ..storage.driver import StoredDisk

NOT_HERE = FailureCode("STEAD-E183", "the disk is not on this host")
UNSTEADY = FailureCode("STEAD-E184", "the disk was written to while it was read")

_COPY = ".qcow2"
LONGEST = 3600  # seconds, to write a disk as an image
# A path that no disk has: guests are asked for a serial number alone.
_NOWHERE = "/dev/null/none"


def users(serials: List[str]) -> Dict[str, List[str]]:
    """Which of these disks guests of this host have open. What killed runs left here is removed first."""
    sessions = Sessions()
    try:
        sweep(sessions)
        on = [guest for guest in hypervisors.guests(sessions) if guest.is_on()]
        places = {one: _place(one) for one in serials}
        return {"open": [one for one in serials if any(guest.device_of(one, places[one]) for guest in on)]}
    finally:
        sessions.close()


def sweep(sessions: Sessions) -> None:
    for serial in staged.left(_COPY):
        with contextlib.suppress(Failed), staged.alone(serial, 0):
            _clean(serial, sessions)
    staged.sweep()


def read(kind: str, uuid: str, serial: str, out: BinaryIO) -> None:
    sessions = Sessions()
    try:
        with staged.alone(serial):
            _clean(serial, sessions)
            using = _using(serial, sessions)
            if using is not None:
                with _copied(*using, serial) as path:
                    _content(path, "qcow2", serial, out).end()
            else:
                _read_closed(kind, uuid, serial, out, sessions)
    finally:
        sessions.close()


def image(kind: str, uuid: str, serial: str, out: BinaryIO) -> None:
    """The file of a qcow2 image that has what the disk has, and nothing below it."""
    sessions = Sessions()
    try:
        with staged.alone(serial):
            _clean(serial, sessions)
            _refuse_full(kind, uuid, serial)
            using = _using(serial, sessions)
            with _copied(*using, serial) if using else _converted(kind, uuid, serial, sessions) as path:
                _sent_file(path, out)
    finally:
        sessions.close()


def _refuse_full(kind: str, uuid: str, serial: str) -> None:
    """A file for what the disk has: one that fills this host would stop its guests."""
    kept = _kept(kind, uuid)
    if kept is not None and os.path.isfile(kept.path):
        words = ["qemu-img", "info", "-U", "--backing-chain", "--output=json", "-f", kept.format, kept.path]
        size = sum(int(one["actual-size"]) for one in json.loads(commands.run(words)))
        refuse_too_large(kept.path, size, staged.path_of(serial, _COPY))


def _using(serial: str, sessions: Sessions) -> Optional[Tuple[Guest, str]]:
    for guest, device in hypervisors.users_of(serial, _place(serial), sessions):
        if guest.is_on():
            return guest, device
    return None


def _place(serial: str) -> str:
    """Where a volume of this host lies: a domain that was taken over has no serial number for it."""
    found = (_kept(kind, serial) for kind in KINDS)
    return next((one.path for one in found if one is not None), _NOWHERE)


def _kept(kind: str, uuid: str) -> Optional[StoredDisk]:
    made = ledger.read(kind, uuid)
    return KINDS[kind].saved(made["want"]) if made is not None and kind in KINDS else None


@contextlib.contextmanager
def _copied(guest: Guest, device: str, serial: str) -> Iterator[str]:
    path = staged.path_of(serial, _COPY)
    try:
        copies(guest).copy({device: path}, False)
        yield path
    finally:
        copies(guest).abandon(path)
        paths.remove(path)


def _clean(serial: str, sessions: Sessions) -> None:
    """Of a run that was killed: its copy, and the job that may still write it."""
    path = staged.path_of(serial, _COPY)
    if not os.path.exists(path):
        return
    for guest, _device in hypervisors.users_of(serial, _place(serial), sessions):
        if guest.is_on():
            copies(guest).abandon(path)
    paths.remove(path)


def _read_closed(kind: str, uuid: str, serial: str, out: BinaryIO, sessions: Sessions) -> None:
    with _closed(kind, uuid, serial, sessions) as (path, form):
        sent = _content(path, form, serial, out)
    sent.end()


@contextlib.contextmanager
def _closed(kind: str, uuid: str, serial: str, sessions: Sessions) -> Iterator[Tuple[str, str]]:
    """Path and format of a disk that nobody has open. Fails in the end where somebody had it meanwhile."""
    kept = _kept(kind, uuid)
    if kept is None or not kept.exists():
        raise Failed(NOT_HERE, "No guest of this host has it open, and it is not kept here. Run it again.")
    before = _written(kept.path)
    yield kept.path, kept.format
    if _written(kept.path) != before or _using(serial, sessions) is not None:
        text = "{0} was opened or written to meanwhile, so what was read is not of one moment. Run it again."
        raise Failed(UNSTEADY, text.format(kept.path))


@contextlib.contextmanager
def _converted(kind: str, uuid: str, serial: str, sessions: Sessions) -> Iterator[str]:
    path, way = staged.path_of(serial, _COPY), staged.socket_of(serial)
    try:
        with _closed(kind, uuid, serial, sessions) as disk, nbd.served(_opened(*disk), way):
            words = ["qemu-img", "convert", "-f", "raw", "-O", "qcow2", "nbd+unix:///?socket=" + way, path]
            commands.run(words, timeout=LONGEST)
        yield path
    finally:
        paths.remove(path)


def _sent_file(path: str, out: BinaryIO) -> None:
    size = os.stat(path).st_size
    sent = frames.ContentWriter(out, size)
    with open(path, "rb") as file:
        for offset in range(0, size, frames.BLOCK):
            sent.put(offset, file.read(frames.BLOCK))
    sent.end()


def _content(path: str, form: str, serial: str, out: BinaryIO) -> frames.ContentWriter:
    """All that a guest would see, without the mark at the end."""
    way = staged.socket_of(serial)
    with nbd.served(_opened(path, form), way) as reader:
        sent = frames.ContentWriter(out, reader.size)
        for start, length in nbd.extents(way):
            for offset in range(start, start + length, frames.BLOCK):
                sent.put(offset, reader.read(offset, min(frames.BLOCK, start + length - offset)))
    return sent


def _opened(path: str, form: str) -> List[str]:
    """Nobody is kept from starting a guest with it: a file is opened beside a writer, who is noticed in the end."""
    if not os.path.isfile(path):
        return ["--format", form, path]
    named = path.replace(",", ",,")  # as QEMU writes a comma within a value
    return ["--image-opts", "driver={0},force-share=on,file.driver=file,file.filename={1}".format(form, named)]


def _written(path: str) -> int:
    """When a file was last written. Of what is no file, its hypervisor and its server alone know."""
    return os.stat(path).st_mtime_ns if os.path.isfile(path) else 0
