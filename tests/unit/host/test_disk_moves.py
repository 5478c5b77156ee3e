"""Disks that move between hosts: by the programs that do it on hosts, from and to files of this machine."""

from __future__ import annotations

import grp
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatchcase
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.stead.cloud.plugins.module_utils.host.base import ledger, nbd, paths, units
from ansible_collections.stead.cloud.plugins.module_utils.host.base.errors import Failed
from ansible_collections.stead.cloud.plugins.module_utils.host.base.work import Work
from ansible_collections.stead.cloud.plugins.module_utils.host.hypervisor import drivers
from ansible_collections.stead.cloud.plugins.module_utils.host.kinds import instance, volume
from ansible_collections.stead.cloud.plugins.module_utils.host.observe import facts
from ansible_collections.stead.cloud.plugins.module_utils.host.observe.looking import Look
from ansible_collections.stead.cloud.plugins.module_utils.host.prepare import certificates
from ansible_collections.stead.cloud.plugins.module_utils.host.storage import disk_digest, disk_moves, instance_disks
from ansible_collections.stead.cloud.plugins.module_utils.host.storage.driver import Content
from ansible_collections.stead.cloud.plugins.module_utils.host.storage.file_disks import File

pytestmark = pytest.mark.skipif(not shutil.which("qemu-nbd"), reason="needs qemu-utils")

UUID = "11111111-0000-4000-8000-000000000001"
MIB = 1 << 20


def run(*words: object) -> None:
    subprocess.run([str(word) for word in words], check=True, capture_output=True)


def with_digests(one: Any, digests: dict[str, str]) -> Any:
    return dict(one, digests=digests)


def disk(path: Path, form: str, size: int = 16 * MIB) -> File:
    run("qemu-img", "create", "-f", form, path, size)
    return File(str(path), form)


def write(one: File, *what: str) -> None:
    run("qemu-io", "-f", one.format, *(word for words in what for word in ("-c", words)), one.path)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture
def step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Of a move within this machine, whose units are processes of the test's own."""
    running: dict[str, subprocess.Popen[bytes]] = {}

    def start(unit: str, _said: str, words: list[str], _work: Work, _settings: Any = None) -> None:
        running[unit] = subprocess.Popen(words)

    def stop(unit: str, _work: Work) -> None:
        if unit in running:
            running[unit].kill()
            running.pop(unit).wait()

    monkeypatch.setattr(ledger, "LEDGER", str(tmp_path / "ledger"))

    def listed(which: str) -> list[str]:
        return [unit for unit in running if fnmatchcase(unit, f"stead-move-{which}")]

    monkeypatch.setattr(disk_moves, "_units", listed)
    monkeypatch.setattr(units, "start", start)
    monkeypatch.setattr(units, "stop", stop)
    monkeypatch.setattr(disk_moves, "SERVES_WITHIN", 3)
    way = {"address": "127.0.0.1", "port": free_port(), "to": "c2", "encrypted": False}
    yield {"uuid": UUID, "kind": "instances", "address": "acme/instances/web", "digest": "d", "want": {}, "way": way}
    for unit in list(running):
        stop(unit, Work(""))


def test_a_digest_is_of_what_a_guest_reads_and_not_of_how_it_is_kept(tmp_path: Path) -> None:
    packed = disk(tmp_path / "a.qcow2", "qcow2")
    write(packed, "write -P 7 1M 5M", "write -P 0 9M 1M", "write -z 2M 64k", "write -P 9 15M 3k")
    plain = File(str(tmp_path / "b.raw"), "raw")
    run("qemu-img", "convert", "-f", "qcow2", "-O", "raw", packed.path, plain.path)
    first = disk_digest.of(Content(packed.path, "qcow2"))
    assert disk_digest.of(Content(plain.path, "raw")) == first
    run("qemu-img", "resize", "-f", "raw", plain.path, 21 * MIB + 512)
    assert disk_digest.of(Content(plain.path, "raw")) == first, "what it grew by is empty"
    write(plain, "write -P 1 20M 512")
    assert disk_digest.of(Content(plain.path, "raw")) != first


