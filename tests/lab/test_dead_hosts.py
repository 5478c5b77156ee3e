"""Hosts that fall silent, leave the inventory, are said to be dead: nothing is started twice.

The tests of this file tell one story, in order: silent and removed, back, dead, replaced.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from driving import STEAD, Driven, prepare, tiny
from waiting import patiently

from stead.lab.site import Lab
from stead.lab.sizes import parse

pytestmark = pytest.mark.lab

HOSTS = {
    "compute": {"count": 2, "cpus": 4},
    "network": {"count": 2, "roles": ["network", "controller"]},
    "storage": {"count": 1, "pools": {"files": {"type": "nfs", "size": "4GiB"}}},
}
SPEC = f"""stead: 1
images:
  tiny: {{source: {tiny()}}}
networks:
  public: {{type: flat, physical: external, external: true, subnets: {{v4: {{cidr: 203.0.113.0/24,
           gateway: 203.0.113.1, pool: 203.0.113.50-203.0.113.90}}}}}}
projects:
  acme:
    networks:
      app: {{subnets: {{v4: {{cidr: 10.20.0.0/24}}}}}}
    security_groups:
      open: {{ingress: [{{protocol: any}}]}}
    routers:
      edge: {{external: public, networks: [app], ha: false}}
    floating_ips:
      www: {{network: public, instance: web, address: 203.0.113.60}}
    volumes:
      booted: {{from: {{image: tiny}}, size: 1GiB, pool: files}}
      data: {{size: 64MiB, pool: files}}
    instances:
      web: {{flavor: {{vcpus: 1, memory: 128MiB, disk: 0GiB}}, boot_volume: booted, volumes: [data], networks: [app],
            security_groups: [open], stop_timeout: 5s}}
