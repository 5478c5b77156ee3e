"""Unpacks an untrusted file. A small file can unpack to fill any disk, so there is always a limit."""

from __future__ import annotations

import bz2
import gzip
import lzma
import shutil
import subprocess
import zlib
from typing import Any, Callable, Dict, Optional

from ..base.commands import NOT_INSTALLED
from ..base.errors import Failed, FailureCode
from .writing import CHUNK, TooMuch, pour, room

NOT_UNPACKED = FailureCode("STEAD-E409", "an image cannot be unpacked")
TOO_LARGE = FailureCode("STEAD-E410", "an unpacked image is larger than it may be")

_OPENERS: Dict[str, Callable[[str, str], Any]] = {"gz": gzip.open, "xz": lzma.open, "bz2": bz2.open}
_BROKEN = (EOFError, OSError, lzma.LZMAError, zlib.error)


def expand(path: str, compression: str, target: str, size: Optional[int]) -> None:
    """The packed file is left. It is stopped where `size`, the disk in the image, says that there is no more, or else
    where there is no more room."""
    # Beside the disk, a file of another format than raw holds where its parts are.
    most = size + size // 16 + CHUNK if size else room(target)
    try:
        if compression == "zst":
            _expand_zst(path, target, most)
        else:
            with _OPENERS[compression](path, "rb") as packed:
                pour(packed.read, target, most=most)
    except _BROKEN as error:
        raise Failed(NOT_UNPACKED, "Cannot unpack as {0}: {1}.".format(compression, error)) from error
    except TooMuch as error:
        why = "which is more than `size` says" if size else "for which there is no room; `size` would allow more"
        raise Failed(TOO_LARGE, "The image is refused: unpacked, {0}, {1}.".format(error, why)) from error


def _expand_zst(path: str, target: str, most: int) -> None:
    if shutil.which("zstd") is None:
        raise Failed(NOT_INSTALLED, "zstd is not installed on this host. Run `stead bootstrap` on it.")
    with subprocess.Popen(["zstd", "-dcq", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as unpacking:
        if unpacking.stdout is None or unpacking.stderr is None:  # which pipes never are
            raise AssertionError
        try:
            pour(unpacking.stdout.read, target, most=most)
            said = unpacking.stderr.read().decode(errors="replace").strip()
        except BaseException:
            unpacking.kill()
            raise
    if unpacking.returncode:
        raise OSError(said or "zstd ended with status {0}".format(unpacking.returncode))
