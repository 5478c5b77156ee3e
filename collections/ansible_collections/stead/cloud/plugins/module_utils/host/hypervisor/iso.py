"""A tiny ISO 9660 writer: a few small files in the root of a volume, the same bytes for the same files.

Enough for a NoCloud seed, so that a host needs no tool to make one. Names are written as they are, in small letters and
with dashes, which Linux, the BSDs and Windows all read.
"""

from __future__ import annotations

import struct
from typing import Dict, Mapping

SECTOR = 2048
_ROOT = 20  # sectors: 16 system area, volume descriptor, its end, two path tables, the root directory
_PADDING = 150  # sectors: programs that look for labels read beyond 64 KiB, and give up on a volume that ends before
_DATE = bytes((80, 1, 1, 0, 0, 0, 0))  # 1980: a seed is no newer for being written again
_NO_DATE = b"0" * 16 + b"\0"


def volume(label: str, files: Mapping[str, bytes]) -> bytes:
    """The whole volume. `files` maps names to bytes."""
    names = sorted(files)
    places: Dict[str, int] = {}
    start = _ROOT + 1
    for name in names:
        places[name] = start
        start += -(-max(1, len(files[name])) // SECTOR)
    records = [_record(b"\0", _ROOT, SECTOR, True), _record(b"\1", _ROOT, SECTOR, True)]
    records += [_record(name.encode(), places[name], len(files[name]), False) for name in names]
    root = b"".join(records)
    if len(root) > SECTOR:
        raise ValueError("too many files for one sector of directory")
    table = b"\1\0" + struct.pack("<IH", _ROOT, 1) + b"\0\0"
    swapped = b"\1\0" + struct.pack(">IH", _ROOT, 1) + b"\0\0"
    parts = [b"\0" * (16 * SECTOR), _descriptor(label, start + _PADDING), b"\xffCD001\1", table, swapped, root]
    parts += [files[name] or b"\0" for name in names] + [b"\0" * (_PADDING * SECTOR)]
    return parts[0] + b"".join(_padded(part) for part in parts[1:])


def _padded(part: bytes) -> bytes:
    return part + b"\0" * (-len(part) % SECTOR)


def _both16(number: int) -> bytes:
    return struct.pack("<H", number) + struct.pack(">H", number)


def _both32(number: int) -> bytes:
    return struct.pack("<I", number) + struct.pack(">I", number)


def _record(name: bytes, sector: int, length: int, is_folder: bool) -> bytes:
    body = b"\0" + _both32(sector) + _both32(length) + _DATE + bytes((2 if is_folder else 0, 0, 0)) + _both16(1)
    body += bytes((len(name),)) + name + (b"" if len(name) % 2 else b"\0")
    return bytes((len(body) + 1,)) + body


def _descriptor(label: str, sectors: int) -> bytes:
    return b"".join(
        (
            b"\1CD001\1\0",
            b"LINUX".ljust(32),
            label.encode().ljust(32),
            b"\0" * 8,
            _both32(sectors),
            b"\0" * 32,
            _both16(1),
            _both16(1),
            _both16(SECTOR),
            _both32(10),  # bytes of a path table
            struct.pack("<II", 18, 0),
            struct.pack(">II", 19, 0),
            _record(b"\0", _ROOT, SECTOR, True),
            b" " * (128 * 4 + 37 * 3),
            _NO_DATE * 4,
            b"\1\0",
        )
    )
