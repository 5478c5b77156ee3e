"""What is used, what is free, and how many more of each flavor fit: per host, per zone, in all; now or in a what-if.

Decides how free room is counted. Counts are of one flavor alone: two flavors compete for the same room. Must not
render bars, and must not place.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from stead.blueprint.placement.model import HostState, Placement, PlacementHost, Problem, Request
from stead.blueprint.placement.queries.evaluation import Evaluation
from stead.blueprint.placement.queries.failure_analysis import Losses, losses, spare_of_one
from stead.core.value import replace, value


@value
class ResourceUse:
    """One resource of one host, one zone or (`scope` empty) of everything."""

    scope: str
    resource: str
    used: int
    usable: int

    @property
    def free(self) -> int:
        return self.usable - self.used


@value
class Fit:
    """How many more of a flavor fit. `surviving`: so that a failure takes no more than now; None when not asked."""

    flavor: str
    total: int
    by_zone: tuple[tuple[str, int], ...]
    by_host: tuple[tuple[str, int], ...]
    surviving: int | None = None


@value
class Capacity:
    total: tuple[ResourceUse, ...]
    zones: tuple[ResourceUse, ...]
    hosts: tuple[ResourceUse, ...]
    fits: tuple[Fit, ...]


def capacity(problem: Problem, placement: Placement, flavors: Sequence[Request] = (), *, survive: int = 0) -> Capacity:
    """`flavors` are requests whose id is the flavor's name and whose members do not matter; their constraints do."""
    asked = replace(problem, requests=[*problem.requests, *(replace(flavor, members=()) for flavor in flavors)])
    evaluation = Evaluation(asked, placement)
    now = losses(evaluation, survive) if survive and flavors else {}
    names = evaluation.space.zone_of
    everywhere = dict.fromkeys(range(len(names)), "")
    return Capacity(
        total=_uses(evaluation, everywhere),
        zones=_uses(evaluation, dict(enumerate(names))),
        hosts=_uses(evaluation, dict(enumerate(evaluation.space.names))),
        fits=tuple(_fit(evaluation, flavor, survive, now) for flavor in flavors),
    )


def what_if(problem: Problem, *, add: Iterable[PlacementHost] = (), without: Iterable[str] = ()) -> Problem:
    """The same problem with hosts bought or lost. What sat on lost hosts has to be placed again."""
    gone = frozenset(without)
    return replace(problem, hosts=[*(host for host in problem.hosts if host.name not in gone), *add])


def copies(host: PlacementHost, count: int, prefix: str) -> tuple[PlacementHost, ...]:
    """`--add 4xbig`: new hosts like an existing one, in its zone; they work, whatever state that one is in."""
    return tuple(replace(host, name=f"{prefix}-{i}", state=HostState.UP) for i in range(count))


def _uses(evaluation: Evaluation, scope_of: dict[int, str]) -> tuple[ResourceUse, ...]:
    used: dict[tuple[str, int], list[int]] = {}
    for h, scope in scope_of.items():
        for k, (cap, free) in enumerate(zip(evaluation.state.cap[h], evaluation.state.free[h], strict=True)):
            row = used.setdefault((scope, k), [0, 0])
            row[0] += cap - free
            row[1] += cap
    resources = evaluation.space.resources
    return tuple(
        ResourceUse(scope=scope, resource=resources[k], used=row[0], usable=row[1])
        for (scope, k), row in sorted(used.items())
        if row[1] or row[0]
    )


def _fit(evaluation: Evaluation, flavor: Request, survive: int, now: Losses) -> Fit:
    shape = evaluation.space.shape(flavor)
    slots = {h: copies_on(evaluation.state.free[h], shape.demand) for h in shape.pool.hosts}
    zones: dict[str, int] = {}
    for h, count in slots.items():
        zones[evaluation.space.zone_of[h]] = zones.get(evaluation.space.zone_of[h], 0) + count
    return Fit(
        flavor=flavor.id,
        total=sum(slots.values()),
        by_zone=tuple(sorted(zones.items())),
        by_host=tuple((evaluation.space.names[h], count) for h, count in sorted(slots.items())),
        surviving=spare_of_one(evaluation, shape, slots, survive, now) if survive else None,
    )


def copies_on(free: Sequence[int], demand: Sequence[tuple[int, int]]) -> int:
    return max(0, min((free[k] // amount for k, amount in demand), default=0))
