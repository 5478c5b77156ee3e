"""Every kind of change on a guest that tells what became of it: live, reboot, rebuild, replace, off and on, a boot.

The tests of this file tell one story, in order. After each step there is nothing left to do.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from driving import Driven, prepare, tiny
from leftovers import differences, listing
from waiting import patiently

from stead.lab.sizes import parse

pytestmark = pytest.mark.lab

SECRET = "Xq7-never-to-be-seen"  # noqa: S105 - made up, to be looked for
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
        steps = json.loads(self.driven.stead("plan", "--json", "--var-file", "token.vars.yml").out)["steps"]
        return [(one["action"], one["disturbs"]) for one in steps if one["address"] == WEB]

    def apply(self, *words: str, status: int | None = 0) -> str:
        return self.driven.apply("--var-file", "token.vars.yml", *words, status=status).text

    def assert_nothing_to_do(self) -> None:
        said = self.driven.stead("plan", "--detailed-exitcode", "--var-file", "token.vars.yml", status=None)
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


@pytest.fixture(scope="module")
def cloud(make_lab: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    lab = make_lab("c", parse({"hosts": HOSTS}, "changes"))
    prepare(lab)
    folder = tmp_path_factory.mktemp("changes")
    (folder / "token.vars.yml").write_text(f"token: {SECRET}\n")
    (folder / "hooks").mkdir()
    (folder / "hooks" / "hook.yml").write_text(HOOK)
    found = Cloud(Driven(lab, folder))
    found.write(SPEC)
    found.driven.stead("plan", "--var-file", "token.vars.yml")
    before = listing(lab)
    found.apply()
    yield found
    found.driven.stead("destroy", "--auto-approve", "--max-disruption", "data-loss", "--var-file", "token.vars.yml")
    assert differences(before, listing(lab)) == []


def test_user_data_has_run_with_a_secret_that_is_nowhere_else(cloud: Cloud) -> None:
    assert patiently(lambda: cloud.ask("token")).strip() == SECRET
    cloud.assert_nothing_to_do()
    plan = cloud.driven.stead("plan", "--replace", WEB, "-o", "saved.plan", "--json", "--var-file", "token.vars.yml")
    assert SECRET not in plan.text
    for path in cloud.driven.folder.rglob("*"):
        if path.is_file() and path.name != "token.vars.yml":
            assert SECRET.encode() not in path.read_bytes(), path
    places = (
        "/var/lib/stead/ledger /var/lib/stead/journal /etc/libvirt /var/log /run/log /tmp /root /proc/[0-9]*/cmdline"
    )
    pattern = f"[{SECRET[0]}]{SECRET[1:]}"  # which grep's own command line is not
    for host in ("compute-1", "network-1"):
        assert cloud.driven.run(host, f"grep -rlsa -e '{pattern}' {places} || true") == ""


def test_cpus_and_memory_come_while_it_runs(cloud: Cloud) -> None:
    before = cloud.identity()["boot_id"]
    steps = cloud.change("vcpus: 1, max_vcpus: 2, memory: 128MiB", "vcpus: 2, max_vcpus: 2, memory: 160MiB")
    assert steps == [("update", "none")]
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


def test_hooks_run_around_a_step_and_one_that_fails_stops_it(cloud: Cloud) -> None:
    folder = cloud.driven.folder
    hooked = HOOKS.replace("FOLDER", str(folder)).rstrip()
    steps = cloud.change("        stop_timeout: 20s", f"        stop_timeout: 21s{hooked}")
    assert steps == [("update", "none")]
    (folder / "before.status").write_text("3")
    said = cloud.apply(status=1)
    assert "hook.yml ended with status" in said
    assert (folder / "before").read_text() == f"update {WEB} compute-1\n"
    assert not (folder / "after").exists()
    (folder / "before.status").unlink()
    cloud.apply()
    assert (folder / "after").read_text() == f"update {WEB} compute-1\n"
    cloud.change(hooked, "")
    cloud.assert_nothing_to_do()


def test_hardware_takes_a_reboot_and_keeps_the_disk(cloud: Cloud) -> None:
    before = cloud.identity()
    assert cloud.change("max_memory: 192MiB", "max_memory: 208MiB") == [("reboot", "reboot")]
    cloud.apply()
    after = cloud.identity()
    assert after["boot_id"] != before["boot_id"]
    assert after["instance_id"] == before["instance_id"]
    cloud.assert_nothing_to_do()


def test_other_user_data_is_a_rebuild_under_the_same_name_and_address(cloud: Cloud) -> None:
    uuid, address = cloud.lease(WEB, "uuid"), cloud.lease(WEB, "nics.app.v4")
    assert cloud.change("echo '{{ vars.token }}'", "echo other") == [("rebuild", "rebuild")]
    cloud.apply("--max-disruption", "data-loss")
    assert patiently(lambda: cloud.ask("token").strip() == "other")
    assert (cloud.lease(WEB, "uuid"), cloud.lease(WEB, "nics.app.v4")) == (uuid, address)
    cloud.assert_nothing_to_do()


def test_what_is_replaced_is_another_machine(cloud: Cloud) -> None:
    before = cloud.identity()
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


@pytest.mark.parametrize("name", ["compute-1", "network-1"])
def test_a_host_that_boots_brings_back_what_it_had(cloud: Cloud, name: str) -> None:
    """Nobody runs Stead: the ledger and the unit at boot do it."""
    before = cloud.identity()
    cloud.driven.lab.reboot([cloud.driven.lab.host(name)])
    after = cloud.identity()
    assert (after["boot_id"] != before["boot_id"]) == (name == "compute-1")
    assert after["instance_id"] == before["instance_id"]
    cloud.assert_nothing_to_do()
