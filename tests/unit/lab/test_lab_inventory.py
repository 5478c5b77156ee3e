"""The inventory a lab gives is one that Ansible reads, and says of each host what the lab file said."""

from __future__ import annotations

import ipaddress
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from stead.core.diagnostics import Refused
from stead.lab import paths
from stead.lab.inventory import inventory, to_yaml
from stead.lab.layout import LabLayout, lay_out
from stead.lab.paths import Rooms
from stead.lab.sizes import parse

HYPER = {"count": 2, "roles": ["compute", "storage"], "zone": "a", "cpus": 4, "memory": "8GiB", "vars": {"rack": 7}}


def layout(hosts: object) -> LabLayout:
    return lay_out(parse({"hosts": hosts}, "f"), "demo", ipaddress.IPv4Network("10.201.0.0/24"))


def read_by_ansible(text: str, directory: Path) -> Any:
    path = directory / "hosts.yml"
    path.write_text(text, encoding="utf-8")
    ansible = Path(sys.executable).with_name("ansible-inventory")
    done = subprocess.run([ansible, "-i", path, "--list"], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_ansible_reads_groups_and_variables(tmp_path: Path) -> None:
    seen = read_by_ansible(to_yaml(layout({"hyper": HYPER, "network": 1}), Rooms(top=Path("/l"))), tmp_path)
    assert seen["compute"]["hosts"] == ["hyper-1", "hyper-2"]
    assert seen["storage"]["hosts"] == ["hyper-1", "hyper-2"]
    assert seen["network"]["hosts"] == ["network-1"]
    found = seen["_meta"]["hostvars"]["hyper-2"]
    assert found["ansible_host"] == found["stead_underlay_address"] == "10.201.0.12"
    assert found["stead_physical_networks"] == {"external": "eth1"}
    assert (found["stead_zone"], found["stead_vcpus"], found["stead_memory"], found["rack"]) == ("a", 4, "8192MiB", 7)
    assert found["ansible_python_interpreter"] == "/usr/bin/python3"
    assert found["ansible_ssh_private_key_file"] == "/l/id_ed25519"


def test_every_role_is_a_group_even_without_hosts() -> None:
    groups = inventory(layout({"compute": 1}), Rooms(top=Path("/l")))["all"]["children"]
    assert set(groups) == {"controller", "compute", "storage", "network"}


def test_host_keys_are_checked() -> None:
    options = inventory(layout({"compute": 1}), Rooms(top=Path("/l")))["all"]["vars"]["ansible_ssh_common_args"]
    assert "StrictHostKeyChecking=yes" in options
    assert "UserKnownHostsFile=/l/known_hosts" in options
    assert "ControlPersist" in options


@pytest.mark.parametrize("path", ["relative", "/with space", "/a:b", "/a,b", '/a"b'])
def test_a_directory_that_options_cannot_name_is_refused(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEAD_LAB_HOME", path)
    with pytest.raises(Refused, match="STEAD-B017"):
        paths.home()


def test_sockets_of_shared_connections_have_short_paths(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STEAD_LAB_HOME", raising=False)
    digest = "x" * 40  # %C
    temporary = ".0123456789abcdef"  # what ssh adds while it makes the socket
    assert len(str(paths.rooms("twelve-chars").sockets / digest) + temporary) < 108
