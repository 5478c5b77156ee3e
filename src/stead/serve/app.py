"""From HTTP to handlers and back: who asks, whether the route's policy lets them, whether the body is what it must be.

Nothing of a fault inside leaves here but its id, by which the log finds it.
"""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

from anyio import to_thread
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route as HttpRoute
from starlette.types import ASGIApp

from stead.core.diagnostics import Refused
from stead.serve.checking import checker
from stead.serve.cloud import Cloud
from stead.serve.faults import (
    ENVELOPES,
    NOT_FOUND,
    OURS,
    TOO_LARGE,
    Fault,
    bad,
    forbidden,
    not_built,
)
from stead.serve.identity.access_rules import allowed
from stead.serve.identity.catalog import types_of
from stead.serve.identity.people import People
from stead.serve.identity.roles import NOBODY, Caller
from stead.serve.kept import KeptAnswers
from stead.serve.metrics.counting import ServerCounts
from stead.serve.metrics.page import PATH as METRICS
from stead.serve.metrics.page import MetricsPage
from stead.serve.permissions import must_be_allowed, must_be_allowed_to_begin, must_be_granted
from stead.serve.preview import PREVIEW, preview_of
from stead.serve.routes import AccessPolicy, ApiReply, ApiRoute, Call, PreviewedEdit, Service
from stead.serve.uploads import Uploads
from stead.serve.versions import negotiated
from stead.store.model import Audited

logger = logging.getLogger("stead.serve")
LARGEST = 1 << 20  # bytes of a body in JSON; user data has 64 KiB at most
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
Endpoint = Callable[[Request], Awaitable[Response]]


