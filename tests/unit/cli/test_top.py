"""`stead top` asks every host once, over SSH; here a program in the place of ssh answers as hosts do, or lies."""

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
images: {tiny: {source: /tiny.qcow2}}
flavors: {small: {vcpus: 2, memory: 1GiB, disk: 1GiB}}
projects:
  acme:
    networks: {app: {subnets: {v4: {cidr: 10.20.0.0/24}}}}
    instances:
      web: {count: 2, flavor: small, image: tiny, networks: [app], spread: hosts}
  beta:
    networks: {app: {subnets: {v4: {cidr: 10.20.0.0/24}}}}
    instances: {db: {flavor: small, image: tiny, networks: [app]}}
"""
HOSTS = """
all: {vars: {ansible_user: root, RUNNER}}
controller: {hosts: {h1: }}
network: {hosts: {h1: }}
compute: {hosts: {h1: , h2: }}
"""
SSH = """#!/bin/sh
for word; do case $word in h1|h2) host=$word;; esac; done
echo "$host $*" >> asked
cat "$host.says" 2>/dev/null || { echo "sh: 1: /usr/lib/stead/metrics: not found" >&2; exit 127; }
"""
Run = Callable[..., subprocess.CompletedProcess[str]]


def guest(uuid: str, cpu: float, **more: Any) -> dict[str, Any]:
    return {
        "address": "lied/instances/about",
        "uuid": uuid,
        "vcpus": 2,
        "cpu": cpu,
        "steal": 0.25,
        "wait": 0,
        "memory": {"size": 1 << 30, "used": 1 << 29},
        "disk": {"reads": 1, "read_bytes": 2048, "writes": 2, "written_bytes": 3 << 20},
        "network": {"received_bytes": 100, "sent_bytes": 200, "receive_drops": 1, "send_drops": 2},
        **more,
    }


@pytest.fixture
def uuids(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[str, str]]:
    """Address -> UUID and host."""
    from stead.store import open_store

    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("STEAD_STORE", raising=False)
    Path("stead.yml").write_text(SPEC)
    Path("inventory.yml").write_text(HOSTS.replace("RUNNER", "stead_runner: simulated"))
    assert main(["apply", "-q", "--auto-approve"]) == 0
    Path("inventory.yml").write_text(HOSTS.replace(", RUNNER", ""))
    Path("ssh").write_text(SSH)
    Path("ssh").chmod(0o755)
    store = open_store("", directory=Path(".stead"))
    records = store.recorded().resources
    store.close()
    return {str(one): (record.leases["uuid"], record.host) for one, record in records.items()}


@pytest.fixture
def run(tmp_path: Path) -> Run:
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    return lambda *words: subprocess.run(
        [sys.executable, "-m", "stead", "top", *words], capture_output=True, text=True, check=False, env=environment
    )


def says(uuids: dict[str, tuple[str, str]], cpu: dict[str, float]) -> None:
    for host in ("h1", "h2"):
        guests = [guest(uuid, cpu[one]) for one, (uuid, where) in uuids.items() if where == host and one in cpu]
        Path(f"{host}.says").write_text(json.dumps({"guests": guests}))


CPU = {"acme/instances/web[0]": 0.5, "acme/instances/web[1]": 1.75, "beta/instances/db": 0.75}


def test_the_busiest_come_first_and_hosts_are_asked_once(uuids: dict[str, tuple[str, str]], run: Run) -> None:
    says(uuids, CPU)
    done = run("--seconds", "3")
    lines = [line.split() for line in done.stdout.splitlines()]
    assert [line[0] for line in lines] == [
        "ADDRESS",
        "acme/instances/web[1]",
        "beta/instances/db",
        "acme/instances/web[0]",
    ]
    host = uuids["acme/instances/web[1]"][1]
    assert lines[1][1:] == [host, "175%", "25%", "0%", "512.0M/1.0G", "2.0K", "3.0M", "3", "100", "200", "3"]
    asked = Path("asked").read_text().splitlines()
    assert sorted(line.split()[0] for line in asked) == ["h1", "h2"]
    assert all(line.endswith("/usr/lib/stead/metrics rates 3") for line in asked)


def test_others_are_left_out(uuids: dict[str, tuple[str, str]], run: Run) -> None:
    says(uuids, CPU)
    found = json.loads(run("acme/instances/web", "--sort", "address", "--json").stdout)["instances"]
    assert [one["address"] for one in found] == ["acme/instances/web[0]", "acme/instances/web[1]"]
    found = json.loads(run("--project", "beta", "--json").stdout)["instances"]
    assert [one["address"] for one in found] == ["beta/instances/db"]
    refused = run("acme/instances/wbe")
    assert "STEAD-C021" in run("--project", "bet").stderr
    assert (refused.returncode, "STEAD-S012" in refused.stderr or "Nothing is recorded" in refused.stderr) == (1, True)


def test_a_host_is_believed_in_nothing_but_numbers_of_its_guests(uuids: dict[str, tuple[str, str]], run: Run) -> None:
    says(uuids, CPU)
    Path("h1.says").write_text(json.dumps({"guests": [guest("of-another-site", 1), guest("\u001b[2J", 1)]}))
    done = run()
    assert done.returncode == 0
    assert "lied" not in done.stdout
    assert "\u001b" not in done.stdout
    for answer in ("", "no JSON", "[]", '{"guests": [{}]}', json.dumps({"guests": [guest("u", 1, vcpus="\u001b[2J")]})):
        Path("h1.says").write_text(answer)
        done = run()
        assert done.returncode == 0, answer
        assert "STEAD-H046" in done.stderr
        assert "h1" in done.stderr


def test_one_silent_host_holds_up_nobody_and_all_of_them_are_an_error(
    uuids: dict[str, tuple[str, str]], run: Run
) -> None:
    says(uuids, CPU)
    Path("h1.says").unlink()
    done = run()
    assert done.returncode == 0
    assert "stead bootstrap" in done.stderr
    Path("h2.says").unlink()
    done = run()
    assert done.returncode == 1
    assert "STEAD-H047" in done.stderr


def test_simulated_hosts_use_nothing(uuids: dict[str, tuple[str, str]], run: Run) -> None:
    assert uuids
    Path("inventory.yml").write_text(HOSTS.replace("RUNNER", "stead_runner: simulated"))
    done = run()
    assert (done.returncode, "STEAD-H021" in done.stderr) == (1, True)
