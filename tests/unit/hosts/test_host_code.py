"""The hosts' half, as far as it needs no host: what it reads back, writes and refuses."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml  # noqa: ICN001 - as the code that is tested calls it

import pytest

from ansible_collections.stead.cloud.plugins.module_utils.host.base import ssh_peers
from ansible_collections.stead.cloud.plugins.module_utils.host.base.errors import Failed
from ansible_collections.stead.cloud.plugins.module_utils.host.base.work import Work
from ansible_collections.stead.cloud.plugins.module_utils.host.hypervisor.domains import (
    definition,
    probe,
    readback,
)
from ansible_collections.stead.cloud.plugins.module_utils.host.net.driver import Plug
from ansible_collections.stead.cloud.plugins.module_utils.host.prepare import installing, preparing
from ansible_collections.stead.cloud.plugins.module_utils.host.storage import declared
from ansible_collections.stead.cloud.plugins.module_utils.wire import instance as wire
from stead.site.inventory import variables

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJcm"
MAC = "52:54:00:00:00:01"
PLUGS = {"app": Plug("br", "st525400000001")}
WANT: dict[str, Any] = {
    "agent": True, "architecture": "x86_64", "autostart": True, "boot": ["disk", "network"], "cpu": "maximum",
    "firmware": "bios", "graphics": "vnc", "hostname": "web", "hypervisor": "qemu", "machine": "q35",
    "max_memory": 2 << 30, "max_vcpus": 4, "memory": 1 << 30, "name": "acme.web",
    "nics": {"app": {"model": "virtio", "mtu": 1450, "network_uuid": "n", "position": 0, "filtered": False}},
    "ports": {"app": {"addresses": ["10.0.0.4"], "mac": MAC}},
    "root": {"bus": "virtio", "format": "qcow2", "pool": {"name": "default", "type": "dir"}, "size": 0},
    "seed": {}, "state": "stopped", "stop_timeout": 60, "tpm": False, "uuid": "11111111-0000-4000-8000-000000000001",
    "vcpus": 2, "volumes": {}, "watchdog": "none",
}  # fmt: skip


def defined(**more: Any) -> readback.SeenDomain:
    want = {**WANT, **more}
    text = definition.build({"want": want, "address": "acme/instances/web", "digest": "d"}, PLUGS)
    return readback.SeenDomain(want["name"], "stopped", False, Xml.fromstring(text), None)  # noqa: S314 - our own


def test_what_was_built_reads_back_as_it_was_wanted() -> None:
    assert wire.compare(WANT, dict(WANT, **defined().fields(WANT))) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [("vcpus", 3), ("memory", 3 << 29), ("max_memory", 4 << 30), ("graphics", "none"), ("firmware", "uefi"),
     ("cpu", "host-model"), ("boot", ["network"]), ("watchdog", "reset"), ("tpm", True), ("agent", False)],
)  # fmt: skip
def test_what_differs_is_read_back_as_it_is(field: str, value: object) -> None:
    seen = defined(**{field: value}).fields(WANT)
    assert seen[field] == value
    assert {path.split(".")[0] for path, _want, _have in wire.compare(WANT, dict(WANT, **seen))} == {field}


@pytest.mark.parametrize("graphics", ["vnc", "spice"])
def test_a_graphical_console_is_at_no_port(graphics: str) -> None:
    """On loopback, every user and program of the host could open it."""
    screen = defined(graphics=graphics)._defined.find("devices/graphics")
    assert screen is not None
    assert [one.attrib for one in screen.findall("listen")] == [{"type": "socket"}]
    assert set(screen.attrib) == {"type"}


def test_an_interface_that_went_is_seen() -> None:
    seen = defined(nics={}, ports={}).fields(WANT)
    assert seen["ports"] == {}


@pytest.mark.parametrize(
    "value",
    ["2TiB", {"fast": "1TiB"}, {"fast": {"size": "1TiB", "path": "/srv/fast"}, "s": {"type": "nfs", "size": "1GiB"}}],
)
def test_pools_are_read_as_the_planner_reads_them(value: Any) -> None:
    planner = {name: {"type": pool.type, "path": pool.path} for name, pool in variables.pools(value).items()}
    assert declared.pools(value) == planner


@pytest.fixture
def peers(tmp_path: Path) -> ssh_peers.Peers:
    return ssh_peers.Peers(str(tmp_path), "someone", 'restrict,command="/usr/lib/stead/witness {0}"')


BOTH = {"c1": ["10.0.0.1", KEY, [KEY]], "c2": ["10.0.0.2", KEY, [KEY]]}
WAYS: dict[str, list[Any]] = {"c1": ["c1.example", 22], "c2": ["", 2222]}


def test_peers_not_asked_stay_and_those_gone_go(peers: ssh_peers.Peers, tmp_path: Path) -> None:
    authorised, known = tmp_path / ".ssh" / "authorized_keys", tmp_path / "known_hosts"
    peers.learn({"members": WAYS, "known": BOTH}, Work(""))
    assert known.read_text().splitlines() == [
        f"c1,10.0.0.1,c1.example {KEY} stead:c1",
        f"[c2]:2222,[10.0.0.2]:2222 {KEY} stead:c2",
    ]
    assert authorised.read_text().startswith(f'restrict,command="/usr/lib/stead/witness c1" {KEY} stead:c1\n')
    peers.learn({"members": WAYS, "known": {"c1": BOTH["c1"]}}, Work(""))
    assert "stead:c2" in known.read_text()
    assert "10.0.0.2" in peers.members()["c2"]["addresses"]
    peers.learn({"members": {"c1": WAYS["c1"]}, "known": {"c1": BOTH["c1"]}}, Work(""))
    assert "stead:c2" not in known.read_text() + authorised.read_text()
    assert list(peers.members()) == ["c1"]


@pytest.mark.parametrize("key", ['command="evil" ssh-ed25519 AAAA', "ssh-ed25519", "ssh-ed25519 AA;x"])
def test_a_key_that_is_none_is_refused(peers: ssh_peers.Peers, tmp_path: Path, key: str) -> None:
    with pytest.raises(Failed):
        peers.learn({"members": {"c1": WAYS["c1"]}, "known": {"c1": ["10.0.0.1", key, []]}}, Work(""))
    assert not (tmp_path / ".ssh").exists()


@pytest.mark.parametrize("address", ["-oProxyCommand=evil", "a b", 'x"'])
def test_an_address_that_is_none_is_refused(peers: ssh_peers.Peers, address: str) -> None:
    with pytest.raises(Failed):
        peers.learn({"members": {"c1": [address, 22]}, "known": {"c1": BOTH["c1"]}}, Work(""))


def test_a_file_whose_command_failed_counts_as_not_written(tmp_path: Path) -> None:
    path = tmp_path / "unit"
    one = {"path": str(path), "content": "new\n", "mode": "0644", "then": [["false"]]}
    for _ in range(2):
        with pytest.raises(Failed):
            preparing.prepare({"files": [one]}, Work(""))
        assert not path.exists()
    one["then"] = [["true"]]
    work = Work("")
    preparing.prepare({"files": [one]}, work)
    assert work.changed
    again = Work("")
    preparing.prepare({"files": [one]}, again)
    assert not again.changed


def test_rehearsing_changes_nothing(tmp_path: Path) -> None:
    written = {"path": str(tmp_path / "f"), "content": "x", "then": [["touch", str(tmp_path / "t")]]}
    want = {"directories": [{"path": str(tmp_path / "d"), "mode": "0700"}], "files": [written]}
    work = Work("", check=True)
    preparing.prepare(want, work)
    assert work.changed
    assert list(tmp_path.iterdir()) == []


def test_private_directories_are_made_private_again_and_others_are_left(tmp_path: Path) -> None:
    for name in ("private", "theirs"):
        (tmp_path / name).mkdir(mode=0o755)
    want = [{"path": str(tmp_path / "private"), "mode": "0700"}, {"path": str(tmp_path / "theirs"), "mode": "0711"}]
    preparing.prepare({"directories": want}, Work(""))
    assert (tmp_path / "private").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "theirs").stat().st_mode & 0o777 == 0o755


def test_the_code_for_a_boot_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It imports without Ansible, from where it was put."""
    import subprocess
    import sys

    for name, (data, _mode) in installing.wanted().items():
        path = tmp_path / Path(name).relative_to(installing.LIBRARY)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    restore, _purpose = installing.PROGRAMS["restore"]
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import {restore.__name__}"
    monkeypatch.delenv("PYTHONPATH", raising=False)
    subprocess.run([sys.executable, "-I", "-S", "-c", code], check=True, cwd="/")


def test_the_trial_is_a_boot_sector_that_says_its_word() -> None:
    sector = probe._sector()
    assert len(sector) == 512
    assert struct.unpack("<H", sector[-2:]) == (0xAA55,)
    assert bytes([0xB0, probe.SAYS, 0xE6, 0xF4]) in sector
    assert probe.ANSWER == (probe.SAYS << 1) | 1