class ApiServer:
    def __init__(self, cloud: Cloud, people: People, services: Sequence[Service], *, url: str = "") -> None:
        self._cloud, self._people, self._services, self._url = cloud, people, services, url.rstrip("/")
        self._kept, self._counts = KeptAnswers(), ServerCounts()
        self._uploads = Uploads(cloud.means.uploads)
        cloud.timed = self._counts.plan

    def app(self) -> ASGIApp:
        routes = [route for service in self._services for route in self._routes(service)]
        page = MetricsPage(self._cloud, self._counts, self._caller)
        routes.append(HttpRoute(METRICS, run_in_thread(page.answer), methods=["GET"]))
        return Starlette(routes=routes, exception_handlers={404: self._nowhere, 405: self._nowhere})

    def _routes(self, service: Service) -> Iterable[HttpRoute]:
        """One for each path, that knows all of its methods."""
        paths: dict[str, dict[str, Endpoint]] = {}
        for route in service.routes:
            paths.setdefault(route.path, {})[route.method] = self._endpoint(service, route)
        for method, path, _ in service.unbuilt:
            endpoint = self._unbuilt(service, service.who_could(method, path))
            paths.setdefault(path, {}).setdefault(method, endpoint)
        without_id = _without_id(service)
        for path, methods in paths.items():
            for one in _spellings(service, path):
                without = one.endswith("/") and path in without_id
                answer = self._nowhere if without else self._by_method(service, methods)
                yield HttpRoute(one, answer, methods=METHODS)

    def _by_method(self, service: Service, methods: Mapping[str, Endpoint]) -> Endpoint:
        async def endpoint(request: Request) -> Response:
            method = request.method
            found = methods.get(method) or (methods.get("GET") if method == "HEAD" else None)
            if found is None and request.url.path.endswith("/"):
                return await self._nowhere(request)
            if found is None:
                return _fault(service.name, Fault(405, NOT_FOUND.id, "This path does not take that method."), _new_id())
            return await found(request)

        return endpoint

    def _endpoint(self, service: Service, route: ApiRoute) -> Endpoint:
        check = checker(route.schema)

        async def endpoint(request: Request) -> Response:
            request_id = _new_id()
            try:
                headers = negotiated(service.name, request.headers)
                if PREVIEW in request.headers and not service.previewed:
                    raise bad(f"Requests of {service.name} cannot be previewed.")
                who = await to_thread.run_sync(self._uploader, route, request) if route.raw else NOBODY
                if route.raw and who is NOBODY:
                    answer = await self._in_thread(route, request, b"", check, request_id)
                elif route.raw:
                    async with self._uploads.written(request, who.project) as place:
                        answer = await self._in_thread(route, request, str(place).encode(), check, request_id)
                else:
                    raw = await read_body(request, LARGEST)
                    answer = await self._in_thread(route, request, raw, check, request_id)
                return _response(answer, {**headers, **_ids(request_id)})
            except Fault as fault:
                return _fault(service.name, fault, request_id)

        return endpoint

    async def _in_thread(self, *parts: Any) -> ApiReply:
        return await to_thread.run_sync(self._answer, *parts)

    def _unbuilt(self, service: Service, policy: AccessPolicy) -> Endpoint:
        async def endpoint(request: Request) -> Response:
            caller = await to_thread.run_sync(self._caller, request)
            try:
                must_be_allowed(caller, policy)
                _must_be_in_rules(caller, request)
                raise not_built("This is not built yet. docs/api.md lists what is.")
            except Fault as fault:
                return _fault(service.name, fault, _new_id())

        return endpoint

    async def _nowhere(self, request: Request, _error: Exception | None = None) -> Response:
        service = request.url.path.split("/")[1] if request.url.path.count("/") else ""
        return _fault(service, Fault(404, NOT_FOUND.id, "The resource could not be found."), _new_id())

    def _caller(self, request: Request) -> Caller:
        text = request.headers.get("x-auth-token", "")
        return self._people.caller(text, lambda name: self._cloud.world().project(name)) if text else NOBODY

    def _uploader(self, route: ApiRoute, request: Request) -> Caller:
        """Before anything is written: nobody fills the disk without a token. Why somebody may not is told later."""
        try:
            caller = self._caller(request)
            must_be_allowed_to_begin(caller, route)
            _must_be_in_rules(caller, request)
        except Fault:
            return NOBODY
        return caller

    def _answer(
        self, route: ApiRoute, request: Request, raw: bytes, check: Callable[[Any], None], request_id: str
    ) -> ApiReply:
        call, status, began = self._call(route, request, raw, request_id), 500, time.perf_counter()
        call.preview = PREVIEW in request.headers
        try:
            call.caller = self._caller(request)
            by_word = must_be_allowed_to_begin(call.caller, route)
            _must_be_in_rules(call.caller, request)
            if not route.raw and route.schema is not None:
                call.body = _parsed(raw)
                check(call.body)
            if by_word:
                must_be_granted(call.caller, route, call.body)
            answer = self._kept_answer(route, request, call) if route.kept else _answered(route, call)
            status = answer.status
        except Fault as fault:
            status = fault.status
            for path in call.made:
                path.unlink(missing_ok=True)
            raise
        except Refused as refusal:
            logger.exception("request %s", request_id)
            code = refusal.diagnostics[0].code if refusal.diagnostics else OURS.id
            raise Fault(503, code, f"The server cannot do that just now. Request {request_id}.") from refusal
        except Exception as error:
            logger.exception("request %s", request_id)
            raise Fault(500, OURS.id, f"A fault of the server's own. Request {request_id}.") from error
        finally:
            self._counts.request(route, status, time.perf_counter() - began)
            self._audit(call, route, request, status, request_id)
        return answer

    def _kept_answer(self, route: ApiRoute, request: Request, call: Call) -> ApiReply:
        caller, world = call.caller, self._cloud.world()
        key = (call.root, request.url.path, request.url.query, caller.user, caller.project, caller.roles)
        if (kept := self._kept.of(world, key)) is not None:
            return kept
        answer = route.handler(call)
        encoded = ApiReply(answer.status, dumped(answer.body).encode(), answer.headers, is_json=True)
        self._kept.keep(world, key, encoded)
        return encoded

    def _call(self, route: ApiRoute, request: Request, raw: bytes, request_id: str) -> Call:
        return Call(
            cloud=self._cloud,
            people=self._people,
            caller=NOBODY,
            path=request.path_params,
            query=request.query_params.multi_items(),
            body=None,
            headers=request.headers,
            request=request_id,
            root=self._url or f"{request.url.scheme}://{request.url.netloc}",
            source=request.client.host if request.client else "",
            raw=raw if route.raw else b"",
        )

    def _audit(self, call: Call, route: ApiRoute, request: Request, status: int, request_id: str) -> None:
        """What changes something, and what is refused. Never a body: it may hold a secret."""
        if (route.method == "GET" or call.preview) and status not in (401, 403):
            return
        who = call.audit.get("who") or call.caller.audited
        path = request.url.path[:500]
        entry = Audited(
            self._cloud.clock(), who, call.caller.project, f"{route.method} {path}", call.source, status, request_id
        )
        self._people.audit(entry)


