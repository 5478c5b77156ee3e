"""The seed is a volume that a guest can read, the same for the same instance."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.stead.cloud.plugins.module_utils.host.hypervisor import iso, seed

MAC = "52:54:00:00:00:01"


def want(**subnet: Any) -> dict[str, Any]:
    nic = {"mtu": 1450, "position": 0, "routed": True, "subnets": [{"cidr": "10.20.0.0/24", "dns": [], **subnet}]}
    ports = {"app": {"addresses": ["10.20.0.11"], "mac": MAC}}
    return {"uuid": "u", "hostname": "web-0", "nics": {"app": nic}, "ports": ports}


def test_a_reader_of_isos_finds_the_files(tmp_path: Path) -> None:
    path = tmp_path / "seed.iso"
    path.write_bytes(iso.volume("cidata", {"meta-data": b"{}", "user-data": b"x" * 5000}))
    out = tmp_path / "out"
    words = ["xorriso", "-osirrox", "on", "-indev", str(path), "-extract", "/", str(out)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (out / "user-data").read_bytes() == b"x" * 5000
    assert (out / "meta-data").read_bytes() == b"{}"


def test_equal_files_are_equal_volumes() -> None:
    assert iso.volume("cidata", {"a": b"1", "b": b""}) == iso.volume("cidata", {"b": b"", "a": b"1"})


def test_a_volume_is_long_enough_for_those_who_look_for_labels() -> None:
    assert len(iso.volume("cidata", {"a": b""})) > 0x11000


def test_a_served_subnet_is_asked_by_dhcp() -> None:
    config = seed.network_config(want(dhcp=True))["ethernets"]["nic0"]
    assert config["dhcp4"] is True
    assert "addresses" not in config


def test_an_unserved_subnet_is_given_statically() -> None:
    config = seed.network_config(want(dhcp=False, gateway="10.20.0.1", dns=["9.9.9.9"]))["ethernets"]["nic0"]
    assert config["addresses"] == ["10.20.0.11/24"]
    assert config["routes"] == [{"to": "0.0.0.0/0", "via": "10.20.0.1"}]
    assert config["nameservers"] == {"addresses": ["9.9.9.9"]}


@pytest.mark.parametrize("mine", [{"instance-id": "other"}, {"stage": "production"}])
def test_the_users_meta_data_is_added_and_never_changes_who_it_is(mine: dict[str, str]) -> None:
    found = seed.meta_data(want(dhcp=True), {"meta_data": mine, "keys": ["k"]})
    assert found["instance-id"] == "u"
    assert found.get("stage") == mine.get("stage")
    json.dumps(found)
