"""Standard output and error that outlive their reader: a pager that was closed or a full disk stops no apply half-way.

What cannot be written is dropped and remembered; `lost` tells at the end, where the exit status can still say so.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from typing import TextIO


class _Patient(io.FileIO):
    """A file whose writing never fails."""

    failure: OSError | None = None

    def write(self, data: bytes | bytearray | memoryview, /) -> int:  # type: ignore[override]  # a stream only has bytes
        if self.failure is None:
            try:
                return super().write(data) or 0
            except OSError as error:
                self.failure = error
        return len(data)


def settle() -> None:
    """Instead of the streams that Python opened. A terminal or a file that lacks a letter gets its number instead."""
    sys.stdout, sys.stderr = _patient(sys.stdout, 1), _patient(sys.stderr, 2)


def _patient(stream: TextIO | None, number: int) -> TextIO:
    if stream is None:  # closed by who started this
        return open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123 - stays open to the end
    stream.flush()
    raw = _Patient(number, "w", closefd=False)
    if number == 2:
        return io.TextIOWrapper(raw, encoding=stream.encoding, errors="backslashreplace", write_through=True)
    buffer = io.BufferedWriter(raw)  # type: ignore[type-var]  # memoryviews are all that it is handed
    return io.TextIOWrapper(buffer, encoding=stream.encoding, errors="backslashreplace", line_buffering=raw.isatty())


def lost() -> OSError | None:
    """Why the end of the output is missing, where that matters: a reader that had enough is none of our business."""
    sys.stdout.flush()
    raw = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    failure = raw.failure if isinstance(raw, _Patient) else None
    return None if failure is None or failure.errno == errno.EPIPE else failure
