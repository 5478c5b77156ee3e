"""`stead members` asks the hosts of load balancers over SSH; here a program in the place of ssh answers, or lies."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stead.cli import main

SPEC = """
stead: 1
projects:
  acme:
    networks: {app: {subnets: {v4: {cidr: 10.20.0.0/24}}}}
    load_balancers: {front: {network: app, listeners: {web: {port: 80, members: [{address: 10.20.0.9}]}}}}
"""
HOSTS = """
all: {vars: {ansible_user: root, RUNNER}}
controller: {hosts: {h1: }}
network: {hosts: {h1: , h2: }}
compute: {hosts: {h1: }}
"""
SSH = """#!/bin/sh
for word; do case $word in h1|h2) host=$word;; esac; done
echo "$host $*" >> asked
cat "$host.says" 2>/dev/null || { echo "sh: 1: /usr/lib/stead/metrics: not found" >&2; exit 127; }
"""
Run = Callable[..., subprocess.CompletedProcess[str]]


def member(state: str, **more: Any) -> dict[str, Any]:
    numbers = {"since": 150, "sessions": 2, "total": 9, "bytes_in": 2048, "bytes_out": 100}
    return {"listener": "web", "member": "10.20.0.9:80", "state": state, "check": "L4OK", **numbers, **more}


def says(host: str, *members: dict[str, Any]) -> None:
    Path(f"{host}.says").write_text(json.dumps({"backends": members}))


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("STEAD_STORE", raising=False)
    Path("stead.yml").write_text(SPEC)
    Path("inventory.yml").write_text(HOSTS.replace("RUNNER", "stead_runner: simulated"))
    assert main(["apply", "-q", "--auto-approve"]) == 0
    Path("inventory.yml").write_text(HOSTS.replace(", RUNNER", ""))
    Path("ssh").write_text(SSH)
    Path("ssh").chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    return lambda *words: subprocess.run(
        [sys.executable, "-m", "stead", "members", *words], capture_output=True, text=True, check=False, env=environment
    )


def test_both_hosts_say_what_they_found(run: Run) -> None:
    says("h1", member("up"))
    says("h2", member("down"))
    lines = [line.split() for line in run().stdout.splitlines()]
    front = "acme/load_balancers/front"
    assert lines[1:] == [
        [front, "web", "10.20.0.9:80", "h1", "up", "2m", "L4OK", "2", "9", "2.0K", "100"],
        [front, "web", "10.20.0.9:80", "h2", "down", "2m", "L4OK", "2", "9", "2.0K", "100"],
    ]
    found = json.loads(run(front, "--json").stdout)["members"]
    assert [(one["address"], one["host"], one["state"]) for one in found] == [
        (front, "h1", "up"),
        (front, "h2", "down"),
    ]
    assert run("--project", "acme").returncode == 0
    assert "STEAD-C021" in run("--project", "other").stderr


def test_one_silent_host_is_a_warning_and_both_are_an_error(run: Run) -> None:
    says("h1", member("up"))
    done = run()
    assert (done.returncode, "STEAD-H070" in done.stderr, "stead bootstrap" in done.stderr) == (0, True, True)
    Path("h1.says").unlink()
    done = run()
    assert (done.returncode, "STEAD-H071" in done.stderr) == (1, True)


def test_a_host_that_lies_writes_nothing_but_words(run: Run) -> None:
    says("h1", member("\u001b[2J", check="\u001b]0;x"))
    says("h2")
    done = run()
    assert done.returncode == 0
    assert "\u001b" not in done.stdout
    for answer in ("", "[]", '{"backends": [{}]}', json.dumps({"backends": [member("up", total="\u001b")]})):
        Path("h1.says").write_text(answer)
        assert "STEAD-H070" in run().stderr, answer
