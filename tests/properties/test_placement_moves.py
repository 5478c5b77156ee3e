"""Laws of what moves: rebalance, drain, waves, survival; and of the two ways to compute the same thing."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stead.blueprint.placement import (
    GroupKind,
    Incremental,
    Move,
    Placement,
    PlacementGroup,
    PlacementHost,
    Policy,
    Problem,
    Request,
    drain,
    failure_analysis,
    numbered,
    place,
    rebalance,
    restore,
)
from stead.blueprint.placement.moves import steepest_descent
from stead.blueprint.placement.queries import evaluation
from stead.blueprint.placement.search import packing

APART = PlacementGroup(name="apart", kind=GroupKind.SPREAD, limit=2)
WISH = PlacementGroup(name="wish", kind=GroupKind.SPREAD, hard=False)
RESOURCES = ("vcpus", "memory")
UNHURRIED = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]


@st.composite
def problems(draw: st.DrawFn, policy: Policy = Policy.BALANCE) -> Problem:
    hosts = [
        PlacementHost(
            name=f"h{i}",
            zone=draw(st.sampled_from(("a", "b"))),
            traits=draw(st.sampled_from((frozenset(), frozenset({"ssd"})))),
            capacity={name: draw(st.integers(8, 30)) for name in RESOURCES},
        )
        for i in range(draw(st.integers(2, 7)))
    ]
    requests = [
        Request(
            id=f"r{i}",
            members=numbered(f"r{i}", draw(st.integers(1, 5))),
            demand={name: draw(st.integers(0, 5)) for name in RESOURCES},
            zones=draw(st.sampled_from((frozenset(), frozenset({"a"})))),
            required=draw(st.sampled_from((frozenset(), frozenset(), frozenset({"ssd"})))),
            groups=draw(st.sampled_from(((), (), (APART,), (WISH,)))),
        )
        for i in range(draw(st.integers(1, 6)))
    ]
    return Problem(hosts=hosts, requests=requests, policy=policy)


def heaped(problem: Problem) -> Placement:
    """An uneven start: packed as tight as it goes."""
    requests = [replace(request, policy=Policy.PACK) for request in problem.requests]
    return place(replace(problem, requests=requests))


def free_of(problem: Problem, assignment: dict[str, str]) -> dict[str, Counter[str]]:
    free = {host.name: Counter({name: host.usable(name) for name in RESOURCES}) for host in problem.hosts}
    for request in problem.requests:
        for member in request.members:
            if member in assignment:
                free[assignment[member]].subtract(request.demand)
    return free


def demand_of(problem: Problem, member: str) -> dict[str, int]:
    return next(dict(request.demand) for request in problem.requests if member in request.members)


def assert_fits(problem: Problem, at: dict[str, str], wave: tuple[Move, ...]) -> None:
    """Every move of the wave holds room on both ends until the wave is over."""
    free = free_of(problem, at)
    for move in wave:
        assert at[move.member] == move.source
        free[move.target].subtract(demand_of(problem, move.member))
    assert all(amount >= 0 for row in free.values() for amount in row.values())
    for move in wave:
        at[move.member] = move.target


@given(problems(), st.integers(1, 12))
@settings(max_examples=150, deadline=None)
def test_each_move_of_a_rebalance_fits_when_its_turn_comes(problem: Problem, most: int) -> None:
    start = heaped(problem)
    done = rebalance(problem, start, most)
    assert len(done.moves) <= most
    at = dict(start.assignment)
    for move in done.moves:
        assert_fits(problem, at, (move,))
    assert at == dict(done.placement.assignment)


@given(problems())
@settings(max_examples=150, deadline=None)
def test_every_wave_fits_as_a_whole_and_all_moves_are_in_one(problem: Problem) -> None:
    start = heaped(problem)
    done = rebalance(problem, start, 50)
    at = dict(start.assignment)
    for wave in done.waves:
        assert_fits(problem, at, wave)
    assert Counter(move for wave in done.waves for move in wave) + Counter(done.stuck) == Counter(done.moves)


@given(problems())
@settings(max_examples=150, deadline=None)
def test_a_second_rebalance_finds_nothing(problem: Problem) -> None:
    done = rebalance(problem, heaped(problem), 1_000)
    assert not rebalance(problem, done.placement, 1_000).moves


def mixed(problem: Problem, random: object) -> Problem:
    """Some of the requests under `pack`, the others evened out."""
    pick = random.choice  # type: ignore[attr-defined]
    requests = [replace(one, policy=pick((Policy.PACK, Policy.BALANCE))) for one in problem.requests]
    return replace(problem, requests=requests)


def hosts_in_use(assignment: dict[str, str]) -> int:
    return len(set(assignment.values()))


@given(problems(Policy.PACK))
@settings(max_examples=150, deadline=None)
def test_under_pack_a_rebalance_empties_hosts_in_moves_that_fit_and_a_second_finds_nothing(problem: Problem) -> None:
    start = place(replace(problem, policy=Policy.BALANCE))
    done = rebalance(problem, start, 1_000)
    at = dict(start.assignment)
    for move in done.moves:
        assert_fits(problem, at, (move,))
    assert at == dict(done.placement.assignment)
    assert done.in_use == (hosts_in_use(dict(start.assignment)), hosts_in_use(at))
    emptied = set(start.assignment.values()) - set(at.values())
    assert {move.source for move in done.moves} == emptied
    assert bool(done.moves) == bool(emptied)
    assert not rebalance(problem, done.placement, 1_000).moves


@given(problems(Policy.PACK), st.integers(1, 6))
@settings(max_examples=100, deadline=None)
def test_under_pack_no_host_is_left_half_emptied_for_want_of_moves(problem: Problem, most: int) -> None:
    start = place(replace(problem, policy=Policy.BALANCE))
    done = rebalance(problem, start, most)
    assert len(done.moves) <= most
    assert not {move.source for move in done.moves} & set(done.placement.assignment.values())


@given(problems(), st.randoms(use_true_random=False))
@settings(max_examples=100, deadline=None)
def test_with_policies_side_by_side_a_second_rebalance_finds_nothing(problem: Problem, random: object) -> None:
    both = mixed(problem, random)
    start = place(problem)
    done = rebalance(both, start, 1_000)
    assert not rebalance(both, done.placement, 1_000).moves


@given(problems(), st.integers(1, 200_000))
@settings(max_examples=100, deadline=None)
def test_every_move_gains_at_least_what_was_asked(problem: Problem, gain: int) -> None:
    done = rebalance(problem, heaped(problem), 1_000, gain)
    before, after = done.objective
    assert before - after >= gain * len(done.moves) - 10 * len(done.moves)  # each term is cut off to a millionth


@given(problems())
@settings(max_examples=100, deadline=None)
def test_rebalance_keeps_every_hard_requirement(problem: Problem) -> None:
    done = rebalance(problem, heaped(problem), 1_000)
    by_name = {host.name: host for host in problem.hosts}
    at: Counter[str] = Counter()
    for request in problem.requests:
        for member in request.members:
            if member in done.placement.assignment:
                host = by_name[done.placement.assignment[member]]
                assert not request.zones or host.zone in request.zones
                assert request.required <= host.traits
                at[host.name] += APART in request.groups
    assert max(at.values(), default=0) <= 2


@given(problems())
@settings(max_examples=100, deadline=None)
def test_drain_moves_only_from_the_host_and_every_wave_fits(problem: Problem) -> None:
    start = place(problem)
    done = drain(problem, start, "h0")
    assert all(move.source == "h0" for move in done.moves)
    at = dict(start.assignment)
    for wave in done.waves:
        assert_fits(problem, at, wave)
    assert not done.stuck
    assert "h0" not in at.values() or done.placement.unplaced


@given(problems())
@settings(max_examples=100, deadline=None)
def test_restore_brings_back_all_that_a_drain_moved(problem: Problem) -> None:
    start = place(problem)
    left = drain(problem, start, "h0")
    away = [move.member for move in left.moves]
    there = replace(start, assignment={**start.assignment, **left.placement.assignment})
    done = restore(problem, there, "h0", away)
    assert {move.member for move in done.moves} | {move.member for move in done.stuck} == set(away)
    assert all(move.target == "h0" for move in done.moves)
    at = dict(there.assignment)
    for wave in done.waves:
        assert_fits(problem, at, wave)
    if not done.stuck:
        assert at == start.assignment


@given(problems())
@settings(max_examples=100, deadline=None)
def test_survive_and_place_never_prove_each_other_wrong(problem: Problem) -> None:
    """A survived failure has an arrangement, so `place` may not call it impossible; one proven to hurt, hurts."""
    start = place(problem)
    homeless = {one.request for one in start.unplaced}
    hurt = {failure.hosts[0]: failure for failure in failure_analysis(problem, start).failures}
    for host in problem.hosts:
        left = [other for other in problem.hosts if other is not host]
        current = {member: at for member, at in start.assignment.items() if at != host.name}
        after = place(replace(problem, hosts=left, current=current))
        lost = {m for one in after.unplaced for m in one.members} & (set(start.assignment) - set(current))
        if host.name not in hurt:
            claimed = [one for one in after.unplaced if one.proven and one.request not in homeless]
            assert not [one for one in claimed if set(one.members) <= lost]
        elif hurt[host.name].proven:
            assert lost


@given(problems())
@settings(max_examples=60, deadline=None)
def test_asking_what_a_failure_does_leaves_the_scene_as_it_was(problem: Problem) -> None:
    view = evaluation.Evaluation(problem, place(problem))
    free, tally = [list(row) for row in view.state.free], {n: dict(c) for n, c in view.state.tally.hosts.items() if c}
    failure_analysis(problem, view.placement, evaluation=view)
    assert view.state.free == free
    assert {name: counts for name, counts in view.state.tally.hosts.items() if counts} == tally


@given(problems(), st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=5))
@settings(max_examples=100, deadline=None)
def test_more_with_n_plus_one_checked_hurt_no_failure_that_was_harmless(
    problem: Problem, sizes: list[tuple[int, int]]
) -> None:
    start = place(problem)
    before = {one.hosts for one in failure_analysis(problem, start).failures}
    warm, grown, assignment = Incremental(problem, start), problem, dict(start.assignment)
    for number, (vcpus, memory) in enumerate(sizes):
        more = Request(id=f"m{number}", members=(f"m{number}",), demand={"vcpus": vcpus, "memory": memory})
        if placed := warm.add_surviving(more):
            assignment |= placed
            grown = replace(grown, requests=[*grown.requests, more])
    after = failure_analysis(grown, replace(start, assignment=assignment))
    assert {one.hosts for one in after.failures if one.proven} <= before


@given(problems())
@settings(max_examples=100, deadline=None, suppress_health_check=UNHURRIED)
def test_rebalance_is_the_same_with_and_without_numpy(problem: Problem) -> None:
    start = heaped(problem)
    plain = rebalance(problem, start, 50)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(steepest_descent, "WORTH_NUMPY", 0)
        assert rebalance(problem, start, 50) == plain


@given(problems(Policy.PACK))
@settings(max_examples=100, deadline=None, suppress_health_check=UNHURRIED)
def test_packing_is_the_same_with_and_without_numpy(problem: Problem) -> None:
    plain = place(problem)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packing, "MANY_LOTS", -1)
        assert place(problem) == plain
