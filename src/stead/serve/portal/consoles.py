"""A server's serial console or its screen in the browser. The token of the address opens it once; then it is looked at
again and again whether its user still may.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import signal
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from anyio import to_thread
from starlette.responses import RedirectResponse, Response
from starlette.websockets import WebSocket, WebSocketDisconnect

from stead.core.recorded import Record
from stead.serve.cloud import Cloud
from stead.serve.faults import not_found
from stead.serve.grants import ConsoleForm, ConsoleGrant
from stead.serve.identity.people import People
from stead.serve.portal.instances import SERVERS
from stead.serve.portal.pages import BASE, POLICY, page
from stead.serve.portal.visits import PortalRoute, Visit
from stead.serve.routes import AccessPolicy
from stead.store.model import Audited

logger = logging.getLogger("stead.serve")
ASKED_AGAIN = 20.0  # seconds after which it is looked whether the user still may
OPENS = 30.0  # seconds that a console has to say something
SILENT = 1800.0  # seconds without a key, after which it is closed
UNREACHED = 255  # what SSH ends with, if the host cannot be entered
LARGEST = 16 << 10  # bytes that are read at once
PAGES = {ConsoleForm.SERIAL: "console.html", ConsoleForm.SCREEN: "screen.html"}
GONE, DENIED, FULL, OVER = 4404, 4403, 4429, 4408  # codes of a WebSocket that is closed


async def open_console(visit: Visit) -> Response:
    return await _opened(visit, {"os-getSerialConsole": {"type": "serial"}})


async def open_screen(visit: Visit) -> Response:
    return await _opened(visit, {"os-getVNCConsole": {"type": "novnc"}})


async def _opened(visit: Visit, body: Mapping[str, Any]) -> Response:
    """By the same request as everybody's."""
    answer = await visit.ask("POST", f"{SERVERS}/{visit.path['id']}/action", body)
    return RedirectResponse(f"{BASE}/console/{answer['console']['url'].rpartition('/')[2]}", 303)


async def show_console(visit: Visit) -> Response:
    grant = visit.cloud.consoles.seen(visit.path["key"])
    if grant is None:
        raise not_found("Console")
    nonce = secrets.token_urlsafe(16)  # for the styles that xterm.js makes itself
    response = page(visit, PAGES[grant.form], grant=grant, nonce=nonce, key=visit.path["key"])
    response.headers["content-security-policy"] = POLICY.format(styles=f" 'nonce-{nonce}'")
    return response


