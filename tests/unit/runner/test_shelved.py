"""What is shelved takes no room, and comes back where there is some; planned and applied as users do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.unit.runner.simulated_site import SimulatedSite, empty_folder

INVENTORY = """
all:
  vars: {stead_runner: simulated}
  children:
    controller: {hosts: {ctl: }}
    network: {hosts: {net: }}
    compute:
      vars: {stead_vcpus: 4, stead_memory: 8GiB, stead_pools: {default: {type: dir, size: 100GiB}}}
      hosts: {e1: , e2: }
"""
PET = {"flavor": {"vcpus": 2, "memory": "4GiB", "disk": "1GiB"}, "image": "debian", "networks": ["app"]}
DB = "acme/instances/db"


class SmallSite(SimulatedSite):
    """Two hosts with room for three such instances each: processors count twice, memory once."""

    def do(self, *words: str, rc: int = 0) -> str:
        return self.run(*words, "--auto-approve", rc=rc)

    def steps(self) -> list[tuple[str, str]]:
        found = self.planned()
        return [(one["address"], one["action"]) for one in found]

    def there(self, address: str = DB) -> tuple[str, str, bool]:
        """Its host, its state there, and whether it is shelved."""
        (found,) = json.loads(self.run("show", address, "--json"))["resources"]
        ((host, want),) = found["wants"].items()
        return host, want["state"], "shelved" in want

    def fill(self, host: str, instances: dict[str, Any], **more: Any) -> dict[str, Any]:
        full = {**instances, **{f"full-{at}": {**PET, "host": host} for at in (1, 2)}}
        self.write(instances=full, **more)
        return full


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> SmallSite:
    return SmallSite(empty_folder(tmp_path, monkeypatch, INVENTORY), capsys)


@pytest.mark.parametrize("by_hand", [True, False])
def test_what_is_shelved_leaves_its_room_to_others_and_comes_back_elsewhere(site: SmallSite, *, by_hand: bool) -> None:
    pet = {"db": PET}
    site.write(instances=pet)
    site.do("apply")
    home, _, _ = site.there()
    if by_hand:
        site.write(instances=pet)
        site.do("shelve", DB)
    else:
        pet = {"db": {**PET, "state": "shelved"}}
        site.write(instances=pet)
        site.do("apply")
    assert site.there() == (home, "stopped", True)
    assert site.steps() == []
    full = site.fill(home, pet)
    site.do("apply")
    assert site.there() == (home, "stopped", True)
    if by_hand:
        site.do("unshelve", DB)
    else:
        site.write(instances={**full, "db": PET})
        site.do("apply")
    other, state, shelved = site.there()
    assert (state, shelved) == ("running", False)
    assert other != home
    assert site.steps() == []


def test_it_comes_back_where_it_was_if_there_is_room(site: SmallSite) -> None:
    site.write(instances={"db": PET})
    site.do("apply")
    home, _, _ = site.there()
    site.do("shelve", DB)
    site.do("unshelve", DB)
    assert site.there() == (home, "running", False)


def test_a_local_volume_keeps_it_on_its_host_and_that_is_said(site: SmallSite) -> None:
    pet, data = {"db": {**PET, "volumes": ["data"]}}, {"data": {"size": "1GiB"}}
    site.write(instances=pet, volumes=data)
    site.do("apply")
    home, _, _ = site.there()
    site.do("shelve", DB)
    site.fill(home, pet, volumes=data)
    site.do("apply")
    assert f"move its data from {home}" in site.do("unshelve", DB, rc=1)
    assert site.there() == (home, "stopped", True)


def test_nothing_is_done_where_there_is_no_room(site: SmallSite) -> None:
    site.write(instances={"db": PET})
    site.do("apply")
    site.do("shelve", DB)
    full = {f"full-{host}-{at}": {**PET, "host": host} for host in ("e1", "e2") for at in (1, 2)}
    site.write(instances={"db": PET, **full})
    site.do("apply")
    assert "STEAD-P001" in site.do("unshelve", DB, rc=1)
    assert site.there()[1:] == ("stopped", True)


def test_what_has_a_snapshot_comes_back_nowhere_else(site: SmallSite) -> None:
    site.write(instances={"db": PET}, snapshots={"before": {"instance": "db"}})
    site.do("apply")
    home, _, _ = site.there()
    site.do("shelve", DB)
    site.fill(home, {"db": PET}, snapshots={"before": {"instance": "db"}})
    site.do("apply")
    assert "acme/snapshots/before is of it and does not move" in site.do("unshelve", DB, rc=1)


def test_one_member_is_shelved_and_the_others_keep_their_room(site: SmallSite) -> None:
    site.write(instances={"db": {**PET, "count": 3}})
    site.do("apply")
    site.do("shelve", f"{DB}[1]")
    assert site.there(f"{DB}[1]")[1:] == ("stopped", True)
    assert site.there(f"{DB}[2]")[1:] == ("running", False)
    site.write(instances={"db": {**PET, "count": 3}, "more": {**PET, "count": 2}})
    site.do("apply")
    assert "STEAD-P001" in site.do("unshelve", f"{DB}[1]", rc=1)


def test_what_is_not_shelved_is_not_unshelved_and_a_stop_takes_the_room_again(site: SmallSite) -> None:
    site.write(instances={"db": PET})
    site.do("apply")
    site.do("stop", DB)
    assert "STEAD-C091" in site.do("unshelve", DB, rc=1)
    site.do("shelve", DB)
    assert site.there()[1:] == ("stopped", True)
    site.do("start", DB)
    assert site.there()[1:] == ("running", False)
    site.do("shelve", DB)
    site.do("stop", DB)
    assert site.there()[1:] == ("stopped", False)
