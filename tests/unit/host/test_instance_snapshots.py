"""Snapshots of instances on their host: real files, and a guest whose hypervisor is the test's own."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.stead.cloud.plugins.module_utils.host.base import ledger, paths
from ansible_collections.stead.cloud.plugins.module_utils.host.base.errors import Failed
from ansible_collections.stead.cloud.plugins.module_utils.host.base.work import Work
from ansible_collections.stead.cloud.plugins.module_utils.host.hypervisor import drivers as hypervisors
from ansible_collections.stead.cloud.plugins.module_utils.host.kinds import snapshot
from ansible_collections.stead.cloud.plugins.module_utils.host.storage import file_disks, instance_snapshots
from ansible_collections.stead.cloud.plugins.module_utils.host.storage.driver import Content

pytestmark = pytest.mark.skipif(not shutil.which("qemu-io"), reason="needs qemu-utils")

MIB = 1 << 20
WEB, DATA, SHOT = "11111111-0000-4000-8000-000000000001", "22222222-0000-4000-8000-000000000002", "s-1"
ADDRESS = "acme/instances/web"


def run(*words: object) -> None:
    subprocess.run([str(word) for word in words], check=True, capture_output=True)


class RunningGuest:
    """It writes on, in the middle of the copy; what is copied is from before."""

    name = "acme.web"

    def __init__(self, places: Mapping[str, Path], *, agent: bool) -> None:
        self.places, self.agent, self.on = places, agent, True
        self.abandoned: list[str] = []
        self.dies = False

    def is_on(self) -> bool:
        return self.on

    def device_of(self, _uuid: str, path: str) -> str | None:
        return next((name for name, one in self.places.items() if str(one) == path), None)

    def copy(self, targets: Mapping[str, str], freeze: bool | None) -> bool:
        for name, target in targets.items():
            source = self.places[name]
            run("qemu-img", "convert", "-f", source.suffix[1:], "-O", "qcow2", source, target)
            if self.dies:
                raise KeyboardInterrupt
        return self.agent and freeze is not False

    def abandon(self, path: str) -> None:
        self.abandoned.append(path)


class PetHost:
    """One with an instance that has a root disk over an image, and a volume."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        pool = {"name": "default", "type": "dir", "path": str(folder)}
        self.root, self.data = folder / f"{WEB}.root.qcow2", folder / f"{DATA}.raw"
        run("qemu-img", "create", "-f", "qcow2", folder / "image.qcow2", 4 * MIB)
        run("qemu-img", "create", "-f", "qcow2", "-F", "qcow2", "-b", folder / "image.qcow2", self.root, 8 * MIB)
        run("qemu-img", "create", "-f", "raw", self.data, 4 * MIB)
        self.want: dict[str, Any] = {
            "uuid": WEB,
            "hypervisor": "qemu",
            "root": {"pool": pool, "format": "qcow2", "size": 8 * MIB},
            "volumes": {"acme/volumes/data": {"uuid": DATA, "format": "raw", "pool": pool}},
        }
        self.write(1)
        self.enter(self.want, "d")

    def enter(self, want: Any, digest: str) -> None:
        ledger.keep(ledger.entry(ADDRESS, WEB, "instances", digest, want))

    def write(self, byte: int) -> None:
        for path in (self.root, self.data):
            run("qemu-io", "-f", path.suffix[1:], "-c", f"write -P {byte} 1M 64k", path)

    def content(self) -> list[str]:
        found = []
        for path in (self.root, self.data):
            run("qemu-img", "convert", "-f", path.suffix[1:], "-O", "raw", path, self.folder / "plain")
            found.append(hashlib.sha256((self.folder / "plain").read_bytes()).hexdigest())
        return found

    def take(self, *, freeze: bool = False, uuid: str = SHOT) -> Work:
        want = {"uuid": uuid, "freeze": freeze, "instance": {"address": ADDRESS, "uuid": WEB}, "pool": {}}
        work = Work("c1")
        snapshot.ensure({"want": want, "uuid": uuid}, work)
        return work

    def step(self, asked: int = 1, *, uuid: str = SHOT, action: str = "rebuild", **more: Any) -> Any:
        origin = {"snapshot": {"address": "acme/snapshots/s", "uuid": uuid, "asked": asked}}
        want = {**self.want, "origin": origin, **more}
        return {"action": action, "address": ADDRESS, "uuid": WEB, "digest": f"back {asked}", "want": want}

    def go_back(self, step: Any) -> None:
        instance_snapshots.go_back(step, Work("c1"))
        self.enter(step["want"], step["digest"])

    def remove(self, uuid: str = SHOT) -> None:
        want = {"uuid": uuid, "instance": {"address": ADDRESS, "uuid": WEB}}
        snapshot.remove({"have": want, "uuid": uuid}, Work("c1"))

    def left(self) -> list[str]:
        names = [path.name for path in self.folder.iterdir() if path.is_file()]
        return sorted(set(names) - {"image.qcow2", self.root.name, self.data.name, "plain"})


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PetHost:
    monkeypatch.setattr(ledger, "LEDGER", str(tmp_path / "ledger"))
    monkeypatch.setattr(paths, "INSTANCES", str(tmp_path / "instances"))
    monkeypatch.setattr(paths, "SNAPSHOTS", str(tmp_path / "snapshots"))
    monkeypatch.setattr(hypervisors, "find", lambda *_words: None)
    (tmp_path / "pool").mkdir()
    return PetHost(tmp_path / "pool")


