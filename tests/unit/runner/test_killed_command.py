"""`stead apply` killed at each turn, with the real planner: the next plan explains, the next apply finishes."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from stead.cli import main
from stead.run.journal import RunJournal
from stead.runner.simulated_steps import SimulatedSteps
from stead.store.sql import SqlStore

INVENTORY = """
all: {vars: {stead_runner: simulated}}
controller: {hosts: {ctl: }}
network: {hosts: {ctl: }}
compute: {hosts: {"c[1:2]": }}
"""
SPEC = """
stead: 1
images: {debian: {source: /srv/debian.qcow2}}
projects:
  acme:
    networks: {app: {subnets: {v4: {cidr: 10.0.0.0/24}}}}
    volumes: {data: {size: 1GiB}}
    instances:
      web: {count: 2, flavor: {vcpus: 1, memory: 1GiB, disk: 1GiB}, image: debian, networks: [app]}
      db: {flavor: {vcpus: 1, memory: 1GiB, disk: 1GiB}, image: debian, networks: [app], volumes: [data]}
"""
CHANGES: dict[str, Callable[[str], str]] = {
    "create": lambda spec: spec,
    "destroy": lambda spec: spec.replace("count: 2", "count: 0"),
    "resize": lambda spec: spec.replace("memory: 1GiB", "memory: 2GiB"),
    "rename": lambda spec: spec.replace("      db:", "      base:").replace(
        "  acme:\n", "  acme:\n    moved: [{from: instances/db, to: instances/base}]\n"
    ),
}
TURNS = {
    "before the intent": (RunJournal, "began"),
    "after the intent": (SimulatedSteps, "save"),
    "before the outcome": (RunJournal, "ended"),
    "before the end": (SqlStore, "finish"),
}


def apply() -> int:
    return main(["apply", "--auto-approve", "--max-disruption", "data-loss"])


def killed_at(owner: type, name: str) -> None:
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        assert os.WTERMSIG(status) == signal.SIGKILL
        return

    def die(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(owner, name, die)
    apply()
    os._exit(1)


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("change", CHANGES)
def test_an_apply_that_was_killed_is_finished_by_the_next(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    change: str,
    turn: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "inventory.yml").write_text(INVENTORY)
    (tmp_path / "stead.yml").write_text(SPEC)
    if change != "create":
        assert apply() == 0
    (tmp_path / "stead.yml").write_text(CHANGES[change](SPEC))
    killed_at(*TURNS[turn])
    capsys.readouterr()
    assert main(["plan"]) == 0
    told = capsys.readouterr().out
    assert ("cut short" in told) == (turn in ("after the intent", "before the outcome"))
    assert apply() == 0
    capsys.readouterr()
    assert main(["plan", "--detailed-exitcode"]) == 0, capsys.readouterr().out
