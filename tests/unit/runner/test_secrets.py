"""Secrets on the way to hosts: what is left of a run that was killed, and what a secret may not change."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

import pytest
from tests.unit.runner.making import Bench, keep, net_step, plan_of, step, want_of, web

from ansible_collections.stead.cloud.plugins.action.converge import HIDDEN, hidden
from ansible_collections.stead.cloud.plugins.plugin_utils.answers import taken
from stead.core.address import Address
from stead.runner import Event, Wave
from stead.runner import ansible as real
from stead.runner.ansible import AnsibleRunner
from stead.runner.ansible_process import Played
from stead.runner.wave_files import KEY, SECRETS, forget_secrets


def test_secrets_of_a_run_that_was_killed_go_with_the_next_command(tmp_path: Path) -> None:
    with subprocess.Popen(["true"]) as ended:
        pass
    kept = {}
    for name in (f"20260101T000000-{ended.pid}", f"20260101T000001-{os.getpid()}", "of-somebody-else"):
        kept[name] = tmp_path / name / "wave-0" / f"compute-1{SECRETS}"
        kept[name].parent.mkdir(parents=True)
        kept[name].write_text('{"a": "hunter2"}')
    forget_secrets(tmp_path)
    assert [path.exists() for path in kept.values()] == [False, True, True]


def test_a_secret_that_is_a_word_of_steads_changes_no_outcome() -> None:
    answer = {"results": [{"status": "ok", "action": "create", "error": "it is not ok", "done": ["write ok"]}]}
    assert hidden(answer, ["ok", "create"]) == {
        "results": [{"status": "ok", "action": "create", "error": f"it is not {HIDDEN}", "done": [f"write {HIDDEN}"]}]
    }


SEALED = {"$secret": "s1"}
THEIRS = Address("other", "instances", "thief")


def test_a_step_is_handed_what_its_own_want_refers_to_in_its_own_project(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reference that came into another project's want, by whatever way, opens nothing there."""
    waves: list[Wave] = []
    run = bench.runner.run

    def watched(wave: Wave, on_event: Callable[[Event], None]) -> None:
        waves.append(wave)
        run(wave, on_event)

    monkeypatch.setattr(bench.runner, "run", watched)
    steps = [
        net_step("compute-1"),
        step(web(0), "compute-1", want=want_of(web(0), password=SEALED)),
        step(web(1), "compute-1"),
        step(THEIRS, "compute-1", want=want_of(THEIRS, password=SEALED)),
    ]
    keeps = [keep(one.address, "compute-1") for one in steps]
    bench.apply(plan_of(steps, keeps), secrets={("acme", "s1"): "hunter2", ("acme", "s2"): "unused"})
    assert [dict(wave.secrets) for wave in waves] == [{1: {"s1": "hunter2"}, 3: {}}]


def test_a_host_is_handed_the_secrets_of_its_own_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, Any] = {}

    class Looks:
        """In the place of ansible-playbook: what lies in the directory of the wave when it begins."""

        def __init__(self, arguments: list[str], log: Path, environment: Mapping[str, str]) -> None:
            del arguments, environment
            seen.update((one.name, one.read_text()) for one in log.parent.iterdir())

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None: ...

        def ended(self) -> Played:
            return Played(1, "it only looks")

    monkeypatch.setattr(real, "Playing", Looks)
    steps = plan_of([step(web(0), "compute-1", want=want_of(web(0), password=SEALED)), step(web(1), "compute-2")], [])
    wave = Wave(number=0, steps=steps.steps, secrets={0: {"s1": "hunter2"}}, site_key="key-of-the-site")
    AnsibleRunner(inventory=(), folder=tmp_path).run(wave, lambda _event: None)
    assert [name for name, text in seen.items() if "hunter2" in text] == [f"compute-1{SECRETS}"]
    assert [name for name, text in seen.items() if "key-of-the-site" in text] == [KEY]
    assert '"secrets": ["s1"]' in seen["compute-1.json"]
    left = [path for path in tmp_path.rglob("*") if path.is_file() and "hunter2" in path.read_text()]
    assert left == []


def test_what_was_handed_on_is_taken_off_the_disk(tmp_path: Path) -> None:
    (tmp_path / "it").write_text('{"s1": "hunter2"}')
    assert taken(str(tmp_path / "it")) == {"s1": "hunter2"}
    assert taken(str(tmp_path / "it")) == {}
