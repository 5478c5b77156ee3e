"""Which steps hosts do, and that simulated hosts do neither more nor less."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.unit.runner.making import Bench, keep, plan_of, step

from ansible_collections.stead.cloud.plugins.module_utils.host.base import ledger, paths
from ansible_collections.stead.cloud.plugins.module_utils.host.base.kind import HostKind, nothing
from ansible_collections.stead.cloud.plugins.module_utils.host.kinds import table
from ansible_collections.stead.cloud.plugins.module_utils.host.run import batch
from stead.core.address import Address
from stead.core.effect import Action
from stead.core.observed import Host
from stead.core.want import Body, Want
from stead.drivers import storage
from stead.runner.observe import Answer, to_observed
from stead.runner.simulated import SimulatedRunner
from stead.site.abilities import with_abilities

UUID = "11111111-0000-4000-8000-000000000001"
ADDRESS = Address("acme", "instances", "web")
PLAIN = Want.of(Body.of({"hypervisor": "kvm"}))
# A migration is the work of two hosts and the controller: hosts are told their parts of it.
TOLD = [*(str(action) for action in Action if action is not Action.MIGRATE), "receive", "expect", "send", "stay"]


def _by_batch(action: str, **known_functions: Any) -> dict[str, Any]:
    """What host code makes of it: by a kind whose functions do nothing."""
    idle = HostKind(ensure=nothing, remove=nothing, seen=lambda _step, _look: {}, restore=nothing, **known_functions)
    known: dict[str, Any] = table.KINDS
    known["things"] = idle
    given = {"number": 1, "kind": "things", "action": action, "address": "things/a", "uuid": UUID, "digest": "d",
             "want": None if action == "destroy" else {"uuid": UUID}, "have": None,
             "came_from": "c2", "to": "c3"}  # fmt: skip
    try:
        (result,) = batch.Batch({"host": "c1", "run": "r", "steps": [given]}, check=True).carry_out()
    finally:
        del known["things"]
    return result


@pytest.fixture(autouse=True)
def _apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "JOURNAL", str(tmp_path / "journal"))
    monkeypatch.setattr(ledger, "LEDGER", str(tmp_path / "ledger"))


@pytest.mark.parametrize("action", TOLD)
def test_hosts_do_the_steps_that_they_are_told(action: str) -> None:
    assert _by_batch(action, receive=nothing)["status"] == "ok"


def test_hosts_receive_only_what_can_move() -> None:
    found = _by_batch("receive")
    assert (found["status"], found["error"][:10]) == ("failed", "STEAD-E012")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    found = Bench(tmp_path / ".stead")
    yield found
    found.close()


@pytest.mark.parametrize("action", Action)
def test_simulated_hosts_do_the_same(action: Action, bench: Bench) -> None:
    before = step(ADDRESS, "compute-1", want=PLAIN)
    assert bench.apply(plan_of([before], [keep(ADDRESS)])).done == 1
    want_now = {} if action is Action.DESTROY else {"want": PLAIN}
    given = step(ADDRESS, "compute-1", action, to="compute-2", **want_now)
    applied = bench.apply(plan_of([given], [keep(given.address)]))
    assert applied.done, applied.failed


def test_real_and_simulated_hosts_report_the_same_abilities(tmp_path: Path) -> None:
    kept = {kind: storage.pool(kind, kind, 1 << 40) for kind in storage.all_of_them()}
    given = Host(name="c1", roles=frozenset({"compute"}), pools=kept, hypervisors=frozenset({"kvm", "qemu", "vax"}))
    (real,) = to_observed({"c1": Answer(host="c1", why="no route")}, {"c1": given}).hosts.values()
    runner = SimulatedRunner(tmp_path / "simulated.db")
    (simulated,) = runner.observe({"c1": given}).hosts.values()
    runner.close()
    assert real.traits == simulated.traits
    assert real.hypervisors == simulated.hypervisors == {"kvm", "qemu"}
    assert with_abilities(real) == real
