"""A site that an older version made is this version's to go on with: nothing in it is needlessly changed.

`tests/upgrade/COMMIT` has its spec and, packed, the workspace and the simulated hosts as that commit left them. What
this version truly has to do there is in `needed`, a line for each step, and is said in the changelog; without the file,
it is nothing.
"""

from __future__ import annotations

import json
import shutil
import tarfile
from pathlib import Path

import pytest

from stead.cli import main

OLD = Path(__file__).parent.parent / "upgrade"


@pytest.fixture(params=sorted(OLD.iterdir()), ids=lambda path: path.name)
def site(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    there = tmp_path / "site"
    shutil.copytree(request.param, there)
    with tarfile.open(there / "stead.tar.xz") as packed:
        packed.extractall(there, filter="data")
    monkeypatch.delenv("STEAD_STORE", raising=False)
    monkeypatch.chdir(there)
    return there


def steps(capsys: pytest.CaptureFixture[str], *words: str) -> list[str]:
    capsys.readouterr()
    assert main(["plan", "-i", "hosts.yml", "--json", *words]) == 0
    return [f"{one['action']} {one['address']} {one['host']}" for one in json.loads(capsys.readouterr().out)["steps"]]


def test_an_upgrade_changes_no_more_than_it_needs(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    needed = site / "needed"
    assert steps(capsys) == (needed.read_text(encoding="utf-8").splitlines() if needed.exists() else [])
    assert main(["drift", "-i", "hosts.yml"]) == 0


def test_what_an_older_version_made_is_changed_and_destroyed(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec = site / "stead.yml"
    spec.write_text(spec.read_text(encoding="utf-8").replace("count: 3", "count: 2"), encoding="utf-8")
    changes = steps(capsys)
    assert any(one.startswith("destroy acme/instances/web[2]") for one in changes)
    assert main(["apply", "-i", "hosts.yml", "--auto-approve", "--max-disruption", "data-loss"]) == 0
    assert steps(capsys) == []
    assert main(["destroy", "-i", "hosts.yml", "--auto-approve", "--max-disruption", "data-loss"]) == 0


def test_runs_of_an_older_version_are_told(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert site.is_dir()
    assert main(["runs"]) == 0
    assert main(["runs", "1"]) == 0
    assert "35" in capsys.readouterr().out
