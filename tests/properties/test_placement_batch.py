"""The law of giving out many units at once: it is what one after the other would have been."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))

from test_placement import hosts, problems, requests

from stead.blueprint.placement import Policy, Problem, state
from stead.blueprint.placement.incumbents import incumbents
from stead.blueprint.placement.place import finish, searched
from stead.blueprint.placement.search import candidates
from stead.blueprint.placement.search.batch import batch, share
from stead.blueprint.placement.search.candidates import Candidates
from stead.blueprint.placement.search.vector import Mirror
from stead.blueprint.placement.space import Space
from stead.blueprint.placement.state import SearchState

UNHURRIED = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
many = settings(max_examples=300, deadline=None, suppress_health_check=UNHURRIED)
seldom = settings(max_examples=100, deadline=None, suppress_health_check=UNHURRIED)


@st.composite
def clusters(draw: st.DrawFn) -> Problem:
    """All under one policy; hosts much larger than others among them, so that some take many and some none."""
    small = draw(hosts(most=10))
    large = [replace(host, capacity={k: v * 9 for k, v in host.capacity.items()}) for host in small[:2]]
    wanted = [replace(request, policy=None) for request in draw(requests())]
    return Problem(hosts=[*large, *small[2:]], requests=wanted, policy=draw(st.sampled_from(list(Policy))))


@given(clusters(), st.lists(st.integers(1, 60), min_size=1, max_size=8))
@many
def test_a_batch_is_what_the_loop_gives(problem: Problem, counts: list[int]) -> None:
    """Order, free capacity, levels and counts; batch after batch, each on what the ones before left."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(candidates, "WORTH_A_BATCH", 1 << 60)
        space = Space(problem)
        shapes = [space.shape(request) for request in problem.requests]
        loop, whole = incumbents(space).state, incumbents(space).state
        mirror = Mirror(whole)
        for turn, count in enumerate(counts):
            shape = shapes[turn % len(shapes)]
            queue = Candidates(loop, shape, shape.pool.hosts, None)
            expected = queue.fill(count)
            assert batch(mirror, shape, shape.pool.hosts, queue.ranges, count) == expected
            assert (whole.free, whole.level, whole.count, whole.log) == (loop.free, loop.level, loop.count, loop.log)
        again = Mirror(loop)
        assert (mirror.free == again.free).all()
        assert (mirror.level == again.level).all()
        assert (mirror.used == again.used).all()


@given(problems())
@seldom
def test_a_placement_in_batches_is_the_placement_without(problem: Problem) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(candidates, "WORTH_A_BATCH", 1)
        assert finish(searched(problem, vectorised=True)) == finish(searched(problem, vectorised=False))


@given(clusters(), st.lists(st.integers(1, 60), min_size=2, max_size=8), st.integers(1, 4))
@many
def test_a_share_is_what_the_loop_gives_on_each_of_its_kinds(problem: Problem, counts: list[int], kinds: int) -> None:
    wanted = [replace(request, preferred=frozenset()) for request in problem.requests]
    space = Space(replace(problem, requests=wanted, policy=Policy.BALANCE))
    loop, whole = incumbents(space).state, incumbents(space).state
    mirror = Mirror(whole)
    for turn, count in enumerate(counts):
        shape = space.shape(wanted[turn % len(wanted)])
        parts = [(hosts, count + i) for i in range(kinds) if (hosts := shape.pool.hosts[i::kinds])]
        if parts:
            expected = [h for hosts, n in parts for h in Candidates(loop, shape, hosts, None).fill(n)]
            assert share(mirror, shape, parts) == expected
            assert (whole.free, whole.level, whole.count, whole.log) == (loop.free, loop.level, loop.count, loop.log)


@given(clusters(), st.lists(st.lists(st.integers(0, 9), max_size=30), min_size=1, max_size=6))
@many
def test_many_seated_at_once_are_seated_as_one_by_one(problem: Problem, homes: list[list[int]]) -> None:
    space = Space(problem)
    shapes = [space.shape(request) for request in problem.requests]
    sat = [(shapes[i % len(shapes)].demand, [h for h in at if h < len(space.hosts)]) for i, at in enumerate(homes)]
    single, many_at_once = SearchState(space), SearchState(space)
    single.seat(sat)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(state, "WORTH_ARRAYS", 0)
        many_at_once.seat(sat)
    for demand, at in sat:
        for h in at:
            single.take(h, demand, 0)  # levels as the search keeps them
    assert (many_at_once.free, many_at_once.level, many_at_once.count) == (single.free, single.level, single.count)
