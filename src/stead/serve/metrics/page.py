"""The route `/metrics`. It needs a token of its own, or an admin's: what all projects have is in it."""

from __future__ import annotations

import hmac
from collections import Counter
from collections.abc import Callable
from contextlib import suppress

from starlette.requests import Request
from starlette.responses import Response

from ansible_collections.stead.cloud.plugins.module_utils.host.base.exposition import (
    OPENMETRICS,
    TEXT,
    Metric,
    written,
)
from stead.core.diagnostics import Refused
from stead.serve.cloud import Cloud
from stead.serve.identity.roles import NOBODY, Caller
from stead.serve.metrics.counting import ServerCounts
from stead.serve.metrics.site import SiteReading, families

PATH = "/metrics"
_BEARER = "bearer"


class MetricsPage:
    def __init__(self, cloud: Cloud, counts: ServerCounts, caller: Callable[[Request], Caller]) -> None:
        self._cloud, self._counts, self._caller = cloud, counts, caller
        self._told: tuple[SiteReading, list[Metric]] | None = None

    def answer(self, request: Request) -> Response:
        """In a thread: it reads the whole record."""
        if not self._may(request):
            return Response("This needs the token for metrics, or an admin's.\n", 401, {"www-authenticate": "Bearer"})
        told = self._counts.families()
        with suppress(Refused):  # the store does not answer: what this process counts is still told
            told += self._of_site(self._site())
        modern = "application/openmetrics-text" in request.headers.get("accept", "")
        headers = {"content-type": OPENMETRICS if modern else TEXT, "cache-control": "no-store"}
        return Response(written(told, openmetrics=modern), headers=headers)

    def _of_site(self, site: SiteReading) -> list[Metric]:
        """Made anew when something has changed: of 100,000 instances it takes seconds."""
        told = self._told
        if told is None or not told[0].same(site):
            told = self._told = (site, list(families(site)))
        return told[1]

    def _may(self, request: Request) -> bool:
        form, _, given = request.headers.get("authorization", "").partition(" ")
        own = self._cloud.means.metrics_token
        if form.lower() == _BEARER and own and hmac.compare_digest(given.strip().encode(), own.encode()):
            return True
        caller = self._caller(request) if request.headers.get("x-auth-token") else NOBODY
        return caller.admin and caller.rules is None

    def _site(self) -> SiteReading:
        cloud, world = self._cloud, self._cloud.world()
        store = cloud.means.open_store()  # of its own: others may be in the middle of a transaction
        try:
            last, runs = next(iter(store.runs(1)), None), store.outcomes()
        finally:
            store.close()
        return SiteReading(
            recorded=world.recorded,
            observed=cloud.observed,
            looked=cloud.looked,
            kinds=cloud.means.kinds,
            faults=Counter(address.project for address in cloud.faults),
            last=last,
            runs=runs,
        )
