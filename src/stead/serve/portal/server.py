"""The portal's own rules, for every route alike: who is logged in, what a form must prove, what each answer carries."""

from __future__ import annotations

import logging
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from urllib.parse import parse_qs, urlsplit

from anyio import to_thread
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route, Router
from starlette.types import ASGIApp

from stead.core.diagnostics import Refused
from stead.serve.app import read_body
from stead.serve.cloud import Cloud
from stead.serve.faults import OURS, Fault, forbidden, not_found
from stead.serve.identity.people import People
from stead.serve.identity.roles import NOBODY, Caller
from stead.serve.portal.inner import InnerApi
from stead.serve.portal.live import LiveStreams
from stead.serve.portal.pages import BASE, HEADERS, page, part
from stead.serve.portal.sessions import RENEWED, PortalSession, SealedSessions
from stead.serve.portal.statics import asset
from stead.serve.portal.texts import language_of
from stead.serve.portal.visits import PortalRoute, Visit
from stead.serve.routes import AccessPolicy

logger = logging.getLogger("stead.serve")
LARGEST = 256 << 10  # bytes of a form
FIELDS = 2000  # of a form
COOKIE, LANGUAGE = "stead-session", "stead-language"
POLLING = "x-stead-refresh"  # what a page asks by itself keeps no session alive
FORM_TOKEN = "form_token"  # noqa: S105 - a field's name
TOKEN_HEADER = "x-stead-form"  # noqa: S105 - a header's name


class Portal:
    def __init__(self, api: ASGIApp, cloud: Cloud, people: People, live: LiveStreams, *, url: str = "") -> None:
        self._api, self._cloud, self._people, self._url = InnerApi(api), cloud, people, url
        self._live = live
        self._sessions = SealedSessions(people.token_key())

    def app(self, routes: Sequence[PortalRoute]) -> ASGIApp:
        """What is not in the table is not there."""
        paths: dict[str, dict[str, PortalRoute]] = {}
        for one in routes:
            paths.setdefault(one.path, {})[one.method] = one
        found: list[BaseRoute] = [Route("/static/{name}", asset)]
        found += [Route(path, self._endpoint(methods), methods=["GET", "POST"]) for path, methods in paths.items()]
        found.append(Route("/{rest:path}", self._endpoint({}), methods=["GET", "POST"]))
        return Router(found, middleware=[Middleware(GZipMiddleware, minimum_size=1000, compresslevel=5)])

    def _endpoint(self, methods: Mapping[str, PortalRoute]) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            visit = await to_thread.run_sync(self._visit, request)
            try:
                response = await self._answered(
                    visit, methods.get("GET" if request.method == "HEAD" else request.method)
                )
            except Fault as fault:
                response = refusal(visit, fault)
            except ClientDisconnect:  # while it typed on: the next request is on its way
                return Response(status_code=400)
            except Refused as told:
                logger.warning("%s", told)
                response = refusal(
                    visit, Fault(503, told.diagnostics[0].code, str(told)) if visit.caller.admin else _ours()
                )
            except Exception:
                logger.exception("portal %s", request.url.path)
                response = refusal(visit, _ours())
            return self._finished(visit, response)

        return endpoint

    async def _answered(self, visit: Visit, route: PortalRoute | None) -> Response:
        if visit.request.method == "POST":
            visit.form = await _form(visit.request)
            self._must_be_own(visit)
        if route is None:
            raise not_found("Page")
        if not visit.may(route.policy):
            return _to_login(visit) if visit.session is None else self._denied(route.policy)
        return await route.handler(visit)

    def _denied(self, policy: AccessPolicy) -> Response:
        raise forbidden(f"This needs a role that you do not have here: {policy}.")

    def _visit(self, request: Request) -> Visit:
        session = self._sessions.opened(request.cookies.get(self._cookie(request), ""), self._cloud.clock())
        caller = self._caller(session)
        language = language_of(request.cookies.get(LANGUAGE, ""), request.headers.get("accept-language", ""))
        return Visit(
            request=request,
            api=self._api,
            cloud=self._cloud,
            people=self._people,
            session=session if caller.token is not None else None,
            caller=caller,
            form={},
            language=language,
            sessions=self._sessions,
            live=self._live,
            by_itself=POLLING in request.headers,
            root=self._url or f"{request.url.scheme}://{request.url.netloc}",
        )

    def _caller(self, session: PortalSession | None) -> Caller:
        if session is None:
            return NOBODY
        text = self._people.tokens.sealed(session.token(self._cloud.clock()))
        return self._people.caller(text, lambda name: self._cloud.world().project(name))

    def _must_be_own(self, visit: Visit) -> None:
        """A form of another site has another origin, and no token of this session."""
        request = visit.request
        mine = {request.url.netloc, urlsplit(self._url).netloc} - {""}
        if urlsplit(request.headers.get("origin", "")).netloc not in mine:
            raise forbidden("The form was not sent from this page.")
        if visit.session is not None:
            text = request.headers.get(TOKEN_HEADER) or visit.said(FORM_TOKEN)
            if not self._sessions.is_form_token(visit.session, text):
                raise forbidden("The form is too old. Load the page again.")

    def _secure(self, request: Request) -> bool:
        return request.url.scheme == "https" or self._url.startswith("https:")

    def _cookie(self, request: Request) -> str:
        return f"__Host-{COOKIE}" if self._secure(request) else COOKIE

    def _finished(self, visit: Visit, response: Response) -> Response:
        for name, text in HEADERS.items():
            response.headers.setdefault(name, text)
        secure, name = self._secure(visit.request), self._cookie(visit.request)
        if secure:
            response.headers["strict-transport-security"] = "max-age=31536000"
        session, now = visit.session, self._cloud.clock()
        if session is None:
            if name in visit.request.cookies:
                response.delete_cookie(name, secure=secure, httponly=True, samesite="lax")
        elif visit.is_new or (now - session.seen > RENEWED and not visit.by_itself):
            text = self._sessions.sealed(session._replace(seen=now))
            response.set_cookie(name, text, secure=secure, httponly=True, samesite="lax")
        return response


def _ours() -> Fault:
    return Fault(500, OURS.id, f"A fault of the server's own. Request req-{os.urandom(8).hex()}.")


def _to_login(visit: Visit) -> Response:
    target = f"{BASE}/login"
    if visit.is_part:
        return Response(status_code=204, headers={"hx-redirect": target})
    return RedirectResponse(target, 303)


def refusal(visit: Visit, fault: Fault) -> Response:
    if visit.is_part:
        return Response(part(visit, "_notice.html", fault=fault), fault.status, media_type="text/html")
    return page(visit, "refusal.html", status=fault.status, fault=fault)


async def _form(request: Request) -> Mapping[str, Sequence[str]]:
    raw = await read_body(request, LARGEST)
    try:
        return parse_qs(raw.decode(), keep_blank_values=True, max_num_fields=FIELDS)
    except (UnicodeDecodeError, ValueError) as error:
        raise Fault(400, OURS.id, "The form cannot be read.") from error
