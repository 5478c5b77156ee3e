"""What apply promises, on simulated hosts, with plans made by hand."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.unit.runner.making import (
    NET,
    NET_WANT,
    PROJECT,
    Bench,
    gone,
    keep,
    net_step,
    plan_of,
    small,
    step,
    want_of,
    web,
)

from stead.core.address import Address
from stead.core.diagnostics import Refused
from stead.core.effect import Action
from stead.core.observed import HostRecords
from stead.plan import file as plans
from stead.plan.model import Plan, PlannedHook
from stead.run.apply import apply
from stead.run.model import Applied, Options, Pausing, Stopping
from stead.runner import StepsBegan, StepsEnded, Wave, ansible
from stead.runner.simulated import CHUNK
from stead.runner.simulated_model import FaultKind, SimulatedFault
from stead.store.model import LockRequest, Outcome, StepState


def addresses(told: Any) -> list[str]:
    return [str(one.step.address) for one in told]


def test_what_was_applied_is_there_and_recorded(bench: Bench) -> None:
    done = bench.apply(small())
    assert (done.outcome, done.done, done.failed, done.skipped) == (Outcome.DONE, 6, (), ())
    assert bench.there() == bench.recorded()
    assert len(bench.there()) == 6
    record = bench.store.record(web(1))
    assert record is not None
    assert (record.host, record.leases, record.after) == ("compute-2", {"uuid": f"uuid-of-{web(1)}"}, (NET,))
    assert bench.store.outputs() == {"addresses": ["10.0.0.2"]}
    assert bench.store.recorded().in_flight == ()


def _in_two_batches() -> Plan:
    steps = [step(web(at), "compute-1", after=(at,), wave=at, pause=30 * at) for at in range(2)]
    return plan_of(
        [net_step("compute-1"), *steps], [keep(NET, vni="1"), *(keep(web(at), "compute-1") for at in (0, 1))]
    )


def test_a_pause_is_told_and_given_to_the_runner(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[Any] = []
    paused: list[int] = []
    plan, run = bench.fresh(_in_two_batches()), bench.runner.run

    def heeded(wave: Wave, hear: Callable[[Any], None]) -> None:
        paused.append(wave.pause)
        run(wave, hear)

    monkeypatch.setattr(bench.runner, "run", heeded)
    done = apply(plan, bench.store, bench.runner, now=plan.made, options=Options(who="ada"), on_event=heard.append)
    assert done.outcome is Outcome.DONE
    assert paused == [0, 30]
    assert [one for one in heard if isinstance(one, Pausing)] == [Pausing(30)]


def test_nothing_is_paused_for_before_which_nothing_was_done(bench: Bench) -> None:
    heard: list[Any] = []
    net, _, second = _in_two_batches().steps
    plan = bench.fresh(plan_of([net, second._replace(after=(0,))], [keep(NET, vni="1"), keep(web(1), "compute-1")]))
    apply(plan, bench.store, bench.runner, now=plan.made, options=Options(who="ada"), on_event=heard.append)
    assert not [one for one in heard if isinstance(one, Pausing)]


def test_a_pause_ends_when_the_run_is_to_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    passed = [0.0]
    clock = SimpleNamespace(
        monotonic=lambda: passed[0], sleep=lambda seconds: passed.__setitem__(0, passed[0] + seconds)
    )
    monkeypatch.setattr(ansible, "time", clock)
    runner = ansible.AnsibleRunner(inventory=(), folder=Path("nowhere"))
    heard: list[Any] = []
    runner.run(Wave(number=1, steps=(step(web(0), "h"),), pause=30, stopping=lambda: passed[0] > 5), heard.append)
    assert 5 < passed[0] < 6
    assert heard == []


def test_a_plan_with_nothing_to_do_leaves_no_trace(bench: Bench) -> None:
    before = bench.store.serial()
    assert bench.apply(plan_of([], [])).run == 0
    assert bench.store.serial() == before
    assert bench.store.runs() == []


@pytest.mark.parametrize(
    ("field", "word"),
    [("spec", "spec"), ("observed", "hosts report"), ("stead", "made by Stead"), ("recorded", "recorded")],
)
def test_a_stale_plan_is_refused_and_told_what_changed(bench: Bench, field: str, word: str) -> None:
    plan = bench.fresh(small())
    now = plan.made
    made: dict[str, Any] = {field: 99 if field == "recorded" else "other"}
    plan = replace(plan, made=replace(now, **made))
    with pytest.raises(Refused) as refusal:
        apply(plan, bench.store, bench.runner, now=now, options=Options(who="ada"))
    (told,) = refusal.value.diagnostics
    assert told.code == "STEAD-A001"
    assert word in told.detail
    assert bench.there() == {}
    assert bench.store.holder() is None


def test_a_second_apply_is_refused_and_touches_nothing(bench: Bench) -> None:
    with bench.store.lock(LockRequest("bob", "his own")), pytest.raises(Refused) as refusal:
        bench.apply(small())
    assert refusal.value.diagnostics[0].code == "STEAD-S010"
    assert bench.there() == {}


def test_intent_is_written_before_anything_is_touched(bench: Bench) -> None:
    plan = bench.fresh(small())
    seen = []

    def look(event: object) -> None:
        if isinstance(event, StepsBegan):
            states = {one.step: one.state for one in bench.store.journal(1)}
            there = set(bench.there())
            for number in event.steps:
                one = plan.steps[number]
                assert states[number] is StepState.BEGAN
                assert (str(one.address), one.host) not in there
                assert bench.store.record(one.address) is not None
                seen.append(number)

    apply(plan, bench.store, bench.runner, now=plan.made, options=Options(who="ada"), on_event=look)
    assert sorted(seen) == list(range(6))


def test_a_failure_stops_only_what_depends_on_it(bench: Bench) -> None:
    bench.runner.state.inject(
        SimulatedFault(FaultKind.FAIL, host="compute-2", address=str(NET), error="no such bridge")
    )
    done = bench.apply(small())
    assert done.outcome is Outcome.FAILED
    assert [(str(one.step.address), one.step.host, one.why) for one in done.failed] == [
        (str(NET), "compute-2", "no such bridge")
    ]
    assert addresses(done.skipped) == [str(web(1))]
    assert done.done == 4
    assert bench.there() == bench.recorded()
    assert bench.store.outputs() == {}  # they speak of what was not made
    states = {one.step: one.state for one in bench.store.journal(done.run)}
    assert states == {0: "done", 1: "failed", 2: "done", 3: "done", 4: "skipped", 5: "done"}


def test_what_depends_on_what_was_skipped_is_skipped_in_later_waves_too(bench: Bench) -> None:
    bench.runner.state.inject(SimulatedFault(FaultKind.FAIL, host="compute-1"))
    steps = [
        net_step("compute-1"),
        net_step("compute-2", after=(0,), wave=1),
        step(web(0), "compute-2", after=(1,), wave=1),
        step(web(1), "compute-3", after=(2,), wave=2),
        net_step("compute-3", wave=2),
    ]
    done = bench.apply(plan_of(steps, [keep(NET), keep(web(0), "compute-2"), keep(web(1), "compute-3")]))
    assert [one.step.number for one in done.failed] == [0]
    assert [one.step.number for one in done.skipped] == [1, 2, 3]
    assert "was not done" in done.skipped[2].why
    assert done.done == 1


def test_a_silent_host_delays_its_own_steps_and_nobody_elses(bench: Bench) -> None:
    bench.runner.state.set_state("compute-2", "down", "no route to host")
    done = bench.apply(small())
    assert done.done == 4
    assert done.silent == {"compute-2": "no route to host"}
    assert {one.step.host for one in done.skipped} == {"compute-2"}
    assert "no route to host" in done.skipped[0].why


def test_slow_hosts_are_slow_side_by_side_and_after_the_others(bench: Bench) -> None:
    bench.runner.state.set_delay("compute-1", 5)
    bench.runner.state.set_delay("compute-2", 8)
    plan = bench.fresh(small())
    order: list[tuple[str, float]] = []

    def look(event: object) -> None:
        if isinstance(event, StepsEnded):
            order.extend((plan.steps[one.step].host, sum(bench.slept)) for one in event.results)

    apply(plan, bench.store, bench.runner, now=plan.made, options=Options(who="ada"), on_event=look)
    hosts = ["compute-3", "compute-3", "compute-1", "compute-1", "compute-2", "compute-2"]
    assert order == list(zip(hosts, [0, 0, 5, 5, 8, 8], strict=True))


def test_a_host_that_dies_leaves_its_steps_in_flight(bench: Bench) -> None:
    bench.runner.state.inject(SimulatedFault(FaultKind.DIE, host="compute-2"))
    done = bench.apply(small())
    assert done.done == 4
    assert [(one.step.host, str(one.step.address)) for one in done.unknown] == [
        ("compute-2", str(NET)),
        ("compute-2", str(web(1))),
    ]
    in_flight = bench.store.recorded().in_flight
    assert [(one.address, one.host, one.action) for one in in_flight] == [
        (NET, "compute-2", "create"),
        (web(1), "compute-2", "create"),
    ]
    bench.runner.state.set_state("compute-2", "up", "")
    assert (str(NET), "compute-2") in bench.there()  # it was done, and nobody heard of it
    assert bench.apply(small()).outcome is Outcome.DONE  # every step is safe to run again
    assert bench.store.recorded().in_flight == ()
    assert bench.there() == bench.recorded()


def test_what_is_only_recorded_touches_no_host(bench: Bench) -> None:
    project = step(PROJECT, "", want=want_of(PROJECT))
    done = bench.apply(plan_of([project], [keep(PROJECT)]))
    assert done.outcome is Outcome.DONE
    assert bench.there() == {}
    assert bench.recorded() == {(str(PROJECT), ""): want_of(PROJECT).digest}


def test_what_is_only_recorded_waits_for_hosts_that_it_waits_for(bench: Bench) -> None:
    bench.runner.state.inject(SimulatedFault(FaultKind.FAIL, host="compute-1"))
    steps = [net_step("compute-1"), net_step("compute-2"), step(PROJECT, "", after=(0,)), step(web(9), "", after=(1,))]
    done = bench.apply(plan_of(steps, [keep(NET), keep(PROJECT), keep(web(9))]))
    assert [one.step.number for one in done.skipped] == [2]
    assert done.done == 2


# What is recorded


def destroyed() -> Plan:
    return plan_of(
        [step(web(0), "compute-1", Action.DESTROY), step(NET, "compute-1", Action.DESTROY, after=(0,))],
        [gone(web(0)), keep(NET, vni="10000")],
    )


def test_what_is_destroyed_releases_its_leases(bench: Bench) -> None:
    bench.apply(small())
    assert bench.apply(destroyed()).outcome is Outcome.DONE
    assert bench.store.record(web(0)) is None
    record = bench.store.record(NET)
    assert record is not None
    assert set(record.wants) == {"compute-2", "compute-3"}
    assert bench.there() == bench.recorded()


def test_what_could_not_be_destroyed_keeps_its_leases(bench: Bench) -> None:
    bench.apply(small())
    bench.runner.state.inject(SimulatedFault(FaultKind.FAIL, address=str(web(0))))
    assert bench.apply(destroyed()).outcome is Outcome.FAILED
    record = bench.store.record(web(0))
    assert record is not None
    assert record.leases["uuid"] == f"uuid-of-{web(0)}"
    assert bench.there() == bench.recorded()


def test_what_stays_on_a_silent_host_stays_recorded(bench: Bench) -> None:
    bench.apply(small())
    plan = plan_of([step(NET, one, Action.DESTROY) for one in ("compute-1", "compute-3")], [gone(NET)])
    for number in range(3):
        bench.runner.state.lose(str(web(number)), f"compute-{number + 1}")
    assert bench.apply(plan).outcome is Outcome.DONE
    record = bench.store.record(NET)
    assert record is not None
    assert set(record.wants) == {"compute-2"}
    assert record.leases


def test_what_never_began_reserves_nothing_after_the_run(bench: Bench) -> None:
    bench.runner.state.set_state("compute-2", "down", "")
    bench.apply(small())
    assert bench.store.record(web(1)) is None
    assert bench.store.record(web(0)) is not None


def test_what_failed_keeps_what_it_was_given(bench: Bench) -> None:
    bench.runner.state.inject(SimulatedFault(FaultKind.FAIL, address=str(web(1))))
    bench.apply(small())
    record = bench.store.record(web(1))
    assert record is not None
    assert record.wants == {}
    assert record.leases == {"uuid": f"uuid-of-{web(1)}"}


def test_a_migration_moves_the_record_with_it(bench: Bench) -> None:
    bench.apply(small())
    move = step(web(0), "compute-1", Action.MIGRATE, to="compute-2")
    assert bench.apply(plan_of([move], [keep(web(0), "compute-2")])).outcome is Outcome.DONE
    record = bench.store.record(web(0))
    assert record is not None
    assert (record.host, set(record.wants)) == ("compute-2", {"compute-2"})
    assert bench.there() == bench.recorded()


def replacing(number: int) -> Plan:
    new = keep(web(number), "compute-1")._replace(leases={"uuid": "another", "mac": "52:54:00:00:00:01"})
    return plan_of(
        [
            step(web(number), "compute-1", Action.DESTROY),
            step(web(number), "compute-1", after=(0,), uuid="another", want=want_of(web(number), uuid="another")),
        ],
        [new],
    )


def test_a_replacement_takes_the_place_of_what_it_replaces(bench: Bench) -> None:
    bench.apply(small())
    assert bench.apply(replacing(0)).outcome is Outcome.DONE
    record = bench.store.record(web(0))
    assert record is not None
    assert record.leases == {"uuid": "another", "mac": "52:54:00:00:00:01"}
    assert bench.there() == bench.recorded()
    assert bench.runner.observe(bench.hosts).haves[web(0)]["compute-1"].uuid == "another"


def test_a_lease_that_changes_is_kept_until_all_steps_are_done(bench: Bench) -> None:
    bench.apply(small())
    before = bench.store.record(web(0))
    changed = step(web(0), "compute-1", Action.UPDATE, want=want_of(web(0), ip="10.0.0.9"))
    new = keep(web(0), "compute-1", ip="10.0.0.9", mac="52:54:00:00:00:01")
    bench.runner.state.inject(SimulatedFault(FaultKind.FAIL, address=str(web(0))))
    bench.apply(plan_of([changed], [new]))
    meanwhile = bench.store.record(web(0))
    assert before is not None
    assert meanwhile is not None
    assert meanwhile.leases == {**before.leases, "ip": "10.0.0.9", "mac": "52:54:00:00:00:01"}
    bench.apply(plan_of([changed], [keep(web(0), "compute-1", ip="10.0.0.10")]))
    after = bench.store.record(web(0))
    assert after is not None
    assert after.leases == {**before.leases, "ip": "10.0.0.10"}


def test_what_changes_in_the_record_alone_needs_no_step(bench: Bench) -> None:
    bench.apply(small())
    bench.apply(plan_of([], [keep(web(0), "compute-1")._replace(protect=True)]))
    record = bench.store.record(web(0))
    assert record is not None
    assert record.protect
    assert set(record.wants) == {"compute-1"}


def test_what_is_forgotten_stays_on_its_host(bench: Bench) -> None:
    bench.apply(small())
    bench.apply(plan_of([step(web(0), "", Action.FORGET, want=None)], [gone(web(0))]))
    assert bench.store.record(web(0)) is None
    assert (str(web(0)), "compute-1") in bench.there()


def test_what_is_accepted_is_recorded_as_it_is(bench: Bench) -> None:
    bench.apply(small())
    bench.runner.state.edit(str(web(0)), "compute-1", {"memory": 2 << 30})
    bench.runner.state.lose(str(web(1)), "compute-2")
    found = bench.runner.observe(bench.hosts).haves[web(0)]["compute-1"].want
    steps = [
        step(web(0), "compute-1", Action.ACCEPT, want=found),
        step(web(1), "compute-2", Action.ACCEPT, want=None),
    ]
    bench.apply(plan_of(steps, [keep(web(0), "compute-1"), keep(web(1), "compute-2")]))
    assert bench.there() == bench.recorded()


FRONT = Address("acme", "instances", "front")


def renaming(*fail: str) -> Callable[[Bench], Applied]:
    def run(bench: Bench) -> Applied:
        for one in fail:
            bench.runner.state.inject(SimulatedFault(FaultKind.FAIL, address=one))
        # The hosts are told by an update; simulated ones must have what is updated under the new name.
        made = step(FRONT, "compute-1", Action.UPDATE, uuid="front")
        return bench.apply(plan_of([made], [keep(FRONT, "compute-1")], renames={web(0): FRONT}))

    return run


def test_a_rename_is_recorded_with_its_last_step(bench: Bench) -> None:
    bench.apply(small())
    assert renaming()(bench).outcome is Outcome.DONE
    assert bench.store.record(web(0)) is None
    record = bench.store.record(FRONT)
    assert record is not None
    assert set(record.wants) == {"compute-1"}
    assert record.wants["compute-1"] == want_of(FRONT)
    assert [one.what for one in bench.store.history(FRONT)] == ["create", "moved", "update"]


def test_a_rename_that_failed_is_still_to_be_done(bench: Bench) -> None:
    bench.apply(small())
    assert renaming(str(FRONT))(bench).outcome is Outcome.FAILED
    assert bench.store.record(FRONT) is None
    assert bench.store.record(web(0)) is not None


def test_a_rename_without_steps_is_recorded_at_once(bench: Bench) -> None:
    bench.apply(small())
    bench.apply(plan_of([], [], renames={web(0): FRONT}))
    assert bench.store.record(FRONT) is not None
    assert bench.store.record(web(0)) is None


# Hooks, secrets


def test_hooks_run_around_the_steps_that_the_plan_says(bench: Bench) -> None:
    hooks = (PlannedHook(1, "drain.yml", "before", "digest", {}), PlannedHook(3, "tell.yml", "after", "digest", {}))
    bench.apply(replace(small(), hooks=hooks), root=Path("/spec"))
    assert sorted(bench.runner.state.hooks()) == [
        ("/spec/drain.yml", "before", str(NET), "compute-2"),
        ("/spec/tell.yml", "after", str(web(0)), "compute-1"),
    ]


def test_a_secret_is_written_nowhere(bench: Bench) -> None:
    sealed = want_of(web(0), password={"$secret": "s1"})
    plan = plan_of(
        [net_step("compute-1"), step(web(0), "compute-1", want=sealed)], [keep(NET), keep(web(0), "compute-1")]
    )
    bench.apply(plan, secrets={("acme", "s1"): "hunter2"}, content=plans.to_bytes(plan))
    bench.close()
    for path in bench.home.iterdir():
        assert b"hunter2" not in path.read_bytes(), path


# Ctrl-C


def interrupted(bench: Bench, presses: int) -> tuple[Applied, list[object], int]:
    """Many hosts, so that there is more than one chunk; Ctrl-C once the first is announced."""
    count = CHUNK + 500
    steps = [net_step(f"compute-{number + 1}") for number in range(count)]
    steps.append(net_step("compute-1", wave=1))
    plan = bench.fresh(plan_of(steps, [keep(NET)]))
    heard: list[object] = []

    def press(event: object) -> None:
        heard.append(event)
        if isinstance(event, StepsBegan) and not any(isinstance(one, Stopping) for one in heard):
            for _ in range(presses):
                os.kill(os.getpid(), signal.SIGINT)

    done = apply(plan, bench.store, bench.runner, now=plan.made, options=Options(who="ada"), on_event=press)
    return done, heard, count


def test_the_first_ctrl_c_finishes_what_runs_and_begins_nothing_new(bench: Bench) -> None:
    done, heard, count = interrupted(bench, 1)
    assert done.outcome is Outcome.STOPPED
    assert done.done == CHUNK
    assert done.unknown == ()
    assert len(done.skipped) == count - CHUNK + 1
    assert {one.why for one in done.skipped} == {"the run was stopped"}
    assert any(isinstance(one, Stopping) for one in heard)
    assert len(bench.recorded()) == CHUNK
    assert bench.store.holder() is None
    run = bench.store.run(done.run)
    assert run is not None
    assert run.outcome is Outcome.STOPPED


def test_the_second_ctrl_c_stops_at_once_and_the_journal_knows_what_was_running(bench: Bench) -> None:
    before = signal.getsignal(signal.SIGINT)
    done, _, count = interrupted(bench, 2)
    assert done.outcome is Outcome.STOPPED
    assert done.done == 0
    assert len(done.unknown) == CHUNK
    assert len(done.skipped) == count + 1 - CHUNK
    assert len(bench.store.recorded().in_flight) == CHUNK
    assert bench.store.holder() is None
    assert signal.getsignal(signal.SIGINT) is before


def test_wants_of_hosts_are_what_the_plan_says(bench: Bench) -> None:
    bench.apply(small())
    record = bench.store.record(NET)
    assert record is not None
    assert record.wants == dict.fromkeys(bench.hosts, NET_WANT)


def evacuating(bench: Bench) -> Plan:
    return replace(small(), silence=HostRecords(dead=("compute-9",), hears=tuple(bench.hosts)))


def test_nothing_begins_before_every_host_that_answers_knows_who_is_dead(bench: Bench) -> None:
    plan = bench.fresh(evacuating(bench))
    bench.runner.state.mark("compute-2", "down", "its cable is out")
    done = apply(plan, bench.store, bench.runner, now=plan.made, options=Options(who="ada"))
    assert (done.outcome, done.done, len(done.skipped)) == (Outcome.FAILED, 0, 6)
    assert "compute-2 could not be told who is dead: its cable is out" in done.skipped[0].why
    assert bench.there() == {}


def test_what_begins_elsewhere_begins_after_the_others_were_told(bench: Bench) -> None:
    seen: list[tuple[tuple[str, ...], tuple[str, ...], int]] = []

    class Runner:
        refusals = staticmethod(bench.runner.refusals)

        @staticmethod
        def run(wave: Wave, on_event: Any) -> None:
            seen.append((wave.informs, wave.dead, len(wave.steps)))
            bench.runner.run(wave, on_event)

    plan = bench.fresh(evacuating(bench))
    done = apply(plan, bench.store, Runner(), now=plan.made, options=Options(who="ada"))  # type: ignore[arg-type]
    assert done.outcome is Outcome.DONE
    assert seen[0] == (tuple(bench.hosts), ("compute-9",), 0)
    assert {dead for _tells, dead, _steps in seen} == {("compute-9",)}
