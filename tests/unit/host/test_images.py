"""Images from strangers: nothing half, nothing wrong, and nothing that names another file."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import json
import lzma
import shutil
import struct
import subprocess
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.stead.cloud.plugins.module_utils.host.base import ledger, paths, units
from ansible_collections.stead.cloud.plugins.module_utils.host.base.errors import Failed
from ansible_collections.stead.cloud.plugins.module_utils.host.base.step import HostStep
from ansible_collections.stead.cloud.plugins.module_utils.host.base.work import Work
from ansible_collections.stead.cloud.plugins.module_utils.host.images import image_files, tidying, writing
from ansible_collections.stead.cloud.plugins.module_utils.host.kinds import image
from ansible_collections.stead.cloud.plugins.module_utils.host.storage import disk_files

SIZE = 1 << 20
QEMU_IMG = pytest.mark.skipif(shutil.which("qemu-img") is None, reason="needs qemu-img")


def qcow2(*, backing: bytes = b"", features: int = 0, crypt: int = 0, more: bytes = b"") -> bytes:
    head = struct.pack(">4sIQIIQI", b"QFI\xfb", 3, 104 if backing else 0, len(backing), 16, SIZE, crypt)
    return (head.ljust(72, b"\0") + struct.pack(">Q", features)).ljust(104, b"\0") + backing + more


@pytest.fixture(autouse=True)
def images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "images"
    monkeypatch.setattr(paths, "IMAGES", str(folder))
    monkeypatch.setattr(paths, "POOLS", str(tmp_path / "pools"))
    monkeypatch.setattr(paths, "INSTANCES", str(tmp_path / "instances"))
    monkeypatch.setattr(ledger, "LEDGER", str(tmp_path / "ledger"))
    monkeypatch.setattr(units, "stop", lambda _unit, _work: None)  # where the tests run no systemd need be
    return folder


def bring(source: Path, uuid: str = "u", **fields: Any) -> dict[str, Any]:
    want = {"uuid": uuid, "source": str(source), "format": "qcow2", "compression": "none", "keeps": True, **fields}
    image.ensure({"want": want, "uuid": uuid}, Work("h"))
    found = image_files.facts(uuid)
    assert found is not None
    return found


def put(tmp_path: Path, data: bytes, name: str = "source") -> Path:
    path = tmp_path / name
    path.write_bytes(data)
    return path


def stand_on(tmp_path: Path, path: Path) -> Path:
    pools = tmp_path / "pools" / "default"
    pools.mkdir(parents=True, exist_ok=True)
    disk = pools / f"{path.name[:6]}.root.qcow2"
    disk.write_bytes(qcow2(backing=str(path).encode()))
    return disk


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def kept(images: Path) -> set[str]:
    return {path.name for path in images.iterdir()}


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_a_good_image_is_kept_under_its_digest_with_its_facts(tmp_path: Path, images: Path, algorithm: str) -> None:
    checksum = f"{algorithm}:{hashlib.new(algorithm, qcow2()).hexdigest()}"
    found = bring(put(tmp_path, qcow2()), checksum=checksum, size=SIZE)
    assert kept(images) == {"u.json", f"{sha256(qcow2())}.qcow2"}
    assert (images / found["file"]).read_bytes() == qcow2()
    assert (found["virtual_size"], found["content"]) == (SIZE, checksum)


@pytest.mark.parametrize(("compression", "pack"), [("gz", gzip.compress), ("xz", lzma.compress), ("bz2", bz2.compress)])
def test_a_packed_image_is_checked_packed_and_kept_unpacked(
    tmp_path: Path, images: Path, compression: str, pack: Any
) -> None:
    packed = pack(qcow2())
    found = bring(put(tmp_path, packed), compression=compression, checksum="sha256:" + sha256(packed))
    assert (images / found["file"]).read_bytes() == qcow2()


@pytest.mark.skipif(shutil.which("zstd") is None, reason="needs zstd")
def test_zstd_is_unpacked_and_limited_too(tmp_path: Path, images: Path) -> None:
    packed = subprocess.run(["zstd", "-q"], input=qcow2(), capture_output=True, check=True).stdout
    found = bring(put(tmp_path, packed), compression="zst")
    assert (images / found["file"]).read_bytes() == qcow2()
    bomb = subprocess.run(["zstd", "-q"], input=b"x" * (8 << 20), capture_output=True, check=True).stdout
    with pytest.raises(Failed, match=r"STEAD-E410: .*more than `size` says"):
        bring(put(tmp_path, bomb), "bomb", compression="zst", size=SIZE)
    with pytest.raises(Failed, match="Cannot unpack as zst"):
        bring(put(tmp_path, b"not packed"), "other", compression="zst")


@pytest.mark.parametrize(
    ("data", "fields", "said"),
    [
        (qcow2(), {"checksum": "sha256:" + "0" * 64}, "has checksum"),
        (qcow2(), {"size": 5}, "`size` says 5"),
        (qcow2(backing=b"/etc/shadow"), {}, "/etc/shadow"),
        (qcow2(backing=b'json:{"driver": "file"}'), {}, "has a backing file"),
        (qcow2(features=1 << 2), {}, "data in another file"),
        (qcow2(crypt=2), {}, "encrypted"),
        (qcow2(), {"format": "raw"}, "It is qcow2 and not raw"),
        (b"not a disk at all", {}, "not a qcow2 file"),
        (b"not packed", {"compression": "gz"}, "Cannot unpack"),
        (gzip.compress(qcow2(more=b"x" * 4096), mtime=0)[:-30], {"compression": "gz"}, "Cannot unpack"),
        (gzip.compress(bytes(16 << 20)), {"compression": "gz", "format": "raw", "size": SIZE}, "more than `size` says"),
        (
            b'# Disk DescriptorFile\nRW 1 FLAT "/etc/shadow" 0\n',
            {"format": "vmdk"},
            "a VMDK whose data is in other files",
        ),
        (b"KDMV".ljust(512, b"\0"), {"format": "vmdk"}, "a VMDK whose data is in other files"),
        (b"nothing", {"format": "vdi"}, "qemu-img info"),
    ],
)
@QEMU_IMG
def test_a_bad_image_is_refused_and_leaves_nothing(
    tmp_path: Path, images: Path, data: bytes, fields: dict[str, Any], said: str
) -> None:
    with pytest.raises(Failed, match=said):
        bring(put(tmp_path, data), **fields)
    assert kept(images) == set()


@QEMU_IMG
def test_a_vmdk_laid_over_another_is_refused_unopened(tmp_path: Path, images: Path) -> None:
    """qemu takes the file named as parent for a backing file, and would read it into the converted image."""
    parent, child = tmp_path / "parent.vmdk", tmp_path / "child.vmdk"
    subprocess.run(["qemu-img", "create", "-q", "-f", "vmdk", parent, "1M"], check=True)
    subprocess.run(["qemu-img", "create", "-q", "-f", "vmdk", "-b", parent, "-F", "vmdk", child], check=True)
    with pytest.raises(Failed, match="names another file"):
        bring(child, format="vmdk")
    assert kept(images) == set()


@QEMU_IMG
@pytest.mark.parametrize(
    ("form", "driver"), [("raw", "raw"), ("vmdk", "vmdk"), ("vdi", "vdi"), ("vhd", "vpc"), ("vhdx", "vhdx")]
)
def test_every_format_becomes_qcow2_with_the_same_content(tmp_path: Path, images: Path, form: str, driver: str) -> None:
    disk, source = tmp_path / "disk", tmp_path / "source"
    disk.write_bytes((b"stead" * 1000).ljust(4 << 20, b"\0"))
    subprocess.run(["qemu-img", "convert", "-f", "raw", "-O", driver, disk, source], check=True)
    found = bring(source, format=form)
    assert found["virtual_size"] >= 4 << 20  # a VHD's disk ends with a cylinder
    back = tmp_path / "back"
    subprocess.run(["qemu-img", "convert", "-f", "qcow2", "-O", "raw", images / found["file"], back], check=True)
    assert back.read_bytes()[: 4 << 20] == disk.read_bytes()


@QEMU_IMG
def test_a_conversion_that_takes_all_the_room_is_stopped(
    tmp_path: Path, images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = put(tmp_path, b"x" * (4 << 20))
    images.mkdir()
    monkeypatch.setattr(disk_files, "room", lambda _path: SIZE)
    with pytest.raises(Failed, match="takes more room"):
        bring(disk, format="raw")
    assert kept(images) == set()


def test_what_there_is_no_room_for_is_refused_before_a_byte_is_written(
    tmp_path: Path, images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "room", lambda _path: 10)
    with pytest.raises(Failed, match="has room for 10"):
        bring(put(tmp_path, qcow2()))
    assert kept(images) == set()


def test_a_disk_of_zeros_takes_no_room(tmp_path: Path) -> None:
    target = tmp_path / "target"
    with gzip.open(put(tmp_path, gzip.compress(bytes(64 << 20) + b"end")), "rb") as file:
        writing.pour(file.read, str(target))
    assert target.stat().st_size == (64 << 20) + 3
    assert target.stat().st_blocks * 512 < 4 << 20


def test_a_source_that_is_gone_is_said_so(tmp_path: Path, images: Path) -> None:
    with pytest.raises(Failed, match="Cannot read"):
        bring(tmp_path / "nowhere")
    assert kept(images) == set()


def test_two_images_of_one_content_are_one_file(tmp_path: Path, images: Path) -> None:
    bring(put(tmp_path, qcow2()), "u")
    bring(put(tmp_path, qcow2()), "v")
    assert kept(images) == {"u.json", "v.json", f"{sha256(qcow2())}.qcow2"}
    image.remove({"uuid": "u"}, Work("h"))
    assert kept(images) == {"v.json", f"{sha256(qcow2())}.qcow2"}


def test_another_content_is_another_file_and_disks_keep_what_they_stand_on(tmp_path: Path, images: Path) -> None:
    old = images / bring(put(tmp_path, qcow2(), "first"))["file"]
    disk = stand_on(tmp_path, old)
    new = images / bring(put(tmp_path, qcow2(more=b"new"), "second"))["file"]
    assert kept(images) == {"u.json", old.name, new.name}
    tidying.tidy(Work("h"))
    assert old.exists()
    disk.unlink()
    tidying.tidy(Work("h"))
    assert kept(images) == {"u.json", new.name}


def test_a_pool_in_another_place_counts_too(tmp_path: Path, images: Path) -> None:
    old = images / bring(put(tmp_path, qcow2(), "first"))["file"]
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "i.root.qcow2").write_bytes(qcow2(backing=str(old).encode()))
    pool = {"name": "fast", "type": "dir", "path": str(elsewhere)}
    ledger.keep(ledger.entry("acme/instances/i", "i", "instances", "d", {"uuid": "i", "root": {"pool": pool}}))
    bring(put(tmp_path, qcow2(more=b"new"), "second"))
    assert old.exists()


def test_while_a_pool_is_not_mounted_nothing_is_removed_that_its_disks_may_stand_on(
    tmp_path: Path, images: Path
) -> None:
    old = images / bring(put(tmp_path, qcow2(), "first"))["file"]
    mounted, instance = tmp_path / "fast", tmp_path / "instances" / "i"
    for folder in (mounted, instance):
        folder.mkdir(parents=True)
    (mounted / "i.root.qcow2").write_bytes(qcow2(backing=str(old).encode()))
    root = {"pool": {"name": "fast", "type": "dir", "path": str(mounted)}, "size": SIZE}
    ledger.keep(ledger.entry("acme/instances/i", "i", "instances", "d", {"uuid": "i", "root": root}))
    mounted.rename(tmp_path / "away")
    mounted.mkdir()
    bring(put(tmp_path, qcow2(more=b"new"), "second"))
    assert old.exists()
    instance.rmdir()  # as when the instance is removed: its disk is gone, and it is known why
    tidying.tidy(Work("h"))
    assert not old.exists()


def test_an_image_that_a_disk_was_left_behind_of_keeps_its_file(tmp_path: Path, images: Path) -> None:
    file = images / bring(put(tmp_path, qcow2()))["file"]
    disk = stand_on(tmp_path, file)
    image.remove({"uuid": "u"}, Work("h"))
    assert kept(images) == {file.name}
    disk.unlink()
    tidying.tidy(Work("h"))
    assert kept(images) == set()


def test_a_disk_is_made_from_the_planned_content_or_not_at_all(tmp_path: Path) -> None:
    source = put(tmp_path, qcow2())
    bring(source)
    reference = {"address": "images/tiny", "uuid": "u", "content": str(source)}
    assert image_files.standing(reference, Work("h"))[1] == SIZE
    with pytest.raises(Failed, match="Plan again"):
        image_files.standing({**reference, "content": "other"}, Work("h"))
    with pytest.raises(Failed, match="STEAD-E407"):  # a guest may have written it, and a host would mount it
        image_files.standing({**reference, "rootfs": True}, Work("h"))


def test_what_a_killed_run_left_is_cleared_away(tmp_path: Path, images: Path) -> None:
    images.mkdir()
    for name in (".u.part", ".u.part.new", f"{'0' * 64}.qcow2"):
        (images / name).write_bytes(b"half")
    bring(put(tmp_path, qcow2()))
    assert kept(images) == {"u.json", f"{sha256(qcow2())}.qcow2"}
    (images / ".u.part").write_bytes(b"half")
    image.remove({"uuid": "u"}, Work("h"))
    assert kept(images) == set()


def test_check_mode_fetches_and_removes_nothing(tmp_path: Path, images: Path) -> None:
    want = {"uuid": "u", "source": str(put(tmp_path, qcow2())), "format": "qcow2", "compression": "none"}
    work = Work("h", check=True)
    image.ensure({"want": want, "uuid": "u"}, work)
    assert work.done[-1] == f"fetch {want['source']}"
    assert not images.exists()


def test_the_header_is_read_without_opening_what_it_names(tmp_path: Path) -> None:
    found = disk_files.header(str(put(tmp_path, qcow2(backing=b"base.qcow2"))))
    assert (found["size"], found["backing"], found["data_file"]) == (SIZE, "base.qcow2", False)


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Whoever answers on the controller's port: another process, or another host that took the address."""
    folder = tmp_path / "served"
    folder.mkdir()
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as http:
        monkeypatch.setattr(image, "PORT", http.server_address[1])
        threading.Thread(target=http.serve_forever, daemon=True).start()
        yield folder
        http.shutdown()


