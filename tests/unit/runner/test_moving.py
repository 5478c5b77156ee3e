"""Moves between real hosts, with a program in the place of virsh that keeps where the guest is in files."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.unit.runner.making import hosts, net_step, step, web

from stead.core.effect import Action, Disruption
from stead.core.value import replace
from stead.core.want import Body, Want
from stead.diff.moving import NO_CERTIFICATES, in_the_clear
from stead.drivers.hypervisor import GuestPresence, qemu
from stead.runner import StepAwaits, StepResult, StepStatus, Wave, moving
from stead.runner.ansible import AnsibleRunner
from stead.runner.moving import GuestMoves
from stead.runner.wave_files import PartsHeard
from stead.site.inventory import Inventory

UUID = "uuid-of-acme/instances/web[0]"
ROOT = {"bus": "virtio", "size": 1 << 30, "pool": {"name": "default"}}
WANT = Want.of(Body.of({"hypervisor": "qemu", "root": ROOT, "uuid": UUID, "state": "running"}))
MOVE = step(web(0), "compute-1", Action.MIGRATE, want=WANT, have=WANT, to="compute-2", disturbs=Disruption.MIGRATE)
# $WHERE/<host> says what that host has of it; `how` is what the move does: moves, fails, breaks, hangs, restarts.
VIRSH = r"""#!/bin/sh
at=$(cat "${2##*command=}"); at=${at##*-l root }; at=${at%% *}
case $3 in
domcontrol*) cat "$WHERE/$at" 2>/dev/null || { echo 'error: failed to get domain' >&2; exit 1; } ;;
resume) echo 'running (unpaused)' > "$WHERE/$at" ;;
migrate-setmaxdowntime) echo "$@" > "$WHERE/limits" ;;
domjobinfo) printf 'data_total: 104857600\ndata_processed: 52428800\ndata_remaining: 52428800\ntime_elapsed: 1000\n' ;;
migrate)
    echo "$@" > "$WHERE/words"
    trap 'echo "error: operation aborted: migration out job: canceled by client" >&2; exit 1' INT
    case $(cat "$WHERE/how") in
    moves) rm "$WHERE/compute-1"; echo 'running (migrated)' > "$WHERE/compute-2" ;;
    fails) echo 'error: internal error: no such machine type' >&2; exit 1 ;;
    between) echo 'paused (migrating)' > "$WHERE/compute-1"; echo 'paused (migrating)' > "$WHERE/compute-2"; exit 1 ;;
    breaks) echo 'paused (migrating)' > "$WHERE/compute-1"; echo 'error: End of file while reading data' >&2; exit 1 ;;
    late) echo 'paused (migrating)' > "$WHERE/compute-1"; echo 'running (migrated)' > "$WHERE/compute-2"; exit 1 ;;
    restarts) printf 'occupied (0.1s)\n\nrunning (migrated)\n\n' > "$WHERE/compute-2"
        { sleep 1; rm "$WHERE/compute-2"; } >/dev/null 2>&1 & exit 1 ;;
    unheard) rm "$WHERE/compute-1"; echo 'paused (user)' > "$WHERE/compute-2"; exit 1 ;;
    hangs) while :; do sleep 0.05; done ;;
    esac ;;