def run_in_thread(answer: Callable[[Request], Response]) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        return await to_thread.run_sync(answer, request)

    return endpoint


def _spellings(service: Service, path: str) -> Iterable[str]:
    bare = path.rstrip("/")
    found = {bare or "/": True, f"{bare}/": True}
    if service.also_at and bare.startswith(f"{service.endpoint}/"):
        older = service.also_at + bare.removeprefix(service.endpoint)
        found |= {older: True, f"{older}/": True}
    return found


def _without_id(service: Service) -> frozenset[str]:
    """Lists of which each thing has a path: with a slash behind it, that is the path of a thing without an id."""
    if service.lists_by_slash:
        return frozenset()
    lists = {path.rpartition("/")[0] for path in service.paths() if path.endswith("}")}
    return frozenset(lists - {one.path for one in service.routes if one.policy is AccessPolicy.PUBLIC})


def _answered(route: ApiRoute, call: Call) -> ApiReply:
    try:
        answer = route.handler(call)
    except PreviewedEdit as found:
        return ApiReply(body={"preview": preview_of(call, found)})
    call.preview = False  # it is no edit, and was done: a console was opened, or what a guest wrote was read
    return answer


def _must_be_in_rules(caller: Caller, request: Request) -> None:
    """What a token says of itself is always told."""
    path: str = request.scope["path"]
    _, service, rest = path.split("/", 2) if path.count("/") > 1 else ("", path[1:], "")
    if caller.rules is None or path.startswith("/identity/v3/auth/"):
        return
    if not allowed(caller.rules, types_of(service), request.method, f"/{rest}"):
        raise forbidden("No access rule of the application credential allows this request.")


async def read_body(request: Request, most: int) -> bytes:
    """Never more in memory than may be."""
    found = bytearray()
    async for chunk in request.stream():
        found += chunk
        if len(found) > most:
            raise Fault(413, TOO_LARGE.id, f"A body has {most >> 20} MiB at most.")
    return bytes(found)


def _parsed(raw: bytes) -> Any:
    try:
        found = json.loads(raw or b"null")
        dumped(found).encode()  # Python reads half a character, which nothing can keep or write again
    except (ValueError, RecursionError) as error:
        raise bad("The body is no JSON.") from error
    return found


def _response(answer: ApiReply, headers: Mapping[str, str]) -> Response:
    if answer.body is None:
        return Response(status_code=answer.status, headers={**headers, **answer.headers})
    if isinstance(answer.body, bytes):
        form = "application/json" if answer.is_json else "application/octet-stream"
        return Response(answer.body, answer.status, {**headers, **answer.headers}, form)
    return Response(dumped(answer.body), answer.status, {**headers, **answer.headers}, "application/json")


dumped = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


def _fault(service: str, fault: Fault, request_id: str) -> Response:
    envelope = ENVELOPES.get(service, ENVELOPES["identity"])
    headers = {**_ids(request_id), "x-stead-code": fault.code}
    if fault.status == 401:
        headers["www-authenticate"] = "Keystone"
    return Response(dumped(envelope(fault)), fault.status, headers, "application/json")


def _new_id() -> str:
    return f"req-{os.urandom(16).hex()}"


def _ids(request_id: str) -> dict[str, str]:
    return {"x-openstack-request-id": request_id, "x-compute-request-id": request_id}
