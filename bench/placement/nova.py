"""Nova's default scheduler as it works: for every single instance, filter all hosts, weigh what is left, take the best.

A peer for the benchmark, written to be fair: plain attributes, no database, no RPC, no logging, no Placement service,
so it is faster than the real thing. Filters and weighers are those Nova enables by default as far as our problems use
them; weights are normalised over the candidates at every request, as Nova does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from stead.blueprint.placement.model import GroupKind, Host, HostState, Over, Problem, Request


class HostView:
    """Nova's HostState: totals with ratios applied, and what is used."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.total = {name: host.usable(name) for name in host.capacity}
        self.used = dict.fromkeys(self.total, 0)
        self.groups: dict[str, int] = {}

    def free(self, name: str) -> int:
        return self.total.get(name, 0) - self.used.get(name, 0)


Filter = Callable[[HostView, Request], bool]


def compute_filter(view: HostView, _request: Request) -> bool:
    return view.host.state is HostState.UP


def availability_zone_filter(view: HostView, request: Request) -> bool:
    return not request.zones or view.host.zone in request.zones


def resource_filter(view: HostView, request: Request) -> bool:
    return all(view.free(name) >= amount for name, amount in request.demand.items())


def traits_filter(view: HostView, request: Request) -> bool:
    return request.required <= view.host.traits and not request.forbidden & view.host.traits


def network_filter(view: HostView, request: Request) -> bool:
    return request.physical_networks <= view.host.physical_networks


def anti_affinity_filter(view: HostView, request: Request) -> bool:
    return not any(
        view.groups.get(group.name, 0) >= (group.limit or 1)
        for group in request.groups
        if group.hard and group.kind is GroupKind.SPREAD and group.over is Over.HOSTS
    )


FILTERS: tuple[Filter, ...] = (
    compute_filter,
    availability_zone_filter,
    resource_filter,
    traits_filter,
    network_filter,
    anti_affinity_filter,
)


def free_memory(view: HostView) -> float:
    return view.free("memory")


def free_vcpus(view: HostView) -> float:
    return view.free("vcpus")


def free_disk(view: HostView) -> float:
    return view.free("disk:local")


WEIGHERS = (free_memory, free_vcpus, free_disk)


def normalised(values: list[float]) -> list[float]:
    low, high = min(values), max(values)
    return [0.0 if high == low else (value - low) / (high - low) for value in values]


def select(views: Iterable[HostView], request: Request) -> HostView | None:
    left = [view for view in views if all(passes(view, request) for passes in FILTERS)]
    if not left:
        return None
    weights = [0.0] * len(left)
    for weigher in WEIGHERS:
        for i, weight in enumerate(normalised([weigher(view) for view in left])):
            weights[i] += weight
    return max(zip(weights, left, strict=True), key=lambda pair: pair[0])[1]


def place(problem: Problem, most: int) -> int:
    """Places up to `most` members in the order they come; how many found a host."""
    views = [HostView(host) for host in problem.hosts]
    placed = asked = 0
    for request in problem.requests:
        for _ in request.members:
            if asked == most:
                return placed
            asked += 1
            view = select(views, request)
            if view is not None:
                placed += 1
                for name, amount in request.demand.items():
                    view.used[name] += amount
                for group in request.groups:
                    view.groups[group.name] = view.groups.get(group.name, 0) + 1
    return placed
