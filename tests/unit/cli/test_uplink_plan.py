"""What a plan says of a router behind its host, on simulated hosts."""

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
    network: {hosts: {one: {ansible_host: 198.51.100.7, stead_underlay_address: 10.0.0.7}}}
    compute: {hosts: {two: {ansible_host: 10.0.0.8}, three: {ansible_host: "fd00::9"}}}
"""
SPEC = """
stead: 1
site: {dns: [192.168.1.1, "fd00::53"]}
projects:
  acme:
    networks: {app: {subnets: {v4: {cidr: 10.20.0.0/24}}}}
    routers: {edge: {uplink: host, networks: [app], ha: auto}}
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "inventory.yml").write_text(INVENTORY, encoding="utf-8")
    (tmp_path / "stead.yml").write_text(SPEC, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def uplink(router: str, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    capsys.readouterr()
    assert main(["show", router, "--json"]) == 0
    (shown,) = json.loads(capsys.readouterr().out)["resources"]
    found: dict[str, Any] = shown["wants"]["one"]["uplink"]
    return found


@pytest.mark.usefixtures("site")
def test_every_address_of_a_host_is_closed_and_name_servers_of_the_site_are_open(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Also the one at which Ansible reaches it: sshd listens there."""
    assert main(["apply", "--auto-approve"]) == 0
    found = uplink("acme/routers/edge", capsys)
    assert found["closed"] == ["10.0.0.7", "10.0.0.8", "198.51.100.7"]
    assert found["name_servers"] == ["192.168.1.1"]
    assert (found["address"], found["gateway"]) == ("169.254.64.2/30", "169.254.64.1")


def test_two_routers_of_a_site_have_links_of_their_own_and_keep_them(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["apply", "--auto-approve"]) == 0
    more = SPEC.replace("routers: {", "routers: {able: {uplink: host, networks: [back]}, ")
    more = more.replace("networks: {app", "networks: {back: {subnets: {v4: {cidr: 10.30.0.0/24}}}, app")
    (site / "stead.yml").write_text(more, encoding="utf-8")
    assert main(["apply", "--auto-approve"]) == 0
    assert uplink("acme/routers/edge", capsys)["address"] == "169.254.64.2/30"
    assert uplink("acme/routers/able", capsys)["address"] == "169.254.64.6/30"


def test_a_router_that_is_forgotten_keeps_its_link(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What nobody manages any more goes on, so its addresses are given to no other."""
    assert main(["apply", "--auto-approve"]) == 0
    text = SPEC.replace("edge: {uplink: host, networks: [app], ha: auto}", "other: {uplink: host, networks: [back]}")
    text = text.replace("networks: {app", "networks: {back: {subnets: {v4: {cidr: 10.30.0.0/24}}}, app")
    (site / "stead.yml").write_text(text + "forget: [acme/routers/edge]\n", encoding="utf-8")
    assert main(["apply", "--auto-approve"]) == 0
    assert uplink("acme/routers/other", capsys)["address"] == "169.254.64.6/30"
