"""The doctor finds what was broken on purpose, and nothing on hosts that are well."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from stead.cli import main
from stead.lab.site import Lab

pytestmark = pytest.mark.lab

KVM_FAILS = "STEAD-H006"  # a truth of some machines that labs run on


@pytest.fixture(scope="module")
def prepared(lab: Lab) -> Lab:
    assert main(["bootstrap", "-i", str(lab.inventory)]) == 0
    return lab


def examine(lab: Lab, capsys: pytest.CaptureFixture[str]) -> tuple[int, list[dict[str, Any]]]:
    capsys.readouterr()
    status = main(["doctor", "-i", str(lab.inventory), "--json", "--cached"])
    found = json.loads(capsys.readouterr().out)["findings"]
    return status, [one for one in found if one["code"] != KVM_FAILS]


def test_prepared_hosts_are_well(prepared: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    assert examine(prepared, capsys) == (0, [])


def test_what_is_broken_is_found(prepared: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    """A link with a smaller MTU, a service that failed, and a host without power: all told at once."""
    prepared.run("network-1", ["ip", "link", "set", "eth0", "mtu", "1300"])
    prepared.forget_connection(prepared.host("network-1"))  # it learnt the larger size: full packets would be lost
    prepared.run("storage-1", ["sh", "-c", "systemd-run --unit=stead-broken false"])
    prepared.crash(prepared.host("compute-2"))
    try:
        status, found = examine(prepared, capsys)
    finally:
        prepared.run("network-1", ["ip", "link", "set", "eth0", "mtu", "1500"])
        prepared.run("storage-1", ["sh", "-c", "systemctl reset-failed stead-broken"])
        prepared.reboot([prepared.host("compute-2")])
    assert status == 1
    told = {(one["code"], one["host"]) for one in found}
    assert ("STEAD-H001", "compute-2") in told
    assert ("STEAD-H010", "network-1") in told
    assert ("STEAD-H013", "storage-1") in told
    assert not [one for one in found if one["code"] == "STEAD-H009"], "a dead host is told once, not by each other host"


def test_bare_host_is_told_to_bootstrap(bare_lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    subprocess.run(bare_lab.ssh_argv("controller-1", ["true"]), check=True)
    prepared = bare_lab.run("controller-1", ["sh", "-c", "ls /usr/lib/stead/restore 2>/dev/null || true"]) != ""
    status, found = examine(bare_lab, capsys)
    told = {(one["code"], one["host"]) for one in found}
    assert (("STEAD-H004", "controller-1") in told) is not prepared
    assert status == (0 if prepared else 1)
