"""The hosts' half of containers, as far as it needs no host: what it writes, counts and refuses."""

from __future__ import annotations

import errno
import json
import os
import time
import zlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from tests.unit.hosts.test_host_code import MAC, WANT

from ansible_collections.stead.cloud.plugins.module_utils.host.base import commands, paths
from ansible_collections.stead.cloud.plugins.module_utils.host.base.errors import Failed
from ansible_collections.stead.cloud.plugins.module_utils.host.base.work import Work
from ansible_collections.stead.cloud.plugins.module_utils.host.hypervisor import lxc
from ansible_collections.stead.cloud.plugins.module_utils.host.hypervisor.containers import config, guest, limits, seen
from ansible_collections.stead.cloud.plugins.module_utils.host.hypervisor.driver import copies
from ansible_collections.stead.cloud.plugins.module_utils.host.images import rootfs
from ansible_collections.stead.cloud.plugins.module_utils.host.net.driver import Plug
from ansible_collections.stead.cloud.plugins.module_utils.wire import instance as wire

UUID = WANT["uuid"]
NIC = WANT["nics"]["app"] | {"routed": True, "subnets": [{"cidr": "10.0.0.0/24", "dhcp": True, "gateway": "10.0.0.1"}]}
BOX: dict[str, Any] = {**WANT, "hypervisor": "lxc", "image": {"uuid": "i", "rootfs": True}, "nics": {"app": NIC}}
DEVICE = "st525400000001"
PLUGS = {"app": Plug("sb1", DEVICE, "stead-port")}
STEP: Any = {"want": BOX, "uuid": UUID, "address": "acme/instances/web", "digest": "d", "action": "create"}


@pytest.fixture(autouse=True)
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(config, "FOLDER", str(tmp_path / "lxc"))
    monkeypatch.setattr(paths, "INSTANCES", str(tmp_path / "instances"))
    monkeypatch.setattr(os, "chown", lambda *_words: None)
    return tmp_path


def made(**more: Any) -> guest.Container:
    want = {**BOX, **more}
    step: Any = {**STEP, "want": want, "uuid": want["uuid"]}
    found = lxc.Lxc().define(step, PLUGS, Work("c1"))
    assert isinstance(found, guest.Container)
    return found


def lines_of(uuid: str = UUID) -> list[str]:
    return (Path(config.home(uuid)) / "config").read_text(encoding="utf-8").splitlines()


def test_container_is_nobody_of_its_host_and_of_no_other_container() -> None:
    ids = {made(uuid=f"{at:08d}-0000-4000-8000-000000000001").made["first"] for at in range(50)}
    assert len(ids) == 50
    assert all(config.FIRST <= one < config.LAST and one % config.IDENTIFIERS == 0 for one in ids)
    first = made().made["first"]
    assert f"lxc.idmap = u 0 {first} 65536" in lines_of()
    assert made(vcpus=4).made["first"] == first  # for its life


def test_host_without_free_identifiers_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config, "LAST", config.FIRST + config.IDENTIFIERS)
    made()
    with pytest.raises(Failed, match="STEAD-E334"):
        made(uuid="22222222-0000-4000-8000-000000000001")


def test_definition_says_limits_devices_and_addresses() -> None:
    made()
    found = lines_of()
    assert "lxc.cgroup2.memory.max = 1073741824" in found
    assert "lxc.cgroup.memory.swappiness = 0" in found  # nothing of it goes to the swap of its host
    assert "lxc.cgroup2.cpu.max = 200000 100000" in found
    assert "lxc.net.0.hwaddr = " + MAC in found
    assert "lxc.net.0.ipv4.address = 10.0.0.4/24" in found
    assert "lxc.net.0.ipv4.gateway = 10.0.0.1" in found
    assert not any(line.startswith("lxc.net.0.link") for line in found)  # in no bridge before it is filtered
    assert next(at for at, line in enumerate(found) if line.endswith("devices.deny = a")) < next(
        at for at, line in enumerate(found) if "devices.allow" in line
    )


def test_interface_is_filtered_before_it_is_in_its_bridge() -> None:
    made()
    hooks = (Path(config.home(UUID)) / "hooks").read_text(encoding="utf-8")
    assert hooks.index("nwfilter-binding-create") < hooks.index("master sb1")
    binding = (Path(config.home(UUID)) / f"{DEVICE}.xml").read_text(encoding="utf-8")
    assert '<filterref filter="stead-port"' in binding


def test_what_was_made_reads_back_as_it_was_wanted() -> None:
    seen_one = seen.SeenContainer(made().made, guest.OFF, {})
    assert wire.compare(BOX, dict(BOX, **seen_one.fields(BOX))) == []
    assert seen_one.label()["digest"] == "d"


