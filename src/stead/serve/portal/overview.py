"""What a project has of what it may have, and what needs somebody's attention."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.responses import Response

from stead.core.named import NamedTuple
from stead.serve.portal.live import LiveStream
from stead.serve.portal.meters import METERS
from stead.serve.portal.pages import page
from stead.serve.portal.visits import PortalRoute, Visit
from stead.serve.quotas import NO_LIMIT
from stead.serve.routes import AccessPolicy

SHOWN = 8  # things that need attention


class QuotaMeter(NamedTuple):
    name: str
    used: int
    limit: int  # NO_LIMIT without one
    unit: str

    @property
    def share(self) -> float:
        """Per cent of the limit; 0 without one."""
        if self.limit == NO_LIMIT:
            return 0.0
        return min(100.0, 100 * self.used / self.limit) if self.limit else 100.0 * bool(self.used)


async def overview(visit: Visit) -> Response:
    if not visit.project_id:
        return page(visit, "nowhere.html")
    servers, meters = await asyncio.gather(visit.ask("GET", "/compute/v2.1/servers/detail"), quota_meters(visit))
    failed = [one for one in servers["servers"] if one["status"] == "ERROR"]
    busy = [one for one in servers["servers"] if one["OS-EXT-STS:task_state"]]
    counts: dict[str, int] = {}
    for one in servers["servers"]:
        counts[one["status"]] = counts.get(one["status"], 0) + 1
    values: dict[str, Any] = {"meters": meters, "failed": failed[:SHOWN], "failures": len(failed), "busy": busy[:SHOWN]}
    return page(visit, "overview.html", counts=counts, stamp=await visit.stamp(), **values)


async def quota_meters(visit: Visit) -> list[QuotaMeter]:
    project = visit.project_id
    compute, network, volume = await asyncio.gather(
        visit.ask("GET", f"/compute/v2.1/os-quota-sets/{project}/detail"),
        visit.ask("GET", f"/network/v2.0/quotas/{project}/details"),
        visit.ask("GET", f"/volume/v3/{project}/os-quota-sets/{project}", query=[("usage", "True")]),
    )
    found: dict[str, dict[str, Any]] = {
        "compute": compute["quota_set"],
        "network": network["quota"],
        "volume": volume["quota_set"],
    }
    told = ((name, found[service][word], unit) for service, word, name, unit in METERS)
    return [QuotaMeter(name, one.get("in_use", one.get("used", 0)), one["limit"], unit) for name, one, unit in told]


async def listen(visit: Visit) -> Response:
    """A stream of events, by which the page knows when to ask again. How far runs are is the operators' business."""
    visit.by_itself = True
    session = visit.session
    audit, project = (session.audit, session.project) if session is not None else ("", "")
    stream = LiveStream(audit, project, steps=visit.may(AccessPolicy.REVIEWER))
    return visit.live.answer(stream, visit.holds)


ROUTES = (
    PortalRoute("GET", "/live", AccessPolicy.ANYONE, listen),
    PortalRoute("GET", "/", AccessPolicy.ANYONE, overview),
)
