"""What if this host died now? The plan that `stead evacuate` would make, of which nothing is done."""

from __future__ import annotations

from collections.abc import Sequence

from anyio import to_thread
from starlette.responses import Response

from stead.core.address import Address
from stead.core.diagnostics import has_errors
from stead.core.named import NamedTuple
from stead.core.observed import HostStatus, Observed
from stead.core.value import replace
from stead.plan.evacuation import plan_evacuation
from stead.plan.render.html import to_body
from stead.serve.apart import without
from stead.serve.cloud import Cloud
from stead.serve.faults import not_found
from stead.serve.portal.pages import page_with_plan
from stead.serve.portal.visits import PortalRoute, Visit
from stead.serve.routes import AccessPolicy


class HostDeath(NamedTuple):
    plan: str  # HTML; empty where there is none
    left: Sequence[Address]  # their data is there alone
    faults: Sequence[str]  # why there is no plan


async def show_death(visit: Visit) -> Response:
    name = visit.path["name"]
    if name not in visit.cloud.observed.hosts:
        raise not_found("Host", name)
    found = await to_thread.run_sync(death_of, visit.cloud, name)
    return page_with_plan(visit, "death.html", name=name, found=found)


def death_of(cloud: Cloud, name: str) -> HostDeath:
    with cloud.planning():
        world = cloud.world()
        observed = silent(cloud.observed, name)
        inputs = cloud.inputs(without(world.desired, cloud.apart), world, observed)
        planned, left, found = plan_evacuation(inputs, name, lossy=False)
    if planned.plan is None or has_errors(found):
        return HostDeath("", left, [f"{one.detail} ({one.code})" for one in found])
    return HostDeath(to_body(planned.plan), left, ())


def silent(observed: Observed, name: str) -> Observed:
    """As if the host did not answer any more."""
    host = replace(observed.hosts[name], state=HostStatus.DOWN, why="taken as dead")
    haves = {
        address: {where: have for where, have in on.items() if where != name} for address, on in observed.haves.items()
    }
    unread = {where: names for where, names in observed.unread.items() if where != name}
    return replace(observed, hosts={**observed.hosts, name: host}, haves=haves, unread=unread)


ROUTES = (PortalRoute("GET", "/hosts/{name}/death", AccessPolicy.ADMIN, show_death),)