@pytest.fixture
def guest(host: PetHost, monkeypatch: pytest.MonkeyPatch) -> RunningGuest:
    found = RunningGuest({"vda": host.root, "vdb": host.data}, agent=False)
    monkeypatch.setattr(instance_snapshots, "copies", lambda one: one)
    monkeypatch.setattr(hypervisors, "find", lambda *_words: found)
    return found


def test_an_instance_goes_back_with_all_its_disks(host: PetHost) -> None:
    before = host.content()
    assert host.take().changed
    assert not host.take().changed, "it is there"
    host.write(2)
    assert host.content() != before
    host.go_back(host.step())
    assert host.content() == before
    host.write(3)
    host.go_back(host.step())
    assert host.content() != before, "who repeats a step loses nothing"
    host.go_back(host.step(2))
    assert host.content() == before


def test_a_snapshot_needs_neither_the_image_nor_what_the_root_disk_was(host: PetHost) -> None:
    before = host.content()
    host.take()
    (host.folder / "image.qcow2").unlink()
    host.root.unlink()
    host.go_back(host.step())
    assert host.content() == before


def test_a_guest_that_runs_is_copied_by_its_hypervisor_and_what_froze_is_said(
    host: PetHost, guest: RunningGuest
) -> None:
    before = host.content()
    assert "no agent froze its file systems: they are as after a power cut" in host.take().done
    guest.agent = True
    assert not [one for one in host.take(uuid="s-2").done if "power cut" in one]
    host.write(2)
    guest.on = False
    host.go_back(host.step())
    assert host.content() == before


def test_a_run_that_was_killed_leaves_no_snapshot_and_the_next_takes_it(host: PetHost, guest: RunningGuest) -> None:
    guest.dies = True
    with pytest.raises(KeyboardInterrupt):
        host.take()
    assert not instance_snapshots.is_whole(SHOT)
    half = str(host.folder / f"{SHOT}.root.snapshot.qcow2.new")
    assert Path(half).exists()
    with pytest.raises(Failed, match="STEAD-E167"):
        host.go_back(host.step())
    guest.dies = False
    host.take()
    assert half in guest.abandoned, "a job of the killed run is ended first"
    assert instance_snapshots.is_whole(SHOT)
    host.remove()
    assert host.left() == []


def test_what_a_killed_run_has_left_goes_with_the_snapshot(host: PetHost, guest: RunningGuest) -> None:
    guest.dies = True
    with pytest.raises(KeyboardInterrupt):
        host.take()
    host.remove()
    assert host.left() == []


def test_a_full_pool_gets_no_snapshot(host: PetHost, monkeypatch: pytest.MonkeyPatch) -> None:
    full = SimpleNamespace(f_blocks=1, f_frsize=1, f_bavail=1)
    monkeypatch.setattr(os, "statvfs", lambda _path: full)
    with pytest.raises(Failed, match="STEAD-E166: Pool default has 0 MiB free"):
        host.take()
    assert host.left() == []


