"""What holds for every sequence of specs that are applied one after the other, with what goes wrong on the way.

On simulated hosts, which refuse what real ones would. Specs that are refused are passed over: nothing comes of them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
import yaml
from sequences import Json, dice_of, first, following, shuffled
from sites import GIB, KEY, hosts

from stead.core.address import Address
from stead.core.by_hand import STATES, ByHand
from stead.core.diagnostics import has_errors
from stead.core.effect import Action, Disruption
from stead.core.observed import Host, Observed, StoragePool
from stead.core.value import replace
from stead.core.want import Want
from stead.kinds import kinds
from stead.language.desired import Desired, resolve
from stead.language.spec import load
from stead.plan.build import Selection
from stead.plan.model import Plan
from stead.plan.planner import Inputs, Wishes, make_plan
from stead.run.apply import apply
from stead.run.model import Applied, Options
from stead.runner.simulated import SimulatedRunner
from stead.runner.simulated_model import FaultKind, SimulatedFault
from stead.runner.simulated_rules import Needs, SimulatedSite, kind_of
from stead.store import open_store

# More by hand: STEAD_SEEDS=100 pytest tests/properties/test_sequences.py
SEEDS = range(int(os.environ.get("STEAD_SEEDS", "4")))
SPECS = 4  # of one sequence


class Bench:
    def __init__(self, home: Path) -> None:
        self.folder = home / "spec"
        self.folder.mkdir()
        self.store = open_store("", directory=home, create=True)
        self.runner = SimulatedRunner(home / "simulated.db", sleep=lambda _seconds: None)
        every = {
            name: replace(one, physical_networks={"external": "eth1"}) for name, one in hosts([16, 16, 16]).items()
        }
        fast = StoragePool("fast", "nfs", 4096 * GIB, "/srv/fast", shared=True)
        storage = Host(name="storage-1", roles=frozenset({"storage"}), pools={"fast": fast}, underlay="192.0.2.249")
        self.hosts = {**every, storage.name: storage}

    def write(self, spec: Json, dice: Random | None = None) -> None:
        """In one file; or with `dice`, shuffled, over two."""
        for old in self.folder.iterdir():
            old.unlink()
        names = list(spec)
        if dice is not None:
            spec = shuffled(spec, dice)
            names = list(spec)
        parts = (names, []) if dice is None else (names[::2], names[1::2])
        for at, part in enumerate(parts):
            text = yaml.safe_dump({"stead": 1, **{name: spec[name] for name in part}}, sort_keys=False)
            (self.folder / f"{at}.yml").write_text(text)

    def desired(self) -> Desired | None:
        spec, found = load([self.folder], kinds(), root=self.folder)
        settled, more = resolve(spec, key=KEY)
        return None if has_errors([*found, *more]) else settled

    def seen(self) -> Observed:
        return self.runner.observe(self.hosts)

    def plan(self, wishes: Wishes | None = None) -> Plan | None:
        wanted = self.desired()
        if wanted is None:
            return None
        inputs = Inputs(desired=wanted, recorded=self.store.recorded(), observed=self.seen(), kinds=kinds(), key=KEY)
        return make_plan(inputs, wishes or Wishes())[0].plan

    def apply(self, plan: Plan) -> Applied:
        return apply(plan, self.store, self.runner, now=plan.made, options=Options(who="ada"))

    def close(self) -> None:
        self.store.close()
        self.runner.close()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.close()


def specs(bench: Bench, dice: Random) -> Iterator[tuple[Json, Plan]]:
    """Those of a sequence that can be planned, each with its plan."""
    good, spec, count = None, first(dice), 0
    for _ in range(60):
        bench.write(spec)
        if (plan := bench.plan()) is not None:
            yield spec, plan
            good, count = spec, count + 1
            if count == SPECS:
                return
        spec = following(good or spec, dice)
    assert count > 1, "nearly every spec was refused"


def dangling(plan: Plan, observed: Observed) -> Iterator[tuple[int, str]]:
    """What stands on something that is not there, after each step in turn. A network that is made anew is a gap."""
    site = SimulatedSite(observed.hosts)
    for address, on in observed.haves.items():
        for host, have in on.items():
            site.put(str(address), host, have.uuid, have.want)
    anew = {(str(step.address), step.host) for step in plan.steps if step.action is Action.CREATE}
    for step in plan.steps:
        moved, want = str(step.address), step.want
        if step.host and step.action is Action.DESTROY:
            site.drop(moved, step.host)
        elif step.host and want is not None:
            site.drop(site.on(step.host).uuids.get(step.uuid, moved), step.host)
            site.put(moved, step.to or step.host, step.uuid, want)
        for name, host, lack in lacks(site):
            if not any(other in lack and at == host for other, at in anew):
                yield step.number, f"{name}: {lack}"


def doubly_used(plan: Plan, observed: Observed) -> Iterator[str]:
    """Volumes that two instances would have at once, if only for a moment."""
    users: dict[str, set[str]] = {}
    for address, on in observed.haves.items():
        for have in on.values() if address.kind == "instances" else ():
            for volume in _volumes(have.want):
                users.setdefault(volume, set()).add(have.uuid)
    for step in plan.steps:
        if step.address.kind != "instances":
            continue
        name, used = step.uuid, _volumes(step.want) if step.want is not None else set()
        for volume, some in users.items():
            if volume not in used:
                some.discard(name)
        for volume in used:
            users.setdefault(volume, set()).add(name)
            if len(users[volume]) > 1:
                yield f"{volume}: {', '.join(sorted(users[volume]))}"


def _volumes(want: Want) -> set[str]:
    return {one["uuid"] for one in want.fields().get("volumes", {}).values() if not one["shareable"]}


def lacks(site: SimulatedSite) -> Iterator[tuple[str, str, str]]:
    for host, contents in list(site.contents.items()):
        for address, want in list(contents.things.items()):
            if kind_of(address) != "snapshots":  # which outlive their volume
                yield from ((address, host, lack) for lack in Needs(kind_of(address), want).missing(site, host))


def assert_nobody_shares(bench: Bench) -> None:
    """No address, MAC, number or UUID belongs to two."""
    taken: dict[tuple[str, ...], str] = {}
    for address, record in bench.store.recorded().resources.items():
        for key, value in record.leases.items():
            if key == "uuid" or key.endswith(("mac", "vni")):
                assert taken.setdefault((value,), str(address)) == str(address)
    for address, on in bench.seen().haves.items():
        for have in on.values() if address.kind == "instances" else ():
            for network, one in _addresses(have.want):
                assert taken.setdefault((network, one), str(address)) == str(address)


def _addresses(want: Want) -> Iterator[tuple[str, str]]:
    fields = want.fields()
    for key, port in fields.get("ports", {}).items():
        yield from ((fields["nics"][key]["network"], one) for one in port["addresses"])


@pytest.mark.parametrize("seed", SEEDS)
def test_every_spec_that_can_be_planned_is_done_and_then_there_is_nothing_to_do(bench: Bench, seed: int) -> None:
    dice = dice_of(seed)
    for spec, plan in specs(bench, dice):
        bench.write(spec, dice)
        again = bench.plan()
        assert again is not None
        assert (again.digest, again.steps) == (plan.digest, plan.steps)  # however it is written
        assert list(dangling(plan, bench.seen())) == []
        assert list(doubly_used(plan, bench.seen())) == []
        made = bench.apply(again)
        assert (made.failed, made.skipped, made.unknown) == ((), (), ())
        after = bench.plan()
        assert after is not None
        assert after.steps == ()
        assert_nobody_shares(bench)
    gone = bench.plan(Wishes(destroy=True))
    assert gone is not None
    assert list(dangling(gone, bench.seen())) == []
    bench.apply(gone)
    assert not bench.seen().haves
    assert not bench.store.recorded().resources


@pytest.mark.parametrize("seed", SEEDS)
def test_what_went_wrong_halfway_is_finished_by_the_next_applies(bench: Bench, seed: int) -> None:
    dice = dice_of(seed + 1000)
    for _, plan in specs(bench, dice):
        host = dice.choice(["compute-0", "compute-1", "network-1"])
        kind = dice.choice([FaultKind.FAIL, FaultKind.DIE, FaultKind.DIE_BEFORE])
        fault = SimulatedFault(
            kind=kind, host=host, address="", skip=dice.randrange(4), times=1, error="as the dice would have it"
        )
        bench.runner.state.keep_faults([fault])
        bench.apply(plan)
        bench.runner.state.keep_faults([])
        silent = bench.plan()
        assert silent is not None
        bench.apply(silent)
        bench.runner.state.mark(host, "up", "")
        rest = bench.plan()
        assert rest is not None
        assert list(dangling(rest, bench.seen())) == []
        made = bench.apply(rest)
        assert (made.failed, made.skipped, made.unknown) == ((), (), ())
        after = bench.plan()
        assert after is not None
        assert after.steps == ()
        assert_nobody_shares(bench)


@pytest.mark.parametrize("seed", SEEDS)
def test_data_is_never_lost_by_a_step_that_does_not_say_so(bench: Bench, seed: int) -> None:
    """What had a volume, snapshot or instance with this UUID still has it, or a step took it away and said so."""
    dice = dice_of(seed + 2000)
    for _, plan in specs(bench, dice):
        before, told = _stateful(bench), {step.uuid for step in plan.steps if step.disturbs is Disruption.DATA_LOSS}
        bench.apply(plan)
        assert before - _stateful(bench) <= told


@pytest.mark.parametrize("seed", SEEDS)
def test_a_state_by_hand_holds_whatever_the_spec_becomes(bench: Bench, seed: int) -> None:
    dice = dice_of(seed + 3000)
    given: dict[Address, str] = {}
    for _, plan in specs(bench, dice):
        made = bench.apply(plan)
        assert (made.failed, made.skipped, made.unknown) == ((), (), ())
        there = {one for one in bench.store.recorded().resources if one.kind == "instances"}
        given = {plan.renames.get(one, one): state for one, state in given.items()}
        given = {one: state for one, state in given.items() if one in there}
        if there:
            address, state = dice.choice(sorted(there, key=str)), dice.choice(STATES)
            alone = Selection(wanted=address.__eq__, alone=True)
            said = str(ByHand(state, "ada", "2026-11-30T08:00:00Z"))
            asked = bench.plan(Wishes(selection=alone, states={address: said}))
            assert asked is not None
            assert {step.address for step in asked.steps} <= {address}
            bench.apply(asked)
            if asked.steps:
                given[address] = state
        assert given.items() <= _states(bench).items()
        after = bench.plan()
        assert after is not None
        assert after.steps == ()


def _states(bench: Bench) -> dict[Address, str]:
    seen = {one: on for one, on in bench.seen().haves.items() if one.kind == "instances"}
    found = [(one, have.want.fields()) for one, on in seen.items() for have in on.values()]
    return {one: "shelved" if said.get("shelved") else said["state"] for one, said in found}


def _stateful(bench: Bench) -> set[str]:
    kept = [on for address, on in bench.seen().haves.items() if kinds()[address.kind].stateful]
    return {have.uuid for on in kept for have in on.values()}
