"""`stead simulate`: a bad day in a few words, then plan and apply as on any other."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from stead.cli import main

Told = tuple[int, str, str]
SPEC = """
stead: 1
images: {debian: {source: /srv/debian.qcow2}}
projects:
  acme:
    networks: {app: {subnets: {v4: {cidr: 10.0.0.0/24}}}}
    instances: {web: {count: 2, flavor: {vcpus: 1, memory: 1GiB, disk: 1GiB}, image: debian, networks: [app]}}
"""
INVENTORY = """
all: {vars: {stead_runner: simulated}}
controller: {hosts: {ctl: }}
network: {hosts: {ctl: }}
compute: {hosts: {"c[1:2]": }}
"""
WEB = "acme/instances/web[0]"


@pytest.fixture
def say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Told]:
    """In a directory with a site that was applied."""
    (tmp_path / "stead.yml").write_text(SPEC)
    (tmp_path / "inventory.yml").write_text(INVENTORY)
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> Told:
        status = main(words)
        out, err = capsys.readouterr()
        return status, out, err

    assert run("apply", "--auto-approve")[0] == 0
    return run


def something_to_do(say: Callable[..., Told]) -> bool:
    status, out, err = say("plan", "--detailed-exitcode")
    assert status in (0, 2), out + err
    return status == 2


def test_hosts_are_listed(say: Callable[..., Told]) -> None:
    hosts = json.loads(say("simulate", "hosts", "--json")[1])["hosts"]
    assert {one["host"]: one["state"] for one in hosts} == {"ctl": "up", "c1": "up", "c2": "up"}


def test_drift_is_planned_away_and_mended(say: Callable[..., Told]) -> None:
    assert not something_to_do(say)
    assert say("simulate", "drift", WEB, "memory=1")[0] == 0
    assert something_to_do(say)
    say("apply", "--auto-approve", "--max-disruption", "reboot")
    assert not something_to_do(say)


def test_what_is_lost_is_made_again(say: Callable[..., Told]) -> None:
    assert say("simulate", "lose", WEB)[0] == 0
    assert something_to_do(say)
    assert say("apply", "--auto-approve")[0] == 0
    assert not something_to_do(say)


def test_a_host_that_is_down_is_said_to_be(say: Callable[..., Told]) -> None:
    assert say("simulate", "down", "c1", "--why", "fire")[0] == 0
    assert "fire" in say("plan")[1]
    assert say("simulate", "up", "c1")[0] == 0
    assert "fire" not in say("plan")[1]


def test_an_apply_that_fails_is_finished_by_the_next(say: Callable[..., Told]) -> None:
    say("simulate", "lose", WEB)
    say("simulate", "fail", "--address", "acme/instances/web", "--error", "bad luck")
    assert "bad luck" in say("simulate", "faults")[1]
    status, out, err = say("apply", "--auto-approve")
    assert status != 0
    assert "bad luck" in out + err
    assert say("apply", "--auto-approve")[0] == 0
    assert not something_to_do(say)


def test_a_host_that_dies_in_an_apply_is_explained_by_the_next_plan(say: Callable[..., Told]) -> None:
    host = json.loads(say("state", "list", WEB, "--json")[1])["resources"][0]["host"]
    say("simulate", "lose", WEB)
    say("simulate", "die", host)
    assert say("apply", "--auto-approve")[0] != 0
    say("simulate", "up", host)
    assert "cut short" in say("plan")[1]
    assert say("apply", "--auto-approve")[0] == 0
    assert not something_to_do(say)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("down", "c9"), "STEAD-B051"),
        (("slow", "c1", "long"), "STEAD-C011"),
        (("lose", "acme/instances/nothing"), "STEAD-B052"),
        (("drift", WEB, "memory"), "STEAD-C011"),
        (("move", WEB, "c9"), "STEAD-B051"),
    ],
)
def test_mistakes_are_told(say: Callable[..., Told], words: tuple[str, ...], code: str) -> None:
    status, _, err = say("simulate", *words)
    assert status == 1
    assert code in err


def test_real_hosts_are_never_simulated_by_accident(say: Callable[..., Told]) -> None:
    Path("inventory.yml").write_text(INVENTORY.replace("simulated", "''"))
    status, _, err = say("simulate", "down", "c1")
    assert status == 1
    assert "STEAD-B053" in err
