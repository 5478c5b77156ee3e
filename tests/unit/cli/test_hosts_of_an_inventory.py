"""Commands that look at hosts: what they say of simulated ones, which are nothing to prepare."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stead.cli import main


@pytest.fixture(autouse=True)
def demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("STEAD_STORE", "STEAD_STORE_KEY"):
        monkeypatch.delenv(name, raising=False)
    assert main(["init", "demo", "-C", "."]) == 0


def test_simulated_hosts_are_listed_with_what_they_have(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["apply", "--auto-approve", "--quiet"]) == 0
    capsys.readouterr()
    assert main(["hosts", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert sum(row["running"] for row in rows.values()) == 5
    assert sum(row["vcpus"]["used"] for row in rows.values()) == 6
    assert sum(row["disk"]["used"] for row in rows.values()) == (5 * 10 + 20) << 30


def test_a_simulated_host_that_is_down_is_listed_as_down(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "--quiet"]) == 0
    assert main(["simulate", "down", "compute-1"]) == 0
    capsys.readouterr()
    assert main(["hosts"]) == 0
    assert "5 of 6 hosts up" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["doctor", "bootstrap"])
def test_there_is_nothing_to_prepare_on_simulated_hosts(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command]) == 1
    assert "STEAD-H021" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["hosts", "doctor", "bootstrap"])
def test_without_an_inventory_it_is_said_where_one_is_looked_for(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.chdir(empty)
    assert main([command]) == 1
    told = capsys.readouterr().err
    assert "STEAD-C010" in told
    assert "inventory.yml" in told


def test_a_site_of_ones_own_begins_in_the_directory_that_is_named(tmp_path: Path) -> None:
    assert main(["init", "cloud"]) == 0
    assert (tmp_path / "cloud" / "stead.yml").exists()
    assert main(["plan", "--quiet", "--spec", "cloud"]) == 0


def _listed(capsys: pytest.CaptureFixture[str]) -> tuple[dict[str, dict[str, object]], str]:
    capsys.readouterr()
    assert main(["hosts", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert main(["hosts"]) == 0
    return rows, capsys.readouterr().out


def test_hosts_that_left_or_were_called_dead_are_listed_with_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["apply", "--auto-approve", "--quiet"]) == 0
    assert main(["simulate", "down", "compute-4"]) == 0
    inventory = Path("inventory.yml")
    inventory.write_text(inventory.read_text().replace("compute-[1:4]", "compute-[1:3]"))
    rows, told = _listed(capsys)
    assert (rows["compute-4"]["state"], rows["compute-4"]["said_dead_by"]) == ("gone", "")
    assert "recorded on it. Put it back, or use `stead apply --confirm-dead compute-4`" in told
    assert main(["apply", "-q", "--auto-approve", "--confirm-dead", "compute-4", "--max-disruption", "data-loss"]) == 0
    rows, told = _listed(capsys)
    assert rows["compute-4"]["state"] == "dead"


def test_a_dead_host_of_the_inventory_is_listed_with_who_said_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["apply", "--auto-approve", "--quiet"]) == 0
    assert main(["simulate", "down", "compute-4"]) == 0
    rows, told = _listed(capsys)
    assert rows["compute-4"]["state"] == "down"
    assert "Bring it back, or use `stead apply --confirm-dead compute-4`" in told
    assert main(["apply", "-q", "--auto-approve", "--confirm-dead", "compute-4", "--max-disruption", "data-loss"]) == 0
    rows, told = _listed(capsys)
    assert rows["compute-4"]["state"] == "dead"
    assert f"Declared dead by {rows['compute-4']['said_dead_by']}." in told
    assert "Keep it disconnected" in told
    assert main(["simulate", "up", "compute-4"]) == 0
    rows, told = _listed(capsys)
    assert rows["compute-4"]["state"] == "up"
    assert "The next apply revokes that" in told