esac
"""


class Scene:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.played: list[tuple[str, Mapping[str, Sequence[Mapping[str, Any]]]]] = []
        self.whys: dict[str, dict[int, str]] = {}
        self.words: list[StepAwaits] = []
        self.stopping: Callable[[], bool] = lambda: False
        self.follows: dict[int, Sequence[Any]] = {}
        self.has("compute-1", "running (booted)")

    def has(self, host: str, what: str) -> None:
        (self.folder / host).write_text(what + "\n")

    def there(self, host: str) -> str:
        path = self.folder / host
        return path.read_text().strip() if path.exists() else ""

    def play(self, name: str, lanes: Mapping[str, Sequence[Mapping[str, Any]]], meanwhile: Any = None) -> PartsHeard:
        self.played.append((name, lanes))
        assert meanwhile is None
        return PartsHeard(self.whys.get(name, {}), {})

    def move(self, how: str, *steps: Any) -> list[StepResult]:
        (self.folder / "how").write_text(how)
        known = hosts(3, underlay="192.0.2.9")
        connections = {name: {"ansible_user": "root", "ansible_host": name} for name in known}
        wave = Wave(number=0, steps=steps, stopping=self.stopping, follows=self.follows)
        moves = GuestMoves(
            wave=wave,
            folder=self.folder,
            inventory=Inventory(hosts=known, connections=connections, sources=()),
            spoken=lambda one: {"number": one.number, "uuid": one.uuid, "action": str(one.action), "secrets": ["s"]},
            play=self.play,
            tell=self.words.append,
        )
        return list(moves.all(steps or (MOVE,)))


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "virsh").write_text(VIRSH)
    (programs / "virsh").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    monkeypatch.setenv("WHERE", str(tmp_path))
    monkeypatch.setattr(moving, "TELL", 0.1)
    return Scene(tmp_path)


def test_the_target_receives_before_and_books_after_and_the_source_clears(scene: Scene) -> None:
    (result,) = scene.move("moves")
    assert result == StepResult(0, StepStatus.DONE)
    (first, before), (then, after) = scene.played
    assert (first, then) == ("receive", "arrive")
    assert {host: one["action"] for host, (one,) in before.items()} == {"compute-1": "send", "compute-2": "receive"}
    assert before["compute-2"][0]["came_from"] == "compute-1"
    assert {host: one["action"] for host, (one,) in after.items()} == {"compute-1": "destroy", "compute-2": "update"}
    assert after["compute-1"][0]["secrets"] == []
    assert "--copy-storage-inc --migrate-disks vda" in scene.there("words")
    assert "tcp://192.0.2.9" in scene.there("words")


def limited(**policy: Any) -> Any:
    want = Want.of(Body.of({**WANT.fields(), "migration": policy}))
    return MOVE._replace(want=want, have=want)


def test_a_policy_limits_the_move(scene: Scene) -> None:
    policy = {"bandwidth": 100 << 20, "downtime": 500, "auto_converge": True}
    assert scene.move("moves", limited(**policy))[0].state is StepStatus.DONE
    assert "--auto-converge --bandwidth 100 " in scene.there("words")
    assert scene.there("limits").endswith(f"migrate-setmaxdowntime {UUID} 500")


def test_a_move_that_takes_longer_than_its_policy_allows_is_cancelled(scene: Scene) -> None:
    (result,) = scene.move("hangs", limited(timeout=0.3))
    assert result.state is StepStatus.FAILED
    assert result.error == "the move was cancelled: it took longer than 0.3 s. It stays on compute-1"


def test_hosts_of_what_says_where_it_is_are_told_before(scene: Scene) -> None:
    later = [net_step("compute-3"), net_step("compute-2")]
    scene.follows = {0: [one._replace(action=Action.UPDATE, number=4 + at) for at, one in enumerate(later)]}
    assert scene.move("moves")[0].state is StepStatus.DONE
    told = scene.played[0][1]
    assert [one["action"] for one in told["compute-2"]] == ["receive", "expect"]
    assert [one["action"] for one in told["compute-3"]] == ["expect"]


def test_what_the_target_cannot_receive_is_not_begun(scene: Scene) -> None:
    scene.whys = {"receive": {0: "no room"}}
    assert scene.move("moves") == [StepResult(0, StepStatus.FAILED, "no room")]
    assert [name for name, _lanes in scene.played] == ["receive", "stay"]
    assert not scene.there("words")


def test_a_move_that_fails_leaves_it_where_it_was(scene: Scene) -> None:
    (result,) = scene.move("fails")
    assert result.state is StepStatus.FAILED
    assert result.error == "internal error: no such machine type. It stays on compute-1"
    assert [name for name, _lanes in scene.played] == ["receive", "stay"]
    assert [(host, one["action"]) for host, (one,) in scene.played[1][1].items()] == [("compute-1", "stay")]


def test_one_that_the_move_left_paused_goes_on_where_the_target_has_none(scene: Scene) -> None:
    assert scene.move("breaks")[0].state is StepStatus.FAILED
    assert scene.there("compute-1") == "running (unpaused)"


def test_paused_on_both_it_is_left_to_the_next_plan(scene: Scene) -> None:
    """Resumed too early, there would be two."""
    (result,) = scene.move("between")
    assert result.state is StepStatus.UNKNOWN
    assert "moving on compute-1, moving on compute-2" in result.error
    assert scene.there("compute-1") == "paused (migrating)"
    assert [name for name, _lanes in scene.played] == ["receive"]


def test_where_the_guest_runs_counts_and_not_what_the_program_said(scene: Scene) -> None:
    """The connection broke after it had begun on the target: the source's, paused, is never resumed."""
    assert scene.move("late")[0].state is StepStatus.DONE
    assert scene.there("compute-1") == "paused (migrating)"
    assert scene.played[-1][0] == "arrive"


def test_one_that_was_paused_arrives_so(scene: Scene) -> None:
    scene.has("compute-1", "paused (user)")
    paused = Want.of(Body.of({**WANT.fields(), "state": "paused"}))
    (result,) = scene.move("unheard", MOVE._replace(want=paused, have=paused))
    assert result.state is StepStatus.DONE


