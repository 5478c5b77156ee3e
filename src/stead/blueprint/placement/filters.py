"""Which hosts may take a request at all, before anyone counts what is free.

Each filter is a line in `broken`: it names the requirement a host breaks, so that the same words serve the search, the
funnel and the suggestions. Must not look at what is placed: those reasons (capacity, groups) belong to the state.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from stead.blueprint.placement.model import HostState, PlacementHost, Request, SiteFilter
from stead.core.named import NamedTuple

# The order a person thinks in: is the machine there, is it of the right kind, did I ask for it, does it reach, is it
# free. A funnel counts a host at the first of these that it breaks.
STAGES = (
    "state",
    "architecture",
    "hypervisor",
    "project",
    "host",
    "zone",
    "trait",
    "feature",
    "forbidden",
    "pool",
    "network",
    "filter",
    "data",
    "spread",
    "together",
    "capacity",
)
# Of a host that lacks a feature such as a TPM. Nobody writes this trait: hosts and kinds do.
WITHOUT = "without:"
RANK = {stage: i for i, stage in enumerate(STAGES)}


class Broken(NamedTuple):
    """One requirement that a host does not meet. `str` is the word a user sees: `zone=b`, `trait=ssd`, `memory`.

    What a machine is for comes as a trait, `role:compute`, which no user writes.
    """

    stage: str
    value: str

    @property
    def is_role(self) -> bool:
        return self.stage == "trait" and self.value.startswith("role:")

    def __str__(self) -> str:
        if self.is_role:
            return self.value.replace(":", "=", 1)
        return self.value if self.stage == "capacity" else f"{self.stage}={self.value}"


def broken(host: PlacementHost, request: Request, filters: Mapping[str, SiteFilter]) -> tuple[Broken, ...]:
    """Every static requirement of the request that this host breaks, in the order of the stages."""
    found = [*_machine(host, request), *_wishes(host, request)]
    found.extend(Broken("filter", name) for name in sorted(filters) if filters[name](host, request) is not None)
    return tuple(found)


def _machine(host: PlacementHost, request: Request) -> Iterator[Broken]:
    if host.state is not HostState.UP:
        yield Broken("state", host.state.value)
    if request.architecture and host.architecture != request.architecture:
        yield Broken("architecture", request.architecture)
    if request.hypervisor and request.hypervisor not in host.hypervisors:
        yield Broken("hypervisor", request.hypervisor)
    if host.projects and request.project not in host.projects:
        yield Broken("project", request.project)


def _wishes(host: PlacementHost, request: Request) -> Iterator[Broken]:
    if request.host and host.name != request.host:
        yield Broken("host", request.host)
    if request.zones and host.zone not in request.zones:
        yield Broken("zone", "|".join(sorted(request.zones)))
    unwanted = request.forbidden & host.traits
    lacked = {name for name in unwanted if name.startswith(WITHOUT)} if unwanted else unwanted
    for stage, names in (
        ("trait", request.required - host.traits),
        ("feature", {name.removeprefix(WITHOUT) for name in lacked}),
        ("forbidden", unwanted - lacked),
        ("pool", request.pools - host.pools),
        ("network", request.physical_networks - host.physical_networks),
    ):
        if names:
            yield from (Broken(stage, name) for name in sorted(names))
