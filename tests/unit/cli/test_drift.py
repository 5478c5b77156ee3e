"""What hosts have otherwise is told in the words of the plan; programs get the field's own path as well."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stead.cli import main
from stead.runner.simulated_state import SimulatedState

APP = "acme/networks/app"


@pytest.fixture
def moved_port(demo: Path) -> str:
    """A forwarding entry of the network that somebody changed by hand; the path of its field."""
    state = SimulatedState(demo / ".stead" / "simulated.db")
    network = next(one for one in state.things(APP) if one.host == "compute-1")
    mac = next(mac for mac, entry in network.want.fields()["forwarding"].items() if entry["at"] == "compute-3")
    state.edit(APP, "compute-1", {f"forwarding.{mac}.at": "compute-2"})
    return f"forwarding.{mac}.at"


@pytest.mark.parametrize(("words", "status"), [("drift", 2), ("plan --refresh-only", 0), ("plan", 0), ("diff", 0)])
def test_drift_is_told_in_words(moved_port: str, capsys: pytest.CaptureFixture[str], words: str, status: int) -> None:
    assert main(words.split()) == status
    told = capsys.readouterr().out
    assert "host of web[1]" in told
    assert moved_port not in told


@pytest.mark.parametrize("words", ["drift", "diff"])
def test_programs_get_the_path_and_the_words(moved_port: str, capsys: pytest.CaptureFixture[str], words: str) -> None:
    main([words, "--json"])
    fields = json.loads(capsys.readouterr().out)["differences"][0]["fields"]
    assert [(one["field"], one["words"]) for one in fields] == [(moved_port, "host of web[1]")]


def test_drift_that_the_spec_has_agreed_to_is_one_note(demo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec = (demo / "stead.yml").read_text()
    app = "app: {subnets: {v4: {cidr: 10.20.0.0/24}}}"
    agrees = "changed on 5 hosts, and the spec says the same now. [spec-agrees]"
    assert app in spec
    main(["simulate", "drift", APP, "mtu=1400"])
    (demo / "stead.yml").write_text(spec.replace(app, "app: {mtu: 1400, subnets: {v4: {cidr: 10.20.0.0/24}}}"))
    capsys.readouterr()
    assert main(["plan"]) == 0
    told = capsys.readouterr().out
    assert f"{APP}: mtu {agrees}" in " ".join(told.split())
    assert "mtu  1" not in told
    assert main(["apply", "-q", "--auto-approve"]) == 0
    capsys.readouterr()
    assert main(["plan"]) == 0
    assert "spec-agrees" not in capsys.readouterr().out
