"""Tells open pages that something has changed, by server-sent events: what has changed, they ask as ever.

One look at the store each second serves all of them, and there is none while nobody listens. A stream holds a
connection, so streams are bounded; who gets none asks by itself.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Sequence

from anyio import to_thread
from starlette.responses import Response, StreamingResponse

from stead.core.diagnostics import Refused
from stead.serve.cloud import Cloud

logger = logging.getLogger("stead.serve")
OF_SESSION = 4  # a browser has six connections to a server, and needs some for what it asks
OF_PROJECT = 40
IN_ALL = 100  # of the 200 connections that the server takes
EVERY = 1.0  # seconds from one look to the next
BEAT = 10.0  # seconds until it is asked again whether the session holds, and until a broken connection is noticed
AGAIN = 3000  # milliseconds after which a browser comes back
CHANGED, STEPS = "changed", "steps"  # what there is; how far runs and reviews are
HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}


class LiveStream:
    """One open page."""

    def __init__(self, session: str, project: str, *, steps: bool) -> None:
        self.session, self.project, self.steps = session, project, steps
        self.pending: set[str] = set()
        self.woken = asyncio.Event()

    def tell(self, names: set[str]) -> None:
        self.pending |= names if self.steps else names - {STEPS}
        if self.pending:
            self.woken.set()


class LiveStreams:
    def __init__(self, cloud: Cloud) -> None:
        self._cloud, self._closed = cloud, False
        self._streams: set[LiveStream] = set()
        self._watching: asyncio.Task[None] | None = None

    def answer(self, stream: LiveStream, holds: Callable[[], bool]) -> Response:
        """204 ends a browser's asking for it. `holds`: whether the page may still be told."""
        if self._closed or self._is_full(stream):
            return Response(status_code=204)
        self._streams.add(stream)
        if self._watching is None or self._watching.done():
            self._watching = asyncio.get_running_loop().create_task(self._watch())
        return StreamingResponse(self._lines(stream, holds), media_type="text/event-stream", headers=HEADERS)

    def _is_full(self, new: LiveStream) -> bool:
        of_project = sum(one.project == new.project for one in self._streams)
        of_session = sum(one.session == new.session for one in self._streams)
        return of_session >= OF_SESSION or of_project >= OF_PROJECT or len(self._streams) >= IN_ALL

    def close(self) -> None:
        """The server ends, which waits for its connections."""
        self._closed = True
        for one in self._streams:
            one.woken.set()

    async def _watch(self) -> None:
        before: Sequence[object] | None = None
        while self._streams and not self._closed:
            try:
                now: Sequence[object] | None = await to_thread.run_sync(self._cloud.pulse)
            except Refused as refusal:  # a store that does not answer: whoever asks is told
                logger.warning("%s", refusal)
                now = before
            if before is not None and now is not None:
                self._tell({name for name, old, new in zip((CHANGED, STEPS), before, now, strict=True) if old != new})
            before = now
            await asyncio.sleep(EVERY)

    def _tell(self, names: set[str]) -> None:
        for one in self._streams:
            one.tell(names)

    async def _lines(self, stream: LiveStream, holds: Callable[[], bool]) -> AsyncIterator[str]:
        try:
            yield f"retry: {AGAIN}\n\n"
            asked = time.monotonic()
            while True:
                await _woken_or_late(stream.woken)
                if self._closed:
                    return
                if time.monotonic() - asked >= BEAT:
                    if not await to_thread.run_sync(holds):
                        return
                    asked = time.monotonic()
                names, stream.pending = sorted(stream.pending), set()
                stream.woken.clear()
                yield "".join(f"event: {name}\ndata: 1\n\n" for name in names) or ": beat\n\n"
        finally:
            self._streams.discard(stream)


async def _woken_or_late(woken: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(BEAT):
            await woken.wait()
    except TimeoutError:
        pass
