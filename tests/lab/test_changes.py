"""Every kind of change on a guest that tells what became of it: live, reboot, rebuild, replace, off and on, a boot.

The tests of this file tell one story, in order. After each step there is nothing left to do.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from driving import Driven, prepare, tiny
from leftovers import differences, listing
from rehearsing import rehearse
from varying import variant
from waiting import patiently

from stead.lab.sizes import parse
from stead.plan.file import load

pytestmark = pytest.mark.lab

SECRET = "Xq7-never-to-be-seen"  # noqa: S105 - made up, to be looked for
PATTERN = f"[{SECRET[0]}]{SECRET[1:]}"  # which grep's own command line is not
GIVEN = ("--var-file", "token.vars.yml", "--vault-password-file", "vault.password")
HOSTS = {"compute": {"count": 1, "cpus": 4}, "network": {"count": 1, "roles": ["network", "controller"]}}
# What the guest serves: whom it was told it is, and its interfaces.
USER_DATA = r"""|
            #cloud-config
            write_files:
              - path: /srv/http/cgi-bin/token
                permissions: '0755'
                content: |
                  #!/bin/sh
                  printf 'Content-Type: text/plain\r\n\r\n'
                  echo '{{ vars.token }}'
              - path: /srv/http/cgi-bin/firmware
                permissions: '0755'
                content: |
                  #!/bin/sh
                  printf 'Content-Type: text/plain\r\n\r\n'
                  busybox modprobe -q qemu_fw_cfg
                  cat /sys/firmware/qemu_fw_cfg/by_name/opt/com.coreos/config/raw
              - path: /srv/http/cgi-bin/links
                permissions: '0755'
                content: |
                  #!/bin/sh
                  printf 'Content-Type: text/plain\r\n\r\n'
                  ls /sys/class/net
            runcmd: [[touch, /ran]]
"""
SPEC = f"""stead: 1
vars:
  token: {{type: string, secret: true}}
images:
  tiny: {{source: {tiny()}}}
projects:
  acme:
    networks:
      app: {{subnets: {{v4: {{cidr: 10.20.0.0/24}}}}}}
      more: {{subnets: {{v4: {{cidr: 10.21.0.0/24}}}}}}
    security_groups:
      open: {{ingress: [{{protocol: any}}]}}
    instances:
      web:
        flavor: {{vcpus: 1, max_vcpus: 2, memory: 128MiB, max_memory: 192MiB, disk: 1GiB}}
        image: tiny
        networks: [app]
        security_groups: [open]
        stop_timeout: 20s
        ignition: {{config: '{{"ignition": {{"version": "3.4.0"}}, "token": "{{{{ vars.token }}}}"}}'}}
        cloud_init:
          user_data: {USER_DATA}"""
WEB = "acme/instances/web"
HOOKS = """
        hooks:
          - {playbook: hooks/hook.yml, when: before, vars: {file: FOLDER/before}}
          - {playbook: hooks/hook.yml, when: after, vars: {file: FOLDER/after}}
"""
HOOK = """
- hosts: localhost
  connection: local
  gather_facts: false
  tasks:
    - ansible.builtin.shell: |
        echo {{ stead_action }} {{ stead_address }} {{ stead_host }} >> {{ file }}
        exit $(cat {{ file }}.status || echo 0)
"""


@contextmanager
def watched() -> Iterator[list[str]]:
    """Command lines that have the secret, of all processes: those of the hosts are this machine's too."""
    found: list[str] = []
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(0.1):
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                with suppress(OSError):
                    if SECRET.encode() in (words := path.read_bytes()):
                        found.append(words.decode(errors="replace"))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield found
    finally:
        ended.set()
        watcher.join()