class ConsoleServer:
    """The WebSocket's side."""

    def __init__(self, cloud: Cloud, people: People, *, url: str = "") -> None:
        self._cloud, self._people, self._url = cloud, people, url

    async def serve(self, socket: WebSocket) -> None:
        grant = self._cloud.consoles.taken(socket.path_params["key"])
        if grant is None or not self._is_own(socket):
            await socket.close(GONE)
            return
        await socket.accept()
        if not self._cloud.consoles.opened(grant.token.user):
            await socket.close(FULL)
            return
        try:
            await self._carry(socket, grant)
        finally:
            self._cloud.consoles.closed(grant.token.user)

    def _is_own(self, socket: WebSocket) -> bool:
        """A page of another site has no token; a program, which sends no origin, may have one."""
        origin = socket.headers.get("origin")
        own = {socket.url.netloc, urlsplit(self._url).netloc} - {""}
        return origin is None or urlsplit(origin).netloc in own

    async def _carry(self, socket: WebSocket, grant: ConsoleGrant) -> None:
        record = await to_thread.run_sync(self._allowed, grant)
        means = self._cloud.means
        opener = means.screen if grant.form is ConsoleForm.SCREEN else means.console
        words = opener(record) if record is not None else None
        await to_thread.run_sync(self._audit, grant, socket, 101 if words else 403)
        if not words:
            await socket.close(DENIED)
            return
        # What SSH says itself names the host: "Connection to 192.0.2.7 closed."
        process = await asyncio.create_subprocess_exec(
            *words, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, start_new_session=True
        )
        try:
            line = ConsoleLine(process, socket)
            code = await _first_of(line.show, line.type, lambda: self._watched(grant, record))
            with contextlib.suppress(RuntimeError, WebSocketDisconnect):
                await socket.close(code)
        finally:
            await _ended(process)
            if process.returncode == UNREACHED:
                logger.warning("console of %s: SSH to its host failed", grant.address)

    def _allowed(self, grant: ConsoleGrant) -> Record | None:
        """The record of the server, while who asked may change it: not the token's hour counts, but its revocation."""
        world = self._cloud.world()
        text = self._people.tokens.sealed(grant.token._replace(expires=self._cloud.clock() + ASKED_AGAIN))
        caller = self._people.caller(text, world.project)
        mine = caller.may(AccessPolicy.MEMBER) and (caller.admin or caller.project == grant.address.project)
        if not mine or grant.address not in world.desired.by_address:
            return None
        record = world.thing(grant.address).record
        return record if record is not None and record.wants.get(record.host) else None

    async def _watched(self, grant: ConsoleGrant, before: Record | None) -> int:
        while True:
            await asyncio.sleep(ASKED_AGAIN)
            now = await to_thread.run_sync(self._allowed, grant)
            if now is None or before is None or now.host != before.host:
                return DENIED

    def _audit(self, grant: ConsoleGrant, socket: WebSocket, status: int) -> None:
        user = self._people.user(grant.token.user)["name"]
        source = socket.client.host if socket.client else ""
        what = f"{'screen' if grant.form is ConsoleForm.SCREEN else 'console'} of {grant.address}"
        self._people.audit(
            Audited(
                self._cloud.clock(), user, grant.address.project, what, source, status, f"req-{os.urandom(16).hex()}"
            )
        )


async def _first_of(*parts: Callable[[], Awaitable[int]]) -> int:
    """What the first that ends says; the others end with it."""
    tasks = [asyncio.ensure_future(part()) for part in parts]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return next(iter(done)).result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class ConsoleLine:
    """Between a browser and a guest, in both directions, as it is. What SSH would take for itself is turned off."""

    def __init__(self, process: Process, socket: WebSocket) -> None:
        self._process, self._socket, self._is_there = process, socket, asyncio.Event()

    async def show(self) -> int:
        assert self._process.stdout is not None  # noqa: S101 - it is a pipe
        while told := await self._process.stdout.read(LARGEST):
            self._is_there.set()
            await self._socket.send_bytes(told)
        return 1000

    async def type(self) -> int:
        """Not before the console says that it is there: what comes earlier would be typed to the host."""
        assert self._process.stdin is not None  # noqa: S101 - it is a pipe
        try:
            await asyncio.wait_for(self._is_there.wait(), OPENS)
            while True:
                message = await asyncio.wait_for(self._socket.receive(), SILENT)
                if message["type"] != "websocket.receive":
                    return 1000
                self._process.stdin.write(message.get("bytes") or (message.get("text") or "").encode())
                await self._process.stdin.drain()
        except TimeoutError:
            return OVER
        except (ConnectionError, WebSocketDisconnect):
            return 1000


async def _ended(process: Process) -> None:
    """With all that it started. Root's, on this very machine, takes no signals and ends with what is typed."""
    assert process.stdin is not None  # noqa: S101 - it is a pipe
    for word in (signal.SIGHUP, signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, word)
        except ProcessLookupError:
            pass
        except PermissionError:
            process.stdin.close()
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(process.wait(), 2)
            return


ROUTES = (
    PortalRoute("POST", "/instances/{id}/console", AccessPolicy.MEMBER, open_console),
    PortalRoute("POST", "/instances/{id}/screen", AccessPolicy.MEMBER, open_screen),
    PortalRoute("GET", "/console/{key}", AccessPolicy.PUBLIC, show_console),
)