def test_one_bit_is_another_digest(tmp_path: Path) -> None:
    plain = disk(tmp_path / "a", "raw")
    write(plain, "write -P 6 3M 1M")
    before = disk_digest.of(Content(plain.path, "raw"))
    write(plain, f"write -P 7 {3 * MIB + 7777} 1")
    assert disk_digest.of(Content(plain.path, "raw")) != before


def test_what_no_program_can_read_has_no_digest(tmp_path: Path) -> None:
    (tmp_path / "a.qcow2").write_bytes(b"QFI\xfb" + bytes(600))
    with pytest.raises(Failed, match=r"STEAD-E00|STEAD-E113"):
        disk_digest.of(Content(str(tmp_path / "a.qcow2"), "qcow2"))


def test_a_server_that_ends_is_told(tmp_path: Path) -> None:
    plain = disk(tmp_path / "a", "raw")
    (tmp_path / "a").unlink()
    with pytest.raises(Failed, match=r"STEAD-E113: qemu-nbd says: "):
        disk_digest.of(Content(plain.path, "raw"))


def test_a_server_that_is_killed_is_told(tmp_path: Path) -> None:
    plain, way = disk(tmp_path / "a", "raw"), str(tmp_path / "socket")

    def read() -> None:
        with nbd.served(["--format=raw", plain.path], way) as reader:
            run("pkill", "-KILL", "-f", f"qemu-nbd.*{way}")
            reader.read(0, MIB)

    with pytest.raises(Failed, match=r"STEAD-E113: qemu-nbd ended while it was read"):
        read()


def test_disks_come_as_they_were_in_the_size_that_is_wanted(step: Any, tmp_path: Path) -> None:
    source = {"root": (disk(tmp_path / "root.qcow2", "qcow2"), 0), "swap": (disk(tmp_path / "swap", "raw"), 0)}
    write(source["root"][0], "write -P 7 1M 5M", "write -P 3 15M 1M")
    write(source["swap"][0], "write -P 8 0 4k")
    there, here = Work("c1"), Work("c2")
    disk_moves.serve(source, step, there)
    root = File(str(tmp_path / "there" / "root.qcow2"), "qcow2")
    taken = {"root": (root, 32 * MIB), "swap": (File(str(tmp_path / "there" / "swap"), "raw"), 16 * MIB)}
    disk_moves.take(taken, step, here)
    assert set(here.told) == {"root", "swap"}
    assert here.told == there.told
    assert root.size() == 32 * MIB
    disk_moves.stop(UUID, there)


def test_nobody_writes_to_a_disk_while_it_is_served(step: Any, tmp_path: Path) -> None:
    """QEMU takes the same lock, so a guest that somebody starts by hand does not start."""
    source = disk(tmp_path / "root.qcow2", "qcow2")
    disk_moves.serve({"root": (source, 0)}, step, Work("c1"))
    with pytest.raises(subprocess.CalledProcessError) as refused:
        write(source, "write 0 4k")
    assert b'Failed to get "write" lock' in refused.value.stderr
    disk_moves.stop(UUID, Work("c1"))
    write(source, "write 0 4k")


def test_of_what_does_not_come_nothing_is_left(step: Any, tmp_path: Path) -> None:
    ledger.begin(ledger.made_by(step))
    half = File(str(tmp_path / "root.qcow2"), "qcow2")
    (tmp_path / "root.qcow2.new").write_bytes(b"half")
    with pytest.raises(Failed, match=r"STEAD-E112: 127.0.0.1 does not serve it on port"):
        disk_moves.take({"root": (half, MIB)}, step, Work("c2"))
    assert not (tmp_path / "root.qcow2.new").exists()
    assert ledger.wants("instances", UUID) == []