class Cloud:
    def __init__(self, driven: Driven) -> None:
        self.driven, self.text = driven, SPEC

    def write(self, text: str) -> None:
        self.text = text
        self.driven.write(text)

    def change(self, old: str, new: str) -> list[tuple[str, str]]:
        """Writes and plans it. (action, what it disturbs) of each step on the instance."""
        assert old in self.text
        self.write(self.text.replace(old, new))
        steps = json.loads(self.driven.stead("plan", "--json", *GIVEN).out)["steps"]
        return [(one["action"], one["disturbs"]) for one in steps if one["address"] == WEB]

    def apply(self, *words: str, status: int | None = 0) -> str:
        return self.driven.apply(*GIVEN, *words, status=status).text

    def rehearse(self, *words: str) -> set[str]:
        """Carries out on the hosts, in check mode, what a plan made now says. Returns what it would do to the guest."""
        folder = self.driven.folder
        self.driven.stead("plan", *GIVEN, *words, "-o", "rehearsed.plan")
        plan = load(folder / "rehearsed.plan")
        vault = [f"--vault-password-file={folder / 'vault.password'}"]
        rehearse(plan, self.driven, arguments=vault)
        return {str(step.action) for step in plan.steps if str(step.address) == WEB}

    def assert_nothing_to_do(self) -> None:
        said = self.driven.stead("plan", "--detailed-exitcode", *GIVEN, status=None)
        assert said.status == 0, said.text

    def lease(self, address: str, name: str) -> str:
        (found,) = json.loads(self.driven.stead("show", address, "--json").out)["resources"]
        return str(found["leases"][name])

    def ask(self, path: str = "index.cgi") -> str:
        namespace = f"stead-dhcp-{self.lease('acme/networks/app', 'uuid')}"
        url = f"http://{self.lease(WEB, 'nics.app.v4')}/cgi-bin/{path}"
        words = ["ip", "netns", "exec", namespace, "curl", "-sS", "-m", "8", url]
        return self.driven.lab.run("network-1", words)

    def identity(self) -> dict[str, Any]:
        found: dict[str, Any] = patiently(lambda: json.loads(self.ask()))
        return found

    def virsh(self, words: str) -> str:
        return self.driven.run("compute-1", f"virsh {words}")


def vaulted(folder: Path, text: str) -> str:
    words = ["encrypt_string", "--vault-password-file", str(folder / "vault.password")]
    program = Path(sys.executable).with_name("ansible-vault")
    return subprocess.run([program, *words], input=text, capture_output=True, text=True, check=True).stdout


