"""Images from strangers: nothing half, nothing wrong, and nothing that names another file."""

from __future__ import annotations

import gzip
import hashlib
import struct
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.stead.cloud.plugins.module_utils.host import disk_files, image, ledger, places
from ansible_collections.stead.cloud.plugins.module_utils.host.failing import Failed
from ansible_collections.stead.cloud.plugins.module_utils.host.work import Work

SIZE = 1 << 20


def qcow2(*, backing: bytes = b"", features: int = 0) -> bytes:
    head = struct.pack(">4sIQIIQ", b"QFI\xfb", 3, 104 if backing else 0, len(backing), 16, SIZE)
    return (head.ljust(72, b"\0") + struct.pack(">Q", features)).ljust(104, b"\0") + backing


@pytest.fixture(autouse=True)
def images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "images"
    monkeypatch.setattr(places, "IMAGES", str(folder))
    monkeypatch.setattr(ledger, "LEDGER", str(tmp_path / "ledger"))
    return folder


def bring(source: Path, **fields: Any) -> None:
    want = {"uuid": "u", "source": str(source), "format": "qcow2", "compression": "none", "keeps": True, **fields}
    image.ensure({"want": want, "uuid": "u"}, Work("h"))


def put(tmp_path: Path, data: bytes, name: str = "source") -> Path:
    path = tmp_path / name
    path.write_bytes(data)
    return path


def test_a_good_image_is_kept_with_its_facts(tmp_path: Path, images: Path) -> None:
    bring(put(tmp_path, qcow2()), checksum="sha256:" + hashlib.sha256(qcow2()).hexdigest(), size=SIZE)
    assert (images / "u.qcow2").read_bytes() == qcow2()
    assert image.facts("u")["virtual_size"] == SIZE


def test_a_packed_image_is_checked_packed_and_kept_unpacked(tmp_path: Path, images: Path) -> None:
    packed = gzip.compress(qcow2())
    bring(put(tmp_path, packed), compression="gz", checksum="sha256:" + hashlib.sha256(packed).hexdigest())
    assert (images / "u.qcow2").read_bytes() == qcow2()


@pytest.mark.parametrize(
    ("data", "fields", "said"),
    [
        (qcow2(), {"checksum": "sha256:" + "0" * 64}, "has checksum"),
        (qcow2(), {"size": 5}, "`size` says 5"),
        (qcow2(backing=b"/etc/shadow"), {}, "/etc/shadow"),
        (qcow2(features=1 << 2), {}, "data in another file"),
        (b"not a disk at all", {}, "not a qcow2 file"),
        (b"not packed", {"compression": "gz"}, "Cannot unpack"),
    ],
)
def test_a_bad_image_is_refused_and_leaves_nothing(
    tmp_path: Path, images: Path, data: bytes, fields: dict[str, Any], said: str
) -> None:
    with pytest.raises(Failed, match=said):
        bring(put(tmp_path, data), **fields)
    assert list(images.iterdir()) == []


def test_a_source_that_is_gone_is_said_so(tmp_path: Path, images: Path) -> None:
    with pytest.raises(Failed, match="Cannot read"):
        bring(tmp_path / "nowhere")
    assert list(images.iterdir()) == []


def test_an_image_in_use_is_not_removed(tmp_path: Path, images: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bring(put(tmp_path, qcow2()))
    pools = tmp_path / "pools"
    pools.mkdir()
    monkeypatch.setattr(places, "POOLS", str(pools))
    (pools / "i.root.qcow2").write_bytes(qcow2(backing=str(images / "u.qcow2").encode()))
    with pytest.raises(Failed, match="still used"):
        image.remove({"uuid": "u"}, Work("h"))
    assert (images / "u.qcow2").exists()


def test_another_content_under_the_same_name(tmp_path: Path, images: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes the place of one that nobody uses, and never that of one that disks stand on."""
    first, second = put(tmp_path, qcow2(), "first"), put(tmp_path, qcow2() + b"more", "second")
    bring(first)
    want = {"uuid": "u", "name": "images/tiny", "source": str(first)}
    ledger.keep(ledger.entry("images/tiny", "u", "images", "d", want))
    bring(second, name="images/tiny")
    assert (images / "u.qcow2").read_bytes() == second.read_bytes()
    ledger.keep(ledger.entry("images/tiny", "u", "images", "d", {**want, "source": str(second)}))
    pools = tmp_path / "pools"
    pools.mkdir()
    monkeypatch.setattr(places, "POOLS", str(pools))
    (pools / "i.root.qcow2").write_bytes(qcow2(backing=str(images / "u.qcow2").encode()))
    with pytest.raises(Failed, match="another name"):
        bring(first, name="images/tiny")
    assert (images / "u.qcow2").read_bytes() == second.read_bytes()


def test_the_header_is_read_without_opening_what_it_names(tmp_path: Path) -> None:
    found = disk_files.header(put(tmp_path, qcow2(backing=b"base.qcow2")))
    assert found == {"size": SIZE, "backing": "base.qcow2", "data_file": False}
