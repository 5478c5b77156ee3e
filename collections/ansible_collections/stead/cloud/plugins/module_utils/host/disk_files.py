"""Disk image files: what is in them, and whether they can be trusted. A file from a stranger names no other file.

The format is always said, never guessed: a raw file whose first bytes say qcow2 would otherwise be opened as one.
"""

from __future__ import annotations

import json
import os
import struct

from . import running
from .failing import Failed

QCOW2 = b"QFI\xfb"
_DATA_FILE = 1 << 2  # of the incompatible features
# What qemu calls the formats that the spec names.
DRIVERS = {"vhd": "vpc", "iso": "raw"}
# A conversion reads and writes the whole image: generous, but not for ever.
CONVERTS_WITHIN = 3600


def header(path):
    """Of a qcow2 file: virtual size and the file it is laid over. Pure reading: qemu would open what is named there."""
    with open(path, "rb") as file:
        start = file.read(104)
        if len(start) < 72 or start[:4] != QCOW2:
            raise Failed("{0} is not a qcow2 file.".format(path))
        version, offset, length = struct.unpack(">IQI", start[4:20])
        (size,) = struct.unpack(">Q", start[24:32])
        features = struct.unpack(">Q", start[72:80])[0] if version >= 3 and len(start) >= 80 else 0
        backing = ""
        if offset:
            file.seek(offset)
            backing = file.read(min(length, 1023)).decode(errors="replace")
    return {"size": size, "backing": backing, "data_file": bool(features & _DATA_FILE)}


def examine(path, form):
    """Virtual size of a file from outside. Refuses one that would make qemu open another file."""
    if form == "qcow2":
        found = header(path)
        if found["backing"]:
            raise Failed("The image is refused: it is laid over another file, {0!r}.".format(found["backing"]))
        if found["data_file"]:
            raise Failed("The image is refused: it keeps its data in another file.")
        return found["size"]
    if form in ("raw", "iso"):
        return os.path.getsize(path)
    told = json.loads(running.run(["qemu-img", "info", "--output=json", "-f", DRIVERS.get(form, form), path]))
    for extent in told.get("format-specific", {}).get("data", {}).get("extents", ()):
        if os.path.realpath(extent.get("filename", path)) != os.path.realpath(path):
            raise Failed("The image is refused: it names another file, {0!r}.".format(extent["filename"]))
    return told["virtual-size"]


def convert(path, form, target):
    words = ["qemu-img", "convert", "-f", DRIVERS.get(form, form), "-O", "qcow2", path, target]
    running.run(words, timeout=CONVERTS_WITHIN)


def new_blank(path, form, size):
    extra = ["-o", "lazy_refcounts=on"] if form == "qcow2" else []
    return ["qemu-img", "create", "-q", "-f", form] + extra + [path, str(size)]


def new_overlay(path, backing, size):
    """A disk that begins as another is and keeps only what differs."""
    return ["qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", backing, path, str(size)]


def size_of(path, form):
    return header(path)["size"] if form == "qcow2" else os.path.getsize(path)
