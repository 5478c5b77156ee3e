"""Pages of those who run the cloud: hosts and how full they are, runs with their plans, drift, and projects.

They read what the server knows already: nothing here asks a host.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from anyio import to_thread
from starlette.responses import HTMLResponse, Response

from stead.core.address import Address
from stead.core.named import NamedTuple
from stead.core.observed import Host
from stead.plan import file as plans
from stead.plan.render.html import to_html
from stead.plan.render.names import natural
from stead.plan.render.style import STYLE
from stead.plan.render.svg import STYLE as DRAWN
from stead.serve.faults import not_found
from stead.serve.portal.capacity import HostUse, capacity_of
from stead.serve.portal.pages import page, part, policy_with
from stead.serve.portal.visits import PortalRoute, Visit
from stead.serve.routes import AccessPolicy
from stead.serve.world import CloudState, bare
from stead.store.model import JournalEntry, RunInfo, StepState

RUNS = 100  # that are listed
STEPS = 500  # that are shown of a run; what went wrong always is


class HostListed(NamedTuple):
    host: Host
    instances: int
    uses: Mapping[str, HostUse]  # by resource


async def list_hosts(visit: Visit) -> Response:
    stamp = await visit.stamp()
    if visit.is_part and visit.said("stamp") == stamp:
        return Response(status_code=204)
    rows, survival = await to_thread.run_sync(_hosts, visit)
    values: dict[str, Any] = {"rows": rows, "survival": survival, "stamp": stamp}
    if visit.is_part:
        return HTMLResponse(part(visit, "_hosts.html", **values))
    return page(visit, "hosts.html", **values)


def _hosts(visit: Visit) -> tuple[list[HostListed], Any]:
    world, found = visit.cloud.world(), capacity_of(visit.cloud)
    running = Counter(one.host for one in world.things("instances"))
    hosts = sorted(visit.cloud.observed.hosts.values(), key=lambda one: natural(one.name))
    return [HostListed(one, running[one.name], found.hosts.get(one.name, {})) for one in hosts], found.survival


async def show_host(visit: Visit) -> Response:
    host = visit.cloud.observed.hosts.get(visit.path["name"])
    if host is None:
        raise not_found("Host", visit.path["name"])
    world = await visit.world()
    on_it = [one for one in world.things("instances") if one.host == host.name]
    found = await to_thread.run_sync(capacity_of, visit.cloud)
    return page(visit, "host.html", host=host, instances=on_it, uses=found.hosts.get(host.name, {}))


async def show_capacity(visit: Visit) -> Response:
    found = await to_thread.run_sync(capacity_of, visit.cloud)
    return page(visit, "capacity.html", found=found)


async def list_runs(visit: Visit) -> Response:
    """Live: a run that goes on shows how far it is."""
    runs = await to_thread.run_sync(visit.cloud.store.runs, RUNS)
    values: dict[str, Any] = {"runs": runs, "moment": moment}
    if visit.is_part:
        return HTMLResponse(part(visit, "_runs.html", **values))
    return page(visit, "runs.html", **values)


def moment(at: float | None) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S") if at is not None else "-"


def _run(visit: Visit) -> tuple[RunInfo, Sequence[JournalEntry]]:
    text = visit.path["id"]
    info = visit.cloud.store.run(int(text)) if text.isascii() and text.isdigit() and len(text) < 16 else None
    if info is None:
        raise not_found("Run", text)
    return info, visit.cloud.store.journal(info.id)


async def show_run(visit: Visit) -> Response:
    info, entries = await to_thread.run_sync(_run, visit)
    wrong = [one for one in entries if one.state is not StepState.DONE]
    shown = [*wrong, *(one for one in entries if one.state is StepState.DONE)][:STEPS]
    values: dict[str, Any] = {"run": info, "moment": moment, "more": len(entries) - len(shown)}
    values["entries"] = sorted(shown, key=lambda one: one.step)
    if visit.is_part:
        return HTMLResponse(part(visit, "_run.html", **values))
    return page(visit, "run.html", **values)


async def show_plan(visit: Visit) -> Response:
    """The page that `stead plan --format html` writes. Its sheets of style are allowed, and nothing else."""
    info, _ = await to_thread.run_sync(_run, visit)
    content = await to_thread.run_sync(visit.cloud.store.plan, info.plan)
    if content is None:
        raise not_found("Plan of run", info.id)
    plan = plans.read(content.splitlines(keepends=True), f"plan of run {info.id}")
    text = await to_thread.run_sync(lambda: to_html(plan, title=f"Plan of run {info.id}"))
    return HTMLResponse(text, headers=policy_with(STYLE, DRAWN))


async def show_drift(visit: Visit) -> Response:
    changes = await to_thread.run_sync(_drift, visit)
    return page(visit, "drift.html", changes=changes)


def _drift(visit: Visit) -> list[Any]:
    """As the hosts were when they were last heard."""
    from stead.diff.drift import drift
    from stead.diff.identity import by_uuid

    recorded = visit.cloud.store.recorded()
    observed, _ = by_uuid(recorded, visit.cloud.observed)
    return list(drift(recorded, observed, kinds=visit.cloud.means.kinds).changes)


class ProjectRow(NamedTuple):
    id: str
    name: str
    owner: str  # the file that it belongs to; empty: the API
    counts: Mapping[str, int]  # by kind
    quota: Mapping[str, int]


async def list_projects(visit: Visit) -> Response:
    world = await visit.world()
    counts = Counter((block.project, block.kind) for block in _expanded(world))
    rows = [
        ProjectRow(
            bare(one.id),
            one.name,
            "" if one.address.name in world.documents else world.owner_file(one.address.name),
            {kind: number for (project, kind), number in counts.items() if project == one.address.name},
            {name: most for name, most in one.model.quota.items() if most is not None},
        )
        for one in world.things("projects")
    ]
    return page(visit, "projects.html", rows=sorted(rows, key=lambda one: one.name))


def _expanded(world: CloudState) -> Iterable[Address]:
    return (member for block in world.desired.blocks for member in block.members)


ADMIN = AccessPolicy.ADMIN
ROUTES = (
    PortalRoute("GET", "/hosts", ADMIN, list_hosts),
    PortalRoute("GET", "/hosts/{name}", ADMIN, show_host),
    PortalRoute("GET", "/capacity", ADMIN, show_capacity),
    PortalRoute("GET", "/runs", ADMIN, list_runs),
    PortalRoute("GET", "/runs/{id}", ADMIN, show_run),
    PortalRoute("GET", "/runs/{id}/plan", ADMIN, show_plan),
    PortalRoute("GET", "/drift", ADMIN, show_drift),
    PortalRoute("GET", "/projects", ADMIN, list_projects),
)
