"""Bodies that are files: written as they come, beside where they will be, and gone where nobody took them."""

from __future__ import annotations

import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from anyio import to_thread
from starlette.requests import Request

from stead.serve.faults import TOO_LARGE, Fault


@asynccontextmanager
async def uploaded(request: Request, folder: Path, most: int) -> AsyncIterator[Path]:
    """The file that the body is."""
    handle, name = await to_thread.run_sync(_begun, folder)
    try:
        size = 0
        async for chunk in request.stream():
            size += len(chunk)
            if size > most:
                raise Fault(413, TOO_LARGE.id, f"An image has {most >> 30} GiB at most.")
            await to_thread.run_sync(os.write, handle, chunk)
        yield Path(name)
    finally:
        os.close(handle)
        with suppress(FileNotFoundError):  # the handler has taken it
            os.unlink(name)  # noqa: PTH108


def _begun(folder: Path) -> tuple[int, str]:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return tempfile.mkstemp(prefix=".upload-", dir=folder)
