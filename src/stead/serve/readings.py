"""The last readings of the spec, for who asks again with the same documents while the site's files are as they were.

Between two edits the world and the worker ask for what the edit has read: reading a thousand servers is a third of the
cost of making one. What files alone do not show (images, hooks) is looked at again soon.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from stead.core.diagnostics import Diagnostic, has_errors
from stead.core.named import NamedTuple
from stead.language.desired import Desired
from stead.serve.edits import Content

Contents = Mapping[str, Content]
Reading = tuple[Desired, list[Diagnostic]]
KEPT = 2  # an edit's own, and that of who applies the one before
FRESH = 120.0  # seconds: more than an apply of thousands takes
TICK = 50_000_000  # nanoseconds: a file that has just changed may change again and look the same


class _Kept(NamedTuple):
    contents: Contents
    files: Any
    until: float
    reading: Reading


class FileStamp(NamedTuple):
    """By which it is known whether a file is as it was."""

    path: str
    changed: int = 0
    size: int = 0
    inode: int = 0
    touched: int = 0  # nobody can set this time


class SpecReadings:
    def __init__(
        self, read: Callable[[Contents], Reading], root: Path, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`root` is the folder in which further files of the spec may appear."""
        self._read, self._root, self._clock = read, root, clock
        self._kept: tuple[_Kept, ...] = ()

    def __call__(self, contents: Contents) -> Reading:
        now = self._clock()
        for one in self._kept:
            if now < one.until and one.contents == contents and one.files == self._stamps(one.reading[0]):
                return one.reading
        began = time.time_ns()
        desired, found = self._read(contents)
        files = self._stamps(desired)
        if not has_errors(found) and all(one.changed < began - TICK for one in files):
            self._kept = (_Kept(contents, files, now + FRESH, (desired, found)), *self._kept)[:KEPT]
        return desired, found

    def _stamps(self, desired: Desired) -> list[FileStamp]:
        """Of the files that were read, and of their folders, where others may appear."""
        files = [Path(name) for name in desired.files]
        return [_stamp(path) for path in sorted({self._root, *files, *(path.parent for path in files)})]


def _stamp(path: Path) -> FileStamp:
    """A copy may have the time and the size of what it replaces: it is another file, or was changed later."""
    try:
        known = path.stat()
    except OSError:
        return FileStamp(str(path))
    return FileStamp(str(path), known.st_mtime_ns, known.st_size, known.st_ino, known.st_ctime_ns)
