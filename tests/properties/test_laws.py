"""The promises of the design that hold for every spec, on random ones."""

from __future__ import annotations

import copy
import os
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sites import desired, hosts, planned, specs

from stead.blueprint.dry_run import applied, with_hosts
from stead.core.effect import Action, Disruption
from stead.core.observed import HostStatus, Observed
from stead.core.recorded import Recorded
from stead.core.value import replace
from stead.plan.planner import Wishes

ROOMY = [32, 48, 32, 64]
EMPTY = Recorded(site="a-site")
RANDOM = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def site() -> Observed:
    return Observed(hosts=hosts(ROOMY), digest="observed")


def after_apply(spec: dict[str, Any]) -> tuple[Recorded, Observed]:
    made = planned(desired(spec), EMPTY, site())
    assert made.blueprint is not None
    return applied(made.blueprint, EMPTY, site())


@RANDOM
@given(specs())
def test_plan_after_apply_is_empty(spec: dict[str, Any]) -> None:
    recorded, observed = after_apply(spec)
    plan = planned(desired(spec), recorded, observed).plan
    assert plan is not None
    assert plan.empty, [(str(step.address), step.host, step.reasons) for step in plan.steps]


@RANDOM
@given(specs(), st.randoms(use_true_random=False))
def test_order_of_the_spec_does_not_matter(spec: dict[str, Any], dice: Any) -> None:
    shuffled = copy.deepcopy(spec)
    for section in (shuffled["projects"], *(p["instances"] for p in shuffled["projects"].values())):
        names = list(section)
        dice.shuffle(names)
        for name in names:
            section[name] = section.pop(name)
    first, second = planned(desired(spec), EMPTY, site()).plan, planned(desired(shuffled), EMPTY, site()).plan
    assert first is not None
    assert second is not None
    assert first.steps == second.steps
    assert first.digest == second.digest


@RANDOM
@given(specs())
def test_adding_an_instance_moves_no_other(spec: dict[str, Any]) -> None:
    recorded, observed = after_apply(spec)
    more = copy.deepcopy(spec)
    project = next(iter(more["projects"].values()))
    project["instances"]["new"] = {"flavor": "large", "image": "debian", "networks": ["app"]}
    plan = planned(desired(more), recorded, observed).plan
    assert plan is not None
    for step in plan.steps:
        if step.address.kind == "instances":
            assert (step.address.name, step.action) == ("new", Action.CREATE)
        assert step.disturbs is Disruption.NONE


@RANDOM
@given(specs(), specs(), st.data())
def test_what_was_never_recorded_is_not_destroyed(
    before: dict[str, Any], now: dict[str, Any], data: st.DataObject
) -> None:
    """Whatever the store has lost, whoever made what is there: another site's store, or this one's."""
    whole, observed = after_apply(before)
    kept = data.draw(st.sets(st.sampled_from(sorted(whole.resources, key=str)))) if whole.resources else set()
    uuids = {record.leases["uuid"] for address, record in whole.resources.items() if address in kept}
    part = replace(
        whole,
        site=data.draw(st.sampled_from([whole.site, "another-site"])),
        resources={address: record for address, record in whole.resources.items() if address in kept},
    )
    plan = planned(desired(now), part, observed).plan
    for step in plan.steps if plan is not None else ():
        if step.host and step.action in (Action.DESTROY, Action.REBUILD):
            assert step.uuid in uuids, (step.address, step.reasons)


@RANDOM
@given(specs(), st.sampled_from(["compute-0", "compute-1", "compute-2", "compute-3"]))
def test_silent_host_keeps_what_it_has_and_gets_nothing(spec: dict[str, Any], silent: str) -> None:
    recorded, observed = after_apply(spec)
    made = planned(desired(spec), recorded, with_hosts(observed, HostStatus.DOWN, silent))
    assert made.plan is not None
    assert made.plan.steps == ()  # unreachable is not dead: nothing is started elsewhere


@RANDOM
@given(specs())
def test_capacity_is_never_exceeded(spec: dict[str, Any]) -> None:
    made = planned(desired(spec), EMPTY, site())
    assert made.blueprint is not None
    used: dict[str, list[int]] = {}
    for settled in made.blueprint.resources.values():
        if settled.address.kind == "instances":
            vcpus, memory, disk = (4, 8, 40) if settled.wants[settled.host].fields()["vcpus"] == 4 else (1, 2, 10)
            sums = used.setdefault(settled.host, [0, 0, 0])
            sums[:] = [sums[0] + vcpus, sums[1] + memory, sums[2] + disk]
    for name, (vcpus, memory, disk) in used.items():
        size = ROOMY[int(name[-1])]
        assert (vcpus <= size, memory <= size * 4, disk <= size * 100) == (True, True, True)


@RANDOM
@given(specs())
def test_destroying_everything_leaves_nothing_wanted(spec: dict[str, Any]) -> None:
    recorded, observed = after_apply(spec)
    plan = planned(desired(spec), recorded, observed, Wishes(destroy=True)).plan
    assert plan is not None
    assert {step.action for step in plan.steps} <= {Action.DESTROY}
    there = {(address, host) for address, wants in observed.haves.items() for host in wants}
    assert {(step.address, step.host) for step in plan.steps if step.host} == there
    done: set[int] = set()
    for step in plan.steps:
        assert set(step.after) <= done
        done.add(step.number)


@RANDOM
@given(specs())
def test_steps_stand_in_an_order_in_which_they_can_be_done(spec: dict[str, Any]) -> None:
    plan = planned(desired(spec), EMPTY, site()).plan
    assert plan is not None
    for step in plan.steps:
        for earlier in step.after:
            assert earlier < step.number
            assert plan.steps[earlier].wave <= step.wave
            crosses = plan.steps[earlier].host != step.host and plan.steps[earlier].host and step.host
            assert not crosses or plan.steps[earlier].wave < step.wave


@pytest.mark.parametrize("seed", ["0", "1", "4711"])
def test_hash_seed_of_python_does_not_matter(seed: str) -> None:
    code = (
        "import sys; sys.path.insert(0, 'tests/properties')\n"
        "from sites import desired, hosts, planned\n"
        "from stead.core.observed import Observed\nfrom stead.core.recorded import Recorded\n"
        "one = {'flavor': {'vcpus': 1, 'memory': '1GiB', 'disk': '1GiB'}, 'image': 'd', 'networks': ['a', 'b']}\n"
        "nets = {n: {'subnets': {'v4': {'cidr': f'10.{i}.0.0/24'}}} for i, n in enumerate('ab')}\n"
        "spec = {'stead': 1, 'images': {'d': {'source': '/d'}}, 'projects': {'p': {'networks': nets,\n"
        "        'security_groups': {'w': {'ingress': [{'protocol': 'tcp', 'ports': [80]}]}},\n"
        "        'instances': {'x': {'count': 9, 'security_groups': ['w'], **one}, 'y': one}}}}\n"
        "plan = planned(desired(spec), Recorded(site='s'), Observed(hosts=hosts([32, 32, 64]), digest='o')).plan\n"
        "print(plan.digest, [(str(s.address), s.host) for s in plan.steps])"
    )
    answers = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": one},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for one in ("7", seed)
    }
    assert len(answers) == 1
