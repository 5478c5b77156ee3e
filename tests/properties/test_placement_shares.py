"""Laws of sharing out units over kinds of hosts before any is placed."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))

from test_placement import everyone, left_out, problems, usage

from stead.blueprint.placement import Evaluation, Policy, Problem, place
from stead.blueprint.placement.search import fill, greedy
from stead.blueprint.placement.search.greedy import even, hosts_of, start, units_of
from stead.blueprint.placement.search.lp_relaxation import lp_relaxation

UNHURRIED = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
many = settings(max_examples=40, deadline=None, suppress_health_check=UNHURRIED)


def evened(problem: Problem) -> Problem:
    requests = [replace(request, policy=None, groups=(), preferred=frozenset()) for request in problem.requests]
    return replace(problem, requests=requests, policy=Policy.BALANCE)


@given(problems())
@many
def test_shares_are_all_units_on_hosts_that_may_take_them(problem: Problem) -> None:
    one = start(evened(problem))
    runs = [run for run in one.runs if even(run) and run.shape.pool.hosts]
    if not runs:
        return
    found = lp_relaxation(one.state, units_of(runs), hosts_of(runs), Policy.BALANCE)
    for number, parts in found.of.items():
        mine = [run for run in runs if run.shape.number == number]
        assert sum(part.units for part in parts) == sum(len(run.units) for run in mine)
        assert all(mine[0].shape.pool.has[h] for part in parts for h in found.kinds[part.kind])
    for run in runs:
        roomy = any(one.state.fits(h, run.shape.demand) for h in run.shape.pool.hosts)
        assert (run.shape.number in found.of) == roomy


@given(problems())
@many
def test_no_placement_is_below_what_is_proven_to_be_the_least(problem: Problem) -> None:
    asked = evened(problem)
    placement = place(asked)
    one = start(asked)
    runs = [run for run in one.runs if run.shape.pool.hosts]
    if runs and not placement.unplaced:
        least = lp_relaxation(one.state, units_of(runs), hosts_of(runs), Policy.BALANCE).least
        assert least <= max(Evaluation(asked, placement).state.level) + 1e-9


@given(problems(), st.randoms(use_true_random=False))
@many
def test_with_shares_everything_holds_that_holds_without(problem: Problem, random: object) -> None:
    with pytest.MonkeyPatch.context() as patch:
        for module in (greedy, fill):
            patch.setattr(module, "WORTH_SHARING", 1)
        placement = place(problem)
        used = usage(problem, placement)
        for host in problem.hosts:
            assert all(amount <= host.usable(name) for name, amount in used[host.name].items())
        hosts, requests = list(problem.hosts), list(problem.requests)
        random.shuffle(hosts)  # type: ignore[attr-defined]
        random.shuffle(requests)  # type: ignore[attr-defined]
        assert place(replace(problem, hosts=hosts, requests=requests)) == placement
        assert set(placement.assignment) | left_out(placement) == everyone(problem)
