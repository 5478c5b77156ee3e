"""Locks between processes that work on labs."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Only one at a time; the kernel lets go when the holder dies, and what it ran with it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as held:
        take(held)
        yield


def take(held: IO[str]) -> None:
    """The commands that are run have the lock too (`commands.run`): who is killed leaves one at work, and that may not
    go on beside whoever comes next."""
    os.set_inheritable(held.fileno(), True)
    fcntl.flock(held, fcntl.LOCK_EX)
