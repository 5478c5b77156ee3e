"""Bodies that are files: written as they come, beside where they will be, and gone where nobody took them.

What a project may have is counted when a file is whole. So that nobody fills the disk before, each project sends few at
once, and some of the disk stays free for the store and its journal.
"""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from anyio import to_thread
from starlette.requests import Request

from stead.serve.faults import TOO_LARGE, TOO_MANY, Fault

LARGEST = 64 << 30  # of an image
AT_ONCE = 2  # of a project
STAYS_FREE = 2 << 30  # bytes of the disk, and
PART_FREE = 20  # one in so many
EVERY = 16 << 20  # bytes, after which the disk is looked at again


class Uploads:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: Counter[str] = Counter()

    @asynccontextmanager
    async def written(self, request: Request, project: str) -> AsyncIterator[Path]:
        """The file that the body is."""
        if self._open[project] >= AT_ONCE:
            raise Fault(429, TOO_MANY.id, f"A project sends {AT_ONCE} images at once. Wait until one is done.")
        self._open[project] += 1
        try:
            async with self._file(request) as path:
                yield path
        finally:
            self._open[project] -= 1

    @asynccontextmanager
    async def _file(self, request: Request) -> AsyncIterator[Path]:
        handle, name = await to_thread.run_sync(_begun, self._folder)
        try:
            size, looked = 0, -EVERY
            async for chunk in request.stream():
                size += len(chunk)
                if size > LARGEST:
                    raise Fault(413, TOO_LARGE.id, f"An image has {LARGEST >> 30} GiB at most.")
                if size - looked >= EVERY:
                    looked = size
                    await to_thread.run_sync(_must_have_room, self._folder)
                await to_thread.run_sync(os.write, handle, chunk)
            yield Path(name)
        finally:
            os.close(handle)
            with suppress(FileNotFoundError):  # the handler has taken it
                os.unlink(name)  # noqa: PTH108


def _must_have_room(folder: Path) -> None:
    disk = os.statvfs(folder)
    if disk.f_bavail * disk.f_frsize < max(STAYS_FREE, disk.f_blocks * disk.f_frsize // PART_FREE):
        raise Fault(413, TOO_LARGE.id, "The site has no room for more images now. Its operators know more.")


def _begun(folder: Path) -> tuple[int, str]:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return tempfile.mkstemp(prefix=".upload-", dir=folder)
