"""Writes untrusted data to disk: never more than there is room for, and with holes in place of zeros."""

from __future__ import annotations

import os
from typing import BinaryIO, Callable, Optional

from ..base.errors import Failed, FailureCode

NO_ROOM = FailureCode("STEAD-E411", "the host has no room for an image")
DISK_UNWRITABLE = FailureCode("STEAD-E412", "an image cannot be written to the host")

CHUNK = 1 << 20
_ZEROS = bytes(CHUNK)


class Unwritable(Failed):
    """This host's disk and not the source: to keep what was written so far would only keep the disk full."""


class TooMuch(Exception):  # noqa: N818 - names what happened
    """More came than may."""


def room(path: str) -> int:
    """Bytes that may still be written beside `path`. A twentieth is left: a full disk stops every guest on it."""
    there = os.statvfs(os.path.dirname(path))
    return max(0, there.f_bavail - there.f_blocks // 20) * there.f_frsize


def refuse_too_large(named: str, size: int, target: str) -> None:
    there = room(target)
    if size > there:
        text = "{0} has {1} bytes to be written, and {2} of this host has room for {3}. Free some space, or enlarge it."
        raise Unwritable(NO_ROOM, text.format(named, size, os.path.dirname(target), there))


def pour(read: Callable[[int], bytes], target: str, start: int = 0, most: Optional[int] = None) -> None:
    """All that comes, from `start` on, with holes where there are zeros. `most` is as many bytes as may come."""
    with _opened(target, start) as file:
        total = 0
        while True:
            part = read(CHUNK)
            total += len(part)
            if most is not None and total > most:
                raise TooMuch("it holds more than {0} bytes".format(most))
            try:
                _put(file, part)
            except OSError as error:
                raise _unwritable(target, error) from error
            if not part:
                return


def _opened(target: str, start: int) -> BinaryIO:
    try:
        file = open(target, "r+b" if start else "wb")  # noqa: SIM115 - the caller closes it
    except OSError as error:
        raise _unwritable(target, error) from error
    file.seek(start)
    return file


def _put(file: BinaryIO, part: bytes) -> None:
    if part == _ZEROS:
        file.seek(len(part), os.SEEK_CUR)
    elif part:
        file.write(part)
    else:  # the end, which may be a hole
        file.flush()
        file.truncate(file.tell())


def _unwritable(target: str, error: OSError) -> Unwritable:
    folder = os.path.dirname(target)
    text = "Cannot write to {0}: {1}. {2} bytes are free there."
    there = os.statvfs(folder)
    return Unwritable(DISK_UNWRITABLE, text.format(folder, error.strerror, there.f_bavail * there.f_frsize))