def test_interface_that_is_in_no_bridge_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "GROUPS", "/nowhere")
    there = {DEVICE: {"ifname": DEVICE, "master": "sb1"}}
    assert "app" in seen.SeenContainer(made().made, guest.RUNS, there).fields(BOX)["ports"]
    assert seen.SeenContainer(made().made, guest.RUNS, {}).fields(BOX)["ports"] == {}


@pytest.mark.parametrize(("here", "read"), [((1 << 30) - 100, 1 << 30), (1 << 29, 1 << 29)])
def test_kernels_rounding_is_no_drift(host: Path, monkeypatch: pytest.MonkeyPatch, here: int, read: int) -> None:
    group = host / "groups" / f"lxc.payload.{UUID}"
    group.mkdir(parents=True)
    for name, text in (("cgroup.procs", "1\n"), ("memory.max", f"{here}\n"), ("cpu.max", "200000 100000\n")):
        (group / name).write_text(text)
    monkeypatch.setattr(limits, "GROUPS", str(host / "groups"))
    assert limits.of(UUID, BOX) == {"memory": read, "vcpus": 2}


def test_container_without_a_root_file_system_is_refused() -> None:
    with pytest.raises(Failed, match="STEAD-E332"):
        lxc.Lxc().check({**BOX, "image": {"uuid": "i"}})


def test_container_in_a_network_of_switches_is_refused() -> None:
    plugs = {"app": Plug("br-int", DEVICE, virtualport=("openvswitch", {}))}
    with pytest.raises(Failed, match="STEAD-E333"):
        lxc.Lxc().define(STEP, plugs, Work("c1"))


def test_container_that_is_mounted_is_not_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    container = made()
    monkeypatch.setattr(os.path, "ismount", lambda _path: True)
    with pytest.raises(Failed, match="STEAD-E331"):
        container.undefine(Work("c1"))
    monkeypatch.setattr(os.path, "ismount", lambda _path: False)
    container.undefine(Work("c1"))
    assert lxc.Lxc().guests() == []
    assert list(Path(config.FOLDER).iterdir()) == []


def test_container_that_does_not_start_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    def attempt(argv: Sequence[str], **_more: Any) -> tuple[int, str, str]:
        if argv[0] == "lxc-start":
            (Path(config.home(UUID)) / "lxc.log").write_text("no init there")
            return 1, "", ""
        return 0, "STOPPED\n", ""

    container = made()
    monkeypatch.setattr(commands, "attempt", attempt)
    with pytest.raises(Failed, match=r"STEAD-E330.*no init there"):
        container.start(Work("c1"))


@pytest.mark.parametrize(("status", "code"), [(rootfs.NO_INIT, "no /sbin/init"), (2, "STEAD-E418.*bad archive")])
def test_archive_that_is_no_root_file_system_is_refused(
    host: Path, monkeypatch: pytest.MonkeyPatch, status: int, code: str
) -> None:
    monkeypatch.setattr(paths, "IMAGES", str(host))
    monkeypatch.setattr(commands, "run", lambda *_words, **_more: "")
    monkeypatch.setattr(commands, "attempt", lambda *_words, **_more: (status, "", "bad archive"))
    with pytest.raises(Failed, match=code):
        rootfs.build(str(host / "box.tar"), "tar", str(host / "box.raw"), 64 << 20)


def test_root_file_system_needs_room(host: Path) -> None:
    with pytest.raises(Failed, match="STEAD-E419"):
        rootfs.build(str(host / "box.tar"), "tar", str(host / "box.raw"), 1 << 20)


def test_containers_made_side_by_side_share_no_identifiers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zlib, "crc32", lambda _data: 0)
    files = lxc._files

    def slowly(want: Any, plugs: Any, first: int) -> dict[str, str]:
        time.sleep(0.02)
        return files(want, plugs, first)

    monkeypatch.setattr(lxc, "_files", slowly)
    with ThreadPoolExecutor(8) as pool:
        found = pool.map(lambda at: made(uuid=f"{at:08d}-0000-4000-8000-000000000001").made["first"], range(16))
        assert len(set(found)) == 16


def test_root_of_a_container_does_not_say_what_is_unplugged(monkeypatch: pytest.MonkeyPatch) -> None:
    """It makes links of any number and address, whose other end seems to be any link of the host."""
    made()
    monkeypatch.setattr(guest.Container, "is_on", lambda _self: True)
    other = {"app": Plug("sb1", "st525400000009", "")}
    now = lxc.Lxc().define(STEP, other, Work("c1"))
    assert isinstance(now, guest.Container)
    calls = host_with(monkeypatch, [DEVICE, "st525400000077", "eth0", "sb1"])
    now.adjust(STEP, other, Work("c1"))
    assert [words[-1] for words in calls if words[:3] == ["ip", "link", "delete"]] == [DEVICE]
    assert not any(words[0] == "nsenter" and "show" in words for words in calls)
    again = guest.read(UUID)
    assert again is not None
    assert again.cables() == {"st525400000009"}


