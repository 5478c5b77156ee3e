"""Laws of `place`, `explain` and `suggest` over problems nobody thought of."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from stead.blueprint.placement import (
    GroupKind,
    HostState,
    Over,
    Placement,
    PlacementGroup,
    PlacementHost,
    Policy,
    Problem,
    Request,
    explain,
    numbered,
    place,
    relaxed,
    suggest,
)
from stead.blueprint.placement.place import finish, searched

ZONES = ("a", "b", "c")
TRAITS = ("ssd", "gpu")
RESOURCES = ("vcpus", "memory", "disk:fast")

subsets = st.sets(st.sampled_from(TRAITS), max_size=1).map(frozenset)


@st.composite
def hosts(draw: st.DrawFn, least: int = 1, most: int = 8) -> list[PlacementHost]:
    count = draw(st.integers(least, most))
    return [
        PlacementHost(
            name=f"h{i}",
            zone=draw(st.sampled_from(ZONES)),
            traits=draw(subsets),
            capacity={name: draw(st.integers(0, 24)) for name in RESOURCES},
            overcommit=draw(st.sampled_from(({}, {"vcpus": 1.5}))),
            state=draw(st.sampled_from((HostState.UP, HostState.UP, HostState.UP, HostState.MAINTENANCE))),
            projects=draw(st.sampled_from((frozenset(), frozenset(), frozenset({"p1"})))),
        )
        for i in range(count)
    ]


GROUPS = (
    *[PlacementGroup(name=f"s{hard}", kind=GroupKind.SPREAD, hard=hard) for hard in (True, False)],
    PlacementGroup(name="s2", kind=GroupKind.SPREAD, limit=2),
    *[PlacementGroup(name=f"z{hard}", kind=GroupKind.SPREAD, over=Over.ZONES, hard=hard) for hard in (True, False)],
    *[PlacementGroup(name=f"t{hard}", kind=GroupKind.TOGETHER, hard=hard) for hard in (True, False)],
    *[PlacementGroup(name=f"tz{hard}", kind=GroupKind.TOGETHER, over=Over.ZONES, hard=hard) for hard in (True, False)],
)


@st.composite
def requests(draw: st.DrawFn, most: int = 6) -> list[Request]:
    return [
        Request(
            id=f"r{i}",
            members=numbered(f"r{i}", draw(st.integers(1, 5))),
            demand={name: draw(st.integers(0, 9)) for name in RESOURCES},
            required=draw(subsets),
            preferred=draw(subsets),
            zones=draw(st.sampled_from((frozenset(), frozenset(), frozenset({"a"}), frozenset({"a", "b"})))),
            project=draw(st.sampled_from(("p1", "p2"))),
            policy=draw(st.sampled_from((None, None, *Policy))),
            groups=tuple(draw(st.sets(st.sampled_from(GROUPS), max_size=1))),
        )
        for i in range(draw(st.integers(1, most)))
    ]


@st.composite
def problems(draw: st.DrawFn) -> Problem:
    return Problem(hosts=draw(hosts()), requests=draw(requests()), policy=draw(st.sampled_from(list(Policy))))


def usage(problem: Problem, placement: Placement) -> dict[str, Counter[str]]:
    used: dict[str, Counter[str]] = {host.name: Counter() for host in problem.hosts}
    for request in problem.requests:
        for member in request.members:
            if member in placement.assignment:
                used[placement.assignment[member]].update(request.demand)
    return used


def everyone(problem: Problem) -> set[str]:
    return {member for request in problem.requests for member in request.members}


def left_out(placement: Placement) -> set[str]:
    return {member for left in placement.unplaced for member in left.members}


@given(problems())
@settings(max_examples=150, deadline=None)
def test_capacity_is_never_exceeded_and_nobody_is_forgotten(problem: Problem) -> None:
    placement = place(problem)
    used = usage(problem, placement)
    for host in problem.hosts:
        assert all(amount <= host.usable(name) for name, amount in used[host.name].items())
    assert set(placement.assignment) | left_out(placement) == everyone(problem)
    assert not set(placement.assignment) & left_out(placement)


@given(problems())
@settings(max_examples=100, deadline=None)
def test_every_hard_requirement_holds(problem: Problem) -> None:
    placement = place(problem)
    by_name = {host.name: host for host in problem.hosts}
    for request in problem.requests:
        for member in request.members:
            if member not in placement.assignment:
                continue
            host = by_name[placement.assignment[member]]
            assert host.state is HostState.UP
            assert request.required <= host.traits
            assert not request.zones or host.zone in request.zones
            assert not host.projects or request.project in host.projects


@given(problems())
@settings(max_examples=150, deadline=None)
def test_hard_groups_hold(problem: Problem) -> None:
    placement = place(problem)
    zone = {host.name: host.zone for host in problem.hosts}
    for group in GROUPS:
        inside = [r for r in problem.requests if group in r.groups]
        at = [placement.assignment[m] for r in inside for m in r.members if m in placement.assignment]
        if not group.hard or not at:
            continue
        if group.kind is GroupKind.TOGETHER:
            assert len({zone[h] if group.over is Over.ZONES else h for h in at}) == 1
        elif group.over is Over.HOSTS:
            assert max(Counter(at).values()) <= (group.limit or 1)


@given(problems(), st.randoms(use_true_random=False))
@settings(max_examples=100, deadline=None)
def test_input_order_does_not_matter(problem: Problem, random: object) -> None:
    shuffled_hosts, shuffled_requests = list(problem.hosts), list(problem.requests)
    shuffle = random.shuffle  # type: ignore[attr-defined]
    shuffle(shuffled_hosts)
    shuffle(shuffled_requests)
    members = [tuple(reversed(request.members)) for request in shuffled_requests]
    turned = [replace(request, members=m) for request, m in zip(shuffled_requests, members, strict=True)]
    assert place(replace(problem, hosts=shuffled_hosts, requests=turned)) == place(problem)


@given(problems())
@settings(max_examples=100, deadline=None)
def test_plain_python_and_numpy_give_the_same_placement(problem: Problem) -> None:
    assert finish(searched(problem, vectorised=True)) == finish(searched(problem, vectorised=False))


@given(problems())
@settings(max_examples=100, deadline=None)
def test_an_unchanged_problem_moves_nothing(problem: Problem) -> None:
    first = place(problem)
    again = place(replace(problem, current=first.assignment))
    assert not again.moves
    assert {m: h for m, h in again.assignment.items() if m in first.assignment} == first.assignment


@given(problems(), hosts(most=3))
@settings(max_examples=100, deadline=None)
def test_more_hosts_and_more_requests_move_nothing(problem: Problem, more: list[PlacementHost]) -> None:
    first = place(problem)
    named = [replace(host, name=f"new-{host.name}") for host in more]
    extra = Request(id="later", members=("later",), demand={"vcpus": 2})
    grown = replace(
        problem,
        hosts=[*problem.hosts, *named],
        requests=[*problem.requests, extra],
        current=first.assignment,
    )
    again = place(grown)
    assert all(again.assignment[member] == host for member, host in first.assignment.items())


def with_one(problem: Problem, which: int, state: HostState) -> tuple[PlacementHost, list[PlacementHost]]:
    """One of the hosts, and all of them with that one in another state."""
    one = problem.hosts[which % len(problem.hosts)]
    return one, [replace(host, state=state) if host is one else host for host in problem.hosts]


@given(problems(), st.integers(0, 7))
@settings(max_examples=100, deadline=None)
def test_members_of_a_host_that_is_to_be_left_move_with_a_reason_and_others_stay(problem: Problem, which: int) -> None:
    first = place(problem)
    left, changed = with_one(problem, which, HostState.LEAVING)
    after = place(replace(problem, hosts=changed, current=first.assignment))
    sat = {member for member, host in first.assignment.items() if host == left.name}
    assert {move.member for move in after.moves} == sat - left_out(after)
    assert all(move.code == "state" and move.live for move in after.moves)
    assert left.name not in after.assignment.values()


@given(problems(), st.integers(0, 7))
@settings(max_examples=100, deadline=None)
def test_a_host_in_maintenance_keeps_what_it_has_and_gets_nothing_new(problem: Problem, which: int) -> None:
    first = place(problem)
    kept, changed = with_one(problem, which, HostState.MAINTENANCE)
    more = Request(id="later", members=numbered("later", 3), demand={"vcpus": 1})
    asked = replace(problem, hosts=changed, requests=[*problem.requests, more], current=first.assignment)
    after = place(asked)
    assert not after.moves
    assert {m for m, at in after.assignment.items() if at == kept.name} == {
        m for m, at in first.assignment.items() if at == kept.name
    }


@given(problems())
@settings(max_examples=100, deadline=None)
def test_a_member_left_out_alone_fits_nowhere(problem: Problem) -> None:
    """What the search leaves out has no free eligible host: `explain` finds every host broken in some way."""
    placement = place(problem)
    for member in sorted(left_out(placement)):
        told = explain(problem, placement, member)
        assert not told.ranked
        assert sum(one.hosts for one in told.rejected) == len(problem.hosts)
        assert sum(stage.removed for stage in told.funnel) == len(problem.hosts)


@given(problems())
@settings(max_examples=100, deadline=None)
def test_a_placed_members_host_is_among_those_that_would_take_it(problem: Problem) -> None:
    placement = place(problem)
    for member in sorted(placement.assignment)[:3]:
        told = explain(problem, placement, member)
        assert told.host in {one.host for one in told.ranked}


@given(problems())
@settings(max_examples=150, deadline=None)
def test_applying_the_first_suggestion_makes_it_fit(problem: Problem) -> None:
    placement = place(problem)
    for left in placement.unplaced:
        advice = suggest(problem, placement, left.members[0])
        assert advice.suggestions
        first = advice.suggestions[0]
        assert first.tried
        after = place(relaxed(problem, first))
        assert not set(left.members) & left_out(after)


@given(problems())
@settings(max_examples=100, deadline=None)
def test_no_offered_relaxation_contains_another(problem: Problem) -> None:
    placement = place(problem)
    for left in placement.unplaced:
        offered = suggest(problem, placement, left.members[0]).suggestions
        sets = [(frozenset(one.relax), one.tried) for one in offered if not one.free]
        # Less that does not help may stand beside more that does.
        assert not any(one < other and (tried or not more) for one, tried in sets for other, more in sets)
