"""Where disks lie and how they are reached: files for real, servers and logical volumes by the commands for them."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.stead.cloud.plugins.module_utils.host.base import commands as running
from ansible_collections.stead.cloud.plugins.module_utils.host.base.errors import Failed
from ansible_collections.stead.cloud.plugins.module_utils.host.base.work import Work
from ansible_collections.stead.cloud.plugins.module_utils.host.hypervisor.domains import disk_source
from ansible_collections.stead.cloud.plugins.module_utils.host.images import image_files
from ansible_collections.stead.cloud.plugins.module_utils.host.kinds import volume
from ansible_collections.stead.cloud.plugins.module_utils.host.storage import (
    asked_pool,
    declared,
    disk_files,
    drivers,
    file_disks,
    instance_disks,
    iscsi_sessions,
    iscsi_targets,
    nfs_mounts,
)
from ansible_collections.stead.cloud.plugins.module_utils.host.storage import (
    clients as network,
)
from ansible_collections.stead.cloud.plugins.module_utils.host.storage.driver import Content, DiskSource, Serving
from ansible_collections.stead.cloud.plugins.module_utils.wire import volume as wire_volume

UUID = "11111111-0000-4000-8000-000000000001"
NFS = {"name": "share", "type": "nfs", "path": "/export/stead", "host": "nas", "server": "192.0.2.9"}
ISCSI = {"name": "san", "type": "iscsi", "path": "/export/san", "host": "nas", "server": "192.0.2.9"}
MIB = 1 << 20
SHOWN = f"""Target 1: iqn.2026-01.cloud.stead:{UUID}
    System information:
        Driver: iscsi
        State: ready
    I_T nexus information:
        I_T nexus: 2
            Initiator: iqn.2008-11.org.linux-kvm:acme.db alias: none
            Connection: 0
                IP Address: 10.201.0.11
    LUN information:
        LUN: 0
            Type: controller
            Size: 0 MB, Block size: 1
            Backing store path: None
        LUN: 1
            Type: disk
            Size: 67 MB, Block size: 512
            Backing store path: /export/san/{UUID}.raw
    Account information:
    ACL information:
        10.201.0.11
        10.201.0.12
Target 7: iqn.2003-01.com.example:somebody
    LUN information:
        LUN: 0
            Backing store path: None
    Account information:
        admin
    ACL information:
        ALL
