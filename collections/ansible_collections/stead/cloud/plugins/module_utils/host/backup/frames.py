"""What is on a disk, as a stream between two hosts: what is not zero, with its place, and a mark at the end.

A reader takes nothing for whole that ends without the mark: whoever wrote it was killed, or lost the connection. What
comes from another host is not trusted: it stays within the size that the reader was told to expect.
"""

from __future__ import annotations

import json
import struct
from typing import BinaryIO, Dict, Iterator, Tuple

from ..base.errors import Failed, FailureCode

CUT = FailureCode("STEAD-E180", "the content of a disk did not arrive whole")
TOO_LARGE = FailureCode("STEAD-E181", "a backup is larger than its disk may be")

VERSION = 1
BLOCK = 1 << 20
ZEROS = bytes(BLOCK)
_FRAME = struct.Struct(">QI")
_LONGEST_HEADER = 4096


class ContentWriter:
    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._size = size
        file.write(json.dumps({"stead": VERSION, "size": size}).encode() + b"\n")

    def put(self, offset: int, data: bytes) -> None:
        """At most one block. Zeros are left out."""
        if data != ZEROS[: len(data)]:
            self._file.write(_FRAME.pack(offset, len(data)))
            self._file.write(data)

    def end(self) -> None:
        self._file.write(_FRAME.pack(self._size, 0))
        self._file.flush()


def size_in(file: BinaryIO, most: int) -> int:
    """The first line: the size of the disk."""
    line = file.readline(_LONGEST_HEADER)
    if not line:
        raise _cut()
    try:
        told: Dict[str, int] = json.loads(line)
        version, size = told["stead"], int(told["size"])
    except (ValueError, KeyError, TypeError) as error:
        raise Failed(CUT, "What arrived is no disk: {0!r}.".format(line[:80])) from error
    if version != VERSION:
        raise Failed(CUT, "Its form is of another version of Stead. Run `stead bootstrap` for both hosts.")
    if not 0 < size <= most:
        text = "It has {0} bytes, and {1} are the most. Make the disk at least as large."
        raise Failed(TOO_LARGE, text.format(size, most))
    return size


def pieces(file: BinaryIO, size: int) -> Iterator[Tuple[int, bytes]]:
    """(offset, data) of all that is not zero, in order; ends only after the mark."""
    at = 0
    while True:
        offset, length = _FRAME.unpack(_exactly(file, _FRAME.size))
        if offset < at or length > BLOCK or offset + length > size:
            raise Failed(CUT, "A part of it is out of place, at {0}.".format(offset))
        if not length:
            if offset != size:
                raise Failed(CUT, "It ends at {0} of {1} bytes.".format(offset, size))
            return
        yield offset, _exactly(file, length)
        at = offset + length


def whole(file: BinaryIO, size: int) -> Iterator[bytes]:
    """All of it, with the zeros."""
    at = 0
    for offset, data in pieces(file, size):
        yield from _zeros(offset - at)
        yield data
        at = offset + len(data)
    yield from _zeros(size - at)


def _zeros(count: int) -> Iterator[bytes]:
    while count:
        some = min(count, BLOCK)
        yield ZEROS[:some]
        count -= some


def _exactly(file: BinaryIO, count: int) -> bytes:
    data = file.read(count)
    if len(data) != count:
        raise _cut()
    return data


def _cut() -> Failed:
    return Failed(CUT, "The stream ended early: its source failed, was killed, or lost the connection. Run it again.")
