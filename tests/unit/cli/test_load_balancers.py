"""Load balancers on simulated hosts: what their hosts have, what others are told of them, and what changes disturb."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from stead.cli import main

INVENTORY = """
all:
  vars: {stead_runner: simulated}
  children:
    controller: {hosts: {controller-1: {}}}
    network: {hosts: {"network-[1:2]": {}}, vars: {stead_physical_networks: {external: eth1}}}
    compute: {hosts: {"compute-[1:4]": {}}}
"""
KEY = "-----BEGIN PRIVATE KEY----- not-to-be-seen"
SPEC = """
stead: 1
vars: {many: 2}
images: {tiny: {source: /srv/tiny.qcow2}}
flavors: {small: {vcpus: 1, memory: 1GiB, disk: 1GiB}}
networks:
  public:
    {type: flat, physical: external, external: true, subnets: {v4: {cidr: 203.0.113.0/24, gateway: 203.0.113.1}}}
projects:
  acme:
    networks:
      app: {subnets: {v4: {cidr: 10.20.0.0/24}}}
      back: {subnets: {v4: {cidr: 10.30.0.0/24}}}
    routers: {edge: {external: public, networks: [app, back]}}
    security_groups:
      balancers: {}
      web: {ingress: [{protocol: tcp, ports: 80, from: {group: balancers}}]}
    instances:
      web: {count: "{{ vars.many }}", flavor: small, image: tiny, networks: [app], security_groups: [web]}
      far: {flavor: small, image: tiny, networks: [back], labels: {tier: far}}
    load_balancers:
      front:
        network: app
        address: 10.20.0.80
        security_groups: [balancers]
        listeners:
          web: {port: 443, protocol: https, members: ["web:80", {labels: {tier: far}, port: 81}], certificate: "KEY"}
    floating_ips:
      www: {network: public, address: 203.0.113.50, load_balancer: front}
outputs:
  front: {value: "{{ projects.acme.load_balancers.front.address }}"}
