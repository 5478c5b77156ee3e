"""What the search leaves out, beside what an exhaustive one finds: on small problems nobody is left out in vain."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from stead.blueprint.placement import (
    GroupKind,
    Placement,
    PlacementGroup,
    PlacementHost,
    Policy,
    Problem,
    Request,
    numbered,
    place,
)

RESOURCES = ("vcpus", "memory")
APART = PlacementGroup(name="apart", kind=GroupKind.SPREAD)
Unit = tuple[Request, str]


@st.composite
def problems(draw: st.DrawFn) -> Problem:
    """Tight on purpose: about as much is asked as there is."""
    hosts = [
        PlacementHost(
            name=f"h{i}",
            zone=draw(st.sampled_from(("a", "b"))),
            capacity={name: draw(st.integers(3, 12)) for name in RESOURCES},
        )
        for i in range(draw(st.integers(1, 4)))
    ]
    requests = [
        Request(
            id=f"r{i}",
            members=numbered(f"r{i}", draw(st.integers(1, 3))),
            demand={name: draw(st.integers(0, 7)) for name in RESOURCES},
            zones=draw(st.sampled_from((frozenset(), frozenset(), frozenset({"a"})))),
            groups=draw(st.sampled_from(((), (), (APART,)))),
        )
        for i in range(draw(st.integers(1, 4)))
    ]
    return Problem(hosts=hosts, requests=requests, policy=draw(st.sampled_from(list(Policy))))


def exhaustive(problem: Problem, units: list[Unit]) -> bool:
    """Whether all of these units have a place at the same time."""
    units = sorted(units, key=lambda unit: (-max(unit[0].demand.values()), unit[0].id, unit[1]))
    free = [dict(host.capacity) for host in problem.hosts]
    apart: set[int] = set()

    def seat(i: int, first: int) -> bool:
        if i == len(units):
            return True
        request = units[i][0]
        for h in range(first, len(free)):
            row, host = free[h], problem.hosts[h]
            grouped = bool(request.groups)
            if (
                (request.zones and host.zone not in request.zones)
                or (grouped and h in apart)
                or any(row[name] < amount for name, amount in request.demand.items())
            ):
                continue
            for name, amount in request.demand.items():
                row[name] -= amount
            if grouped:
                apart.add(h)
            alike = i + 1 < len(units) and units[i + 1][0] is request  # members of one request are interchangeable
            if seat(i + 1, h if alike else 0):
                return True
            for name, amount in request.demand.items():
                row[name] += amount
            if grouped:
                apart.discard(h)
        return False

    return seat(0, 0)


def units_of(problem: Problem) -> list[Unit]:
    return [(request, member) for request in problem.requests for member in request.members]


def left_out(placement: Placement) -> set[str]:
    return {member for one in placement.unplaced for member in one.members}


@given(problems())
@settings(max_examples=400, deadline=None)
def test_everybody_has_a_host_when_that_is_possible(problem: Problem) -> None:
    if exhaustive(problem, units_of(problem)):
        assert not place(problem).unplaced


@given(problems())
@settings(max_examples=400, deadline=None)
def test_nobody_more_could_have_been_placed_beside_the_others(problem: Problem) -> None:
    placement = place(problem)
    left = left_out(placement)
    seated = [unit for unit in units_of(problem) if unit[1] not in left]
    for request, member in units_of(problem):
        if member in left:
            assert not exhaustive(problem, [*seated, (request, member)])


@given(problems())
@settings(max_examples=400, deadline=None)
def test_what_is_called_proven_is_impossible(problem: Problem) -> None:
    placement = place(problem)
    for one in placement.unplaced:
        if one.proven:
            seated = [unit for unit in units_of(problem) if unit[1] in placement.assignment]
            request = next(request for request in problem.requests if request.id == one.request)
            assert not exhaustive(problem, [*seated, (request, one.members[0])])


@given(problems())
@settings(max_examples=400, deadline=None)
def test_on_small_problems_whoever_is_left_out_is_told_for_certain(problem: Problem) -> None:
    assert all(one.proven for one in place(problem).unplaced)
