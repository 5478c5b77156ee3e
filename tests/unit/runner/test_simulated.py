"""Simulated hosts refuse what real ones refuse, and change only when something was done to them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from tests.unit.runner.making import NET, Bench, net_step, small, step, web

from stead.core.address import Address
from stead.core.diagnostics import Refused
from stead.core.effect import Action
from stead.core.observed import Host, HostStatus, StoragePool
from stead.core.want import Body, Want
from stead.runner import Event, HostSilent, StepResult, StepsBegan, StepsEnded, Wave
from stead.runner import StepStatus as Ending
from stead.runner.simulated_model import FaultKind, SimulatedFault
from stead.runner.simulated_state import SimulatedState
from stead.store.model import Outcome

TiB = 1 << 40


def do(bench: Bench, *steps: Any, **fields: Any) -> list[Event]:
    heard: list[Event] = []
    numbered = [one._replace(number=number) for number, one in enumerate(steps)]
    bench.runner.observe(bench.hosts)
    bench.runner.run(Wave(number=0, steps=numbered, **fields), heard.append)
    return heard


def results(heard: list[Event]) -> list[StepResult]:
    return [one for event in heard if isinstance(event, StepsEnded) for one in event.results]


def states(heard: list[Event]) -> list[Ending]:
    return [one.state for one in results(heard)]


def instance(**fields: Any) -> Want:
    return Want.of(Body.of({"vcpus": 1, "memory": 1 << 30, **fields}))


def test_what_was_made_is_reported_as_it_was_made(bench: Bench) -> None:
    bench.apply(small())
    have = bench.runner.observe(bench.hosts).haves[web(1)]["compute-2"]
    plan = small()
    wanted = next(one.want for one in plan.steps if one.address == web(1))
    assert (have.want, have.made_from, have.uuid) == (wanted, wanted and wanted.digest, f"uuid-of-{web(1)}")


def test_what_is_known_already_is_not_made_again(bench: Bench) -> None:
    bench.apply(small())
    known = bench.store.recorded()
    observed = bench.runner.observe(bench.hosts, known)
    assert observed == bench.runner.observe(bench.hosts)
    have = observed.haves[web(1)]["compute-2"]
    assert have.want is known.resources[web(1)].wants["compute-2"]


def test_observing_changes_nothing(bench: Bench) -> None:
    bench.apply(small())
    first, second = bench.runner.observe(bench.hosts), bench.runner.observe(bench.hosts)
    assert first == second


def test_any_change_of_a_host_changes_the_digest(bench: Bench) -> None:
    bench.apply(small())
    seen = {bench.runner.observe(bench.hosts).digest}
    changes: list[Callable[[], None]] = [
        lambda: bench.runner.state.edit(str(web(0)), "compute-1", {"memory": 1}),
        lambda: bench.runner.state.lose(str(web(1)), "compute-2"),
        lambda: bench.runner.state.move(str(web(2)), "compute-3", "compute-1"),
        lambda: bench.runner.state.plant(str(web(7)), "compute-1", "x", {}),
        lambda: bench.runner.state.set_state("compute-1", "maintenance", ""),
    ]
    for count, change in enumerate(changes, 2):
        change()
        seen.add(bench.runner.observe(bench.hosts).digest)
        assert len(seen) == count
    grown = {**bench.hosts, "compute-1": replace(bench.hosts["compute-1"], vcpus=65)}
    seen.add(bench.runner.observe(grown).digest)
    assert len(seen) == len(changes) + 2


def test_the_order_of_an_inventory_does_not_matter(bench: Bench) -> None:
    backwards = {name: bench.hosts[name] for name in reversed(list(bench.hosts))}
    assert bench.runner.observe(bench.hosts).digest == bench.runner.observe(backwards).digest


def test_a_silent_inventory_is_completed_as_facts_would(bench: Bench) -> None:
    hosts = {name: Host(name=name, roles=frozenset({name})) for name in ("compute", "storage", "network")}
    found = bench.runner.observe(hosts).hosts
    assert (found["compute"].vcpus, found["compute"].memory, set(found["compute"].pools)) == (16, 64 << 30, {"default"})
    assert (found["storage"].vcpus, set(found["storage"].pools)) == (0, {"default"})
    assert (found["network"].vcpus, found["network"].pools) == (0, {})
    assert len({one.underlay for one in found.values()}) == 3


def test_a_host_keeps_its_address_when_others_come(bench: Bench) -> None:
    before = bench.runner.observe(bench.hosts).hosts["compute-3"].underlay
    more = {"a-new-one": Host(name="a-new-one", roles=frozenset({"compute"})), **bench.hosts}
    assert bench.runner.observe(more).hosts["compute-3"].underlay == before


def test_of_a_host_that_is_down_nothing_is_known(bench: Bench) -> None:
    bench.apply(small())
    bench.runner.state.set_state("compute-1", "down", "fire")
    observed = bench.runner.observe(bench.hosts)
    assert (observed.hosts["compute-1"].state, observed.hosts["compute-1"].why) == (HostStatus.DOWN, "fire")
    assert web(0) not in observed.haves
    heard = do(bench, net_step("compute-1"), net_step("compute-2"))
    assert [one for one in heard if isinstance(one, HostSilent)] == [HostSilent("compute-1", "fire")]
    assert [one.steps for one in heard if isinstance(one, StepsBegan)] == [[1]]


def test_drift_still_says_what_it_was_made_from(bench: Bench) -> None:
    bench.apply(small())
    before = bench.runner.observe(bench.hosts).haves[web(0)]["compute-1"]
    bench.runner.state.edit(str(web(0)), "compute-1", {"memory": 7, "nics.app.mtu": 9000, "vcpus": None})
    after = bench.runner.observe(bench.hosts).haves[web(0)]["compute-1"]
    assert after.made_from == before.made_from == before.want.digest
    assert after.want.digest != before.want.digest
    fields = after.want.fields()
    assert (fields["memory"], fields["nics"]["app"]["mtu"], "vcpus" in fields) == (7, 9000, False)


# What a host refuses


def refusal(bench: Bench, *steps: Any) -> str:
    last = results(do(bench, *steps))[-1]
    assert last.state is Ending.FAILED
    return last.error


def test_more_than_there_is_room_for_is_refused(bench: Bench) -> None:
    bench.hosts = {"compute-1": Host(name="compute-1", roles=frozenset({"compute"}), vcpus=2, memory=8 << 30)}
    fits = [step(web(one), "compute-1", want=instance()) for one in range(2)]
    assert states(do(bench, *fits)) == [Ending.DONE, Ending.DONE]
    assert "needs 1 of vcpus, and 0 is left" in refusal(bench, step(web(2), "compute-1", want=instance()))
    assert states(do(bench, step(web(0), "compute-1", Action.DESTROY), step(web(2), "compute-1", want=instance()))) == [
        Ending.DONE,
        Ending.DONE,
    ]


def test_promising_more_than_there_is_is_the_inventorys_to_allow(bench: Bench) -> None:
    bench.hosts = {
        "c": Host(name="c", roles=frozenset({"compute"}), vcpus=1, memory=8 << 30, overcommit={"vcpus": 2.0})
    }
    assert states(do(bench, *(step(web(one), "c", want=instance()) for one in range(3)))) == [
        Ending.DONE,
        Ending.DONE,
        Ending.FAILED,
    ]


def test_disks_take_room_where_their_pool_is(bench: Bench) -> None:
    pool = StoragePool("share", "nfs", 2 * TiB, "/x", shared=True)
    bench.hosts = {
        "s1": Host(name="s1", roles=frozenset({"storage"}), pools={"share": pool}),
        "c1": Host(name="c1", roles=frozenset({"compute"}), vcpus=8, memory=TiB),
    }
    root = {"pool": {"name": "share", "host": "s1"}, "size": TiB}
    volume = Want.of(Body.of({"size": TiB, "pool": {"name": "share", "host": "s1"}}))
    data = Address("acme", "volumes", "data")
    assert states(do(bench, step(web(0), "c1", want=instance(root=root)), step(data, "s1", want=volume))) == [
        Ending.DONE,
        Ending.DONE,
    ]
    assert "s1 has no room" in refusal(bench, step(web(1), "c1", want=instance(root=root)))


def test_growing_counts_only_what_is_new(bench: Bench) -> None:
    pool = StoragePool("default", "dir", 2 * TiB)
    bench.hosts = {"s1": Host(name="s1", roles=frozenset({"storage"}), pools={"default": pool})}
    data = Address("acme", "volumes", "data")
    sizes = [Want.of(Body.of({"size": size, "pool": {"name": "default"}})) for size in (TiB, 2 * TiB, 2 * TiB + 1)]
    assert states(do(bench, step(data, "s1", want=sizes[0]))) == [Ending.DONE]
    assert states(do(bench, step(data, "s1", Action.UPDATE, want=sizes[1]))) == [Ending.DONE]
    assert states(do(bench, step(data, "s1", Action.UPDATE, want=sizes[2]))) == [Ending.FAILED]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"nics": {"app": {"network": str(NET)}}}, f"network {NET} is not on compute-1"),
        ({"image": {"address": "images/debian", "uuid": "u"}}, "image images/debian is not on compute-1"),
        ({"volumes": {"acme/volumes/data": {"uuid": "u"}}}, "volume acme/volumes/data does not exist"),
    ],
)
def test_what_is_missing_on_the_host_is_refused(bench: Bench, fields: dict[str, Any], words: str) -> None:
    assert refusal(bench, step(web(0), "compute-1", want=instance(**fields))) == words


def test_a_physical_network_needs_its_device(bench: Bench) -> None:
    want = Want.of(Body.of({"type": "flat", "physical": "external"}))
    assert "external" in refusal(bench, step(NET, "compute-1", want=want))


def test_a_router_needs_its_networks(bench: Bench) -> None:
    want = Want.of(Body.of({"routes": []}), {"interfaces": {str(NET): {}}})
    router = Address("acme", "routers", "edge")
    assert str(NET) in refusal(bench, step(router, "compute-1", want=want))
    assert states(do(bench, net_step("compute-1"), step(router, "compute-1", want=want))) == [Ending.DONE, Ending.DONE]


def test_a_uuid_is_only_once_on_a_host(bench: Bench) -> None:
    do(bench, step(web(0), "compute-1", want=instance(), uuid="same"))
    assert "has UUID same" in refusal(bench, step(web(1), "compute-1", want=instance(), uuid="same"))


def test_what_has_another_uuid_is_neither_overwritten_nor_destroyed(bench: Bench) -> None:
    do(bench, step(web(0), "compute-1", want=instance(), uuid="old"))
    assert "another UUID" in refusal(bench, step(web(0), "compute-1", want=instance(), uuid="new"))
    assert "another UUID" in refusal(bench, step(web(0), "compute-1", Action.DESTROY, uuid="new"))
    assert bench.runner.observe(bench.hosts).haves[web(0)]["compute-1"].uuid == "old"


def test_every_step_is_safe_to_run_again(bench: Bench) -> None:
    make, destroy = step(web(0), "compute-1", want=instance()), step(web(0), "compute-1", Action.DESTROY)
    for one in (make, make, destroy, destroy):
        assert states(do(bench, one)) == [Ending.DONE]


def test_a_migration_needs_its_target(bench: Bench) -> None:
    do(bench, net_step("compute-1"), net_step("compute-3"), step(web(0), "compute-1"))
    move = step(web(0), "compute-1", Action.MIGRATE, to="compute-2")
    assert "is not on compute-2" in refusal(bench, move)
    bench.runner.state.set_state("compute-3", "down", "")
    assert "does not answer" in refusal(bench, move._replace(to="compute-3"))
    bench.runner.state.set_state("compute-3", "up", "")
    assert states(do(bench, move._replace(to="compute-3"))) == [Ending.DONE]
    assert set(bench.runner.observe(bench.hosts).haves[web(0)]) == {"compute-3"}


# What is to go wrong


def test_the_nth_step_fails_and_then_no_more(bench: Bench) -> None:
    bench.runner.state.inject(SimulatedFault(FaultKind.FAIL, skip=1, times=2, error="bad luck"))
    steps = [step(web(one), "compute-1", want=instance()) for one in range(5)]
    found = results(do(bench, *steps))
    assert [one.state for one in found] == [Ending.DONE, Ending.FAILED, Ending.FAILED, Ending.DONE, Ending.DONE]
    assert found[1].error == "bad luck"
    assert bench.runner.state.faults() == []


@pytest.mark.parametrize(("kind", "there"), [(FaultKind.DIE, {web(0), web(1)}), (FaultKind.DIE_BEFORE, {web(0)})])
def test_a_host_dies_after_or_before_it_did_the_step(bench: Bench, kind: FaultKind, there: set[Address]) -> None:
    bench.runner.state.inject(SimulatedFault(kind, host="compute-1", skip=1))
    steps = [step(web(one), "compute-1", want=instance()) for one in range(3)]
    assert states(do(bench, *steps)) == [Ending.DONE, Ending.UNKNOWN, Ending.UNKNOWN]
    assert bench.runner.observe(bench.hosts).hosts["compute-1"].state is HostStatus.DOWN
    bench.runner.state.set_state("compute-1", "up", "")
    assert set(bench.runner.observe(bench.hosts).haves) == there


def test_what_waits_for_a_failed_step_of_its_host_is_not_begun(bench: Bench) -> None:
    bench.runner.state.inject(SimulatedFault(FaultKind.FAIL))
    steps = [step(web(0), "compute-1", want=instance()), step(web(1), "compute-1", want=instance(), after=(0,))]
    assert states(do(bench, *steps)) == [Ending.FAILED, Ending.SKIPPED]


def test_another_process_sees_what_was_done_and_is_seen(bench: Bench) -> None:
    do(bench, step(web(0), "compute-1", want=instance()))
    other = SimulatedState(bench.home / "simulated.db")
    other.lose(str(web(0)), "compute-1")
    assert states(do(bench, step(web(1), "compute-1", want=instance(), uuid=f"uuid-of-{web(0)}"))) == [Ending.DONE]
    other.close()


def test_a_simulation_emptied_is_as_new(bench: Bench) -> None:
    bench.apply(small())
    bench.runner.state.set_state("compute-1", "down", "")
    bench.runner.state.empty()
    assert bench.there() == {}
    assert bench.runner.observe(bench.hosts).hosts["compute-1"].state is HostStatus.UP
    assert states(do(bench, net_step("compute-1"))) == [Ending.DONE]


def test_a_file_of_another_kind_is_left_alone(bench: Bench) -> None:
    path = bench.home / "notes"
    path.write_text("not a database " * 100)
    with pytest.raises(Refused) as refusal:
        SimulatedState(path)
    assert refusal.value.diagnostics[0].code == "STEAD-B050"
    with pytest.raises(Refused):
        SimulatedState(bench.home / "state.db")
    assert bench.store.serial() == 0


def test_ten_thousand_steps_take_no_time_to_speak_of(bench: Bench) -> None:
    steps = [step(web(one), f"compute-{one % 500}", want=instance()) for one in range(10_000)]
    assert states(do(bench, *steps)) == [Ending.DONE] * 10_000
    assert sum(map(len, bench.runner.state.rows())) == 10_000
    assert bench.apply(small()).outcome is Outcome.DONE
