"""The digest of what a guest reads on a disk, whatever format keeps it and however much of it is allocated.

It is made of the digests of pieces. Pieces of zeros at the end do not count, so that a disk that is rounded up, or has
grown, has the digest of the one that it was copied from.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import socket
import struct
import subprocess
import tempfile
import time
from typing import Iterator, List, Tuple

from ..base import commands
from ..base.errors import Code, Failed
from .driver import Content

UNREAD = Code("STEAD-E113", "a disk cannot be read back")

PIECE = 4 << 20  # bytes
ZEROS = hashlib.sha256(bytes(PIECE)).digest()
STARTS_WITHIN = 20  # seconds
MAPPED_WITHIN = 600  # seconds: a map of all extents, without their content
# The protocol of network block devices, as far as one reads with it.
_GREETING, _OPTIONS = b"NBDMAGIC", b"IHAVEOPT"
_ENDED = "qemu-nbd ended while it was read."
_EXPORT_NAME, _FIXED_NEWSTYLE, _NO_ZEROES = 1, 1, 2
_REQUEST, _ANSWER, _READ = 0x25609513, 0x67446698, 0


def of(content: Content) -> str:
    """Nobody may be writing to it."""
    whole, zeros = hashlib.sha256(), 0
    with _opened(content) as reader:
        for start, length, empty in _pieces(_extents(content), reader.size):
            data = ZEROS if empty else _piece(reader.read(start, length))
            if data == ZEROS:
                zeros += 1
                continue
            whole.update(ZEROS * zeros + data)
            zeros = 0
    return whole.hexdigest()


def _piece(data: bytes) -> bytes:
    return hashlib.sha256(data.ljust(PIECE, b"\0")).digest()


def _extents(content: Content) -> List[Tuple[int, int]]:
    """(start, end) of all that may be anything but zeros."""
    words = ["qemu-img", "map", "--output=json", *content.objects, "-f", content.format, content.path]
    said = json.loads(commands.run(words, timeout=MAPPED_WITHIN))
    return [(one["start"], one["start"] + one["length"]) for one in said if not one["zero"]]


def _pieces(extents: List[Tuple[int, int]], size: int) -> Iterator[Tuple[int, int, bool]]:
    """(start, length, whether it is known to be of zeros)"""
    at = 0
    for start in range(0, size, PIECE):
        end = min(start + PIECE, size)
        while at < len(extents) and extents[at][1] <= start:
            at += 1
        yield start, end - start, at == len(extents) or extents[at][0] >= end


@contextlib.contextmanager
def _opened(content: Content) -> Iterator[_Reader]:
    with tempfile.TemporaryDirectory(prefix="stead-read-") as folder:
        path = os.path.join(folder, "socket")
        words = ["qemu-nbd", "--read-only", "--persistent", "--socket=" + path, *content.objects]
        with subprocess.Popen(
            [*words, "--format=" + content.format, content.path],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            universal_newlines=True,
        ) as server:
            try:
                with contextlib.closing(_connected(path, server)) as connection:
                    yield _Reader(connection)
            except ConnectionError as error:
                raise Failed(UNREAD, _ENDED) from error
            finally:
                server.kill()


def _connected(path: str, server: subprocess.Popen[str]) -> socket.socket:
    until = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < until and server.poll() is None:
        found = socket.socket(socket.AF_UNIX)
        try:
            found.connect(path)
        except OSError:
            found.close()
            time.sleep(0.02)
            continue
        return found
    server.kill()
    said = (server.stderr.read() if server.stderr is not None else "").strip() or "it does not start"
    raise Failed(UNREAD, "qemu-nbd says: {0}".format(said[-commands.TAIL :]))


class _Reader:
    """The one export of a server of this host."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        if self._taken(16) != _GREETING + _OPTIONS:
            raise Failed(UNREAD, "qemu-nbd does not greet as one.")
        (flags,) = struct.unpack(">H", self._taken(2))
        without = flags & _NO_ZEROES
        connection.sendall(struct.pack(">I", _FIXED_NEWSTYLE | without))
        connection.sendall(_OPTIONS + struct.pack(">II", _EXPORT_NAME, 0))
        self.size, _flags = struct.unpack(">QH", self._taken(10))
        if not without:
            self._taken(124)

    def read(self, start: int, length: int) -> bytes:
        self._connection.sendall(struct.pack(">IHHQQI", _REQUEST, 0, _READ, start, start, length))
        magic, error, handle = struct.unpack(">IIQ", self._taken(16))
        if magic != _ANSWER or handle != start:
            raise Failed(UNREAD, "qemu-nbd answers what was not asked.")
        if error:
            text = "{0} bytes from byte {1} on cannot be read: {2}."
            raise Failed(UNREAD, text.format(length, start, os.strerror(error)))
        return self._taken(length)

    def _taken(self, length: int) -> bytes:
        found = bytearray(length)
        view, at = memoryview(found), 0
        while at < length:
            got = self._connection.recv_into(view[at:])
            if not got:
                raise Failed(UNREAD, _ENDED)
            at += got
        return bytes(found)
