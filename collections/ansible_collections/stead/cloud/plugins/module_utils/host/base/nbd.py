"""Reads a disk as its guest sees it, by NBD from a qemu-nbd of this host: formats and files below are QEMU's business.

Only what this takes of the protocol: one export, read only, one question at a time.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import struct
import subprocess
import time
from typing import Any, Dict, Iterator, List, Tuple

from . import commands, paths
from .errors import Failed, FailureCode

UNREADABLE = FailureCode("STEAD-E113", "a disk cannot be read")
_ENDED = "qemu-nbd ended while it was read."

SECONDS = 20  # until qemu-nbd answers
STALLS_AFTER = 600  # seconds without a byte: its storage is away
_OPTION = b"IHAVEOPT"
_GO, _INFO, _ACK, _EXPORT = 7, 3, 1, 0
_REPLY, _REQUEST, _ANSWER = 0x3E889045565A9, 0x25609513, 0x67446698
_FIXED, _NO_ZEROES = 1, 2


class NbdReader:
    """A connection to one export."""

    def __init__(self, path: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(STALLS_AFTER)
        self._socket.connect(path)
        self.size = self._begin()

    def read(self, offset: int, length: int) -> bytes:
        self._socket.sendall(struct.pack(">IHHQQI", _REQUEST, 0, 0, 1, offset, length))
        magic, error, _handle = struct.unpack(">IIQ", self._take(16))
        if magic != _ANSWER or error:
            raise Failed(UNREADABLE, "It fails at {0}: {1}.".format(offset, os.strerror(error)))
        return self._take(length)

    def close(self) -> None:
        self._socket.close()

    def _begin(self) -> int:
        if self._take(16) != b"NBDMAGIC" + _OPTION:
            raise Failed(UNREADABLE, "What answers is not NBD.")
        self._take(2)
        self._socket.sendall(struct.pack(">I", _FIXED | _NO_ZEROES))
        self._socket.sendall(_OPTION + struct.pack(">III", _GO, 6, 0) + struct.pack(">H", 0))
        size = 0
        while True:
            magic, _option, kind, length = struct.unpack(">QIII", self._take(20))
            data = self._take(length)
            if magic != _REPLY or kind not in (_INFO, _ACK):
                raise Failed(UNREADABLE, "qemu-nbd refuses it: {0}.".format(data.decode(errors="replace")))
            if kind == _ACK:
                return size
            if struct.unpack(">H", data[:2])[0] == _EXPORT:
                size = struct.unpack(">Q", data[2:10])[0]

    def _take(self, count: int) -> bytes:
        parts: List[bytes] = []
        while count:
            some = self._socket.recv(min(count, 1 << 20))
            if not some:
                raise Failed(UNREADABLE, _ENDED)
            parts.append(some)
            count -= len(some)
        return b"".join(parts)


@contextlib.contextmanager
def served(words: List[str], path: str) -> Iterator[NbdReader]:
    """By the socket `path`: what `words` say, as qemu-nbd takes it. It ends with this process, however that ends."""
    paths.remove(path)  # of one that was killed
    argv = ["setpriv", "--pdeathsig", "KILL", "--", "qemu-nbd", "--read-only", "--persistent", "--shared=2"]
    argv += ["--socket", path, *words]
    try:
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    except FileNotFoundError as error:
        text = "{0} is not installed on this host. Run `stead bootstrap` on it."
        raise Failed(commands.NOT_INSTALLED, text.format(argv[0])) from error
    with process:
        try:
            reader = _opened(process, path)
            yield reader
            reader.close()
        except ConnectionError as error:
            raise Failed(UNREADABLE, _ENDED) from error
        finally:
            process.kill()
            paths.remove(path)


def _opened(process: Any, path: str) -> NbdReader:
    """It listens before it has opened the disk, and may end then."""
    until = time.monotonic() + SECONDS
    while True:
        try:
            return NbdReader(path)
        except (OSError, Failed) as error:
            if process.poll() is not None or time.monotonic() > until:
                process.kill()
                said = process.stderr.read().decode(errors="replace").strip()[-commands.TAIL :]
                raise Failed(UNREADABLE, "qemu-nbd says: {0}".format(said or error)) from error
        time.sleep(0.01)


def extents(path: str) -> List[Tuple[int, int]]:
    """(offset, length) of what may have something else than zeros."""
    words = ["qemu-img", "map", "--output=json", "-f", "raw", "nbd+unix:///?socket=" + path]
    found: List[Dict[str, Any]] = json.loads(commands.run(words, timeout=600))
    return [(one["start"], one["length"]) for one in found if not one["zero"]]
