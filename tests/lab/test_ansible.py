"""From a spec to an instance that answers by ansible-playbook alone, and the next playbook on what it made."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from beginnings import WITH_PUBLIC
from waiting import patiently

from stead.lab.image.build import ensure_image
from stead.lab.site import Lab

pytestmark = pytest.mark.lab

SPEC = (
    WITH_PUBLIC
    + """projects:
  acme:
    keypairs:
      ada: {public_key: "KEY"}
    networks:
      app: {subnets: {v4: {cidr: 10.20.0.0/24}}}
    routers:
      edge: {external: public, networks: [app]}
    security_groups:
      ssh: {ingress: [{protocol: tcp, ports: 22}]}
    instances:
      inner: {flavor: small, image: tiny, networks: [app], security_groups: [ssh], keypairs: [ada], stop_timeout: 20s}
      outer: {flavor: small, image: tiny, networks: [app], security_groups: [ssh], keypairs: [ada], stop_timeout: 20s}
    floating_ips:
      door: {network: public, instance: outer}
"""
)


@pytest.fixture(scope="module")
def site(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("ansible")
    shutil.copy(ensure_image("tiny", lambda _text: None), folder / "tiny.qcow2")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / "key")], check=True)
    text = SPEC.replace("TINY", str(folder / "tiny.qcow2")).replace("KEY", (folder / "key.pub").read_text().strip())
    (folder / "stead.yml").write_text(text)
    (folder / "stead_inventory.yml").write_text(
        f"plugin: stead.cloud.stead\nuser: root\nhosts: {lab.inventory}\n"
        f"compose: {{ansible_ssh_private_key_file: \"'{folder / 'key'}'\"}}\n"
    )
    done = ansible(folder, "ansible-playbook", "stead.cloud.bootstrap", "-i", str(lab.inventory))
    assert done.returncode == 0, done.stdout[-3000:]
    yield folder
    gone = play(lab, folder, "-e", "stead_destroy=true", "-e", "stead_max_disruption=data-loss")
    assert gone.returncode == 0, gone.stdout[-3000:] + gone.stderr[-3000:]


def ansible(folder: Path, program: str, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "ANSIBLE_HOST_KEY_CHECKING": "0", "ANSIBLE_LOCALHOST_WARNING": "0"}
    command = [str(Path(sys.executable).with_name(program)), *words]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def play(lab: Lab, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return ansible(folder, "ansible-playbook", "stead.cloud.apply", "-i", str(lab.inventory), *words)


def test_a_playbook_alone_brings_up_what_the_spec_says_and_then_changes_nothing(lab: Lab, site: Path) -> None:
    first = play(lab, site)
    assert first.returncode == 0, first.stdout[-3000:] + first.stderr[-3000:]
    assert "changed=1" in first.stdout
    again = play(lab, site)
    assert again.returncode == 0, again.stdout[-3000:] + again.stderr[-3000:]
    assert "changed=0" in again.stdout


def test_the_next_playbook_reaches_an_instance_in_an_isolated_network(site: Path) -> None:
    def ask() -> str:
        done = ansible(site, "ansible", "acme.inner", "-i", "stead_inventory.yml", "-m", "raw", "-a", "hostname")
        done.check_returncode()
        return done.stdout

    assert "inner" in patiently(ask)


HOW = ("-k", "key", "-l", "root")


def test_a_person_logs_in_through_the_networks_host(lab: Lab, site: Path) -> None:
    def stead(*words: str) -> str:
        command = [str(Path(sys.executable).with_name("stead")), words[0], *HOW, "-i", str(lab.inventory), *words[1:]]
        done = subprocess.run(command, cwd=site, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ValueError(done.stdout + done.stderr)
        return done.stdout

    assert patiently(lambda: stead("ssh", "acme/instances/inner", "--", "hostname")) == "inner\n"
    show = subprocess.run(
        [str(Path(sys.executable).with_name("stead")), "show", "acme/instances/inner", "--json"],
        cwd=site,
        capture_output=True,
        text=True,
        check=True,
    )
    uuid = json.loads(show.stdout)["resources"][0]["leases"]["uuid"]
    assert (site / ".stead/known_hosts").read_text().startswith(uuid)


def test_the_next_playbook_is_told_the_floating_ip(lab: Lab, site: Path) -> None:
    listed = ansible(site, "ansible-inventory", "-i", "stead_inventory.yml", "--host", "acme.outer")
    address = json.loads(listed.stdout)["ansible_host"]
    assert address.startswith("203.0.113.")

    def ask() -> str:
        greeting = lab.run("neighbour", ["sh", "-c", f"curl -s -m 3 telnet://{address}:22 < /dev/null | head -c 7"])
        if not greeting:
            raise ValueError("it does not answer yet")
        return greeting

    assert patiently(ask) == "SSH-2.0"
