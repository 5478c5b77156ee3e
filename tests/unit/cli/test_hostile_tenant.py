"""One tenant tries everything that once worked. Each try is refused at its place before any host is asked."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
import yaml

from stead.cli import main

CASES = yaml.safe_load((Path(__file__).parents[2] / "cases/trust/hostile_tenant.yml").read_text())
CANARY = "hunter2-of-the-site"
INVENTORY = """
all: {vars: {stead_runner: simulated}}
network: {hosts: {network-1: {stead_physical_networks: {external: eth1}}}}
compute: {hosts: {compute-1: {stead_vcpus: 8, stead_memory: 16GiB}}}
storage: {hosts: {storage-1: {stead_object_drivers: [swift]}}}
"""
SECONDS = 20  # of a processor, at most


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for folder in ("tenants/evil", "hooks"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "stead.yml").write_text(CASES["site"])
    (tmp_path / "inventory.yml").write_text(INVENTORY)
    (tmp_path / "secret.txt").write_text(CANARY)
    (tmp_path / "hooks/notify.yml").write_text("[]")
    (tmp_path / "tenants/evil/link").symlink_to("../../secret.txt")
    return tmp_path


@pytest.mark.parametrize("name", CASES["tries"])
def test_what_a_hostile_tenant_tries_is_refused(site: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    (site / "tenants/evil/app.yml").write_text("stead: 1\n" + CASES["tries"][name])
    begun = time.process_time()
    # Whose name in a shared network it is, only a plan knows: leases are first come, first served.
    assert main(["plan" if name in CASES["refused_by_plan"] else "validate", "--json"]) == 1
    assert time.process_time() - begun < SECONDS
    told = capsys.readouterr()
    errors = [one for one in json.loads(told.out)["diagnostics"] if one["severity"] == "error"]
    quota = [one for one in errors if one["code"] == "STEAD-Q001"]  # told where the limit is
    assert quota or [one for one in errors if (one["place"] or {}).get("file") == "tenants/evil/app.yml"]
    assert CANARY not in told.out + told.err
    assert "\x1b" not in told.out + told.err


def test_a_quiet_tenant_makes_no_mistake(site: Path) -> None:
    """What is refused above is refused for what it tries."""
    (site / "tenants/evil/app.yml").write_text(CASES["quiet"])
    assert main(["validate"]) == 0
