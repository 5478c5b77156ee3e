"""`stead ssh` and `stead cp` run ssh and scp with the way to an instance; here a program in their place prints it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from stead.cli import main

SPEC = """
stead: 1
images: {tiny: {source: /tiny.qcow2}}
flavors: {small: {vcpus: 1, memory: 1GiB, disk: 1GiB}}
networks:
  public: {type: flat, physical: lan, external: true, subnets: {v4: {cidr: 203.0.113.0/24, gateway: 203.0.113.1}}}
projects:
  acme:
    networks:
      app: {subnets: {v4: {cidr: 10.20.0.0/24}}}
      switched: {driver: ovn, type: geneve, subnets: {v4: {cidr: 10.21.0.0/24}}}
    routers: {edge: {external: public, networks: [app]}}
    instances:
      web: {count: 2, flavor: small, image: tiny, networks: [app]}
      db: {flavor: small, image: tiny, networks: [app]}
      apart: {flavor: small, image: tiny, networks: [switched]}
      deaf: {flavor: small, image: tiny}
    floating_ips: {door: {network: public, instance: db}}
"""
HOSTS = """
all:
  vars: {ansible_user: root, stead_network_drivers: {ovn: h}, RUNNER}
  children:
    controller: {hosts: {h: }}
    network: {hosts: {h: {ansible_host: 192.0.2.1, stead_physical_networks: {lan: eth1}}}}
    compute: {hosts: {h: }}
"""
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    Path("stead.yml").write_text(SPEC)
    Path("inventory.yml").write_text(HOSTS.replace("RUNNER", "stead_runner: simulated"))
    assert main(["apply", "-q", "--auto-approve"]) == 0
    Path("inventory.yml").write_text(HOSTS.replace(", RUNNER", ""))
    for name in ("ssh", "scp"):
        Path(name).write_text(f'#!/bin/sh\nprintf "%s\\n" {name} "$@"\n')
        Path(name).chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    return lambda *words: subprocess.run(
        [sys.executable, "-m", "stead", *words], capture_output=True, text=True, check=False, env=environment
    )


def test_the_user_is_that_of_the_image_where_the_spec_says_one(run: Run) -> None:
    assert "User=" not in run("ssh", "acme/instances/db").stdout
    Path("stead.yml").write_text(SPEC.replace("{source: /tiny.qcow2}", "{source: /tiny.qcow2, user: debian}"))
    assert "User=debian" in run("ssh", "acme/instances/db").stdout.splitlines()
    assert "User=root" in run("ssh", "acme/instances/db", "-l", "root").stdout.splitlines()
    assert "User=debian" in run("cp", "a", "acme/instances/web[1]:b").stdout.splitlines()
    Path("stead.yml").write_text("stead: [")
    assert "User=" not in run("ssh", "acme/instances/db").stdout


def test_an_isolated_network_is_entered_through_its_host(run: Run, tmp_path: Path) -> None:
    words = run("ssh", "acme/instances/web[0]", "-k", "key", "--", "uptime", "-p").stdout.splitlines()
    assert words[0] == "ssh"
    assert words[-4:] == ["--", words[-3], "uptime", "-p"]
    assert words[-3].startswith("10.20.0.")
    way = next(one for one in words if one.startswith("ProxyCommand="))
    assert way.startswith("ProxyCommand=ssh -l root 192.0.2.1 /usr/lib/stead/relay ")
    assert way.endswith(f" {words[-3]} 22")
    assert f'UserKnownHostsFile="{tmp_path / ".stead/known_hosts"}"' in words
    assert any(one.startswith("HostKeyAlias=") for one in words)
    assert words[words.index("-i") + 1] == "key"


def test_a_network_that_no_host_keeps_is_entered_through_the_host_of_the_instance(run: Run) -> None:
    words = run("ssh", "acme/instances/apart").stdout.splitlines()
    assert any(one.startswith("ProxyCommand=ssh -l root 192.0.2.1 /usr/lib/stead/relay ") for one in words)


def test_a_floating_ip_is_reached_directly(run: Run) -> None:
    words = run("ssh", "acme/instances/db", "-l", "ada", "-O", "ForwardAgent=yes").stdout.splitlines()
    assert words[-1].startswith("203.0.113.")
    assert not any(one.startswith("ProxyCommand") for one in words)
    assert "User=ada" in words
    assert "ForwardAgent=yes" in words


def test_files_go_both_ways(run: Run) -> None:
    there = run("cp", "-r", "a:b", "/c", "acme/instances/web[1]:/srv/x:y").stdout.splitlines()
    assert there[:2] == ["scp", "-r"]
    at = there.index("--")
    assert there[at + 1 : at + 3] == ["./a:b", "/c"]
    assert there[at + 3].endswith(":/srv/x:y")
    back = run("cp", "acme/instances/db:/var/log", "acme/instances/db:", "here").stdout.splitlines()
    assert back[-1] == "./here"
    assert back[-2].endswith(":")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("ssh", "acme/instances/web"), "STEAD-C079"),
        (("ssh", "acme/networks/app"), "is not an instance"),
        (("ssh", "acme/instances/deaf"), "has no address"),
        (("ssh", "acme/instances/nope"), "STEAD-C040"),
        (("cp", "a", "b"), "STEAD-C080"),
        (("cp", "acme/instances/db:a", "acme/instances/db:b"), "STEAD-C080"),
        (("cp", "a", "acme/instances/db:a", "b"), "STEAD-C080"),
        (("cp", "acme/instances/db:a", "acme/instances/web[0]:a", "b"), "STEAD-C080"),
    ],
)
def test_what_cannot_be_reached_is_told(run: Run, words: tuple[str, ...], told: str) -> None:
    done = run(*words)
    assert done.returncode == 1
    assert told in done.stderr
    assert not done.stdout
