"""All that `stead serve` answers: the API, and the portal below /portal."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.types import ASGIApp

from stead.serve.app import ApiServer
from stead.serve.cloud import Cloud
from stead.serve.identity.declared import DeclaredIdentity
from stead.serve.identity.outside import OutsideUsers
from stead.serve.identity.people import People
from stead.serve.portal import (
    consoles,
    creating,
    deaths,
    entering,
    instances,
    making,
    operators,
    overview,
    providers,
    resources,
    reviews,
    topology,
)
from stead.serve.portal.live import LiveStreams
from stead.serve.portal.pages import BASE
from stead.serve.portal.server import Portal
from stead.serve.routes import Service

ROUTES = (
    *entering.ROUTES,
    *providers.ROUTES,
    *overview.ROUTES,
    *creating.ROUTES,
    *making.ROUTES,
    *instances.ROUTES,
    *consoles.ROUTES,
    *resources.ROUTES,
    *topology.ROUTES,
    *operators.ROUTES,
    *deaths.ROUTES,
    *reviews.ROUTES,
)


def application(
    cloud: Cloud, people: People, services: Sequence[Service], *, url: str = "", live: LiveStreams | None = None
) -> ASGIApp:
    """`live` is given by who closes it before the server waits for its connections."""
    declared = DeclaredIdentity(cloud)
    people.follow_files(declared.records)
    people.outside = OutsideUsers(people, declared)
    api = ApiServer(cloud, people, services, url=url).app()
    portal = Portal(api, cloud, people, live or LiveStreams(cloud), url=url).app(ROUTES)
    console = WebSocketRoute(f"{BASE}/console/{{key}}/ws", consoles.ConsoleServer(cloud, people, url=url).serve)
    return Starlette(routes=[console, Route("/", _first), Route(BASE, _first), Mount(BASE, portal), Mount("/", api)])


async def _first(_request: Request) -> Response:
    return RedirectResponse(f"{BASE}/", 303)