"""


@pytest.fixture(scope="module")
def site(make_lab: Callable[..., Lab], tmp_path_factory: pytest.TempPathFactory) -> Driven:
    lab = make_lab("e", parse({"hosts": HOSTS}, "dead hosts"))
    prepare(lab)
    found = Driven(lab, tmp_path_factory.mktemp("dead"))
    found.write(SPEC)
    found.apply()
    found.assert_nothing_to_do()
    answers(found)
    return found


def answers(site: Driven) -> str:
    """What the guest says of itself, by its floating IP."""
    words = "curl -sS -m 5 http://203.0.113.60/"
    return str(patiently(lambda: json.loads(site.run("neighbour", words))["boot_id"]))


def domains(site: Driven, host: str) -> list[str]:
    return site.run(host, "virsh list --name").split()


def home(site: Driven, address: str) -> str:
    words = [str(STEAD), "state", "list", address, "--json"]
    told = json.loads(subprocess.check_output(words, cwd=site.folder, text=True))
    return str(told["resources"][0]["host"])


def other(host: str) -> str:
    name, _, number = host.rpartition("-")
    return f"{name}-{3 - int(number)}"


def without(site: Driven, host: str, folder: Path) -> Driven:
    """The same site with an inventory that has this host no more."""
    tree = yaml.safe_load(site.lab.inventory.read_text(encoding="utf-8"))

    def prune(group: object) -> None:
        if isinstance(group, dict):
            if isinstance(group.get("hosts"), dict):
                group["hosts"].pop(host, None)
            for one in group.values():
                prune(one)

    prune(tree)
    path = folder / "shrunk.yml"
    path.write_text(yaml.safe_dump(tree), encoding="utf-8")

    class Shrunk(Driven):
        @property
        def inventories(self) -> list[Path]:
            return [path]

    return Shrunk(site.lab, site.folder)


def test_a_host_that_is_silent_and_removed_keeps_its_guest(site: Driven, tmp_path: Path) -> None:
    host = home(site, "acme/instances/web")
    boot = answers(site)
    site.lab.cut(site.lab.host(host))
    try:
        shrunk = without(site, host, tmp_path)
        said = shrunk.stead("plan", "--detailed-exitcode", status=None)
        assert f"stays on {host}, which is not in the inventory" in " ".join(said.out.split())
        assert said.status == 2
        shrunk.apply()
        assert domains(site, other(host)) == []
        assert "STEAD-H026" in site.stead("plan", "--confirm-dead", "compute-77", status=1).err
        assert "STEAD-H025" in site.stead("plan", "--confirm-dead", other(host), status=1).err
    finally:
        site.lab.heal(site.lab.host(host))
    patiently(lambda: site.stead("plan", "--detailed-exitcode", status=None).status == 0)
    assert answers(site) == boot


def boots(site: Driven, host: str) -> None:
    site.lab.start([site.lab.host(host)])


def said_at_boot(site: Driven, host: str) -> str:
    return site.run(host, "journalctl --boot --output=cat --unit stead-boot.service")


def test_a_host_that_reboots_starts_its_guest_when_another_has_answered(site: Driven) -> None:
    host = home(site, "acme/instances/web")
    before = answers(site)
    site.lab.crash(site.lab.host(host))
    boots(site, host)
    patiently(lambda: domains(site, host) == ["acme.web"])
    assert patiently(lambda: answers(site)) != before
    site.assert_nothing_to_do()


@pytest.mark.long
def test_a_host_that_reaches_nobody_starts_nothing(site: Driven) -> None:
    host = home(site, "acme/instances/web")
    one = site.lab.host(host)

    def inside(*words: str) -> str:
        return subprocess.check_output(site.lab.console_argv(host, words), text=True)

    site.lab.cut(one)
    try:
        site.lab.crash(one)
        site.lab.power_on(one)
        patiently(lambda: site.lab.leader(one) is not None)
        words = ["journalctl", "--boot", "--output=cat", "--unit", "stead-boot.service"]
        patiently(lambda: "Waits for more hosts" in inside(*words))
        assert inside("virsh", "list", "--name").split() == []
    finally:
        site.lab.heal(one)
    patiently(lambda: domains(site, host) == ["acme.web"])


def test_the_whole_site_comes_back_by_itself_after_a_power_cut(site: Driven) -> None:
    before = answers(site)
    for one in site.lab.hosts:
        site.lab.crash(one)
    site.lab.start(site.lab.hosts)
    began = time.monotonic()
    assert patiently(lambda: answers(site)) != before
    print(f"the floating IP answered {time.monotonic() - began:.0f} s after the last host did")
    site.assert_nothing_to_do()


def test_a_guest_of_a_dead_host_comes_up_elsewhere_with_its_data_and_the_dead_host_starts_nothing(site: Driven) -> None:
    host = home(site, "acme/instances/web")
    before = answers(site)
    assert "STEAD-H036" in site.stead("evacuate", host, "--auto-approve", status=1).err
    site.lab.cut(site.lab.host(host))  # it runs on, and writes: its fence agent has to cut its power first
    assert site.stead("fence", host, "--status").out.strip() == "on"
    began = time.monotonic()
    assert "is dead" in site.stead("evacuate", host, "--auto-approve").text
    print(f"evacuated in {time.monotonic() - began:.1f} s")
    assert site.lab.leader(site.lab.host(host)) is None
    assert domains(site, other(host)) == ["acme.web"]
    assert answers(site) != before
    rows = {one["name"]: one for one in json.loads(site.stead("hosts", "--json").out)}
    assert "fence_lab, which said off" in rows[host]["said_dead_by"]
    site.lab.heal(site.lab.host(host))
    boots(site, host)
    patiently(lambda: "was called dead" in said_at_boot(site, host))
    patiently(lambda: site.run(host, "systemctl is-active stead-boot.service || true").strip() == "active")
    assert domains(site, host) == []
    boot = answers(site)
    site.lab.crash(site.lab.host(host))  # and again, before any apply
    boots(site, host)
    patiently(lambda: "was called dead" in said_at_boot(site, host))
    assert domains(site, host) == []
    assert "answers again" in site.apply().text
    assert site.run(host, "virsh list --all --name").split() == []
    site.assert_nothing_to_do()
    assert answers(site) == boot


def test_a_dead_network_host_is_replaced_and_answers_for_nothing_when_it_is_back(site: Driven) -> None:
    host = home(site, "acme/routers/edge")
    site.lab.crash(site.lab.host(host))
    site.write(SPEC.replace("edge: {external", f"edge: {{host: {other(host)}, external"))
    said = site.stead("plan", "--detailed-exitcode", status=None)
    assert said.status == 2
    assert "Nothing to do" not in said.out
    assert json.loads(site.stead("plan", "--json").out)["summary"]["waiting"].get(host)
    site.apply("--confirm-dead", host)
    assert home(site, "acme/routers/edge") == other(host)
    answers(site)
    boots(site, host)
    patiently(lambda: "was called dead" in said_at_boot(site, host))
    assert "stead-router" not in site.run(host, "ip netns list")
    assert "dnsmasq" not in site.run(host, "ps -eo comm")
    answers(site)
    site.apply()
    site.assert_nothing_to_do()