def test_nobody_goes_back_where_there_is_no_room_for_it(host: PetHost, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other guests write to the pool, and would stand still."""
    host.take()
    host.write(2)
    before, full = host.content(), SimpleNamespace(f_blocks=1, f_frsize=1, f_bavail=1)
    with monkeypatch.context() as patch:
        patch.setattr(os, "statvfs", lambda _path: full)
        with pytest.raises(Failed, match="STEAD-E166: Pool default has 0 MiB free"):
            host.go_back(host.step())
    assert (host.content(), instance_snapshots.is_unfinished(WEB)) == (before, False)


def test_a_disk_that_cannot_be_filled_leaves_no_part_of_it(host: PetHost) -> None:
    disk = file_disks.File(str(host.folder / "disk.qcow2"), "qcow2")
    (host.folder / "disk.qcow2.new").write_text("half")
    with pytest.raises(Failed):
        disk.fill(Content(str(host.folder / "no-such.raw"), "raw"), MIB, Work("c1"))
    assert host.left() == []


def test_a_disk_that_fails_leaves_nothing_half(host: PetHost, guest: RunningGuest) -> None:
    guest.places = {"vda": host.root}
    with pytest.raises(Failed, match=r"STEAD-E165: The guest has not attached .*raw"):
        host.take()
    assert host.left() == []


@pytest.mark.parametrize("killed_at", [1, 2])
def test_a_killed_return_is_ended_by_whoever_comes_next(
    host: PetHost, killed_at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = host.content()
    host.take()
    host.write(2)
    real, count = file_disks.File.fill, [0]

    def fill(disk: Any, *words: Any) -> None:
        count[0] += 1
        if count[0] == killed_at:
            raise KeyboardInterrupt
        real(disk, *words)

    with monkeypatch.context() as patch:
        patch.setattr(file_disks.File, "fill", fill)
        with pytest.raises(KeyboardInterrupt):
            host.go_back(host.step())
    assert instance_snapshots.is_unfinished(WEB)
    with pytest.raises(Failed, match="STEAD-E169"):
        instance_snapshots.refuse_unfinished(WEB)
    with pytest.raises(Failed, match="STEAD-E169"):
        host.take(uuid="s-2")
    start: Any = {**host.step(), "action": "update", "want": host.want}
    host.go_back(start)
    assert host.content() == before
    assert not instance_snapshots.is_unfinished(WEB)


def test_a_snapshot_that_goes_is_gone_back_to_first(
    host: PetHost, guest: RunningGuest, monkeypatch: pytest.MonkeyPatch
) -> None:
    guest.on = False
    before = host.content()
    host.take()
    host.write(2)
    with monkeypatch.context() as patch:
        patch.setattr(instance_snapshots, "_fill", lambda *_words: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            host.go_back(host.step())
    guest.on = True
    with pytest.raises(Failed, match="STEAD-E168"):
        host.remove()
    guest.on = False
    host.remove()
    assert (host.content(), host.left()) == (before, [])
    assert not instance_snapshots.is_unfinished(WEB)


def test_nobody_goes_back_to_a_snapshot_of_another(host: PetHost) -> None:
    host.take()
    other: Any = {**host.step(), "address": "evil/instances/x", "uuid": "33333333-0000-4000-8000-000000000003"}
    before = host.content()
    with pytest.raises(Failed, match="STEAD-E167: The snapshot is of acme/instances/web"):
        instance_snapshots.go_back(other, Work("c1"))
    with pytest.raises(Failed, match="STEAD-E004"):
        instance_snapshots.go_back(host.step(uuid="../../etc/passwd"), Work("c1"))
    assert host.content() == before
    assert not instance_snapshots.is_unfinished(WEB)


def test_a_disk_that_was_larger_is_not_cut(host: PetHost) -> None:
    host.take()
    smaller = {**host.want["root"], "size": 4 * MIB}
    with pytest.raises(Failed, match="STEAD-E167: Disk root had 8388608 bytes"):
        instance_snapshots.go_back(host.step(root=smaller), Work("c1"))


def test_a_volume_that_was_detached_stays_as_it_is(host: PetHost) -> None:
    host.take()
    host.write(2)
    data = host.content()[1]
    host.go_back(host.step(volumes={}))
    assert host.content()[1] == data
