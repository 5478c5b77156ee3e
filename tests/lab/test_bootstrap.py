"""Bare hosts become hosts, prepared hosts stay as they are, and what is not Stead's survives."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from varying import variant

from stead.cli import main
from stead.lab.site import Lab
from stead.runner.playbook import PlaybookCall, run

pytestmark = pytest.mark.lab

COLLECTION = Path(__file__).parents[2] / "collections/ansible_collections/stead/cloud"
NETWORK = "55555555-0000-4000-8000-000000000001"
WANT = {
    "driver": "linuxbridge",
    "forwarding": {},
    "mtu": 1450,
    "name": "acme/networks/app",
    "subnets": {},
    "type": "vxlan",
    "uuid": NETWORK,
    "vni": 4242,
}


def bootstrap(lab: Lab, *, check: bool = False) -> dict[str, int]:
    """host -> tasks that changed something"""
    ran = run(PlaybookCall(name="stead.cloud.bootstrap", inventory=[lab.inventory], check=check))
    assert ran.status == 0, (ran.failed, ran.unreachable, ran.said)
    return {host: count.get("changed", 0) for host, count in ran.counts.items()}


@pytest.fixture(scope="module")
def prepared(lab: Lab) -> Lab:
    assert main(["bootstrap", "-i", str(lab.inventory)]) == 0
    return lab


def test_bare_hosts_become_hosts_and_keep_what_is_theirs(bare_lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    bare_lab.run("compute-1", ["ip", "link", "add", "br-mine", "type", "bridge"])
    bare_lab.run("compute-1", ["sh", "-c", "mkdir -p /etc/mine && echo mine > /etc/mine/file"])
    sshd = bare_lab.run("compute-1", ["sha256sum", "/etc/ssh/sshd_config", "/etc/passwd-", "/etc/hosts"])
    had = bare_lab.run("compute-1", ["ls", "/var/lib/stead"])
    rehearsed = bootstrap(bare_lab, check=True)
    assert set(rehearsed) == {host.name for host in bare_lab.hosts}
    assert all(rehearsed.values())
    assert bare_lab.run("compute-1", ["ls", "/var/lib/stead"]) == had, "a rehearsal changes nothing"
    assert main(["bootstrap", "-i", str(bare_lab.inventory)]) == 0
    assert "5 of 5 hosts changed" in capsys.readouterr().out
    assert not any(bootstrap(bare_lab).values()), "the second run changes nothing"
    assert "br-mine" in bare_lab.run("compute-1", ["ip", "link", "show", "br-mine"])
    assert bare_lab.run("compute-1", ["cat", "/etc/mine/file"]) == "mine\n"
    now = bare_lab.run("compute-1", ["sha256sum", "/etc/ssh/sshd_config", "/etc/passwd-", "/etc/hosts"])
    assert [line for line in now.splitlines() if "passwd-" not in line] == [
        line for line in sshd.splitlines() if "passwd-" not in line
    ]


# That all roles converge, and change nothing when they run again, is tested above.
@pytest.mark.parametrize("role", ["compute", *map(variant, ("host", "controller", "storage", "network"))])
def test_role_converges_once_and_works(prepared: Lab, role: str, tmp_path: Path) -> None:
    beside = str(Path(sys.executable).parent)
    environment = {**os.environ, "STEAD_INVENTORY": str(prepared.inventory), "ANSIBLE_PIPELINING": "1"}
    environment["PATH"] = f"{beside}{os.pathsep}{environment['PATH']}"
    environment["ANSIBLE_HOME"] = str(tmp_path)  # molecule installs a copy of the collection there
    done = subprocess.run(
        [Path(beside) / "molecule", "test", "-s", role],
        cwd=COLLECTION,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=1800,
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]


@pytest.fixture
def recorded_network(prepared: Lab) -> Iterator[str]:
    """A network that the ledger of compute-1 knows, as an apply leaves it."""
    addresses = {host.name: host.address for host in prepared.hosts if "compute" in host.roles}
    want = {**WANT, "peers": addresses}
    made = {"address": WANT["name"], "uuid": NETWORK, "kind": "networks", "digest": "d" * 32, "want": want}
    path = f"/var/lib/stead/ledger/networks/{NETWORK}.json"
    prepared.run("compute-1", ["mkdir", "-p", "/var/lib/stead/ledger/networks"])
    prepared.run("compute-1", ["tee", path], feed=json.dumps(made))
    yield "sb555555550000"
    prepared.run("compute-1", ["rm", path])
    for link in ("sx555555550000", "sb555555550000"):
        prepared.run("compute-1", ["ip", "link", "delete", link])


def test_rebooted_host_brings_back_its_networks_by_itself(prepared: Lab, recorded_network: str) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        prepared.run("compute-1", ["ip", "link", "show", recorded_network])
    prepared.reboot([prepared.host("compute-1")])
    prepared.run("compute-1", ["systemctl", "start", "stead-restore.service"])  # waits until the boot has done it
    assert "state" in prepared.run("compute-1", ["ip", "link", "show", recorded_network])
    peers = prepared.run("compute-1", ["bridge", "fdb", "show", "dev", "sx555555550000"])
    assert prepared.host("compute-2").address in peers


def test_only_hosts_of_the_inventory_reach_tunnels_and_storage(prepared: Lab) -> None:
    """The machine itself is on the underlay and is no host of the inventory."""
    storage = prepared.host("storage-1").address
    probe = ["bash", "-c", f"</dev/tcp/{storage}/3260"]
    assert subprocess.run(["timeout", "2", *probe], check=False, capture_output=True).returncode != 0
    prepared.run("compute-1", ["timeout", "60", *probe])