"""
FRONT = "acme/load_balancers/front"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    (tmp_path / "inventory.yml").write_text(INVENTORY, encoding="utf-8")
    (tmp_path / "stead.yml").write_text(SPEC.replace("KEY", KEY), encoding="utf-8")
    monkeypatch.delenv("STEAD_STORE", raising=False)
    monkeypatch.chdir(tmp_path)
    assert main(["apply", "--auto-approve"]) == 0
    said = capsys.readouterr()
    assert "not-to-be-seen" not in said.out + said.err
    return tmp_path


def wants(address: str, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    capsys.readouterr()
    assert main(["show", address, "--json"]) == 0
    text = capsys.readouterr().out
    assert "not-to-be-seen" not in text
    (shown,) = json.loads(text)["resources"]
    found: dict[str, Any] = shown["wants"]
    return found


def change(site: Path, old: str, new: str, capsys: pytest.CaptureFixture[str]) -> str:
    path = site / "stead.yml"
    assert old in path.read_text(encoding="utf-8")
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    capsys.readouterr()
    assert main(["apply", "--auto-approve"]) == 0
    out = capsys.readouterr().out
    assert main(["plan", "--detailed-exitcode"]) == 0
    return out


@pytest.mark.usefixtures("site")
def test_two_hosts_have_one_address_for_clients_and_one_each_of_their_own(capsys: pytest.CaptureFixture[str]) -> None:
    found = wants(FRONT, capsys)
    assert sorted(found) == ["network-1", "network-2"]
    one, other = (found[host]["interfaces"]["inside"] for host in sorted(found))
    assert one["addresses"] == other["addresses"] == ["10.20.0.80/24"]
    assert len({*one["own"], *other["own"], *one["addresses"]}) == 3
    assert (one["mac"], one["peer_mac"]) == (other["peer_mac"], other["mac"])
    assert found["network-1"]["gateways"] == ["10.20.0.1"]
    forwarding = wants("acme/networks/app", capsys)["network-1"]["forwarding"]
    for host, port in (("network-1", one), ("network-2", other)):
        bare = [text.partition("/")[0] for text in port["own"]]
        assert forwarding[port["mac"]] == {"addresses": bare, "at": host}


@pytest.mark.usefixtures("site")
def test_members_are_all_of_a_name_and_those_with_labels(capsys: pytest.CaptureFixture[str]) -> None:
    members = wants(FRONT, capsys)["network-1"]["listeners"]["web"]["members"]
    assert {name: one["port"] for name, one in members.items()} == {"web-0:80": 80, "web-1:80": 80, "far:81": 81}
    assert members["far:81"]["address"].startswith("10.30.0.")


@pytest.mark.usefixtures("site")
def test_rules_for_its_groups_let_in_all_addresses_that_it_speaks_from(capsys: pytest.CaptureFixture[str]) -> None:
    ports = [want["interfaces"]["inside"] for want in wants(FRONT, capsys).values()]
    speaks = {text.partition("/")[0] for port in ports for text in (*port["own"], *port["addresses"])}
    group = next(iter(wants("acme/security_groups/web", capsys).values()))
    assert set(group["sets"]["acme/security_groups/balancers"]) == speaks


@pytest.mark.usefixtures("site")
def test_a_floating_ip_leads_to_the_address_that_clients_know(capsys: pytest.CaptureFixture[str]) -> None:
    want = wants("acme/floating_ips/www", capsys)["network-1"]
    assert (want["inside"], want["load_balancer"]) == ("10.20.0.80", FRONT)
    assert "instance" not in want


def test_members_and_certificates_come_and_go_and_disturb_nobody(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "Disturbs: nobody" in change(site, "many: 2", "many: 3", capsys)
    assert "web-2:80" in wants(FRONT, capsys)["network-2"]["listeners"]["web"]["members"]
    out = change(site, "not-to-be-seen", "other, not-to-be-seen", capsys)
    assert "Disturbs: nobody" in out
    assert "not-to-be-seen" not in out


def test_another_address_is_a_pause_and_the_host_may_be_one(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "Disturbs: nobody" not in change(site, "address: 10.20.0.80", "address: 10.20.0.81", capsys)
    change(site, "address: 10.20.0.81", "address: 10.20.0.81\n        ha: false", capsys)
    found = wants(FRONT, capsys)
    assert len(found) == 1
    (want,) = found.values()
    assert "ha" not in want
    assert want["interfaces"]["inside"]["own"] == []


def test_a_disabled_one_keeps_its_address_and_is_on_no_host(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(site, "address: 10.20.0.80", "address: 10.20.0.80\n        enabled: false", capsys)
    assert list(wants(FRONT, capsys)) == [""]


@pytest.mark.usefixtures("site")
def test_when_a_host_is_dead_the_other_has_the_addresses_of_both(capsys: pytest.CaptureFixture[str]) -> None:
    """So nothing that backends or clients know of it changes."""
    before = wants(FRONT, capsys)
    own = {text for want in before.values() for text in want["interfaces"]["inside"]["own"]}
    assert main(["simulate", "off", "network-1"]) == 0
    assert main(["evacuate", "network-1", "--confirm-dead", "network-1", "--auto-approve"]) == 0
    (want,) = [want for host, want in wants(FRONT, capsys).items() if host == "network-2"]
    assert set(want["interfaces"]["inside"]["own"]) == own
    assert want["interfaces"]["inside"]["mac"] == before["network-2"]["interfaces"]["inside"]["mac"]


def test_a_full_network_has_one_without_addresses_of_its_hosts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("STEAD_STORE", raising=False)
    (tmp_path / "inventory.yml").write_text(INVENTORY, encoding="utf-8")
    (tmp_path / "stead.yml").write_text(
        "stead: 1\nprojects:\n  acme:\n    networks: {app: {ha: false, subnets: {v4: {cidr: 10.20.0.0/29, "
        "pool: 10.20.0.2-10.20.0.3}}}}\n    load_balancers: {front: {network: app, listeners: {web: {port: 80, "
        "members: [{address: 10.20.0.6}]}}}}\n",
        encoding="utf-8",
    )
    assert main(["apply", "--auto-approve"]) == 0
    found = wants(FRONT, capsys)
    assert len(found) == 2
    assert [want["interfaces"]["inside"]["own"] for want in found.values()] == [[], []]


def test_another_name_of_its_network_disturbs_nobody_and_another_network_is_a_pause(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    uuid = wants(FRONT, capsys)["network-1"]["uuid"]
    path = site / "stead.yml"
    text = path.read_text(encoding="utf-8").replace("      app: {", "      plain: {").replace("[app", "[plain")
    moved = "moved: [{from: acme/networks/app, to: acme/networks/plain}]\noutputs:"
    path.write_text(text.replace("network: app", "network: plain").replace("outputs:", moved), encoding="utf-8")
    capsys.readouterr()
    assert main(["apply", "--auto-approve"]) == 0
    assert "Disturbs: nobody" in capsys.readouterr().out
    out = change(site, "network: plain\n        address: 10.20.0.80", "network: back", capsys)
    assert "replace" not in out
    (one, other) = wants(FRONT, capsys).values()
    assert one["uuid"] == other["uuid"] == uuid
    assert one["interfaces"]["inside"]["addresses"][0].startswith("10.30.0.")


def test_a_member_is_taken_out_before_its_instance_goes(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = site / "stead.yml"
    path.write_text(path.read_text(encoding="utf-8").replace("many: 2", "many: 1"), encoding="utf-8")
    capsys.readouterr()
    assert main(["plan", "--json"]) == 0
    steps = json.loads(capsys.readouterr().out)["steps"]
    told = {one["number"]: one for one in steps if one["address"] == FRONT}
    (gone,) = [one for one in steps if one["address"] == "acme/instances/web[1]"]
    assert gone["action"] == "destroy"
    assert len(told) == 2
    assert set(told) <= set(gone["after"])
    assert all(one["wave"] < gone["wave"] for one in told.values())