"""


class Told:
    """Programs that were called, and what they answer."""

    def __init__(self, answers: Callable[[list[str]], str]) -> None:
        self.calls: list[list[str]] = []
        self._answers = answers

    def run(self, argv: list[Any], feed: str | None = None, timeout: int = 0) -> str:
        del feed, timeout
        self.calls.append([str(word) for word in argv])
        return self._answers(self.calls[-1])

    def attempt(self, argv: list[Any], feed: str | None = None, timeout: int = 0) -> tuple[int, str, str]:
        return 0, self.run(argv, feed, timeout), ""


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[list[str]], str]], Told]:
    def tell(answers: Callable[[list[str]], str]) -> Told:
        found = Told(answers)
        monkeypatch.setattr(running, "run", found.run)
        monkeypatch.setattr(running, "attempt", found.attempt)
        return found

    return tell


def test_every_pool_of_files_has_a_directory_on_its_host() -> None:
    value = {"a": "1TiB", "b": {"type": "nfs", "size": "1TiB"}, "c": {"type": "iscsi", "size": "1TiB"},
             "d": {"type": "lvm", "size": "1TiB", "path": "vg0"}}  # fmt: skip
    work = Work("here", check=True)
    declared.prepare(value, work)
    assert [Path(one).name for one in work.done] == ["a", "b", "c"]


@pytest.mark.parametrize("kind", ["nfs", "iscsi", "lvm"])
def test_a_volume_that_others_reach_is_raw(kind: str) -> None:
    with pytest.raises(Failed, match="format: raw"):
        drivers.disk({"name": "p", "type": kind, "path": "vg0"}, UUID, "qcow2")


def test_a_root_disk_in_a_served_pool_says_what_to_do_instead() -> None:
    with pytest.raises(Failed, match="boot_volume"):
        drivers.root_disk({"uuid": UUID, "root": {"pool": NFS}})


@pytest.mark.skipif(shutil.which("qemu-img") is None, reason="makes files by qemu-img")
def test_a_file_is_made_grown_copied_and_removed(tmp_path: Path) -> None:
    pool = {"name": "default", "type": "dir", "path": str(tmp_path)}
    work = Work("here")
    first, copy = drivers.disk(pool, "a", "raw"), drivers.disk(pool, "b", "raw")
    first.blank(MIB, work)
    Path(first.path).write_bytes(b"x" * MIB)
    first.clone(copy, work)
    first.grow(2 * MIB, work)
    assert (first.size(), copy.size()) == (2 * MIB, MIB)
    assert Path(copy.path).read_bytes() == b"x" * MIB
    packed = drivers.disk(pool, "c", "qcow2")
    packed.fill(Content(copy.path, "raw"), 3 * MIB, work)
    assert packed.size() == 3 * MIB
    for one in (first, copy, packed):
        assert Path(one.path).stat().st_mode & 0o777 == 0o600
        one.remove(work)
    assert list(tmp_path.iterdir()) == []


def test_a_copy_during_which_something_is_written_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file changes under each copy, so none of them is of one moment, and nothing is left behind."""
    pool = {"name": "default", "type": "dir", "path": str(tmp_path)}
    source, copy = drivers.disk(pool, "a", "raw"), drivers.disk(pool, "b", "raw")
    Path(source.path).write_bytes(b"x" * 4096)

    def written_meanwhile(argv: list[str], **_more: Any) -> str:
        Path(argv[-1]).write_bytes(Path(source.path).read_bytes())
        Path(source.path).write_bytes(b"y" * 4096)
        return ""

    monkeypatch.setattr(file_disks, "_share", lambda _path, _new: False)
    monkeypatch.setattr(running, "run", written_meanwhile)
    with pytest.raises(Failed, match=r"STEAD-E110.*no copy is of one moment"):
        source.clone(copy, Work("here"))
    assert [one.name for one in tmp_path.iterdir()] == ["a.raw"]


def test_check_mode_makes_nothing(tmp_path: Path) -> None:
    pool = {"name": "default", "type": "dir", "path": str(tmp_path)}
    work = Work("here", check=True)
    drivers.disk(pool, "a", "raw").blank(MIB, work)
    assert work.changed
    assert list(tmp_path.iterdir()) == []


def test_what_tgtadm_shows_is_understood() -> None:
    found = iscsi_targets.parse(SHOWN)
    assert found[iscsi_targets.name_of(UUID)] == {
        "number": 1,
        "path": f"/export/san/{UUID}.raw",
        "megabytes": 67,
        "accounts": [],
        "clients": ["10.201.0.11", "10.201.0.12"],
    }
    assert found["iqn.2003-01.com.example:somebody"]["clients"] == ["ALL"]


