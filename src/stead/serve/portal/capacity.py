"""How full hosts are, as placement counts, and whether all would still fit if any one of them failed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from stead.blueprint.advice import amount
from stead.core.named import NamedTuple
from stead.serve.cloud import Cloud

if TYPE_CHECKING:
    from stead.blueprint.placement import FailureAnalysis, ResourceUse

_UNSAID = frozenset({"services"})  # counted so that they spread; nobody buys them


class HostUse(NamedTuple):
    resource: str
    used: int
    usable: int

    @property
    def share(self) -> float:
        return min(100.0, 100 * self.used / self.usable)

    @property
    def free(self) -> str:
        return amount(self.resource, self.usable - self.used).partition(" of ")[0].removesuffix(f" {self.resource}")

    @property
    def called(self) -> str:
        kind, colon, name = self.resource.partition(":")
        return f"{kind} in {name}" if colon and kind == "disk" else self.resource


class FoundCapacity(NamedTuple):
    total: Mapping[str, HostUse]  # by resource
    zones: Mapping[str, Mapping[str, HostUse]]
    hosts: Mapping[str, Mapping[str, HostUse]]
    survival: FailureAnalysis


def capacity_of(cloud: Cloud) -> FoundCapacity:
    """By the question that a plan would ask now."""
    from stead.blueprint.demands import question
    from stead.blueprint.placement import capacity, failure_analysis, place
    from stead.blueprint.silence import listen
    from stead.blueprint.unmanaged import unmanaged_totals, with_less_room

    world, kinds = cloud.world(), cloud.means.kinds
    heard, _silence, _wrong = listen(cloud.observed, world.recorded)
    left = unmanaged_totals(world.desired, world.recorded, heard, kinds)
    records = world.recorded.resources
    problem = question(world.desired, kinds, with_less_room(heard, left), records, cloud.means.plugins).problem
    placement = place(problem)
    found = capacity(problem, placement, [], survive=0)
    return FoundCapacity(
        _by_scope(found.total).get("", {}),
        _by_scope(found.zones),
        _by_scope(found.hosts),
        failure_analysis(problem, placement, 1),
    )


def _by_scope(uses: Iterable[ResourceUse]) -> dict[str, dict[str, HostUse]]:
    found: dict[str, dict[str, HostUse]] = {}
    for use in uses:
        if use.usable and use.resource not in _UNSAID:
            found.setdefault(use.scope, {})[use.resource] = HostUse(use.resource, use.used, use.usable)
    return found
