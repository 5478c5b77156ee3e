"""Disk image files: what is in them, and whether they can be trusted. A file from a stranger names no other file.

The format is always said, never guessed: a raw file whose first bytes say qcow2 would otherwise be opened as one.
"""

from __future__ import annotations

import json
import os
import signal
import struct
from typing import Any, Dict, List

from ..base import commands, paths
from ..base.errors import Failed, FailureCode
from ..base.work import Work
from ..images.writing import NO_ROOM, Unwritable, room
from .driver import Content

REFUSED = FailureCode("STEAD-E102", "an image is refused")
UNCONVERTED = FailureCode("STEAD-E103", "an image cannot be converted")
UNSTEADY = FailureCode("STEAD-E104", "the source is written to while it is copied")

QCOW2 = b"QFI\xfb"
_VMDK = b"KDMV"
# What no disk begins with that is not of this format: a name that says otherwise is a mistake.
_MAGICS = {QCOW2: "qcow2", _VMDK: "vmdk", b"# Disk DescriptorFile": "vmdk", b"vhdxfile": "vhdx"}
# To look at an image takes a few MiB and no time; one that takes more was made to.
_INFO_MEMORY, _INFO_SECONDS = 1 << 30, 30
SECTOR = 512
_DATA_FILE = 1 << 2  # of the incompatible features
# What qemu calls the formats that the spec names.
DRIVERS = {"vhd": "vpc", "iso": "raw"}
# A conversion reads and writes the whole image: generous, but not for ever.
CONVERTS_WITHIN = 3600


def header(path: str) -> Dict[str, Any]:
    """Of a qcow2 file: virtual size and the file it is laid over. Pure reading: qemu would open what is named there."""
    with open(path, "rb") as file:
        start = file.read(104)
        if len(start) < 72 or start[:4] != QCOW2:
            raise Failed(REFUSED, "{0} is not a qcow2 file.".format(path))
        version, offset, length = struct.unpack(">IQI", start[4:20])
        size, encrypted = struct.unpack(">QI", start[24:36])
        features = struct.unpack(">Q", start[72:80])[0] if version >= 3 and len(start) >= 80 else 0
        backing = ""
        if offset:
            file.seek(offset)
            backing = file.read(min(length, 1023)).decode(errors="replace")
    return {"size": size, "backing": backing, "data_file": bool(features & _DATA_FILE), "encrypted": bool(encrypted)}


def examine(path: str, form: str) -> int:
    """Virtual size of a file from outside. Refuses one that would make qemu open another file."""
    with open(path, "rb") as file:
        start = file.read(24)
    for magic, name in _MAGICS.items():
        if start.startswith(magic) and name != form:
            raise Failed(
                REFUSED, "It is {0} and not {1}. It is refused: correct `format`, or the file.".format(name, form)
            )
    if form == "qcow2":
        return _examine_qcow2(path)
    if form in ("raw", "iso"):
        return os.path.getsize(path)
    if form == "vmdk":
        _refuse_description(start)
    limited = ["prlimit", "--as={0}".format(_INFO_MEMORY), "--cpu={0}".format(_INFO_SECONDS), "--"]
    told = json.loads(
        commands.run(limited + ["qemu-img", "info", "--output=json", "-f", DRIVERS.get(form, form), path])
    )
    extents = told.get("format-specific", {}).get("data", {}).get("extents", ())
    others = [
        one["filename"] for one in extents if os.path.realpath(one.get("filename", path)) != os.path.realpath(path)
    ]
    others += [told[name] for name in ("backing-filename", "full-backing-filename") if told.get(name)]
    if others:
        raise Failed(REFUSED, "It names another file, {0!r}.".format(others[0]))
    return int(told["virtual-size"])


def _examine_qcow2(path: str) -> int:
    try:
        found = header(path)
    except Failed as error:
        raise Failed(REFUSED, "It is not a qcow2 file. Correct `format`, or the file.") from error
    if found["backing"]:
        raise Failed(REFUSED, "It has a backing file, {0!r}.".format(found["backing"]))
    if found["data_file"]:
        raise Failed(REFUSED, "It keeps its data in another file.")
    if found["encrypted"]:
        raise Failed(REFUSED, "It is encrypted, and guests could not get the key.")
    return int(found["size"])


def _refuse_description(start: bytes) -> None:
    """A VMDK can be a text that names the files with the data, and qemu would open them to look at it."""
    if start[:4] != _VMDK or len(start) < 20 or struct.unpack("<Q", start[12:20])[0] == 0:
        raise Failed(REFUSED, "It is a VMDK whose data is in other files.")


def convert(path: str, form: str, target: str) -> None:
    """To qcow2. What is packed inside can be much: it may take as much room as there is."""
    words = ["prlimit", "--fsize={0}".format(room(target)), "--", "qemu-img", "convert"]
    words += ["-f", DRIVERS.get(form, form), "-O", "qcow2", path, target]
    status, out, err = commands.attempt(words, timeout=CONVERTS_WITHIN)
    if status == -signal.SIGXFSZ or "File too large" in err:
        raise Unwritable(
            NO_ROOM,
            "Converted to qcow2 it takes more room than {0} has. Free some space, or enlarge the file system.".format(
                os.path.dirname(target)
            ),
        )
    if status != 0:
        raise Failed(UNCONVERTED, "qemu-img says: {0}".format((err.strip() or out.strip())[-commands.TAIL :]))


def reads(verb: str, content: Content) -> List[str]:
    """How qemu-img is asked to read it; its path comes after the rest."""
    return ["qemu-img", verb, "-q", *content.objects, "-f", content.format]


def refuse_unsteady(content: Content, copy: Content) -> None:
    """Nothing that was read once and read the same again was written between: the copy is what was there in between."""
    words = [*reads("compare", content), "-F", copy.format, content.path, copy.path]
    status, out, err = commands.attempt(words, timeout=CONVERTS_WITHIN)
    if status == 1:
        text = "{0} was written to while it was copied. Detach it, or copy a snapshot of it."
        raise Failed(UNSTEADY, text.format(content.path))
    if status != 0:
        text = "`{0}` ended with status {1}: {2}"
        raise Failed(UNSTEADY, text.format(commands.shown(words), status, err.strip() or out.strip()))


def new_blank(path: str, form: str, size: int) -> List[str]:
    extra = ["-o", "lazy_refcounts=on"] if form == "qcow2" else []
    return ["qemu-img", "create", "-q", "-f", form] + extra + [path, str(size)]


def new_overlay(path: str, backing: str, size: int) -> List[str]:
    """A disk that begins as another is and keeps only what differs."""
    return ["qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", backing, path, str(size)]


def export(content: Content, target: Content, work: Work) -> None:
    """All that is in one file or device, as a file of its own: whole under its name, and this user's alone."""
    path = target.path
    words = [*reads("convert", content), "-O", target.format, content.path, path + ".new"]
    work.run(words, timeout=CONVERTS_WITHIN)
    if not work.check:
        os.chmod(path + ".new", paths.PRIVATE)
        os.replace(path + ".new", path)


def size_of(path: str, form: str) -> int:
    return int(header(path)["size"]) if form == "qcow2" else os.path.getsize(path)
