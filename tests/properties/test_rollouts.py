"""No more members are disturbed at once than the rollout says, in every order that the plan allows."""

from __future__ import annotations

from itertools import combinations
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from sites import desired, hosts, planned

from stead.blueprint.dry_run import applied
from stead.core.effect import Action, Disruption
from stead.core.observed import Observed
from stead.core.recorded import Recorded
from stead.plan.build import Selection
from stead.plan.model import Plan, Step
from stead.plan.planner import Wishes

EMPTY = Recorded(site="a-site")


def spec(count: int, memory: str, **rollout: Any) -> dict[str, Any]:
    web = {"count": count, "flavor": {"vcpus": 1, "memory": memory, "disk": "1GiB"}, "image": "debian"}
    web |= {"networks": ["app"], "wait": "ssh", **({"rollout": rollout} if rollout else {})}
    project = {"networks": {"app": {"subnets": {"v4": {"cidr": "10.20.0.0/24"}}}}, "instances": {"web": web}}
    return {"stead": 1, "images": {"debian": {"source": "/d.qcow2"}}, "projects": {"acme": project}}


def before(plan: Plan) -> dict[int, set[int]]:
    found: dict[int, set[int]] = {}
    for step in plan.steps:
        found[step.number] = set(step.after).union(*(found[one] for one in step.after))
    return found


def replanned(old: dict[str, Any], new: dict[str, Any]) -> Plan:
    site = Observed(hosts=hosts([64, 64, 64]), digest="observed")
    made = planned(desired(old), EMPTY, site)
    assert made.blueprint is not None
    recorded, observed = applied(made.blueprint, EMPTY, site)
    plan = planned(desired(new), recorded, observed).plan
    assert plan is not None
    return plan


def disturbed(plan: Plan) -> list[Step]:
    return [one for one in plan.steps if one.address.kind == "instances" and one.disturbs is not Disruption.NONE]


@settings(max_examples=25, deadline=None)
@given(count=st.integers(1, 9), at_once=st.integers(1, 9) | st.sampled_from(["1%", "34%", "100%"]), stop=st.booleans())
def test_no_more_are_disturbed_at_once_than_the_rollout_says(count: int, at_once: int | str, stop: bool) -> None:
    asked = {"at_once": str(at_once), "stop_on_failure": stop}
    plan = replanned(spec(count, "1GiB"), spec(count, "2GiB", **asked))
    most = at_once if isinstance(at_once, int) else max(1, count * int(at_once.rstrip("%")) // 100)
    some, earlier = disturbed(plan), before(plan)
    assert {one.action for one in some} == {Action.REBOOT}
    assert len(some) == count

    def apart(one: Step, other: Step) -> bool:
        return one.wave != other.wave or one.number in earlier[other.number] or other.number in earlier[one.number]

    for chosen in combinations(some, min(most + 1, count + 1)):
        assert any(apart(one, other) for one, other in combinations(chosen, 2))
    for one in some:
        later = [other for other in some if one.number in earlier[other.number]]
        assert stop or not later, "a failure is not to stop the others"


@settings(max_examples=15, deadline=None)
@given(count=st.integers(2, 7), at_once=st.integers(1, 3), stop=st.booleans())
def test_apply_pauses_once_before_each_batch_but_the_first(count: int, at_once: int, stop: bool) -> None:
    asked = {"at_once": str(at_once), "wait": "30s", "stop_on_failure": stop}
    some = disturbed(replanned(spec(count, "1GiB"), spec(count, "2GiB", **asked)))
    waves: dict[int, set[int]] = {}
    for one in some:
        waves.setdefault(one.wave, set()).add(one.pause)
    assert len(waves) == -(-count // at_once)
    assert [waves[wave] for wave in sorted(waves)] == [{0}, *[{30}] * (len(waves) - 1)]


def test_a_member_that_is_made_anew_is_not_paused_between_its_steps() -> None:
    def one(zone: str) -> dict[str, Any]:
        asked = spec(2, "1GiB", at_once="1", wait="30s")
        asked["projects"]["acme"]["instances"]["web"]["replace_when"] = zone
        return asked

    plan = replanned(one("a"), one("b"))
    steps = [step for step in plan.steps if step.address.kind == "instances" and step.address.key == 1]
    assert {step.action for step in steps} == {Action.DESTROY, Action.CREATE}
    paused = {step.wave for step in steps if step.pause}
    assert paused == {min(step.wave for step in steps)}


def test_without_a_rollout_all_are_disturbed_at_once_and_new_ones_are_in_no_batch() -> None:
    plan = replanned(spec(3, "1GiB"), spec(3, "2GiB"))
    numbers = {one.number for one in disturbed(plan)}
    assert all(numbers.isdisjoint(one.after) for one in disturbed(plan))
    plan = replanned(spec(1, "1GiB", at_once="1"), spec(4, "1GiB", at_once="1"))
    assert "rollout" not in {note.code for note in plan.notes}


def test_a_selection_takes_no_others_of_the_rollout_with_it() -> None:
    site = Observed(hosts=hosts([64, 64, 64]), digest="observed")
    made = planned(desired(spec(3, "1GiB")), EMPTY, site)
    assert made.blueprint is not None
    recorded, observed = applied(made.blueprint, EMPTY, site)
    wishes = Wishes(selection=Selection(wanted=lambda address: address.key == 2))
    plan = planned(desired(spec(3, "2GiB", at_once="1")), recorded, observed, wishes).plan
    assert plan is not None
    assert [one.address.key for one in disturbed(plan)] == [2]
