"""Placement beside a reference that was written from its documentation: all constraints at once, on tiny clusters."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from random import Random
from typing import TypeVar

from hypothesis import example, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))

from reference import Exhaustive, Unit, broken_groups, drawn, fitted, may, mistakes, requests_of, usable

from stead.blueprint.placement import (
    GroupKind,
    HostState,
    Move,
    Over,
    Placement,
    PlacementHost,
    Problem,
    Suggestion,
    drain,
    failure_analysis,
    place,
    rebalance,
    relaxed,
    suggest,
)

T = TypeVar("T")
seeds = st.integers(0, 1 << 32)
often = settings(max_examples=200, deadline=None)


def some(seed: int) -> tuple[Random, Problem]:
    random = Random(seed)  # noqa: S311 - nothing is kept secret with it
    return random, fitted(random) if random.random() < 0.6 else drawn(random)


def changed(random: Random, problem: Problem, at: Placement) -> Problem:
    """What sits where it was placed, and a world that went on."""
    hosts, requests = list(problem.hosts), list(problem.requests)
    asks = requests_of(problem)
    current = {member: host for member, host in at.assignment.items() if member in asks}
    grown: set[str] = set()
    for number in range(random.randint(1, 3)):
        h, r = random.randrange(len(hosts)), random.randrange(len(requests))
        match random.randrange(7):
            case 0:
                hosts[h] = replace(hosts[h], state=random.choice(list(HostState)))
            case 1 if len(hosts) > 1:
                del hosts[h]
            case 2:
                more = {name: amount + random.randint(0, 2) for name, amount in requests[r].demand.items()}
                requests[r] = replace(requests[r], demand=more)
                grown.update(requests[r].members)
            case 3:
                hosts[h] = replace(hosts[h], capacity={name: n // 2 for name, n in hosts[h].capacity.items()})
            case 4:
                hosts.append(replace(hosts[h], name=f"new{number}"))
            case 5:
                requests[r] = replace(requests[r], zones=frozenset(random.choice("abc")))
            case _:
                hosts[h] = replace(hosts[h], zone=random.choice("abc"))
    pinned = frozenset(member for member in current if random.random() < 0.1)
    return replace(problem, hosts=hosts, requests=requests, current=current, changed=frozenset(grown), pinned=pinned)


def waiting(problem: Problem, kept: set[str]) -> list[Unit]:
    return [(request, member) for member, request in requests_of(problem).items() if member not in kept]


def zoned(problem: Problem) -> bool:
    return any(group.over is Over.ZONES for request in problem.requests for group in request.groups)


def together(problem: Problem, member: str) -> bool:
    return any(group.kind is GroupKind.TOGETHER for group in requests_of(problem)[member].groups)


def judge(problem: Problem, placement: Placement) -> None:
    """Nothing is broken; who is left out is left out for a reason, and for certain where that is said."""
    assert list(mistakes(problem, placement)) == []
    left = {member for one in placement.unplaced for member in one.members}
    if not left:
        return
    moved = {move.member for move in placement.moves}
    kept = {m: h for m, h in problem.current.items() if placement.assignment.get(m) == h and m not in moved}
    everyone = Exhaustive(problem, kept).holds(waiting(problem, set(kept)))
    if everyone and not any(one.code == "gone" for one in placement.unplaced):
        assert zoned(problem)  # where the search may give up, and says so
        assert not all(one.proven for one in placement.unplaced)
    for one in placement.unplaced:
        if one.proven and one.code != "gone" and not together(problem, one.members[0]):
            others = [unit for unit in waiting(problem, set(kept)) if unit[1] not in left or unit[1] == one.members[0]]
            assert not Exhaustive(problem, kept).holds(others)


def some_later(seed: int) -> tuple[Random, Problem, Placement]:
    """Placed, then the world went on, then placed again."""
    random, problem = some(seed)
    asked = changed(random, problem, place(problem))
    return random, asked, place(asked)


@given(seeds)
@often
def test_a_new_placement_is_right_and_leaves_nobody_out_in_vain(seed: int) -> None:
    _, problem = some(seed)
    judge(problem, place(problem))


@given(seeds)
@often
def test_a_placement_after_anything_has_changed_is_right_and_stable(seed: int) -> None:
    _, asked, placement = some_later(seed)
    judge(asked, placement)
    asks = requests_of(asked)
    settled = {member: host for member, host in placement.assignment.items() if member in asks}
    assert not place(replace(asked, current=settled, changed=frozenset())).moves


@given(seeds)
@often
def test_what_would_help_helps_and_nothing_of_it_can_be_left_out(seed: int) -> None:
    _, problem = some(seed)
    placement = place(problem)
    for left in placement.unplaced:
        offered = suggest(problem, placement, left.members[0]).suggestions
        assert offered
        assert offered[0].tried
        for one in (one for one in offered if one.tried):
            assert helps(problem, one)
            less = [replace(one, relax=tuple(other for other in one.relax if other != found)) for found in one.relax]
            for host, row in one.free.items():
                rows = [{name: much for name, much in row.items() if name != without} for without in row]
                less += [replace(one, free={**one.free, host: other}) for other in rows]
            assert zoned(problem) or not any(helps(problem, other) for other in less)


def helps(problem: Problem, one: Suggestion) -> bool:
    return not any(left.request in one.requests for left in place(relaxed(problem, one)).unplaced)


@given(seeds)
@often
def test_what_is_said_of_failures_is_true(seed: int) -> None:
    _, problem = some(seed)
    placement = place(problem)
    asks = requests_of(problem)
    at = {member: host for member, host in placement.assignment.items() if member in asks}
    bound = {m: at[m] for request in problem.requests for m in request.carries if m in at}
    requests = [replace(request, data_on={**bound, **request.data_on}) for request in problem.requests]
    known = replace(problem, requests=requests)
    asks = requests_of(known)
    for n in (1, 2, len(problem.hosts) + 2):
        hurt = {one.hosts: one for one in failure_analysis(problem, placement, n).failures}
        for hosts in combinations(sorted(host.name for host in problem.hosts), min(n, len(problem.hosts))):
            stays = {member: host for member, host in at.items() if host not in hosts}
            lost = [(asks[member], member) for member in at if member not in stays]
            left = [host for host in problem.hosts if host.name not in hosts]
            fits = Exhaustive(known, stays, left).holds(lost)
            assert fits is not False or hosts in hurt
            assert not fits or hosts not in hurt or not hurt[hosts].proven


def replayed(problem: Problem, at: dict[str, str], waves: tuple[tuple[Move, ...], ...]) -> None:
    """Each wave holds room on both ends of its moves, and breaks no group that was not broken."""
    hosts, asks = {host.name: host for host in problem.hosts}, requests_of(problem)
    before = set(broken_groups(problem, at))
    for wave in waves:
        for move in wave:
            assert at[move.member] == move.source != move.target
            assert may(hosts[move.target], asks[move.member], move.member)
            assert move.member not in problem.pinned
        for host in {move.target for move in wave}:
            there = [asks[member] for member, name in at.items() if name == host]
            there += [asks[move.member] for move in wave if move.target == host]
            for resource in {name for move in wave for name in asks[move.member].demand}:
                held = sum(request.demand.get(resource, 0) for request in there)
                assert held <= usable(hosts[host], resource) or not asks[wave[0].member].demand.get(resource)
        at.update({move.member: move.target for move in wave})
        assert {one for one in broken_groups(problem, at) if "not together" not in one} <= before
    assert set(broken_groups(problem, at)) <= before


def sitting(seed: int) -> tuple[Problem, Placement, dict[str, str]]:
    """Heaped where there is room for it, one host perhaps in maintenance, some pinned."""
    random, problem = some(seed)
    wide = {h.name: {name: n + random.choice((0, 3, 5)) for name, n in h.capacity.items()} for h in problem.hosts}
    roomy = replace(problem, hosts=[replace(host, capacity=wide[host.name]) for host in problem.hosts])
    asks = requests_of(roomy)
    current = {member: host for member, host in place(roomy).assignment.items() if member in asks}
    hosts = list(roomy.hosts)
    if random.random() < 0.3:
        number = random.randrange(len(hosts))
        hosts[number] = replace(hosts[number], state=HostState.MAINTENANCE)
    pinned = frozenset(member for member in current if random.random() < 0.1)
    asked = replace(roomy, hosts=hosts, current=current, pinned=pinned)
    return asked, place(asked), current


@given(seeds, st.integers(1, 50))
@often
def test_a_rebalance_fits_at_each_moment_and_a_second_finds_nothing(seed: int, most: int) -> None:
    problem, start, at = sitting(seed)
    done = rebalance(problem, start, most)
    assert len(done.moves) <= most
    replayed(problem, at, done.waves)
    assert {m: h for m, h in done.placement.assignment.items() if m in at} == at
    settled = replace(problem, current=at)
    again = place(settled)
    assert not again.moves
    if len(done.moves) < most:
        assert not rebalance(settled, again, most).moves


@given(seeds)
@example(47184)  # a group that must be together, and only a part of it finds room
@example(273421886)
@often
def test_a_drain_fits_at_each_moment_and_names_who_stays(seed: int) -> None:
    problem, start, at = sitting(seed)
    host = problem.hosts[seed % len(problem.hosts)]
    done = drain(problem, start, host.name)
    replayed(problem, at, done.waves)
    assert all(move.source == host.name for move in done.moves)
    named = {member for one in done.placement.unplaced for member in one.members} | {m.member for m in done.stuck}
    here = {member for member, name in at.items() if name == host.name}
    assert here <= named
    others = [other for other in problem.hosts if other is not host]
    asks = requests_of(problem)
    for member in here - problem.pinned:
        if not together(problem, member):
            alone = Exhaustive(problem, {m: h for m, h in at.items() if m != member}, others)
            assert not alone.holds([(asks[member], member)])


def orders(random: Random, problem: Problem) -> Iterator[Problem]:
    def turned(items: Mapping[str, T]) -> dict[str, T]:
        return dict(random.sample(list(items.items()), len(items)))

    hosts: list[PlacementHost] = list(problem.hosts)
    random.shuffle(hosts)
    requests = [
        replace(request, members=random.sample(request.members, len(request.members)), demand=turned(request.demand))
        for request in random.sample(list(problem.requests), len(problem.requests))
    ]
    yield replace(problem, hosts=hosts, requests=requests, current=turned(problem.current))


@given(seeds)
@often
def test_no_order_shows_in_a_placement_or_in_moves(seed: int) -> None:
    random, asked, placement = some_later(seed)
    name = asked.hosts[0].name
    for other in orders(random, asked):
        assert place(other) == placement
        assert rebalance(other, placement, 9).waves == rebalance(asked, placement, 9).waves
        assert drain(other, placement, name).waves == drain(asked, placement, name).waves
        assert failure_analysis(other, placement) == failure_analysis(asked, placement)
