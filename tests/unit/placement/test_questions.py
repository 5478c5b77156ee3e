"""Capacity, survival, suggestions and waves on problems small enough to check by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from stead.blueprint.placement import (
    GroupKind,
    HostState,
    Incremental,
    Over,
    Placement,
    PlacementGroup,
    PlacementHost,
    Problem,
    Request,
    Suggestion,
    capacity,
    copies,
    drain,
    explain,
    failure_analysis,
    numbered,
    place,
    rebalance,
    relaxed,
    restore,
    suggest,
    what_if,
)
from stead.blueprint.placement.search.candidates import Allowed, Candidates

EMPTY = Placement(assignment={}, reasons={})


def host(name: str, vcpus: int = 8, zone: str = "") -> PlacementHost:
    return PlacementHost(name=name, capacity={"vcpus": vcpus}, zone=zone)


def request(name: str, vcpus: int = 1, count: int = 1, **more: object) -> Request:
    return Request(id=name, members=numbered(name, count), demand={"vcpus": vcpus}, **more)  # type: ignore[arg-type]


FLAVOR = Request(id="small", members=(), demand={"vcpus": 1})


def test_capacity_counts_what_more_fits_by_host_by_zone_and_in_all() -> None:
    asked = Problem(hosts=[host("a", 5, "x"), host("b", 3, "y")], requests=[request("r", 2)], current={"r[0]": "a"})
    told = capacity(asked, place(asked), [replace(FLAVOR, demand={"vcpus": 2})])
    assert told.fits[0].by_host == (("a", 1), ("b", 1))
    assert told.fits[0].by_zone == (("x", 1), ("y", 1))
    assert [(use.used, use.usable, use.free) for use in told.total] == [(2, 8, 6)]


def test_capacity_that_survives_a_failure_gives_up_the_largest_host() -> None:
    hosts = [host(f"n{i:02d}", 15) for i in range(20)]
    told = capacity(Problem(hosts=hosts, requests=()), EMPTY, [FLAVOR], survive=1)
    assert (told.fits[0].total, told.fits[0].surviving) == (300, 285)


def test_capacity_that_survives_keeps_room_for_what_already_runs() -> None:
    asked = Problem(hosts=[host("a", 4), host("b", 4)], requests=[request("r", 3)], current={"r[0]": "a"})
    told = capacity(asked, place(asked), [FLAVOR], survive=1)
    assert told.fits[0].surviving == 1


def test_what_if_adds_hosts_and_loses_hosts() -> None:
    asked = Problem(hosts=[host("a", 2)], requests=[request("r", 2, 2)])
    assert place(asked).unplaced
    assert not place(what_if(asked, add=copies(asked.hosts[0], 1, "new"))).unplaced
    assert len(place(what_if(asked, without=["a"])).unplaced[0].members) == 2


def test_survive_names_the_failure_and_whom_it_hurts() -> None:
    asked = Problem(hosts=[host("a", 5), host("b", 2)], requests=[request("big", 4), request("tiny", 1)])
    told = failure_analysis(asked, place(asked))
    assert not told.survives
    assert [(one.hosts, one.members, one.proven) for one in told.failures] == [(("a",), ("big[0]",), True)]


def test_survive_holds_when_there_is_room_and_respects_groups() -> None:
    group = PlacementGroup(name="g", kind=GroupKind.SPREAD)
    hosts = [host("a"), host("b"), host("c")]
    apart = Problem(hosts=hosts, requests=[request("x", 1, 2, groups=(group,))])
    assert failure_analysis(apart, place(apart)).survives
    all_three = Problem(hosts=hosts, requests=[request("x", 1, 3, groups=(group,))])
    assert failure_analysis(all_three, place(all_three)).hurting == 3


def test_more_hosts_failing_than_there_are_is_all_of_them() -> None:
    asked = Problem(hosts=[host("a"), host("b")], requests=[request("r")])
    told = failure_analysis(asked, place(asked), 5)
    assert (told.survives, told.tried, told.failures[0].hosts) == (False, 1, ("a", "b"))


def test_an_instance_with_a_volume_on_its_host_does_not_survive_it_once_made_or_before() -> None:
    for data_on in ({}, {"r[0]": "a"}):
        asks = request("r", carries={"r[0]": ("vol",)}, data_on=data_on)
        asked = Problem(hosts=[host("a"), host("b")], requests=[asks])
        told = failure_analysis(asked, place(asked))
        assert [(failure.hosts, failure.members, failure.proven) for failure in told.failures] == [
            (("a",), ("r[0]",), True)
        ]


def test_a_failure_that_hurts_already_takes_nothing_from_how_many_more_survive() -> None:
    lonely = request("router", required=frozenset({"edge"}))
    hosts = [replace(host("a"), traits=frozenset({"edge"})), host("b"), host("c")]
    asked = Problem(hosts=hosts, requests=[lonely])
    told = capacity(asked, place(asked), [FLAVOR], survive=1)
    assert (told.fits[0].total, told.fits[0].surviving) == (23, 15)


def test_survive_two_tries_every_pair() -> None:
    asked = Problem(hosts=[host(name, 4) for name in "abcd"], requests=[request("x", 1, 9)])
    told = failure_analysis(asked, place(asked), 2)
    assert (told.tried, told.exhaustive, told.survives) == (6, True, False)
    fewer = Problem(hosts=asked.hosts, requests=[request("x", 1, 8)])
    assert failure_analysis(fewer, place(fewer), 2).survives


def test_every_minimal_set_is_offered_with_the_hosts_it_opens() -> None:
    hosts = [
        replace(host("a", 8, "x"), traits=frozenset({"ssd"})),
        host("b", 8, "y"),
        host("c", 8, "y"),
        replace(host("d", 8, "x"), state=HostState.MAINTENANCE, traits=frozenset({"ssd"})),
        host("e", 8, "z"),
    ]
    asks = request("r", 4, zones=frozenset({"y"}), required=frozenset({"ssd"}))
    asked = Problem(hosts=hosts, requests=[asks])
    advice = suggest(asked, place(asked), "r[0]")
    offered = {tuple(map(str, one.relax)): one.opens for one in advice.suggestions if not one.free}
    assert offered == {("trait=ssd",): 2, ("zone=y",): 1}
    assert advice.proven


def test_the_smallest_shortage_is_on_the_host_that_misses_least() -> None:
    asked = Problem(hosts=[host("a", 3), host("b", 6)], requests=[request("r", 8)])
    advice = suggest(asked, place(asked), "r[0]")
    assert advice.shortest is not None
    assert advice.shortest.free == {"b": {"vcpus": 2}}
    assert advice.scarce == "vcpus"
    assert place(relaxed(asked, advice.shortest)).assignment == {"r[0]": "b"}


def test_explain_counts_a_host_once_with_all_that_it_breaks() -> None:
    asked = Problem(hosts=[host("a", 1, "x"), host("b", 8, "y")], requests=[request("r", 4, zones=frozenset({"y"}))])
    told = explain(asked, place(asked), "r[0]")
    assert [(stage.stage, stage.removed, stage.left) for stage in told.funnel] == [("zone", 1, 1)]
    assert [(one.broken, one.hosts) for one in told.rejected] == [(("zone=y", "vcpus"), 1)]
    assert [(one.host, one.score, one.terms) for one in told.ranked] == [("b", 500_000, (("vcpus used", 500_000),))]


def test_explain_gives_the_margin_to_the_runner_up() -> None:
    asked = Problem(hosts=[host("a", 10), host("b", 5)], requests=[request("r", 1)])
    assert explain(asked, place(asked), "r[0]").margin == 100_000


def test_rebalance_evens_out_and_stops() -> None:
    asked = Problem(hosts=[host("a"), host("b")], requests=[request("x", 1, 6)])
    heaped = Placement(assignment=dict.fromkeys(asked.requests[0].members, "a"), reasons={})
    done = rebalance(asked, heaped, 10)
    assert len(done.moves) == 3
    assert done.fullest == (750_000, 375_000)
    assert rebalance(asked, done.placement, 10).text == "no move is worth it"


def test_rebalance_makes_no_more_moves_than_allowed_and_leaves_pinned_members() -> None:
    asked = Problem(hosts=[host("a"), host("b")], requests=[request("x", 1, 6)])
    heaped = Placement(assignment=dict.fromkeys(asked.requests[0].members, "a"), reasons={})
    assert len(rebalance(asked, heaped, 2).moves) == 2
    assert not rebalance(replace(asked, pinned=frozenset(heaped.assignment)), heaped, 9).moves


def test_drain_empties_the_host_and_moves_nobody_else() -> None:
    asked = Problem(hosts=[host("a"), host("b"), host("c")], requests=[request("x", 1, 6)])
    before = place(asked)
    done = drain(asked, before, "a")
    assert {move.source for move in done.moves} == {"a"}
    assert "a" not in done.placement.assignment.values()
    assert sum(map(len, done.waves)) == len(done.moves)


def test_drain_says_who_finds_no_other_host() -> None:
    asked = Problem(hosts=[host("a", 8), host("b", 2)], requests=[request("x", 4)], current={"x[0]": "a"})
    done = drain(asked, place(asked), "a")
    assert not done.moves
    assert done.placement.unplaced[0].members == ("x[0]",)


def test_drain_names_what_cannot_be_migrated() -> None:
    asks = [request("router"), request("disk", live=False), request("r")]
    at = {"router[0]": "a", "disk[0]": "a", "r[0]": "a"}
    asked = Problem(hosts=[host("a"), host("b")], requests=asks, current=at, pinned=frozenset({"router[0]"}))
    done = drain(asked, place(asked), "a")
    assert [move.member for move in done.moves] == ["r[0]"]
    assert [(move.member, move.code) for move in done.stuck] == [("disk[0]", "fixed"), ("router[0]", "fixed")]


def test_drain_leaves_a_group_together_that_cannot_leave_as_a_whole() -> None:
    """And gives the room that it would have taken to others."""
    near = PlacementGroup(name="near", kind=GroupKind.TOGETHER, over=Over.ZONES)
    asks = [request("near", 3, 2, groups=(near,)), request("other", 2)]
    at = {"near[0]": "a", "near[1]": "a", "other[0]": "a"}
    asked = Problem(hosts=[host("a", 8, "x"), host("b", 4, "y")], requests=asks, current=at)
    done = drain(asked, place(asked), "a")
    assert [move.member for move in done.moves] == ["other[0]"]
    assert [one.members for one in done.placement.unplaced] == [("near[1]",)]
    why = "it must be in one zone with near[1], which has to stay"
    assert [(move.member, move.text) for move in done.stuck] == [("near[0]", why)]


def test_drain_empties_a_host_in_maintenance_too() -> None:
    hosts = [replace(host("a"), state=HostState.MAINTENANCE), host("b")]
    asked = Problem(hosts=hosts, requests=[request("r")], current={"r[0]": "a"})
    assert not place(asked).moves
    assert [(move.target, move.code) for move in drain(asked, place(asked), "a").moves] == [("b", "drain")]


def test_restore_brings_home_what_fits_and_says_what_does_not() -> None:
    asks = [request("big", 6), request("small", 2), request("disk", live=False), request("other", 3)]
    at = {"big[0]": "b", "small[0]": "b", "disk[0]": "b", "other[0]": "a"}
    asked = Problem(hosts=[host("a"), host("b", 16)], requests=asks, current=at)
    done = restore(asked, place(asked), "a", ["small[0]", "big[0]", "disk[0]", "gone[0]"])
    assert [(move.member, move.source, move.target) for move in done.moves] == [("small[0]", "b", "a")]
    told = [(move.member, move.text) for move in done.stuck]
    assert told == [("big[0]", "a does not take it: vcpus"), ("disk[0]", "cannot be migrated")]
    assert not done.placement.unplaced


def test_restore_keeps_together_what_has_to_be() -> None:
    near = PlacementGroup(name="near", kind=GroupKind.TOGETHER, over=Over.HOSTS)
    asked = Problem(
        hosts=[host("a"), host("b")],
        requests=[request("near", 1, 2, groups=(near,))],
        current={"near[0]": "b", "near[1]": "b"},
    )
    done = restore(asked, place(asked), "a", ["near[0]"])
    assert not done.moves
    assert [move.member for move in done.stuck] == ["near[0]"]
    assert len(restore(asked, place(asked), "a", ["near[0]", "near[1]"]).moves) == 2


def test_who_must_stay_with_its_data_is_told_so() -> None:
    for state, why in ((HostState.DOWN, "is down"), (HostState.LEAVING, "it is to leave")):
        hosts = [replace(host("a"), state=state), host("b")]
        asked = Problem(hosts=hosts, requests=[request("r", data_on={"r[0]": "a"})])
        assert [one.text for one in place(asked).unplaced] == [f"its data is on a, which {why}"]
    gone = Problem(hosts=[host("b")], requests=[request("r", data_on={"r[0]": "a"})])
    assert [one.text for one in place(gone).unplaced] == ["its data is on a, which is not in the inventory"]


def test_what_the_nearest_hosts_fail_is_told_in_full() -> None:
    asks = request("r", zones=frozenset({"x"}), required=frozenset({"gpu"}))
    asked = Problem(hosts=[host("a", zone="y"), host("b", zone="y")], requests=[asks])
    assert place(asked).unplaced[0].text == "none of 2 hosts is eligible; the nearest fail only zone=x and trait=gpu"
    nowhere = Problem(hosts=[], requests=[request("r")])
    assert place(nowhere).unplaced[0].text == "there is no host"


def test_hosts_like_one_in_maintenance_work() -> None:
    like = replace(host("a"), state=HostState.MAINTENANCE)
    assert {one.state for one in copies(like, 2, "a-more")} == {HostState.UP}


def test_one_more_warm_goes_where_placing_all_again_would_put_it() -> None:
    asked = Problem(hosts=[host("a", 9), host("b", 8)], requests=[request("x", 1, 6)])
    before = place(asked)
    more = request("y", 2)
    again = place(replace(asked, requests=[*asked.requests, more], current=before.assignment))
    assert Incremental(asked, before).add(more) == {"y[0]": again.assignment["y[0]"]}


def test_one_more_that_would_break_n_plus_one_is_refused() -> None:
    asked = Problem(hosts=[host("a", 4), host("b", 4)], requests=[request("x", 1, 3)])
    warm = Incremental(asked, place(asked))
    assert warm.add_surviving(request("y"))
    assert not warm.add_surviving(request("z"))
    assert warm.add(request("z"))


def _tries(count: int, monkeypatch: pytest.MonkeyPatch) -> tuple[int, Suggestion]:
    """Hosts rated to find what would help: work, which no other load of the machine changes."""
    rated = 0

    def best(queue: Candidates, allowed: Allowed | None = None, aside: list[int] | None = None) -> int | None:
        nonlocal rated
        rated += len(queue.hosts)
        return ask(queue, allowed, aside)

    ask = Candidates.best
    hosts = [host(f"h{number}", vcpus=64) for number in range(4)]
    group = PlacementGroup(name="web", kind=GroupKind.SPREAD)
    problem = Problem(hosts=hosts, requests=[request("web", count=count, groups=(group,))])
    placement = place(problem)
    monkeypatch.setattr(Candidates, "best", best)
    advice = suggest(problem, placement, placement.unplaced[0].members[0])
    monkeypatch.setattr(Candidates, "best", ask)
    return rated, advice.suggestions[0]


def test_what_helps_many_members_takes_as_much_more_work_as_there_are_more(monkeypatch: pytest.MonkeyPatch) -> None:
    few, _ = _tries(500, monkeypatch)
    many, helps = _tries(2000, monkeypatch)
    assert many / few < 6
    assert helps.tried
    assert sum(row["vcpus"] for row in helps.add.values()) == 2000 - 4 * 64  # nothing more than is missing
