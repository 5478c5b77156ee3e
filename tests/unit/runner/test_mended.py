"""An instance that starts from a CD to be mended keeps its disks; planned and applied as users do."""

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
      hosts: {e1: }
"""
DB = "acme/instances/db"
PET = {"flavor": {"vcpus": 1, "memory": "1GiB", "disk": "1GiB"}, "image": "debian", "volumes": ["data"]}


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> SimulatedSite:
    return SimulatedSite(empty_folder(tmp_path, monkeypatch, INVENTORY), capsys)


def write(site: SimulatedSite, **pet: Any) -> None:
    mend = {"source": "/mend.iso"}
    site.write(images={"mend": mend}, volumes={"data": {"size": "1GiB"}}, instances={"db": {**PET, **pet}})


def has(site: SimulatedSite) -> dict[str, Any]:
    (found,) = json.loads(site.run("show", DB, "--json"))["resources"]
    ((_host, want),) = found["wants"].items()
    return {name: want.get(name) for name in ("image", "root", "volumes", "uuid")}


def test_it_restarts_with_the_disks_that_it_has_there_and_back(site: SimulatedSite) -> None:
    write(site)
    site.run("apply", "--auto-approve")
    before = has(site)
    for pet in ({"cdrom": "mend", "boot": ["cdrom", "disk"]}, {}):
        write(site, **pet)
        (step,) = [one for one in site.planned() if one["address"] == DB]
        assert step["action"] == "reboot"
        site.run("apply", "--auto-approve")
        assert has(site) == before
        assert site.planned() == []
