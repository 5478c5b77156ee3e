"""Streams of disks between hosts: what is whole is taken, and what is not is refused."""

from __future__ import annotations

import io
import os
import random
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from ansible_collections.stead.cloud.plugins.module_utils.host.backup import disks, frames, staged
from ansible_collections.stead.cloud.plugins.module_utils.host.base import ledger
from ansible_collections.stead.cloud.plugins.module_utils.host.base.errors import Failed
from ansible_collections.stead.cloud.plugins.module_utils.host.base.sessions import Sessions
from ansible_collections.stead.cloud.plugins.module_utils.host.base.work import Work
from ansible_collections.stead.cloud.plugins.module_utils.host.hypervisor import drivers as hypervisors
from ansible_collections.stead.cloud.plugins.module_utils.host.hypervisor.domains import device_xml
from ansible_collections.stead.cloud.plugins.module_utils.host.images import writing
from ansible_collections.stead.cloud.plugins.module_utils.host.kinds import volume
from ansible_collections.stead.cloud.plugins.module_utils.host.kinds.table import KINDS

SIZE = 8 << 20
UUID, BACKUP = "5848c303-913a-8cb0-b95c-776af63ccf70", "4f2a91c3"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(staged, "FOLDER", str(tmp_path / "backup"))
    with tempfile.TemporaryDirectory() as locks:  # the name of a socket is short
        monkeypatch.setattr(staged, "LOCKS", locks)
        yield tmp_path / "backup"


def disk() -> bytes:
    """Data at both ends and in the middle, and zeros between."""
    some = random.Random(7).randbytes(frames.BLOCK)  # noqa: S311 - content
    return some + bytes(frames.BLOCK) + some[:512] + bytes(SIZE - 2 * frames.BLOCK - 512 - 512) + some[:512]


def stream(content: bytes) -> bytes:
    file = io.BytesIO()
    sent = frames.ContentWriter(file, len(content))
    for at in range(0, len(content), frames.BLOCK):
        sent.put(at, content[at : at + frames.BLOCK])
    sent.end()
    return file.getvalue()


def read(data: bytes, most: int = SIZE) -> bytes:
    file = io.BytesIO(data)
    return b"".join(frames.whole(file, frames.size_in(file, most)))


def test_what_is_sent_arrives_and_zeros_are_not_sent() -> None:
    assert read(stream(disk())) == disk()
    assert len(stream(disk())) < 4 * frames.BLOCK
    assert read(stream(bytes(SIZE))) == bytes(SIZE)


@pytest.mark.parametrize("cut", [0, 1, 20, 5000, frames.BLOCK, -13, -1])
def test_a_stream_that_ends_early_is_refused(cut: int) -> None:
    with pytest.raises(Failed, match="STEAD-E180"):
        read(stream(disk())[:cut])


@pytest.mark.parametrize(
    "frame",
    [
        frames._FRAME.pack(SIZE, 1) + b"x",  # beyond the end
        frames._FRAME.pack(SIZE - 1, 2) + b"xx",
        frames._FRAME.pack(1 << 63, 512) + bytes(512),
        frames._FRAME.pack(0, frames.BLOCK + 1) + bytes(frames.BLOCK + 1),
        frames._FRAME.pack(512, 1) + b"x" + frames._FRAME.pack(0, 1) + b"x",  # backwards
        frames._FRAME.pack(SIZE - 512, 0),  # an end that is none
    ],
)
def test_what_another_host_sends_stays_within_the_disk(frame: bytes) -> None:
    file = io.BytesIO()
    frames.ContentWriter(file, SIZE)
    with pytest.raises(Failed, match="STEAD-E180"):
        read(file.getvalue() + frame + frames._FRAME.pack(SIZE, 0))


@pytest.mark.parametrize("line", [b"[]\n", b"{}\n", b'{"stead": 1, "size": "x"}\n', b"\xff" * 9000, b"42\n"])
def test_what_is_no_disk_is_refused(line: bytes) -> None:
    with pytest.raises(Failed, match="STEAD-E180"):
        read(line)


def test_a_disk_that_is_larger_than_expected_is_refused() -> None:
    with pytest.raises(Failed, match="STEAD-E181"):
        read(stream(disk()), most=SIZE - 512)


def test_content_has_its_name_only_when_it_is_whole(folder: Path) -> None:
    whole = stream(disk())
    with pytest.raises(Failed, match="STEAD-E180"):
        staged.take(UUID, BACKUP, SIZE, io.BytesIO(whole[:-1]))
    assert [*folder.iterdir()] == []
    assert staged.take(UUID, BACKUP, SIZE, io.BytesIO(whole)) == SIZE
    path = Path(staged.content_of(UUID, BACKUP))
    assert path.read_bytes() == disk()
    assert path.stat().st_mode & 0o777 == 0o600


def test_two_at_once_for_one_disk_are_refused() -> None:
    with staged.alone(UUID), pytest.raises(Failed, match="STEAD-E185"), staged.alone(UUID, 0):
        pass


