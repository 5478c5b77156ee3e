"""A problem with some requirements given up and some capacity freed: the other side of a suggestion.

Decides what following a suggestion means for each kind of requirement. Must not judge whether that helps.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from stead.blueprint.placement.filters import WITHOUT, Broken
from stead.blueprint.placement.model import HostState, PlacementHost, Problem, Request, SiteFilter
from stead.core.value import replace


def relaxed_problem(
    problem: Problem, names: Iterable[str], relax: Iterable[Broken], free: Mapping[str, Mapping[str, int]]
) -> Problem:
    ids, given_up = frozenset(names), tuple(relax)
    groups = {found.value for found in given_up if found.stage in {"spread", "together"}}
    projects = frozenset(request.project for request in problem.requests if request.id in ids)
    requests = [_request(request, given_up, groups, named=request.id in ids) for request in problem.requests]
    hosts = [_host(host, given_up, projects, free.get(host.name, {})) for host in problem.hosts]
    dropped = {found.value for found in given_up if found.stage == "filter"}
    filters = {name: _except(refuses, ids) if name in dropped else refuses for name, refuses in problem.filters.items()}
    return replace(problem, requests=requests, hosts=hosts, filters=filters)


def _request(request: Request, given_up: tuple[Broken, ...], groups: set[str], *, named: bool) -> Request:
    if groups and any(group.name in groups for group in request.groups):
        softened = tuple(replace(g, hard=False) if g.name in groups else g for g in request.groups)
        request = replace(request, groups=softened)  # a group is shared: it softens for everyone in it
    if not named:
        return request
    for found in given_up:
        request = _without(request, found)
    return request


def _without(request: Request, found: Broken) -> Request:
    gone = frozenset({found.value})
    match found.stage:
        case "zone":
            return replace(request, zones=frozenset())
        case "trait":
            return replace(request, required=request.required - gone)
        case "feature" | "forbidden":
            return replace(request, forbidden=request.forbidden - gone - {WITHOUT + found.value})
        case "pool":
            return replace(request, pools=request.pools - gone)
        case "network":
            return replace(request, physical_networks=request.physical_networks - gone)
        case "host":
            return replace(request, host="")
        case "hypervisor":
            return replace(request, hypervisor="")
        case "architecture":
            return replace(request, architecture="")
        case "data":
            return replace(request, data_on={})
        case _:
            return request


def _host(
    host: PlacementHost, given_up: tuple[Broken, ...], projects: frozenset[str], free: Mapping[str, int]
) -> PlacementHost:
    stages = {(found.stage, found.value) for found in given_up}
    if ("state", host.state.value) in stages:
        host = replace(host, state=HostState.UP)
    if host.projects and any(("project", name) in stages for name in projects):
        host = replace(host, projects=host.projects | projects)
    if free:
        capacity = dict(host.capacity)
        for name, amount in free.items():
            ratio = max(1, round(host.overcommit.get(name, 1.0) * 1000))
            # Where reserves exceed capacity, usable is cut off at zero: lift it out of that first.
            debt = max(0, host.reserved.get(name, 0) - capacity.get(name, 0))
            capacity[name] = capacity.get(name, 0) + debt - (-amount * 1000 // ratio)
        host = replace(host, capacity=capacity)
    return host


def _except(refuses: SiteFilter, ids: frozenset[str]) -> SiteFilter:
    return lambda host, request: None if request.id in ids else refuses(host, request)
