"""`stead fence`: the proof that a host is off, on simulated hosts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stead.cli import main

HOST = "compute-4"


@pytest.fixture
def fenced(demo: Path) -> Path:
    """The demo, whose computes have a fence agent."""
    import yaml

    path = demo / "inventory.yml"
    tree = yaml.safe_load(path.read_text())
    body = tree.get("compute") or tree["all"]["children"]["compute"]
    body.setdefault("vars", {})["stead_fence"] = {"agent": "fence_ipmilan", "ip": "10.0.0.7", "password": "hunter2"}
    path.write_text(yaml.safe_dump(tree))
    return demo


def said(capsys: pytest.CaptureFixture[str], status: int, *words: str) -> str:
    capsys.readouterr()
    assert main(words) == status
    out, err = capsys.readouterr()
    assert "hunter2" not in out + err
    return out + err


@pytest.mark.usefixtures("fenced")
def test_a_fenced_host_counts_as_dead_until_it_answers_again(capsys: pytest.CaptureFixture[str]) -> None:
    said(capsys, 0, "simulate", "down", HOST)
    assert json.loads(said(capsys, 0, "fence", HOST, "--status", "--json"))["power"] == "on"
    assert "is off" in said(capsys, 0, "fence", HOST, "--auto-approve")
    assert said(capsys, 0, "fence", HOST, "--status").strip() == "off"
    rows = {row["name"]: row for row in json.loads(said(capsys, 0, "hosts", "--json"))}
    assert rows[HOST]["state"] == "dead"
    assert "with fence_ipmilan, which said off at" in rows[HOST]["said_dead_by"]
    assert "evacuated" in said(capsys, 0, "plan", "--json")
    assert "was fenced" in said(capsys, 0, "runs")
    said(capsys, 0, "simulate", "up", HOST)
    said(capsys, 0, "apply", "--auto-approve", "-q")
    rows = {row["name"]: row for row in json.loads(said(capsys, 0, "hosts", "--json"))}
    assert (rows[HOST]["state"], rows[HOST]["said_dead_by"]) == ("up", "")


@pytest.mark.usefixtures("fenced")
def test_a_host_that_answers_is_fenced_by_force_only_and_what_it_runs_is_said(
    capsys: pytest.CaptureFixture[str],
) -> None:
    refused = said(capsys, 1, "fence", HOST, "--auto-approve")
    assert "STEAD-H036" in refused
    assert "It runs " in refused
    assert said(capsys, 0, "fence", HOST, "--status").strip() == "on"
    assert "is off" in said(capsys, 0, "fence", HOST, "--auto-approve", "--force")
    assert "evacuated" in said(capsys, 0, "plan", "--json")


@pytest.mark.usefixtures("fenced")
def test_an_agent_that_fails_proves_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    said(capsys, 0, "simulate", "down", HOST)
    said(capsys, 0, "simulate", "fail", "--fence", "--error", "no route to its board")
    assert "no route to its board" in said(capsys, 1, "fence", HOST, "--auto-approve")
    assert "STEAD-H034" in said(capsys, 1, "fence", HOST, "--status")
    assert "evacuated" not in said(capsys, 0, "plan", "--json")


@pytest.mark.usefixtures("fenced")
def test_nobody_is_fenced_unasked(capsys: pytest.CaptureFixture[str]) -> None:
    said(capsys, 0, "simulate", "down", HOST)
    assert "STEAD-C030" in said(capsys, 1, "fence", HOST)
    assert said(capsys, 0, "fence", HOST, "--status").strip() == "on"


@pytest.mark.usefixtures("demo")
def test_a_host_without_an_agent_or_that_is_unknown_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert "STEAD-H032" in said(capsys, 1, "fence", HOST, "--auto-approve")
    assert "STEAD-C051" in said(capsys, 1, "fence", "compute-77", "--auto-approve")


@pytest.mark.usefixtures("fenced")
def test_an_agent_that_switched_off_another_machine_is_no_proof(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from stead.runner.fencing import FenceAnswer, Power
    from stead.runner.simulated_power import SimulatedFencer

    monkeypatch.setattr(SimulatedFencer, "ask", lambda *_: FenceAnswer("fence_ipmilan", Power.OFF))
    assert "STEAD-H037" in said(capsys, 1, "fence", HOST, "--auto-approve", "--force")
    rows = {row["name"]: row for row in json.loads(said(capsys, 0, "hosts", "--json"))}
    assert (rows[HOST]["state"], rows[HOST]["said_dead_by"]) == ("up", "")