def test_what_came_otherwise_is_not_taken_for_what_moved(step: Any) -> None:
    begun: Any = dict(ledger.made_by(step), came_from="c1", digests={"root": "one"})
    ledger.begin(begun)
    assert not disk_moves.arrived(step)
    assert disk_moves.arrived(with_digests(step, {"root": "one"}))
    for digests in ({"root": "two"}, {}, {"root": "one", "swap": "two"}):
        with pytest.raises(Failed, match=r"STEAD-E114: The (root|swap) has the digest"):
            disk_moves.arrived(with_digests(step, digests))


def test_another_try_has_no_digests_of_the_one_before(step: Any) -> None:
    begun: Any = dict(ledger.made_by(step), came_from="c1")
    ledger.begin(with_digests(begun, {"root": "one"}))
    ledger.begin(with_digests(begun, {}))
    with pytest.raises(Failed, match=r"STEAD-E114"):
        disk_moves.arrived(with_digests(step, {"root": "one"}))


def test_a_move_that_did_not_end_is_ended_by_whoever_uses_the_disk(step: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    stopped: list[str] = []
    monkeypatch.setattr(disk_moves, "_units", lambda which: [f"stead-move-{which}"])
    monkeypatch.setattr(units, "stop", lambda unit, _work: stopped.append(unit))
    ledger.keep(ledger.made_by(step))
    disk_moves.end("instances", UUID, Work("c1"))
    assert stopped == []
    ledger.goes("instances", UUID, "c2")
    disk_moves.end("instances", UUID, Work("c1"))
    assert stopped == [f"stead-move-*-{UUID}-*"]


def test_a_guest_that_was_started_meanwhile_is_not_sent(step: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    class Guest:
        def is_on(self) -> bool:
            return True

    ledger.keep(ledger.made_by(step))
    monkeypatch.setattr(drivers, "find", lambda *_words: Guest())
    monkeypatch.setattr(instance_disks, "own", lambda _want: pytest.fail("its disks are in use"))
    with pytest.raises(Failed, match=r"STEAD-E308: The guest was started meanwhile"):
        instance.send(step, Work("c1"))


def test_a_volume_that_is_here_and_nobodys_is_not_touched(step: Any, tmp_path: Path) -> None:
    """Where hosts share a directory, it is the very volume that is to come."""
    want = {"uuid": UUID, "format": "raw", "size": MIB, "pool": {"name": "p", "type": "dir", "path": str(tmp_path)}}
    there = disk(tmp_path / f"{UUID}.raw", "raw", MIB)
    move = dict(step, kind="volumes", want=want, came_from="c1")
    with pytest.raises(Failed, match=r"STEAD-E158: .* is on this host already"):
        volume.receive(move, Work("c2"))  # type: ignore[arg-type]
    assert there.exists()
    assert ledger.wants("volumes", UUID) == []


def test_what_comes_back_takes_the_place_of_its_remnant(step: Any, tmp_path: Path) -> None:
    """It went, and this host was not cleared; what is here is older than what comes."""
    want = {"uuid": UUID, "format": "raw", "size": MIB, "pool": {"name": "p", "type": "dir", "path": str(tmp_path)}}
    move = dict(step, kind="volumes", want=want, came_from="c1", action="receive")
    ledger.keep(ledger.made_by(move))  # type: ignore[arg-type]
    ledger.goes("volumes", UUID, "c1")
    disk(tmp_path / f"{UUID}.raw", "raw", MIB)
    fresh = disk(tmp_path / "fresh", "raw", MIB)
    write(fresh, "write -P 5 0 4k")
    there, here = Work("c1"), Work("c2")
    disk_moves.serve({"volume": (fresh, MIB)}, step, there)
    volume.receive(move, here)  # type: ignore[arg-type]
    assert here.told == there.told
    assert ledger.read("volumes", UUID) is None, "until it is booked, the other host has it"
    volume.ensure(with_digests(move, dict(there.told)), here)
    with pytest.raises(Failed, match="STEAD-E114"):
        volume.ensure(with_digests(move, {"volume": "0"}), here)


class Pools:
    """Two of one host, with a volume in the first."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        ledger.keep(ledger.made_by(self.step("a")))
        (folder / "a").mkdir()
        write(disk(folder / "a" / f"{UUID}.raw", "raw", MIB), "write -P 5 0 4k")
        self.digest = disk_digest.of(Content(str(folder / "a" / f"{UUID}.raw"), "raw"))

    def step(self, pool: str, form: str = "raw") -> Any:
        where = {"name": pool, "type": "dir", "path": str(self.folder / pool)}
        want = {"uuid": UUID, "name": "acme/volumes/data", "format": form, "size": MIB, "pool": where}
        told = {"uuid": UUID, "kind": "volumes", "address": "acme/volumes/data", "digest": pool, "action": "migrate"}
        return {**told, "want": want}

    def move(self, pool: str, form: str = "raw") -> Work:
        """As a batch does it."""
        step, work = self.step(pool, form), Work("c1")
        ledger.begin(ledger.made_by(step))
        volume.ensure(step, work)
        ledger.keep(ledger.made_by(step))
        return work

    def files(self) -> list[str]:
        return sorted(
            str(one.relative_to(self.folder)) for one in self.folder.rglob(f"{UUID}*") if "ledger" not in str(one)
        )

    def whole(self, name: str, form: str = "raw") -> bool:
        return self.files() == [name] and disk_digest.of(Content(str(self.folder / name), form)) == self.digest


@pytest.fixture
def pools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pools:
    monkeypatch.setattr(ledger, "LEDGER", str(tmp_path / "ledger"))
    monkeypatch.setattr(volume, "in_use", lambda *_words: [])
    return Pools(tmp_path)


def test_a_volume_moves_within_its_host_to_another_pool_and_format(pools: Pools) -> None:
    assert pools.move("b", "qcow2").changed
    assert pools.whole(f"b/{UUID}.qcow2", "qcow2")
    assert not pools.move("b", "qcow2").changed
    pools.move("b")
    assert pools.whole(f"b/{UUID}.raw")


@pytest.mark.parametrize(("owner", "at"), [(disk_digest, "of"), (ledger, "moved"), (volume, "_clear")])
def test_a_move_within_a_host_that_was_killed_is_done_again(
    pools: Pools, monkeypatch: pytest.MonkeyPatch, owner: Any, at: str
) -> None:
    def kill(*_words: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(owner, at, kill)
        with pytest.raises(KeyboardInterrupt):
            pools.move("b")
    assert len(pools.files()) == 2
    if owner is volume:
        left = volume.seen(pools.step("b"), Look("c1"))
        assert left is not None
        assert left["pool"]["path"] == str(pools.folder / "a" / f"{UUID}.raw")
    pools.move("b")
    assert pools.whole(f"b/{UUID}.raw")
    assert volume.seen(pools.step("b"), Look("c1")) == {}


def test_what_a_killed_move_has_left_goes_with_the_volume(pools: Pools) -> None:
    pools.move("b")
    made = ledger.made_by(pools.step("b"))
    ledger.moved(made, pools.step("a")["want"])
    disk(pools.folder / "a" / f"{UUID}.raw", "raw", MIB)
    for want in ledger.wants("volumes", UUID):
        volume.remove(dict(pools.step("b"), have=want), Work("c1"))  # type: ignore[arg-type]
    assert pools.files() == []


def going_back(pools: Pools, asked: int) -> Any:
    where = pools.step("a")["want"]["pool"]
    origin = {"snapshot": {"address": "acme/snapshots/s", "pool": where, "uuid": "5", "asked": asked}}
    step = pools.step("a")
    return {**step, "action": "rebuild", "digest": f"back {asked}", "want": {**step["want"], "origin": origin}}


def go_back(pools: Pools, asked: int) -> Work:
    step, work = going_back(pools, asked), Work("c1")
    ledger.begin(ledger.made_by(step))
    volume.ensure(step, work)
    ledger.keep(ledger.made_by(step))
    return work


def test_a_volume_goes_back_to_a_snapshot_once_for_each_time_that_it_is_asked(pools: Pools) -> None:
    path = pools.folder / "a" / f"{UUID}.raw"
    run("qemu-img", "convert", "-O", "qcow2", str(path), str(pools.folder / "a" / "5.snapshot.qcow2"))
    write(File(str(path), "raw"), "write -P 9 0 4k")
    assert go_back(pools, 1).changed
    assert pools.whole(f"a/{UUID}.raw")
    write(File(str(path), "raw"), "write -P 9 0 4k")
    assert not go_back(pools, 1).changed, "who repeats a step loses nothing"
    assert not pools.whole(f"a/{UUID}.raw")
    go_back(pools, 2)
    assert pools.whole(f"a/{UUID}.raw")


def test_a_volume_in_use_does_not_go_back(pools: Pools, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(volume, "in_use", lambda *_words: [(SimpleNamespace(name="web"), "vdb")])
    with pytest.raises(Failed, match=r"STEAD-E151: .* is in use by web"):
        go_back(pools, 1)
    assert pools.whole(f"a/{UUID}.raw")


def test_pools_that_share_a_directory_lose_nothing(pools: Pools) -> None:
    (pools.folder / "b").symlink_to(pools.folder / "a")
    pools.move("b")
    assert disk_digest.of(Content(str(pools.folder / "a" / f"{UUID}.raw"), "raw")) == pools.digest


def test_a_volume_in_use_stays_in_its_pool(pools: Pools, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(volume, "in_use", lambda *_words: [(SimpleNamespace(name="web"), "vdb")])
    with pytest.raises(Failed, match=r"STEAD-E151: .* is in use by web"):
        pools.move("b")
    assert pools.whole(f"a/{UUID}.raw")


def test_a_copy_within_a_host_that_differs_is_not_taken(pools: Pools, monkeypatch: pytest.MonkeyPatch) -> None:
    digests = iter(["one", "two"])
    with monkeypatch.context() as patched:
        patched.setattr(disk_digest, "of", lambda _content: next(digests))
        with pytest.raises(Failed, match="STEAD-E114"):
            pools.move("b")
    assert pools.whole(f"a/{UUID}.raw")


def certified(folder: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """What a bootstrap gives a host."""
    monkeypatch.setattr(certificates, "AUTHORITY", str(folder / "authority"))
    monkeypatch.setattr(os, "chown", lambda *_words: None)
    pki, issuer = str(folder / name), certificates.authority(Work("ctl"))
    asked = certificates.request(pki, name, "127.0.0.1", issuer, Work(name))
    signed = certificates.sign(asked, name, "127.0.0.1", Work("ctl"))
    certificates.install(pki, grp.getgrgid(os.getgid()).gr_name, issuer, signed, Work(name))
    return pki


@pytest.mark.parametrize(("taker", "reads"), [("c2", True), ("c3", False)])
def test_a_disk_is_read_by_the_host_that_is_to_get_it_and_no_other(
    step: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, taker: str, *, reads: bool
) -> None:
    """Both have certificates of the site. Without one, there is not even a handshake."""
    source = disk(tmp_path / "root", "raw", MIB)
    write(source, "write -P 5 0 4k")
    step["way"]["encrypted"] = True
    monkeypatch.setattr(paths, "MOVES_PKI", certified(tmp_path, "c1", monkeypatch))
    disk_moves.serve({"root": (source, MIB)}, step, Work("c1"))
    monkeypatch.setattr(paths, "MOVES_PKI", certified(tmp_path, taker, monkeypatch))
    taken = File(str(tmp_path / "there" / "root"), "raw")
    if reads:
        disk_moves.take({"root": (taken, MIB)}, step, Work(taker))
        assert taken.exists()
    else:
        with pytest.raises(Failed, match="STEAD-E112"):
            disk_moves.take({"root": (taken, MIB)}, step, Work(taker))
        assert not taken.exists()
    plain = f"nbd://127.0.0.1:{step['way']['port']}/{disk_moves._name(step, 0)}"
    assert subprocess.run(["qemu-img", "info", plain], capture_output=True, check=False).returncode != 0


def test_a_copy_that_nobody_has_compared_is_not_what_moves(step: Any, tmp_path: Path) -> None:
    """A run was killed before it was booked: the store has it here already, and it is whole, and it does not count."""
    want = {"uuid": UUID, "format": "raw", "size": MIB, "pool": {"name": "p", "type": "dir", "path": str(tmp_path)}}
    disk(tmp_path / f"{UUID}.raw", "raw", MIB)
    made = ledger.made_by(dict(step, kind="volumes", want=want))  # type: ignore[arg-type]
    assert facts._resources(Look("c2"), [made], [])["volumes"][0]["lost"]
    ledger.comes(dict(made, came_from="c1", digests={"volume": "d"}))  # type: ignore[arg-type]
    (told,) = facts._resources(Look("c2"), [made], [])["volumes"]
    assert (told["begun"], told["came_from"], "lost" in told) == (True, "c1", False)


def test_a_guest_that_starts_has_its_volumes_from_a_move_that_did_not_end(
    step: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the lock of what still reads the volume would refuse it."""

    def ensure(*_words: Any) -> None:
        raise StopIteration

    stopped: list[str] = []
    monkeypatch.setattr(disk_moves, "_units", lambda which: [f"stead-move-{which}"])
    monkeypatch.setattr(units, "stop", lambda unit, _work: stopped.append(unit))
    monkeypatch.setattr(drivers, "of", lambda *_words: SimpleNamespace(check=lambda _want: None))
    monkeypatch.setattr(drivers, "find", lambda *_words: None)
    monkeypatch.setattr(instance_disks, "ensure", ensure)
    ledger.keep(ledger.made_by(dict(step, kind="volumes", uuid="v")))  # type: ignore[arg-type]
    ledger.goes("volumes", "v", "c2")
    volumes = {"data": {"uuid": "v"}}
    want = {"uuid": UUID, "hypervisor": "qemu", "root": {}, "volumes": volumes}
    with pytest.raises(StopIteration):
        instance.ensure(dict(step, want=want, action="update"), Work("c1"))  # type: ignore[arg-type]
    assert stopped == ["stead-move-*-v-*"]


def test_nobody_takes_from_what_a_killed_run_has_left(step: Any, tmp_path: Path) -> None:
    """It serves another disk on this port, until this run's source has ended it."""
    stale, wanted = disk(tmp_path / "stale", "raw", MIB), disk(tmp_path / "wanted", "raw", MIB)
    write(stale, "write -P 5 0 4k")
    write(wanted, "write -P 6 0 4k")
    disk_moves.serve({"root": (stale, MIB)}, dict(step, uuid="old", origin={"token": "a"}), Work("c1"))  # type: ignore[arg-type]
    move, there, here = dict(step, origin={"token": "b"}), Work("c1"), Work("c2")
    taken = File(str(tmp_path / "there"), "raw")
    with ThreadPoolExecutor() as pool:
        coming = pool.submit(disk_moves.take, {"root": (taken, MIB)}, move, here)  # type: ignore[arg-type]
        time.sleep(0.5)
        disk_moves.serve({"root": (wanted, MIB)}, move, there)  # type: ignore[arg-type]
        coming.result()
    assert here.told == there.told