@pytest.fixture
def clients(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "storage.json"
    path.write_text('{"clients": ["10.201.0.11", "10.201.0.12"]}')
    monkeypatch.setattr(iscsi_targets, "TOLD", str(path))


@pytest.mark.usefixtures("clients")
def test_a_target_that_is_as_it_should_be_is_left_alone(told: Callable[..., Told]) -> None:
    told(lambda _argv: SHOWN)
    work = Work("nas")
    iscsi_targets.ensure(UUID, f"/export/san/{UUID}.raw", 64 * MIB, work)
    assert work.done == []


@pytest.mark.usefixtures("clients")
def test_a_new_target_lets_in_the_hosts_of_the_inventory_and_nobody_else(told: Callable[..., Told]) -> None:
    found = told(lambda argv: SHOWN if "show" in argv else "")
    iscsi_targets.ensure(UUID.replace("1", "2"), "/export/san/other.raw", 64 * MIB, Work("nas"))
    bound = [argv[-1] for argv in found.calls if "bind" in argv]
    assert bound == ["10.201.0.11", "10.201.0.12"]
    numbers = {argv[argv.index("--tid") + 1] for argv in found.calls if "--tid" in argv}
    assert numbers == {"8"}  # 7 is somebody else's


@pytest.mark.usefixtures("clients")
def test_a_host_that_left_the_inventory_is_let_in_no_more(told: Callable[..., Told]) -> None:
    found = told(lambda argv: SHOWN.replace("10.201.0.12", "10.201.0.99") if "show" in argv else "")
    iscsi_targets.ensure(UUID, f"/export/san/{UUID}.raw", 64 * MIB, Work("nas"))
    assert [argv[-1] for argv in found.calls if "unbind" in argv] == ["10.201.0.99"]
    assert [argv[-1] for argv in found.calls if "bind" in argv] == ["10.201.0.12"]


def test_a_target_in_use_is_not_removed(told: Callable[..., Told]) -> None:
    told(lambda argv: "Session: 2\n    Connection: 0\n        IP Address: 10.201.0.11\n" if "conn" in argv else SHOWN)
    with pytest.raises(Failed, match=r"STEAD-E131.*10\.201\.0\.11 has it open"):
        iscsi_targets.remove(UUID, Work("nas"))


@pytest.mark.parametrize(
    ("pool", "kind", "address"),
    [
        (NFS, "network", f"nfs://192.0.2.9/export/stead/{UUID}.raw"),
        (ISCSI, "network", f"iscsi://192.0.2.9/iqn.2026-01.cloud.stead:{UUID}/1"),
        ({"name": "d", "type": "dir", "path": "/d"}, "file", f"/d/{UUID}.raw"),
        ({"name": "l", "type": "lvm", "path": "vg0"}, "block", f"/dev/vg0/stead-{UUID}"),
        ({"name": "n", "type": "nfs", "path": "/n"}, "file", f"/n/{UUID}.raw"),  # of a pool that is not shared
    ],
)
def test_qemu_reaches_a_volume_by_its_own_clients(
    pool: dict[str, str], kind: str, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(network, "by_qemu", lambda _kind: True)
    found = drivers.source(pool, UUID, "raw")
    assert disk_source.disk(found).get("type") == kind
    assert found.path == address


def test_a_qemu_without_clients_has_the_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "by_qemu", lambda _kind: False)
    device = f"/dev/disk/by-path/ip-192.0.2.9:3260-iscsi-iqn.2026-01.cloud.stead:{UUID}-lun-1"
    assert drivers.source(ISCSI, UUID, "raw") == DiskSource(device, device=True)
    mounted = drivers.source(NFS, UUID, "raw")
    assert mounted.path == f"/var/lib/stead/mounts/share/{UUID}.raw"
    label = disk_source.disk(mounted).find("source/seclabel")
    assert label is not None
    assert label.get("relabel") == "no"


def test_the_kernels_clients_are_told_of_a_pool_and_a_target(
    told: Callable[..., Told], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = told(lambda argv: "var-mount.mount\n" if argv[0] == "systemd-escape" else "")
    monkeypatch.setattr(network, "by_qemu", lambda _kind: False)
    monkeypatch.setattr(nfs_mounts, "MOUNTS", str(tmp_path / "mounts"))
    monkeypatch.setattr(nfs_mounts, "UNITS", str(tmp_path))
    work = Work("compute-1")
    drivers.reach([{"pool": NFS, "uuid": UUID}], work)
    assert "What=192.0.2.9:/export/stead\n" in (tmp_path / "var-mount.mount").read_text()
    drivers.reach([{"pool": ISCSI, "uuid": UUID}], work)
    portal = ["--targetname", iscsi_targets.name_of(UUID), "--portal", "192.0.2.9:3260"]
    assert ["iscsiadm", "--mode", "node", *portal, "--login"] in found.calls


@pytest.fixture
def logical(told: Callable[..., Told], monkeypatch: pytest.MonkeyPatch) -> Told:
    """A volume group in which one volume is, and everything else is not."""

    def answer(argv: list[str]) -> str:
        return {"vg_extent_size": str(4 * MIB), "lv_size": str(8 * MIB), "lv_tags": "stead"}.get(
            argv[argv.index("--options") + 1] if "--options" in argv else "", ""
        )

    monkeypatch.setattr("os.path.exists", lambda path: path.endswith(UUID))
    return told(answer)


THICK = {"name": "fast", "type": "lvm", "path": "vg0"}
THIN = {"name": "fast", "type": "lvm-thin", "path": "vg0/pool"}


def commands(found: Told) -> list[str]:
    return [
        subprocess.list2cmdline([word for word in argv if word not in ("--quiet", "--yes")]) for argv in found.calls
    ]


def test_a_thick_volume_shows_nothing_of_those_before_it(logical: Told) -> None:
    drivers.disk(THICK, "new", "raw").blank(8 * MIB, Work("here"))
    assert commands(logical) == [
        "lvcreate --addtag stead --name stead-new.new --wipesignatures y --size 8388608b -- vg0",
        "blkdiscard --zeroout /dev/vg0/stead-new.new",
        "lvrename vg0 stead-new.new stead-new",
    ]


def test_a_root_disk_in_a_volume_group_is_emptied_and_filled_from_its_image(
    logical: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is beyond the image was another's before."""
    monkeypatch.setattr(image_files, "standing", lambda _image, _work: ("/images/a.qcow2", MIB))
    root = {"pool": THICK, "size": 8 * MIB, "format": "raw", "swap": 4 * MIB}
    want = {"uuid": "new", "root": root, "image": {"address": "images/a"}}
    monkeypatch.setattr(instance_disks, "_seed", lambda _want, _work: None)
    monkeypatch.setattr("os.path.isdir", lambda _path: True)
    instance_disks.ensure(want, Work("here"))
    assert commands(logical) == [
        "lvcreate --addtag stead --name stead-new.root.new --wipesignatures y --size 8388608b -- vg0",
        "blkdiscard --zeroout /dev/vg0/stead-new.root.new",
        "qemu-img convert -q -f qcow2 -n --target-is-zero -O raw /images/a.qcow2 /dev/vg0/stead-new.root.new",
        "lvrename vg0 stead-new.root.new stead-new.root",
        "lvcreate --addtag stead --name stead-new.swap.new --wipesignatures y --size 4194304b -- vg0",
        "blkdiscard --zeroout /dev/vg0/stead-new.swap.new",
        "lvrename vg0 stead-new.swap.new stead-new.swap",
        "mkswap /dev/vg0/stead-new.swap",
    ]
    assert drivers.own_source(want, "root") == DiskSource("/dev/vg0/stead-new.root", device=True)


def test_a_thin_volume_is_made_filled_copied_and_removed(logical: Told) -> None:
    work, thin = Work("here"), drivers.disk(THIN, UUID, "raw")
    drivers.disk(THIN, "new", "raw").fill(Content("/image.qcow2", "qcow2"), 8 * MIB, work)
    thin.clone(drivers.snapshot(THIN, "s"), work)
    thin.grow(12 * MIB, work)
    thin.remove(work)
    assert commands(logical) == [
        "lvcreate --addtag stead --name stead-new.new --virtualsize 8388608b --thinpool pool -- vg0",
        "qemu-img convert -q -f qcow2 -n --target-is-zero -O raw /image.qcow2 /dev/vg0/stead-new.new",
        "lvrename vg0 stead-new.new stead-new",
        f"lvcreate --addtag stead --setactivationskip n --snapshot --name stead-s.snapshot vg0/stead-{UUID}",
        f"lvextend --size 12582912b -- vg0/stead-{UUID}",
        f"lvs --noheadings --options lv_tags -- vg0/stead-{UUID}",
        f"lvremove -- vg0/stead-{UUID}",
    ]


def test_a_size_is_rounded_to_extents(logical: Told) -> None:
    assert drivers.disk(THICK, UUID, "raw").rounded(5 * MIB) == 8 * MIB
    assert logical.calls


def test_a_logical_volume_of_somebody_else_is_not_touched(told: Callable[..., Told], logical: Told) -> None:
    del logical
    told(lambda argv: "backup" if "lv_tags" in argv else "")
    with pytest.raises(Failed, match=r"STEAD-E142.*has no tag stead"):
        drivers.disk(THICK, UUID, "raw").remove(Work("here"))


@pytest.mark.parametrize(("kind", "path"), [("lvm", ""), ("lvm", "vg0/pool"), ("lvm-thin", "vg0")])
def test_a_pool_of_logical_volumes_names_its_group(kind: str, path: str) -> None:
    with pytest.raises(Failed, match=r"STEAD-E140.*its path is VOLUME-GROUP"):
        drivers.disk({"name": "p", "type": kind, "path": path}, UUID, "raw")


def test_a_target_that_went_is_seen_and_mended_without_touching_the_volume(
    tmp_path: Path, told: Callable[..., Told], clients: None
) -> None:
    del clients
    pool = {**ISCSI, "path": str(tmp_path)}
    want = {"pool": pool, "uuid": UUID, "format": "raw", "size": MIB, "name": "acme/volumes/data"}
    (tmp_path / f"{UUID}.raw").write_bytes(b"x" * MIB)
    there: dict[str, Any] = {}
    look: Any = SimpleNamespace(now=SimpleNamespace(ask=lambda _name, _read: there))
    differs = volume.seen({"want": want}, look)
    assert differs is not None
    assert [path for path, _have, _want in wire_volume.compare(want, {**want, **differs})] == ["pool.server"]
    there[iscsi_targets.name_of(UUID)] = {}
    assert volume.seen({"want": want}, look) == {}
    found = told(lambda _argv: "")
    volume.ensure({"want": want}, Work("nas"))
    assert [argv[argv.index("--op") + 1] for argv in found.calls if "new" in argv] == ["new", "new"]
    assert (tmp_path / f"{UUID}.raw").read_bytes() == b"x" * MIB


def test_a_volume_larger_than_wanted_is_left_as_it_is(tmp_path: Path) -> None:
    pool = {"name": "default", "type": "dir", "path": str(tmp_path)}
    want = {"pool": pool, "uuid": UUID, "format": "raw", "size": MIB, "name": "acme/volumes/data"}
    (tmp_path / f"{UUID}.raw").write_bytes(b"x" * 2 * MIB)
    with pytest.raises(Failed, match="write that size in the spec"):
        volume.ensure({"want": want}, Work("here"))
    assert (tmp_path / f"{UUID}.raw").stat().st_size == 2 * MIB


@pytest.mark.skipif(shutil.which("qemu-img") is None, reason="compares files by qemu-img")
def test_a_copy_of_what_another_host_writes_to_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was read is read again: the same twice was not written to in between."""
    pool = {"name": "default", "type": "dir", "path": str(tmp_path)}
    source, copy = tmp_path / "elsewhere", drivers.disk(pool, "copy", "qcow2")
    source.write_bytes(b"x" * MIB)
    copy.fill(Content(str(source), "raw"), 2 * MIB, Work("here"), steady=True)
    assert copy.size() == 2 * MIB
    copy.remove(Work("here"))
    run = running.run

    def written_meanwhile(argv: list[str], **more: Any) -> Any:
        told = run(argv, **more)
        source.write_bytes(b"y" * MIB)
        return told

    monkeypatch.setattr(running, "run", written_meanwhile)
    with pytest.raises(Failed, match=r"STEAD-E104.*written to while it was copied"):
        copy.fill(Content(str(source), "raw"), 2 * MIB, Work("here"), steady=True)
    assert not copy.exists()


def test_a_server_that_has_just_been_started_is_given_time_to_listen(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        port = server.getsockname()[1]
        looks: list[object] = []

        def listens_at_the_third(_seconds: float) -> None:
            looks.append(None)
            if len(looks) == 2:
                server.listen()

        monkeypatch.setattr(network, "PATIENCE", 60)
        monkeypatch.setattr("time.sleep", listens_at_the_third)
        assert network.silent("127.0.0.1", port) == ""
        assert len(looks) == 2
    monkeypatch.setattr(network, "PATIENCE", 0.1)
    assert network.silent("127.0.0.1", port) == "Connection refused"


def _refused(code: str, call: Callable[[], object]) -> None:
    with pytest.raises(Failed, match=code):
        call()


def serving(pool: dict[str, str]) -> Serving:
    found = drivers.serving(pool)
    assert found is not None
    return found


def test_what_serves_a_pool_is_asked_for_with_a_code_for_each_trouble(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(network, "silent", lambda _server, _port: "Connection refused")
    for pool, code in ((NFS, "STEAD-E120"), (ISCSI, "STEAD-E130")):
        _refused(code, lambda pool=pool: serving(pool).require(pool))  # type: ignore[misc]
    monkeypatch.setattr(network, "silent", lambda _server, _port: "")
    _refused("STEAD-E121", lambda: serving(NFS).require(NFS))
    monkeypatch.setattr(network, "by_qemu", lambda _kind: False)
    spaced = {**NFS, "path": "/export/two words"}
    _refused("STEAD-E122", lambda: drivers.reach([{"pool": spaced, "uuid": UUID}], Work("c1")))
    monkeypatch.setattr(iscsi_targets, "TOLD", str(tmp_path / "missing.json"))
    _refused("STEAD-E133", iscsi_targets.clients)


def test_what_the_iscsi_client_refuses_is_told(told: Callable[..., Told], monkeypatch: pytest.MonkeyPatch) -> None:
    told(lambda _argv: "")
    monkeypatch.setattr(running, "attempt", lambda _argv: (8, "", "timed out"))
    _refused("STEAD-E132.*timed out", lambda: iscsi_sessions.log_in(ISCSI, UUID, Work("c1")))


def test_a_pool_with_files_of_others_is_not_removed(tmp_path: Path) -> None:
    pool = {"name": "default", "type": "dir", "path": str(tmp_path)}
    (tmp_path / "letters").write_text("")
    discard = drivers.driver(pool).discard
    assert discard is not None
    _refused("STEAD-E111", lambda: discard(pool, Work("here")))


def test_a_volume_group_that_is_not_here_is_no_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "attempt", lambda _argv: (5, "", ""))
    for pool in (THICK, THIN):
        _refused("STEAD-E141", lambda pool=pool: drivers.driver(pool).require(pool))  # type: ignore[misc]


def test_a_root_disk_that_cannot_hold_its_image_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_files, "standing", lambda _image, _work: ("/images/a.qcow2", 2 * MIB))
    root = {"pool": {"name": "default", "path": "/nowhere"}, "size": MIB, "format": "qcow2"}
    want = {"uuid": "new", "root": root, "image": {"address": "images/a"}}
    _refused("STEAD-E106", lambda: instance_disks.ensure(want, Work("here", check=True)))


def test_a_task_of_a_playbook_names_a_pool_by_a_whole_path() -> None:
    given = {"pool": "fast", "type": "dir", "path": "srv/fast", "server": None}
    _refused("STEAD-E105", lambda: asked_pool.pool(given))


@pytest.mark.skipif(shutil.which("qemu-img") is None, reason="converts by qemu-img")
def test_an_image_that_is_another_format_is_refused_and_one_that_is_none_not_converted(tmp_path: Path) -> None:
    path = tmp_path / "image"
    path.write_bytes(b"no disk at all")
    _refused("STEAD-E102", lambda: disk_files.examine(str(path), "qcow2"))
    _refused("STEAD-E103", lambda: disk_files.convert(str(path), "qcow2", str(tmp_path / "made")))