def test_device_of_a_container_that_is_off_may_be_anothers_by_now(monkeypatch: pytest.MonkeyPatch) -> None:
    made()
    monkeypatch.setattr(guest.Container, "is_on", lambda _self: False)
    now = lxc.Lxc().define(STEP, {"app": Plug("sb1", "st525400000009", "")}, Work("c1"))
    assert isinstance(now, guest.Container)
    assert now.cables() == {"st525400000009"}


def host_with(monkeypatch: pytest.MonkeyPatch, links: Sequence[str]) -> list[list[str]]:
    calls: list[list[str]] = []

    def run(argv: Sequence[str], **_more: Any) -> str:
        calls.append([*argv])
        told = [{"ifname": one, "ifindex": at, "address": MAC} for at, one in enumerate(links, 1)]
        return json.dumps(told) if argv[:2] == ["ip", "-json"] else "4711" if argv[0] == "lxc-info" else ""

    monkeypatch.setattr(commands, "run", run)
    monkeypatch.setattr(limits, "GROUPS", "/nowhere")
    return calls


def test_seed_is_mounted_by_the_host_so_that_root_of_a_container_cannot_write_to_it() -> None:
    made()
    hooks = (Path(config.home(UUID)) / "hooks").read_text(encoding="utf-8")
    assert f"seed={config.shown_seed_of(UUID)}" in hooks
    assert 'mount -o remount,bind,ro,nosuid,nodev,noexec "$seed"' in hooks
    entries = [line for line in lines_of() if line.startswith("lxc.mount.entry")]
    assert [line.split()[2] for line in entries] == [config.shown_seed_of(UUID)]


def test_limits_of_a_container_whose_root_moved_all_its_programs(host: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "GROUPS", str(host / "groups"))
    for name, memory, says in ((UUID, 1 << 29, "populated 0"), (f"{UUID}-1", 1 << 28, "populated 1")):
        group = host / "groups" / f"lxc.payload.{name}"
        (group / "inner").mkdir(parents=True)
        for file, text in (
            ("cgroup.procs", ""),
            ("cgroup.events", f"{says}\nfrozen 0\n"),
            ("memory.max", f"{memory}\n"),
        ):
            (group / file).write_text(text)
    assert limits.of(UUID) == {"memory": 1 << 28}


def test_limits_of_a_container_whose_root_moved_all_its_programs_in_the_first_version(
    host: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "GROUPS", str(host / "groups"))
    group = host / "groups" / "memory" / f"lxc.payload.{UUID}"
    (group / "inner").mkdir(parents=True)
    (group / "cgroup.procs").write_text("")
    (group / "memory.limit_in_bytes").write_text("4096\n")
    assert limits.of(UUID) == {"memory": 4096}


def test_container_that_ends_while_it_is_stopped_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    container = made()
    monkeypatch.setattr(commands, "run", lambda *_words, **_more: "")  # it has no first process
    monkeypatch.setattr(commands, "attempt", lambda *_words, **_more: (0, "RUNNING", ""))
    container.stop(1, Work("c1"))
    with pytest.raises(Failed, match="STEAD-E330"):
        container.adjust(STEP, PLUGS, Work("c1"))


@pytest.mark.skipif(os.geteuid() != 0, reason="root alone has name spaces everywhere")
def test_nothing_of_an_unpacking_that_is_too_slow_goes_on(host: Path) -> None:
    begun, ended = host / "begun", host / "ended"
    words = [*rootfs.ALONE, "sh", "-ec", f"sh -c 'touch {begun}; sleep 1; touch {ended}'; true"]
    with pytest.raises(Failed, match="STEAD-E003"):
        commands.attempt(words, timeout=0.5)
    time.sleep(1)
    assert begun.exists()
    assert not ended.exists()


def test_disk_of_a_container_that_is_on_is_in_use() -> None:
    """Its file system is mounted, and what the host has not written yet is not in the file."""
    container = made()
    (root,) = container.files()
    assert container.device_of(f"{UUID}-root", "/dev/null/none")
    assert container.device_of("other", root)
    assert container.device_of("other", "/dev/null/none") is None
    with pytest.raises(Failed, match="copies of disks in use"):
        copies(container)


def test_limit_that_the_kernel_refuses_is_told(host: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a container has in memory, and nobody can take away, is its root's to choose."""
    group = host / "groups" / "memory" / f"lxc.payload.{UUID}"
    group.mkdir(parents=True)
    (group / "cgroup.procs").write_text("1\n")
    (group / "memory.limit_in_bytes").write_text(f"{2 << 30}\n")
    monkeypatch.setattr(limits, "GROUPS", str(host / "groups"))

    def busy(*_words: Any, **_more: Any) -> Any:
        raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))

    monkeypatch.setattr(limits, "open", busy, raising=False)
    with pytest.raises(Failed, match="STEAD-E335"):
        limits.adjust(BOX, Work("c1"))
