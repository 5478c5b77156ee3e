"""The journal of a run on the host: which steps began and which ended, so that a killed run leaves nothing unknown.

Each is a line of JSON in /var/lib/stead/journal/<run>.jsonl, and is on the disk before the step acts.
"""

from __future__ import annotations

import errno
import json
import os
import re
import threading
import time
from typing import Any, Protocol

from . import paths
from .step import HostStep

# Number of runs that are kept: enough for a few weeks, and too few to take much space.
KEPT = 100
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")


class Writing(Protocol):
    def write(self, step: HostStep, event: str, **more: Any) -> None: ...


class Journal:
    def __init__(self, run: str) -> None:
        self._path = os.path.join(paths.JOURNAL, _UNSAFE.sub("_", str(run)) + ".jsonl")
        self._run = run
        self._lock = threading.Lock()
        paths.directory(paths.JOURNAL)
        _tidy()

    def write(self, step: HostStep, event: str, **more: Any) -> None:
        line = dict(
            more,
            run=self._run,
            step=step["number"],
            address=step["address"],
            action=step["action"],
            event=event,
            at=round(time.time(), 3),
        )
        data = (json.dumps(line, sort_keys=True) + "\n").encode()
        with self._lock:
            handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, paths.PRIVATE)
            try:
                _append(handle, data)
            finally:
                os.close(handle)


def _append(handle: int, data: bytes) -> None:
    """Writes the whole line or nothing: on a nearly full disk, perhaps only a part would fit."""
    before = os.lseek(handle, 0, os.SEEK_END)
    if os.write(handle, data) < len(data):
        os.ftruncate(handle, before)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    os.fdatasync(handle)


class Silence:
    """The journal in check mode."""

    def write(self, step: HostStep, event: str, **more: Any) -> None:
        pass


def _tidy() -> None:
    names = sorted(os.listdir(paths.JOURNAL), key=lambda name: os.path.getmtime(os.path.join(paths.JOURNAL, name)))
    for name in names[:-KEPT]:
        paths.remove(os.path.join(paths.JOURNAL, name))