def said(data: bytes, source: str) -> dict[str, Any]:
    own = {"content": source, "format": "qcow2", "compression": "none"}
    return {"sha256": sha256(data), "size": len(data), "virtual_size": SIZE, "file": f"{sha256(data)}.qcow2", **own}


def take(kept: dict[str, Any] | None) -> None:
    own = {"format": "qcow2", "compression": "none", "keeps": False, "name": "images/debian"}
    want = {"uuid": "u", "source": "/srv/debian.qcow2", **own, "from": {"host": "ctl-1", "server": "127.0.0.1"}}
    step: HostStep = {"want": want, "uuid": "u"}
    if kept:
        step["kept"] = kept
    image.ensure(step, Work("h"))


def test_a_copy_is_what_the_controller_said_by_ssh(server: Path, images: Path) -> None:
    good = qcow2()
    (server / f"{sha256(good)}.qcow2").write_bytes(good)
    take(said(good, "/srv/debian.qcow2"))
    assert kept(images) == {"u.json", f"{sha256(good)}.qcow2"}


@pytest.mark.parametrize("asked", [True, False])
def test_nobody_who_answers_on_its_port_says_what_an_image_is(server: Path, images: Path, asked: bool) -> None:
    """Also with a word of its own beside the file, which fits it."""
    good, bad = qcow2(), qcow2(more=b"a back door")
    for name in (f"{sha256(good)}.qcow2", f"{sha256(bad)}.qcow2"):
        (server / name).write_bytes(bad)
    (server / "u.json").write_text(json.dumps(said(bad, "/srv/debian.qcow2")))
    with pytest.raises(Failed, match="What came from ctl-1" if asked else "did not report the digest"):
        take(said(good, "/srv/debian.qcow2") if asked else None)
    assert kept(images) == set()


def test_a_controller_with_another_content_gives_none(images: Path) -> None:
    with pytest.raises(Failed, match="other content"):
        take(said(qcow2(), "/srv/other.qcow2"))
    assert kept(images) == set()


def test_a_source_may_be_a_link_to_a_file_beside_it(tmp_path: Path) -> None:
    put(tmp_path, qcow2(), "debian-12.1.qcow2")
    (tmp_path / "debian.qcow2").symlink_to("debian-12.1.qcow2")
    assert bring(tmp_path / "debian.qcow2")["virtual_size"] == SIZE


@pytest.mark.parametrize("target", ["/etc/shadow", "../../../../etc/shadow", "/dev/zero", "/dev/vda"])
def test_no_source_leads_out_of_its_folder(tmp_path: Path, target: str) -> None:
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources/debian.qcow2").symlink_to(target)
    with pytest.raises(Failed, match="STEAD-E416"):
        bring(tmp_path / "sources/debian.qcow2")


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/null", "/dev"])
def test_a_source_is_a_regular_file(path: str) -> None:
    with pytest.raises(Failed, match=r"STEAD-E417|STEAD-E400"):
        bring(Path(path))
