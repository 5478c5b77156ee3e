"""`stead rebalance` on simulated hosts: what is under `pack` is brought together, and then nothing is worth it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from stead.cli import main


def spec(policy: str) -> dict[str, Any]:
    web = {
        "count": 6,
        "flavor": {"vcpus": 2, "memory": "2GiB", "disk": "10GiB"},
        "image": "debian",
        "networks": ["app"],
    }
    project = {
        "policy": policy,
        "networks": {"app": {"subnets": {"v4": {"cidr": "10.20.0.0/24"}}}},
        "instances": {"web": web},
    }
    return {"stead": 1, "images": {"debian": {"source": "/d.qcow2"}}, "projects": {"acme": project}}


INVENTORY = """
all:
  vars: {stead_runner: simulated}
  children:
    controller: {hosts: {controller-1: }}
    network: {hosts: {network-1: }}
    storage: {hosts: {nas-1: {stead_pools: {default: {type: nfs, size: 1TiB}}}}}
    compute: {hosts: {"compute-[1:3]": }, vars: {stead_vcpus: 16, stead_memory: 64GiB}}
"""


@pytest.fixture
def spread_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("STEAD_STORE", "STEAD_STORE_KEY"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "inventory.yml").write_text(INVENTORY)
    (tmp_path / "stead.yml").write_text(yaml.safe_dump(spec("balance")))
    assert main(["apply", "-q", "--auto-approve"]) == 0
    return tmp_path


def test_under_pack_hosts_are_emptied_and_a_second_time_nothing_is_worth_it(
    spread_out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (spread_out / "stead.yml").write_text(yaml.safe_dump(spec("pack")))
    assert main(["plan"]) == 0
    assert "migrate" not in capsys.readouterr().out  # what sits is not moved for another policy
    assert main(["apply", "-q", "--auto-approve"]) == 0
    capsys.readouterr()
    assert main(["rebalance", "-o", "packed.plan"]) == 0
    told = capsys.readouterr().err
    assert "empty 2 hosts" in told
    assert "after." in told
    assert main(["apply", "-q", "--auto-approve", "packed.plan"]) == 0
    capsys.readouterr()
    assert main(["rebalance"]) == 0
    assert "no move is worth it" in capsys.readouterr().err
