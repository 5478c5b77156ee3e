"""Hosts that are entered by a user who is not root and may use sudo: everything that the command line does there."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from driving import Driven, tiny
from leftovers import differences, listing
from waiting import BOOTS_WITHIN, patiently

from stead.lab.site import Lab
from stead.lab.sizes import parse

pytestmark = pytest.mark.lab

HOSTS = {"compute": {"count": 1, "cpus": 4}, "network": {"count": 1, "roles": ["network", "controller"]}}
USER = """
useradd --create-home --shell /bin/bash ops
install -d -o ops -m 0700 /home/ops/.ssh
install -o ops -m 0600 /root/.ssh/authorized_keys /home/ops/.ssh/authorized_keys
echo 'ops ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/ops
"""
SPEC = f"""stead: 1
images:
  tiny: {{source: {tiny()}}}
projects:
  acme:
    networks:
      app: {{subnets: {{v4: {{cidr: 10.20.0.0/24}}}}}}
    security_groups:
      open: {{ingress: [{{protocol: any}}]}}
    instances:
      web:
        flavor: {{vcpus: 1, memory: 128MiB, disk: 1GiB}}
        image: tiny
        networks: [app]
        security_groups: [open]
        stop_timeout: 20s
"""


@pytest.fixture(scope="module")
def site(make_lab: Callable[..., Lab], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driven]:
    lab, folder = make_lab("s", parse({"hosts": HOSTS}, "sudo")), tmp_path_factory.mktemp("sudo")
    for host in lab.hosts:
        lab.run(host.name, ["sh", "-ec", USER])
    inventory = folder / "ops.yml"
    inventory.write_text("all: {vars: {ansible_user: ops}}\n")
    found = Driven(lab, folder, more=(inventory,))
    found.stead("bootstrap")
    found.write(SPEC)
    found.stead("plan")
    before = listing(lab)
    yield found
    found.destroy()
    assert differences(before, listing(lab)) == []


def test_a_user_with_sudo_is_enough(site: Driven) -> None:
    assert "2 hosts" in site.stead("doctor").text
    site.apply()

    def told() -> str:
        (network,) = json.loads(site.stead("show", "acme/networks/app", "--json").out)["resources"]
        (web,) = json.loads(site.stead("show", "acme/instances/web", "--json").out)["resources"]
        url = f"http://{web['leases']['nics.app.v4']}/cgi-bin/index.cgi"
        words = ["ip", "netns", "exec", f"stead-dhcp-{network['leases']['uuid']}", "curl", "-sS", "-m", "8", url]
        return str(json.loads(site.lab.run("network-1", words))["hostname"])

    assert patiently(told) == "web"
    site.assert_nothing_to_do()


def test_an_inventory_may_say_so_too(site: Driven) -> None:
    (inventory,) = site.more
    inventory.write_text("all: {vars: {ansible_user: ops, ansible_become: true}}\n")
    site.assert_nothing_to_do()
    site.write(SPEC.replace("memory: 128MiB", "memory: 144MiB"))
    site.apply()
    site.assert_nothing_to_do()


def test_without_sudo_it_is_said(site: Driven) -> None:
    site.run("compute-1", "mv /etc/sudoers.d/ops /root/ops")
    try:
        assert "STEAD-H002" in site.stead("doctor", status=1).text
    finally:
        site.run("compute-1", "mv /root/ops /etc/sudoers.d/ops")


def test_a_console_answers_who_types(site: Driven) -> None:
    """The guest's own login prompt, through sudo on its host."""
    terminal, inside = pty.openpty()
    console = subprocess.Popen(
        site.argv("console", "acme/instances/web"), cwd=site.folder, stdin=inside, stdout=inside, stderr=inside
    )
    os.close(inside)
    heard = b""

    def hears(wanted: bytes, *, typed: bytes) -> None:
        nonlocal heard
        until = time.monotonic() + BOOTS_WITHIN
        while wanted not in heard:
            assert time.monotonic() < until, heard
            os.write(terminal, typed)
            while select.select([terminal], [], [], 2)[0]:
                heard += os.read(terminal, 4096)

    try:
        hears(b"web login:", typed=b"\r")
        hears(b"# ", typed=b"root\r")
        hears(b"I am 42", typed=b"echo I am $((6*7))\r")
        os.write(terminal, b"\x1d")
        assert console.wait(120) == 0
    finally:
        console.kill()
        console.wait()
        os.close(terminal)
    _has_a_screen(site)
    assert "I am 42" in site.stead("logs", "acme/instances/web").text
    assert "I am 42" not in site.stead("logs", "acme/instances/web", "--lines", "0").text


def _has_a_screen(site: Driven) -> None:
    """What QEMU itself says first to a VNC viewer; each has a connection of its own."""
    with subprocess.Popen(
        site.argv("console", "acme/instances/web", "--screen"), cwd=site.folder, stdout=subprocess.PIPE, text=True
    ) as shown:
        assert shown.stdout is not None
        said = shown.stdout.readline() + shown.stdout.readline()
        path = said.split()[-1]
        assert Path(path).parent.stat().st_mode & 0o077 == 0, "it is nobody else's"
        for _ in range(2):
            with socket.socket(socket.AF_UNIX) as viewer:
                viewer.settimeout(BOOTS_WITHIN)
                viewer.connect(path)
                assert viewer.recv(12) == b"RFB 003.008\n"
        shown.send_signal(signal.SIGINT)
        assert shown.wait(30) == 0
    assert not Path(path).exists()
