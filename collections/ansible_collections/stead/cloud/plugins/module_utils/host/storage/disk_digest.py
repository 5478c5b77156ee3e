"""The digest of what a guest reads on a disk, whatever format keeps it and however much of it is allocated.

It is made of the digests of pieces. Pieces of zeros at the end do not count, so that a disk that is rounded up, or has
grown, has the digest of the one that it was copied from.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from typing import Iterator, List, Tuple

from ..base import nbd
from .driver import Content

PIECE = 4 << 20  # bytes
ZEROS = hashlib.sha256(bytes(PIECE)).digest()


def of(content: Content) -> str:
    """Nobody may be writing to it."""
    with tempfile.TemporaryDirectory(prefix="stead-read-") as folder:
        way = os.path.join(folder, "socket")
        with nbd.served([*content.objects, "--format=" + content.format, content.path], way) as reader:
            return _digest(reader, nbd.extents(way))


def _digest(reader: nbd.NbdReader, extents: List[Tuple[int, int]]) -> str:
    whole, zeros = hashlib.sha256(), 0
    for start, length, empty in _pieces(extents, reader.size):
        data = ZEROS if empty else _piece(reader.read(start, length))
        if data == ZEROS:
            zeros += 1
            continue
        whole.update(ZEROS * zeros + data)
        zeros = 0
    return whole.hexdigest()


def _piece(data: bytes) -> bytes:
    return hashlib.sha256(data.ljust(PIECE, b"\0")).digest()


def _pieces(extents: List[Tuple[int, int]], size: int) -> Iterator[Tuple[int, int, bool]]:
    """(start, length, whether it is known to be of zeros)"""
    at = 0
    for start in range(0, size, PIECE):
        end = min(start + PIECE, size)
        while at < len(extents) and sum(extents[at]) <= start:
            at += 1
        yield start, end - start, at == len(extents) or extents[at][0] >= end
