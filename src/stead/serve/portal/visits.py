"""One request of a browser, as the portal's handlers see it, and what a route of the portal is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import Response

from stead.core.named import NamedTuple
from stead.core.value import mutable
from stead.serve.cloud import Cloud
from stead.serve.identity import held
from stead.serve.identity.people import People
from stead.serve.identity.roles import Caller
from stead.serve.portal.inner import AskedRequest, InnerApi, Query
from stead.serve.portal.live import LiveStreams
from stead.serve.portal.sessions import PortalSession, SealedSessions
from stead.serve.routes import AccessPolicy
from stead.serve.world import CloudState, bare

OF_PROJECT = (AccessPolicy.READER, AccessPolicy.MEMBER)
AS_PART = "hx-request"  # the header by which htmx asks for a part of a page


@mutable
class Visit:
    request: Request
    api: InnerApi
    cloud: Cloud
    people: People
    session: PortalSession | None
    caller: Caller
    form: Mapping[str, Sequence[str]]
    language: str
    sessions: SealedSessions
    live: LiveStreams
    root: str  # URL of the server, as the browser sees it
    is_new: bool = False  # the session: its cookie is written
    by_itself: bool = False  # the page asks, and no person: that keeps no session alive

    def begin(self, session: PortalSession | None) -> None:
        """The session from now on; without one, the browser is logged out."""
        self.session, self.is_new = session, True

    def projects(self) -> list[tuple[str, str]]:
        """Id and name of those in which one has a role."""
        if self.session is None:
            return []
        world = self.cloud.world()
        mine = set(held.projects_of(self.people.known(), self.session.user, world.project_ids()))
        found = [(bare(one.id), one.name) for one in world.things("projects")]
        return sorted((pair for pair in found if pair[0] in mine), key=lambda pair: pair[1])

    @property
    def form_token(self) -> str:
        return self.sessions.form_token(self.session) if self.session is not None else ""

    @property
    def path(self) -> Mapping[str, str]:
        return self.request.path_params

    @property
    def is_part(self) -> bool:
        return AS_PART in self.request.headers

    @property
    def project_id(self) -> str:
        return self.session.project if self.session is not None else ""

    def holds(self) -> bool:
        """Whether the session goes on, with the same roles."""
        session, now = self.session, self.cloud.clock()
        if session is None or not session.is_on(now):
            return False
        text = self.people.tokens.sealed(session.token(now))
        caller = self.people.caller(text, lambda name: self.cloud.world().project(name))
        return caller.token is not None and caller.roles == self.caller.roles

    def may(self, policy: AccessPolicy) -> bool:
        """What a project has, is shown to who is in one: also to an admin of the whole cloud."""
        return self.caller.may(policy) and (policy not in OF_PROJECT or bool(self.project_id))

    @property
    def may_change(self) -> bool:
        return self.may(AccessPolicy.MEMBER)

    def said(self, name: str, default: str = "") -> str:
        """A field of the form, or of the query."""
        values = self.form.get(name) or self.request.query_params.getlist(name)
        return values[0].strip() if values else default

    async def ask(
        self, method: str, path: str, body: Any = None, *, query: Query = (), preview: bool = False, headers: Query = ()
    ) -> Any:
        """The body of the API's answer, asked with what this session may."""
        token = ""
        if self.session is not None:
            token = self.people.tokens.sealed(self.session.token(self.cloud.clock()))
        asked = AskedRequest(method, path, token, body, query, preview, headers)
        return (await self.api.ask(self.request, asked)).body

    async def world(self) -> CloudState:
        return await to_thread.run_sync(self.cloud.world)

    async def stamp(self) -> str:
        """Another one whenever something has changed: who has it sees what there is."""
        found = await to_thread.run_sync(self.cloud.stamp)
        return "-".join(map(str, found))


def of_project(visit: Visit, items: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the project has and what is shared with it: an admin's lists have what every project has."""
    return [one for one in items if one["project_id"] == visit.project_id or one.get("shared")]


PortalHandler = Callable[[Visit], Awaitable[Response]]


class PortalRoute(NamedTuple):
    method: str
    path: str  # below the portal's
    policy: AccessPolicy
    handler: PortalHandler