@pytest.mark.parametrize("name", ["../../etc/passwd", "a/b", "", ".x", "a" * 99])
def test_a_name_that_leads_elsewhere_is_refused(name: str) -> None:
    with pytest.raises(Failed, match="STEAD-E186"):
        staged.content_of(name, BACKUP)


def test_what_no_step_took_is_removed_a_day_later(folder: Path) -> None:
    staged.take(UUID, BACKUP, SIZE, io.BytesIO(stream(disk())))
    staged.sweep()
    assert len([*folder.iterdir()]) == 1
    os.utime(staged.content_of(UUID, BACKUP), (0, 0))
    staged.sweep()
    assert [*folder.iterdir()] == []


def test_a_chain_of_files_is_read_as_its_guest_sees_it(tmp_path: Path) -> None:
    base, top = tmp_path / "base.qcow2", tmp_path / "top,1.qcow2"
    (tmp_path / "raw").write_bytes(disk())
    for words in (
        ["convert", "-f", "raw", "-O", "qcow2", str(tmp_path / "raw"), str(base)],
        ["create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", str(base), str(top), str(SIZE + 1024)],
    ):
        subprocess.run(["qemu-img", *words], check=True)
    file = io.BytesIO()
    disks._content(str(top), "qcow2", UUID, file).end()
    assert read(file.getvalue(), SIZE + 1024) == disk() + bytes(1024)


def test_a_write_meanwhile_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "disk.raw"
    path.write_bytes(disk())
    kept = SimpleNamespace(path=str(path), format="raw", exists=path.exists)
    monkeypatch.setattr(ledger, "read", lambda _kind, _uuid: {"want": {}})
    monkeypatch.setitem(KINDS, "volumes", SimpleNamespace(saved=lambda _want: kept))
    monkeypatch.setattr(disks, "_using", lambda *_: None)
    out = io.BytesIO()
    disks._read_closed("volumes", UUID, UUID, out, Sessions())
    assert read(out.getvalue()) == disk()

    content = disks._content

    def written_to(*words: Any) -> Any:
        sent = content(*words)
        os.utime(path, ns=(0, path.stat().st_mtime_ns + 1))
        return sent

    monkeypatch.setattr(disks, "_content", written_to)
    out = io.BytesIO()
    with pytest.raises(Failed, match="STEAD-E184"):
        disks._read_closed("volumes", UUID, UUID, out, Sessions())
    with pytest.raises(Failed, match="STEAD-E180"):
        read(out.getvalue())


def test_a_disk_that_was_taken_over_is_in_use_though_its_guest_has_no_number_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = "/srv/vms/web.qcow2"
    domain = f'<domain><devices><disk><source file="{path}"/><target dev="vda"/></disk></devices></domain>'
    xml = ET.fromstring(domain)  # noqa: S314 - of this test
    guest = SimpleNamespace(is_on=lambda: True, device_of=lambda uuid, at: device_xml.device_of(xml, uuid, at))
    monkeypatch.setattr(ledger, "read", lambda kind, uuid: {"want": {}} if (kind, uuid) == ("volumes", UUID) else None)
    monkeypatch.setitem(KINDS, "volumes", SimpleNamespace(saved=lambda _want: SimpleNamespace(path=path)))
    monkeypatch.setattr(hypervisors, "guests", lambda _sessions: [guest])
    assert disks._using(UUID, Sessions()) == (guest, "vda")
    assert disks.users([UUID, f"{UUID}-root"]) == {"open": [UUID]}


def test_an_image_that_would_fill_its_host_is_refused(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "disk.raw"
    path.write_bytes(disk())
    kept = SimpleNamespace(path=str(path), format="raw", exists=lambda: True)
    monkeypatch.setattr(ledger, "read", lambda kind, _uuid: {"want": {}} if kind == "volumes" else None)
    monkeypatch.setitem(KINDS, "volumes", SimpleNamespace(saved=lambda _want: kept))
    monkeypatch.setattr(hypervisors, "guests", lambda _sessions: [])
    out = io.BytesIO()
    monkeypatch.setattr(writing, "room", lambda _path: 1 << 10)
    with pytest.raises(Failed, match="STEAD-E411"):
        disks.image("volumes", UUID, UUID, out)
    assert (out.getvalue(), [*folder.glob("*.qcow2")]) == (b"", [])
    monkeypatch.setattr(writing, "room", lambda _path: 1 << 30)
    disks.image("volumes", UUID, UUID, out)
    assert len(out.getvalue()) > frames.BLOCK


def test_a_step_whose_backup_was_not_brought_fails() -> None:
    want: Any = {"uuid": UUID, "origin": {"backup": {"of": "acme/volumes/data", "id": BACKUP}}, "size": SIZE}
    with pytest.raises(Failed, match="STEAD-E157"):
        volume._make(want, SimpleNamespace(), Work("h"))


def test_what_qemu_cannot_open_is_said(tmp_path: Path) -> None:
    path = tmp_path / "disk.qcow2"
    path.write_text("no disk")
    with pytest.raises(Failed, match=r"STEAD-E113: qemu-nbd says: .*not in qcow2 format"):
        disks._content(str(path), "qcow2", UUID, io.BytesIO())