def test_one_that_ran_and_is_paused_there_is_left_to_the_next_plan(scene: Scene) -> None:
    (result,) = scene.move("unheard")
    assert result.state is StepStatus.UNKNOWN
    assert "absent on compute-1, paused on compute-2: plan again" in result.error


def test_a_target_that_still_looks_for_it_is_not_believed(scene: Scene) -> None:
    """Its libvirt was killed, and gives up a guest that had arrived by half."""
    (result,) = scene.move("restarts")
    assert result.state is StepStatus.FAILED
    assert "It stays on compute-1" in result.error


def test_a_host_that_says_nothing_leaves_it_unknown(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = moving._Move._asked
    monkeypatch.setattr(moving._Move, "_asked", lambda self, way: None if way.endswith("1") else asked(self, way))
    (result,) = scene.move("fails")
    assert result.state is StepStatus.UNKNOWN
    assert "compute-2 does not say what it has of it" in result.error


def test_an_interrupt_cancels_it_and_begins_no_more(scene: Scene) -> None:
    begun = time.monotonic()
    scene.stopping = lambda: time.monotonic() - begun > 1
    others = [MOVE._replace(number=at, address=web(at)) for at in (1, 2)]
    results = {one.step: one for one in scene.move("hangs", MOVE, *others)}
    assert results[0] == StepResult(0, StepStatus.FAILED, "the move was cancelled. It stays on compute-1")
    assert results[1].state is StepStatus.FAILED
    assert results[2].state is StepStatus.SKIPPED  # two at a time leave a host
    assert scene.words[0].seen == "50 MiB sent, 50 MiB left, 1 s to go"


def test_what_arrived_and_could_not_be_booked_is_told_where_it_is(scene: Scene) -> None:
    scene.whys = {"arrive": {0: "STEAD-E014: the disk is full"}}
    (result,) = scene.move("moves")
    assert result.error == "it runs on compute-2, and this failed: STEAD-E014: the disk is full"


def test_one_that_is_paused_by_a_move_that_was_killed_is_resumed_and_moves(scene: Scene) -> None:
    scene.has("compute-1", "paused (migrating)")
    assert scene.move("moves")[0].state is StepStatus.DONE


def test_a_controller_without_the_program_begins_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    runner = AnsibleRunner(inventory=(), folder=tmp_path)
    (found,) = runner.refusals([MOVE])
    assert found.code == "STEAD-A004"
    assert "libvirt-clients" in found.detail
    assert list(runner.refusals([net_step("compute-1")])) == []


@pytest.mark.parametrize(
    ("said", "means"),
    [
        ("running (booted)", GuestPresence.RUNNING),
        ("paused (migrating)", GuestPresence.MOVING),
        ("paused (I/O error)", GuestPresence.PAUSED),
        ("shut off (destroyed)", GuestPresence.OFF),
        ("ok\n\nrunning (migrated)\n\n", GuestPresence.RUNNING),
        ("occupied (0.2s)\n\nrunning (migrated)\n\n", GuestPresence.UNSETTLED),
        ("error: Monitor failure\n\nrunning (booted)\n", GuestPresence.UNSETTLED),
        ("", GuestPresence.ABSENT),
    ],
)
def test_what_libvirt_says_of_a_guest_means(said: str, means: GuestPresence) -> None:
    assert qemu.presence(said) is means


@pytest.mark.parametrize(
    ("root", "disks"),
    [
        ({"bus": "virtio", "size": 1, "swap": 1, "ephemeral": 1}, ["vda", "vdy", "vdx"]),
        ({"bus": "scsi", "volume": {"uuid": "u"}, "size": 1}, []),
        ({"bus": "sata", "size": 1}, ["sda"]),
    ],
)
def test_only_disks_of_its_host_alone_are_copied(root: Mapping[str, Any], disks: list[str]) -> None:
    assert qemu.own_disks({"root": root}) == disks


def test_it_is_encrypted_unless_the_plan_says_otherwise(scene: Scene) -> None:
    known = hosts(2)
    assert list(in_the_clear(known, "compute-1", "compute-2")) == []
    known["compute-2"] = replace(known["compute-2"], traits=frozenset({NO_CERTIFICATES}))
    (told,) = in_the_clear(known, "compute-1", "compute-2")
    assert told.text.endswith("unencrypted: compute-2 lacks certificates")
    scene.move("fails")
    assert "--tls" in scene.there("words").split()
    scene.move("fails", MOVE._replace(reasons=(*MOVE.reasons, told)))
    assert "--tls" not in scene.there("words").split()
