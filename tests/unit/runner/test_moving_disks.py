"""Moves of what is off: what hosts are told, in which order, and when the source is cleared."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.unit.runner.making import hosts, step, web

from stead.core.effect import Action, Disruption
from stead.core.want import Body, Want
from stead.diff.moving import IN_THE_CLEAR
from stead.runner import StepAwaits, StepResult, StepStatus, Wave, moving_disks
from stead.runner.move_parts import is_live
from stead.runner.moving_disks import DiskMoves, progress
from stead.runner.wave_files import PartsHeard
from stead.site.inventory import Inventory

WANT = Want.of(Body.of({"hypervisor": "qemu", "uuid": "u", "state": "stopped"}))
MOVE = step(web(0), "compute-1", Action.MIGRATE, want=WANT, have=WANT, to="compute-2", disturbs=Disruption.MIGRATE)
SAID = "ESTAB 0 0 a:1 b:2\n\t cubic bytes_acked:7 bytes_received:3145728 segs_out:9\n"


class Scene:
    def __init__(self) -> None:
        self.played: list[tuple[str, Mapping[str, Sequence[Mapping[str, Any]]]]] = []
        self.whys: dict[str, dict[int, str]] = {}
        self.digests = {"compute-1": {"root": "a"}, "compute-2": {"root": "a"}}
        self.words: list[StepAwaits] = []
        self.stopping: Callable[[], bool] = lambda: False
        self.during: Callable[[Callable[[], None]], None] = lambda _meanwhile: None

    def play(self, name: str, lanes: Mapping[str, Sequence[Mapping[str, Any]]], meanwhile: Any = None) -> PartsHeard:
        self.played.append((name, lanes))
        assert (meanwhile is not None) is (name == "receive"), "what was copied is booked, whoever asks for an end"
        if meanwhile is not None:
            self.during(meanwhile)
        told = {(host, one["number"]): self.digests.get(host, {}) for host, some in lanes.items() for one in some}
        return PartsHeard(self.whys.get(name, {}), told)

    def move(self, *steps: Any) -> list[StepResult]:
        known = hosts(3, underlay="192.0.2.9")
        connections = {name: {"ansible_user": "root", "ansible_host": name} for name in known}
        moves = DiskMoves(
            wave=Wave(number=0, steps=steps, stopping=self.stopping),
            inventory=Inventory(hosts=known, connections=connections, sources=()),
            spoken=lambda one: {"number": one.number, "uuid": one.uuid, "action": str(one.action), "secrets": ["s"]},
            play=self.play,
            tell=self.words.append,
        )
        return list(moves.all(steps or (MOVE,)))


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_it_is_copied_then_booked_and_only_then_cleared(scene: Scene) -> None:
    assert scene.move() == [StepResult(0, StepStatus.DONE)]
    assert [name for name, _lanes in scene.played] == ["receive", "arrive", "leave"]
    told = [{host: one["action"] for host, (one,) in lanes.items()} for _name, lanes in scene.played]
    assert told == [{"compute-1": "send", "compute-2": "receive"}, {"compute-2": "update"}, {"compute-1": "destroy"}]
    first, then, last = (lanes for _name, lanes in scene.played)
    way = {"address": "192.0.2.9", "port": 49213, "to": "compute-2", "encrypted": True}
    assert first["compute-1"][0]["way"] == first["compute-2"][0]["way"] == way
    assert first["compute-2"][0]["came_from"] == "compute-1"
    assert then["compute-2"][0]["digests"] == {"root": "a"}, "those of the source, for the target to compare"
    assert last["compute-1"][0]["want"] is None


def test_what_could_not_be_copied_stays(scene: Scene) -> None:
    scene.whys = {"receive": {0: "STEAD-E001: No space left on device."}}
    (result,) = scene.move()
    error = "STEAD-E001: No space left on device. It stays on compute-1"
    assert result == StepResult(0, StepStatus.FAILED, error)
    assert [name for name, _lanes in scene.played] == ["receive", "stay"]


def test_what_the_target_does_not_book_is_not_cleared_on_the_source(scene: Scene) -> None:
    scene.whys = {"arrive": {0: "STEAD-E114: The root has the digest b here"}}
    (result,) = scene.move()
    assert result.state is StepStatus.FAILED
    assert result.error.startswith("it was copied to compute-2, and this failed: STEAD-E114")
    assert [name for name, _lanes in scene.played] == ["receive", "arrive"]


def test_what_is_left_on_the_source_is_told(scene: Scene) -> None:
    scene.whys = {"leave": {0: "compute-1 said nothing"}}
    assert scene.move()[0].error == "it is on compute-2, and this failed on compute-1: compute-1 said nothing"


def test_one_that_fails_holds_up_no_other(scene: Scene) -> None:
    scene.whys = {"receive": {0: "no room"}, "arrive": {1: "no"}}
    results = {one.step: one.state for one in scene.move(*(MOVE._replace(number=at) for at in range(3)))}
    assert results == {0: StepStatus.FAILED, 1: StepStatus.FAILED, 2: StepStatus.DONE}
    assert [one["number"] for one in scene.played[-1][1]["compute-1"]] == [2]


def test_each_disk_of_a_source_has_a_port_of_its_own(scene: Scene) -> None:
    results = scene.move(*(MOVE._replace(number=at) for at in range(10)))
    assert [one.state for one in results] == [StepStatus.DONE] * 10
    some = [[one["way"]["port"] for one in lanes["compute-1"]] for name, lanes in scene.played if name == "receive"]
    assert [len(ports) for ports in some] == [8, 2]
    assert sorted(some[0]) == list(range(49192, 49216, 3))


def test_a_plan_that_says_unencrypted_is_carried_out_so(scene: Scene) -> None:
    reason = MOVE.reasons[0]._replace(code=IN_THE_CLEAR)
    scene.move(MOVE._replace(reasons=(reason,)))
    assert scene.played[0][1]["compute-1"][0]["way"]["encrypted"] is False


def test_an_end_that_is_asked_for_ends_what_is_served(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "ssh"
    program.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    asked = [False]
    scene.stopping = lambda: asked[0]

    def during(meanwhile: Callable[[], None]) -> None:
        asked[0] = True
        meanwhile()
        meanwhile()
        scene.whys = {"receive": {0: "STEAD-E001: qemu-img ended"}}

    scene.during = during
    results = scene.move(MOVE, *(MOVE._replace(number=at) for at in range(1, 9)))
    assert results[0].error == "the move was cancelled. It stays on compute-1"
    assert results[-1] == StepResult(8, StepStatus.SKIPPED, "the run was stopped")
    lines = (tmp_path / "asked").read_text().splitlines()
    assert len(lines) == 8, "once for each"
    assert lines[0].endswith(f"systemctl stop 'stead-move-*-{MOVE.uuid}-*'")


def test_how_far_it_is_is_told(scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "ssh"
    program.write_text(f"#!/bin/sh\nprintf '{SAID!r}'\n".replace("''", "'"))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(moving_disks, "TELL", 0.0)

    def during(meanwhile: Callable[[], None]) -> None:
        for _ in range(10_000):
            if scene.words:
                return
            meanwhile()

    scene.during = during
    scene.move()
    assert scene.words[0].seen == "3 MiB copied"


def test_before_and_after_the_copy_nothing_is_told() -> None:
    assert progress("") == ""


@pytest.mark.parametrize(("state", "live"), [("running", True), ("stopped", False), ("paused", True)])
def test_what_runs_is_moved_by_its_hypervisor(state: str, *, live: bool) -> None:
    have = Want.of(Body.of({"hypervisor": "qemu", "state": state}))
    assert is_live(MOVE._replace(have=have)) is live
    assert not is_live(MOVE._replace(have=Want.of(Body.of({"pool": {"name": "default"}}))))