@pytest.fixture(scope="module")
def cloud(make_lab: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    lab = make_lab("c", parse({"hosts": HOSTS}, "changes"))
    prepare(lab)
    folder = tmp_path_factory.mktemp("changes")
    (folder / "vault.password").write_text("of the vault\n")
    (folder / "token.vars.yml").write_text(f"token: {vaulted(folder, SECRET)}")
    inventory = folder / "vaulted.yml"
    inventory.write_text(f"all:\n  vars:\n    ansible_port: {vaulted(folder, '22')}")
    (folder / "hooks").mkdir()
    (folder / "hooks" / "hook.yml").write_text(HOOK)
    found = Cloud(Driven(lab, folder, more=(inventory,)))
    found.write(SPEC)
    found.driven.stead("plan", *GIVEN)
    before = listing(lab)
    with watched() as seen:
        found.apply()
    assert seen == []
    yield found
    assert found.rehearse("--destroy") == {"destroy"}
    found.driven.stead("destroy", "--auto-approve", "--max-disruption", "data-loss", *GIVEN)
    assert differences(before, listing(lab)) == []


def test_user_data_has_run_with_a_secret_that_is_nowhere_else(cloud: Cloud) -> None:
    assert patiently(lambda: cloud.ask("token")).strip() == SECRET
    assert json.loads(cloud.ask("firmware")) == {"ignition": {"version": "3.4.0"}, "token": SECRET}
    cloud.assert_nothing_to_do()
    plan = cloud.driven.stead("plan", "--replace", WEB, "-o", "saved.plan", "--json", *GIVEN)
    assert SECRET not in plan.text
    for path in cloud.driven.folder.rglob("*"):
        if path.is_file():
            assert SECRET.encode() not in path.read_bytes(), path
    places = (
        "/var/lib/stead/ledger /var/lib/stead/journal /etc/libvirt /var/log /run/log /tmp /root /proc/[0-9]*/cmdline"
    )
    for host in ("compute-1", "network-1"):
        assert cloud.driven.run(host, f"grep -rlsa -e '{PATTERN}' {places} || true") == ""


def test_cpus_and_memory_come_while_it_runs(cloud: Cloud) -> None:
    before = cloud.identity()["boot_id"]
    steps = cloud.change("vcpus: 1, max_vcpus: 2, memory: 128MiB", "vcpus: 2, max_vcpus: 2, memory: 160MiB")
    assert steps == [("update", "none")]
    assert cloud.rehearse() == {"update"}
    cloud.apply()
    assert cloud.virsh("vcpucount acme.web --current --live").strip() == "2"
    assert f"<currentMemory unit='KiB'>{160 << 10}</currentMemory>" in cloud.virsh("dumpxml --inactive acme.web")
    assert cloud.identity()["boot_id"] == before
    cloud.assert_nothing_to_do()


def test_an_interface_comes_and_goes_while_it_runs(cloud: Cloud) -> None:
    before = cloud.identity()["boot_id"]
    assert cloud.ask("links").split() == ["eth0", "lo"]
    steps = cloud.change("networks: [app]", "networks: [app, more]")
    assert [action for action, _disturbs in steps] == ["update"]
    cloud.apply()
    assert patiently(lambda: "eth1" in cloud.ask("links"))
    cloud.assert_nothing_to_do()
    cloud.change("networks: [app, more]", "networks: [app]")
    cloud.apply()
    assert patiently(lambda: "eth1" not in cloud.ask("links"))
    assert cloud.identity()["boot_id"] == before
    cloud.assert_nothing_to_do()


def test_hooks_run_around_a_step_and_one_that_fails_stops_it_and_what_waits_for_it(cloud: Cloud) -> None:
    folder = cloud.driven.folder
    hooked = HOOKS.replace("FOLDER", str(folder)).rstrip()
    volume = "    volumes:\n      late: {size: 1MiB, depends_on: [instances/web]}\n"
    cloud.write(cloud.text.replace("    instances:\n", volume + "    instances:\n"))
    steps = cloud.change("        stop_timeout: 20s", f"        stop_timeout: 21s{hooked}")
    assert steps == [("update", "none")]
    (folder / "before.status").write_text("3")
    said = cloud.apply(status=1)
    assert "hook.yml ended with status" in said
    assert (folder / "before").read_text() == f"update {WEB} compute-1\n"
    assert not (folder / "after").exists()
    assert "create acme/volumes/late" in said
    assert f"it waits for the update of {WEB} on compute-1, which was not done" in said
    (folder / "before.status").unlink()
    cloud.apply()
    assert (folder / "after").read_text() == f"update {WEB} compute-1\n"
    assert cloud.lease("acme/volumes/late", "uuid") in cloud.driven.run("compute-1", "ls /var/lib/stead/pools/default")
    cloud.change(hooked, "")
    cloud.change(volume, "")
    cloud.apply("--max-disruption", "data-loss")
    cloud.assert_nothing_to_do()


def test_hardware_takes_a_reboot_and_keeps_the_disk(cloud: Cloud) -> None:
    before = cloud.identity()
    assert cloud.change("max_memory: 192MiB", "max_memory: 208MiB") == [("reboot", "reboot")]
    assert cloud.rehearse() == {"reboot"}
    cloud.apply()
    after = cloud.identity()
    assert after["boot_id"] != before["boot_id"]
    assert after["instance_id"] == before["instance_id"]
    cloud.assert_nothing_to_do()


def test_other_user_data_is_a_rebuild_under_the_same_name_and_address(cloud: Cloud) -> None:
    uuid, address = cloud.lease(WEB, "uuid"), cloud.lease(WEB, "nics.app.v4")
    assert cloud.change("echo '{{ vars.token }}'", "echo other") == []  # it waits for the next root disk
    assert cloud.rehearse("--rebuild", WEB) == {"rebuild"}
    assert "the root disk of instance" in cloud.apply("--rebuild", WEB, status=1)
    cloud.apply("--rebuild", WEB, "--max-disruption", "data-loss")
    assert patiently(lambda: cloud.ask("token").strip() == "other")
    assert (cloud.lease(WEB, "uuid"), cloud.lease(WEB, "nics.app.v4")) == (uuid, address)
    cloud.assert_nothing_to_do()


def test_what_is_replaced_is_another_machine(cloud: Cloud) -> None:
    before = cloud.identity()
    assert cloud.rehearse("--replace", WEB) == {"destroy", "create"}
    cloud.apply("--replace", WEB, "--max-disruption", "data-loss")
    after = cloud.identity()
    assert after["instance_id"] != before["instance_id"]
    cloud.assert_nothing_to_do()


def test_it_is_switched_off_and_on_as_the_spec_says(cloud: Cloud) -> None:
    steps = cloud.change("        image: tiny\n", "        image: tiny\n        state: stopped\n")
    assert steps == [("update", "reboot")]
    cloud.apply()
    assert cloud.virsh("list --name").split() == []
    cloud.assert_nothing_to_do()
    cloud.change("        state: stopped\n", "")
    cloud.apply()
    assert cloud.identity()["hostname"] == "web"
    cloud.assert_nothing_to_do()


def test_a_smaller_volume_is_made_anew_under_its_guest(cloud: Cloud) -> None:
    volume = "    volumes:\n      data: {size: 8MiB, format: raw}\n"
    before = cloud.identity()
    cloud.write(cloud.text.replace("    instances:\n", volume + "    instances:\n"))
    cloud.change("        image: tiny\n", "        image: tiny\n        volumes: [data]\n")
    cloud.apply()
    assert cloud.change("size: 8MiB", "size: 4MiB") == [("update", "none"), ("update", "none")]
    cloud.apply("--max-disruption", "data-loss")
    (disk,) = [line.split()[1] for line in cloud.virsh("domblklist acme.web").splitlines() if ".raw" in line]
    assert cloud.driven.run("compute-1", f"stat -c %s {disk}").strip() == str(4 << 20)
    assert cloud.identity()["boot_id"] == before["boot_id"]
    cloud.assert_nothing_to_do()
    cloud.change("        volumes: [data]\n", "")
    cloud.change(volume.replace("8MiB", "4MiB"), "")
    cloud.apply("--max-disruption", "data-loss")


def boot(cloud: Cloud, name: str, *, crash: bool = False) -> None:
    lab, host = cloud.driven.lab, cloud.driven.lab.host(name)
    if crash:
        lab.crash(host)
        lab.start([host])
    else:
        lab.reboot([host])
    cloud.driven.run(name, "systemctl is-system-running --wait || true")  # until all is started that starts with it


@pytest.mark.parametrize("crash", [variant(False, name="in order"), pytest.param(True, id="crashed")])
@pytest.mark.parametrize("name", ["compute-1", "network-1"])
def test_a_host_that_boots_brings_back_what_it_had(cloud: Cloud, name: str, crash: bool) -> None:
    """Nobody runs Stead: the ledger and the unit at boot do it."""
    before = cloud.identity()
    boot(cloud, name, crash=crash)
    after = cloud.identity()
    assert (after["boot_id"] != before["boot_id"]) == (name == "compute-1")
    assert after["instance_id"] == before["instance_id"]
    cloud.assert_nothing_to_do()


@pytest.mark.parametrize("setting", ["autostart: false", variant("state: stopped")])
def test_what_is_not_to_start_with_its_host_does_not(cloud: Cloud, setting: str) -> None:
    cloud.change("        image: tiny\n", f"        image: tiny\n        {setting}\n")
    cloud.apply()
    boot(cloud, "compute-1", crash=True)
    assert cloud.virsh("list --name").split() == []
    assert cloud.virsh("list --all --name").split() == ["acme.web"]
    cloud.change(f"        {setting}\n", "")
    cloud.apply()
    assert cloud.identity()["hostname"] == "web"
    cloud.assert_nothing_to_do()
