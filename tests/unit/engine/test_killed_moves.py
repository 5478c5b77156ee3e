"""A move of a volume that is killed anywhere: what both hosts then say, and what the next plan makes of it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sites import desired, hosts, planned

from ansible_collections.stead.cloud.plugins.module_utils.host.base import ledger
from ansible_collections.stead.cloud.plugins.module_utils.host.observe import facts
from ansible_collections.stead.cloud.plugins.module_utils.host.observe.looking import Look
from ansible_collections.stead.cloud.plugins.module_utils.host.storage import file_disks
from stead.blueprint.dry_run import applied
from stead.core.address import Address
from stead.core.effect import Action, Disruption
from stead.core.observed import Observed
from stead.core.recorded import Recorded
from stead.core.value import replace
from stead.runner.observe import Answer, to_observed

DATA = Address("acme", "volumes", "data")
ONE, TWO = "compute-1", "compute-2"
SITE = [32, 48, 32, 64]


def spec(host: str) -> dict[str, Any]:
    return {"stead": 1, "projects": {"acme": {"volumes": {"data": {"size": "1MiB", "format": "raw", "host": host}}}}}


class Hosts:
    """Two ledgers and two pools, and what the store knows from the moment that a move begins."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.monkeypatch = folder, monkeypatch
        before = Observed(hosts=hosts(SITE), digest="observed")
        made = planned(desired(spec(ONE)), Recorded(site="a-site"), before)
        assert made.blueprint is not None
        self.recorded, _ = applied(made.blueprint, Recorded(site="a-site"), before)
        record = self.recorded.resources[DATA]
        self.uuid, self.want = record.leases["uuid"], record.wants[ONE]
        wants = {ONE: self.want, TWO: self.want}
        self.recorded = replace(
            self.recorded, resources={**self.recorded.resources, DATA: replace(record, wants=wants)}
        )
        self.entry: Any = ledger.entry(str(DATA), self.uuid, "volumes", self.want.digest, self.want.fields())
        self.on(ONE, lambda: ledger.keep(self.entry))
        self.disk(ONE)

    def on(self, host: str, act: Callable[[], Any]) -> Any:
        self.monkeypatch.setattr(ledger, "LEDGER", str(self.folder / host / "ledger"))
        self.monkeypatch.setattr(file_disks, "folder", lambda _pool: str(self.folder / host / "pool"))
        return act()

    def disk(self, host: str) -> None:
        path = self.folder / host / "pool" / f"{self.uuid}.raw"
        path.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["qemu-img", "create", "-q", "-f", "raw", str(path), str(1 << 20)], check=True)

    def steps(self, wanted: str) -> list[tuple[Action, str, str, Disruption]]:
        known = hosts(SITE)
        answers = {name: Answer(host=name, facts=self.told(name)) for name in (ONE, TWO)}
        observed = replace(to_observed(answers, {}), hosts=known)
        plan = planned(desired(spec(wanted)), self.recorded, observed).plan
        assert plan is not None
        return [(one.action, one.host, one.to, one.disturbs) for one in plan.steps]

    def told(self, host: str) -> dict[str, Any]:
        listed = self.on(host, lambda: facts._resources(Look(host), [], []))
        known = [one["uuid"] for some in listed.values() for one in some if not one.get("begun")]
        asked = [] if self.uuid in known else [self.entry]  # what the store has there and the ledger has not
        return {"resources": self.on(host, lambda: facts._resources(Look(host), asked, []))}


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hosts:
    monkeypatch.setattr(Look, "expects_guests", lambda _self: False)  # no libvirt of this machine's
    return Hosts(tmp_path, monkeypatch)


def parts(site: Hosts) -> list[Callable[[], Any]]:
    """All that a move changes, one after the other."""
    begun: Any = {**site.entry, "came_from": ONE, "digests": {}}
    whole: Any = dict(begun, digests={"volume": "d"})
    return [
        lambda: site.on(ONE, lambda: ledger.goes("volumes", site.uuid, TWO)),
        lambda: site.on(TWO, lambda: ledger.comes(begun)),
        lambda: site.disk(TWO),
        lambda: site.on(TWO, lambda: ledger.comes(whole)),
        lambda: site.on(TWO, lambda: ledger.keep(site.entry)),
        (site.folder / ONE / "pool" / f"{site.uuid}.raw").unlink,
        lambda: site.on(ONE, lambda: ledger.forget("volumes", site.uuid)),
    ]


AGAIN = [(Action.MIGRATE, ONE, TWO, Disruption.MIGRATE)]
CLEARS = [(Action.DESTROY, ONE, "", Disruption.NONE)]


@pytest.mark.parametrize("done", range(8))
def test_the_next_plan_moves_it_again_until_it_is_booked_and_then_clears_the_source(site: Hosts, done: int) -> None:
    for part in parts(site)[:done]:
        part()
    assert site.steps(TWO) == (AGAIN if done < 5 else CLEARS)


@pytest.mark.parametrize("done", range(8))
def test_one_that_is_wanted_back_loses_nothing_either(site: Hosts, done: int) -> None:
    """Before it is booked, what is on the target is no data of anybody's; after that, it is what comes back."""
    for part in parts(site)[:done]:
        part()
    found = site.steps(ONE)
    assert all(disturbs.rank <= Disruption.MIGRATE.rank for _action, _host, _to, disturbs in found), found
    back = [one for one in found if one[0] is Action.MIGRATE]
    assert back == ([(Action.MIGRATE, TWO, ONE, Disruption.MIGRATE)] if done >= 5 else [])
