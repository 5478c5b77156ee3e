"""The API as the portal asks it: the same application without a network between, and no second way to anything."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.types import ASGIApp, Message

from stead.core.named import NamedTuple
from stead.serve.faults import OURS, Fault
from stead.serve.identity.second_factor import RECEIPT
from stead.serve.preview import PREVIEW

Query = Sequence[tuple[str, str]]


class AskedRequest(NamedTuple):
    method: str
    path: str
    token: str  # empty without one
    body: Any = None
    query: Query = ()
    preview: bool = False  # what it would do is asked
    headers: Query = ()  # more of them


class AskedReply(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: Any


class InnerApi:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def ask(self, request: Request, asked: AskedRequest) -> AskedReply:
        """Refused as the API refuses it. `request` is the browser's."""
        answer = _Answer(b"" if asked.body is None else json.dumps(asked.body).encode())
        await self._app(_scope(request, asked), answer.receive, answer.send)
        return answer.read()


def _scope(request: Request, asked: AskedRequest) -> dict[str, Any]:
    headers = [("host", request.url.netloc), ("content-type", "application/json"), ("x-auth-token", asked.token)]
    headers += [(PREVIEW, "1")] if asked.preview else []
    headers += asked.headers
    scope = {word: request.scope[word] for word in ("type", "asgi", "http_version", "scheme", "client", "server")}
    return {
        **scope,
        "method": asked.method,
        "path": asked.path,
        "raw_path": quote(asked.path).encode(),
        "root_path": "",
        "query_string": urlencode(asked.query).encode(),
        "headers": [(name.encode(), text.encode()) for name, text in headers],
    }


class _Answer:
    def __init__(self, content: bytes) -> None:
        self._content, self._status, self._told = content, 500, bytearray()
        self._headers: dict[str, str] = {}

    async def receive(self) -> Message:
        return {"type": "http.request", "body": self._content, "more_body": False}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            self._headers = {name.decode(): text.decode() for name, text in message["headers"]}
        else:
            self._told += message.get("body", b"")

    def read(self) -> AskedReply:
        body = json.loads(self._told) if self._told else None
        if self._status >= 400:
            code = self._headers.get("x-stead-code", OURS.id)
            receipt = self._headers.get(RECEIPT, "")
            raise Fault(self._status, code, _message(body).removesuffix(f" ({code})"), receipt=receipt)
        return AskedReply(self._status, self._headers, body)


def _message(body: Any) -> str:
    """Each service has its own envelope around it."""
    if isinstance(body, Mapping):
        said = body.get("message", body.get("title"))
        return str(said) if isinstance(said, str) else _message(next(iter(body.values()), ""))
    return str(body or "")
