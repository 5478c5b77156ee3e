# ruff: noqa: INP001 - one file is the whole package
"""A filter and a scorer of one site, as a worked example of `stead.placement.filters` and `stead.placement.scorers`.

Both are plain functions of a host and a request. They must depend on nothing else: no clock, no file, no network, or
the same spec would give another plan tomorrow. They are asked once per host and request, not once per instance.
"""

from __future__ import annotations

from stead.blueprint.placement import PlacementHost, Request

HUNGRY = 16  # vCPUs from which an instance runs hot enough to matter in a rack without its own cooling
POINTS_PER_YEAR = 5  # a thousand points outweigh the difference between an empty and a full host


def power(host: PlacementHost, request: Request) -> str | None:
    """Large instances stay out of racks labelled `power: low`. A reason says no; None says yes."""
    if host.labels.get("power") == "low" and request.demand.get("vcpus", 0) >= HUNGRY:
        return f"rack of {host.name} cannot feed {request.demand['vcpus']} vCPUs"
    return None


def newest(host: PlacementHost, request: Request) -> int:
    """Hosts bought later first, everything else being near enough equal. More points are better."""
    del request  # every request is treated alike
    year = host.labels.get("bought", "2000")
    return (int(year) - 2000) * POINTS_PER_YEAR if year.isdigit() else 0
