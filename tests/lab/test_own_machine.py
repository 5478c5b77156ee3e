"""A cloud on a machine of one's own: the host of the lab runs Stead itself, and is its only host.

It has one address outside, as a rented server has; the neighbour, 203.0.113.1, is the rest of the world.
"""

from __future__ import annotations

import io
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from driving import tiny
from networking import OBEYS
from waiting import patiently

from stead.lab.site import Lab
from stead.lab.sizes import parse
from stead.site.program import program, write

pytestmark = [pytest.mark.lab, pytest.mark.long]

HOSTS = {
    "hosts": {"server": {"count": 1, "roles": ["controller", "compute", "storage", "network"], "cpus": 8}},
    "physical": {"external": {"hosts": ["server"], "cidr": "203.0.113.0/24"}},
}
HOST, OUTSIDE, OWN, ROOT = "server-1", "203.0.113.1", "203.0.113.40", "/opt/stead"


class Machine(NamedTuple):
    lab: Lab

    def run(self, command: str) -> str:
        return self.lab.run(HOST, ["sh", "-c", command], timeout=900)

    def stead(self, words: str) -> str:
        """What a person there sees."""
        said = self.run(f"cd /root/cloud && {ROOT}/bin/stead {words} 2>&1; echo status $?")
        assert "Traceback" not in said
        text, _word, status = said.rpartition("status ")
        assert status.strip() == "0", text[-3000:]
        return text

    def give(self, data: bytes, command: str) -> None:
        words = self.lab.ssh_argv(HOST, [command])
        subprocess.run(words, input=data, check=True, capture_output=True)

    def address(self) -> None:
        """What the machine's own configuration would give it at every boot."""
        device = self.lab.link(self.lab.host(HOST), "external").device
        self.run(f"ip address replace {OWN}/24 dev {device}; ip route replace default via {OUTSIDE}")

    def guest(self, script: str) -> tuple[int, str]:
        """What the guest says, asked from outside."""
        words = ["curl", "-sS", "-m", "60", "--data-binary", script, f"http://{OWN}:8080/cgi-bin/sh"]
        text, _word, status = self.lab.run("neighbour", words).rpartition("status ")
        return int(status), text


@pytest.fixture(scope="module")
def machine(make_lab: Callable[..., Lab]) -> Machine:
    found = Machine(make_lab("o", parse(HOSTS, "test")))
    found.address()
    archive = io.BytesIO()
    write(program(), ROOT, archive)
    found.give(archive.getvalue(), f"mkdir -p {ROOT} /srv/images && tar -xzf - -C {ROOT}")
    found.give(Path(tiny()).read_bytes(), "cat >/srv/images/debian-12.qcow2")
    found.run("mkdir -p /root/cloud")
    return found


def test_a_machine_makes_itself_a_cloud_that_the_world_reaches(machine: Machine) -> None:
    said = machine.stead("init --here")
    assert "stead bootstrap" in said
    obeys = f"groups: [web], cloud_init: {{user_data: {json.dumps(OBEYS)}}}}}"
    spec = machine.run("cat /root/cloud/stead.yml").replace("groups: [web]}", obeys)
    machine.give(spec.encode(), "cat >/root/cloud/stead.yml")
    machine.stead("bootstrap")
    doctor = machine.stead("doctor")
    assert {line.split("[")[1].split("]")[0] for line in doctor.splitlines() if "[STEAD-" in line} <= {"STEAD-H006"}
    assert f"http://{OWN}:8080/" in machine.stead("apply --auto-approve")
    url = f"http://{OWN}:8080/cgi-bin/index.cgi"
    answer = json.loads(patiently(lambda: machine.lab.run("neighbour", ["curl", "-sS", "-m", "9", url])))
    assert (answer["hostname"], OUTSIDE in answer["client"]) == ("web", True)
    machine.stead("plan --detailed-exitcode")


def test_its_guest_gets_out_by_the_address_of_the_machine_and_not_into_it(machine: Machine) -> None:
    status, text = machine.guest(f"printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 4 {OUTSIDE} 80 | tail -n 1")
    assert (status, text.strip()) == (0, OWN)
    underlay = machine.lab.host(HOST).address
    for target in (OWN, underlay, "169.254.64.1"):
        assert machine.guest(f"nc -w 3 {target} 22 </dev/null")[0] != 0, target
    assert "open" in machine.run(f"bash -c '</dev/tcp/{underlay}/22' && echo open"), "it is the guest that is kept out"


def test_people_reach_the_guest_without_ssh_to_the_machine(machine: Machine) -> None:
    """`logs` runs a command on the host, which is this one."""
    assert machine.stead("logs first/instances/web")


def test_all_of_it_is_back_after_a_reboot(machine: Machine) -> None:
    machine.lab.reboot([machine.lab.host(HOST)])
    machine.address()
    patiently(lambda: machine.guest("true"))
    assert machine.guest(f"nc -w 3 {OWN} 22 </dev/null")[0] != 0
    machine.stead("plan --detailed-exitcode")
