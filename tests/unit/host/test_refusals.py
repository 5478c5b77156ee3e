"""What a host refuses of disks, images, guests and of the modules for single resources: each with its code, at the
place where it is found out, with files that are really there.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from ansible_collections.stead.cloud.plugins.module_utils.arguments.instance import OPTIONS
from ansible_collections.stead.cloud.plugins.module_utils.host.base import (
    commands,
    ledger,
    libvirt_client,
    paths,
    readings,
)
from ansible_collections.stead.cloud.plugins.module_utils.host.base.errors import Failed
from ansible_collections.stead.cloud.plugins.module_utils.host.base.work import Work
from ansible_collections.stead.cloud.plugins.module_utils.host.hypervisor.domains import live
from ansible_collections.stead.cloud.plugins.module_utils.host.images import image_files
from ansible_collections.stead.cloud.plugins.module_utils.host.kinds import image, snapshot, volume
from ansible_collections.stead.cloud.plugins.module_utils.host.observe import facts
from ansible_collections.stead.cloud.plugins.module_utils.host.run import standalone
from ansible_collections.stead.cloud.plugins.module_utils.host.storage import file_disks
from ansible_collections.stead.cloud.plugins.modules import instance, pool, volume_attachment
from ansible_collections.stead.cloud.plugins.modules import volume as volume_module

OF = {"name": "default", "type": "dir"}
KEPT = {"sha256": "ab", "file": "ab.qcow2", "content": "is", "virtual_size": 1 << 30, "format": "qcow2"}
HARDWARE = {"vcpus": 1, "memory": "1GiB"}
WAIT = {"for": "agent", "timeout": 300, "source": None, "port": None, "path": None, "status": None}
ASKED = {"pool": "default", "type": "dir", "path": None, "server": None, "volume": "data", "instance": "web"}
VOLUME = {"format": "qcow2", "image": None, "size": "1MiB", **ASKED}
VIRTIO = {"bus": "virtio"}


class LibvirtError(Exception):
    """What the library raises."""


class Unpluggable:
    """A domain whose guest holds on to a device, or of which libvirt refuses to plug any."""

    def attachDeviceFlags(self, *_words: Any) -> None:  # noqa: N802 - libvirt's word
        raise LibvirtError("no free slot")

    def detachDeviceFlags(self, *_words: Any) -> None:  # noqa: N802 - libvirt's word
        """Asked, and nothing comes of it."""

    def XMLDesc(self, _flags: int) -> str:  # noqa: N802 - libvirt's word
        return '<domain><devices><disk><alias name="virtio-disk1"/></disk></devices></domain>'


@pytest.fixture(autouse=True)
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(paths, "IMAGES", str(tmp_path / "images"))
    monkeypatch.setattr(paths, "POOLS", str(tmp_path / "pools"))
    monkeypatch.setattr(ledger, "LEDGER", str(tmp_path / "ledger"))
    for name in ("images", "pools/default", "ledger/volumes"):
        (tmp_path / name).mkdir(parents=True)
    return tmp_path


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facts, "WITHIN", 0.05)
    monkeypatch.setattr(live, "LETS_GO_WITHIN", 0)
    monkeypatch.setattr(live, "LOOK", 0)


def disk(host: Path, uuid: str, size: int) -> Path:
    path = host / "pools/default" / f"{uuid}.raw"
    path.write_bytes(b"")
    with path.open("r+b") as file:
        file.truncate(size)
    return path


def enter(host: Path, uuid: str, want: Any) -> None:
    entry = {
        "version": ledger.VERSION,
        "address": "acme/volumes/b",
        "uuid": uuid,
        "kind": "volumes",
        "want": want,
        "digest": "d",
    }
    (host / "ledger/volumes" / f"{uuid}.json").write_text(json.dumps(entry))


def make(uuid: str = "a", size: int = 1 << 20, **origin: Any) -> None:
    want = {"pool": OF, "uuid": uuid, "format": "raw", "size": size, **({"origin": origin} if origin else {})}
    volume.ensure({"want": want, "uuid": uuid, "action": "create"}, Work("h"))


def too_large(host: Path) -> None:
    disk(host, "a", 1 << 21)
    make()


def smaller_than_its_image(_host: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_files, "standing", lambda _one, _work: ("/images/d", 1 << 30))
    make(image={"uuid": "i", "address": "images/d"})


def copied_in_use(host: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk(host, "b", 1 << 20)
    enter(host, "b", {"pool": OF, "uuid": "b", "format": "raw", "size": 1 << 20})
    monkeypatch.setattr(volume, "in_use", lambda *_words: [(SimpleNamespace(name="acme.web"), "vdb")])
    make(volume={"uuid": "b", "address": "acme/volumes/b", "pool": OF})


def snapshot_of_nothing(_host: Path) -> None:
    of = {"uuid": "b", "address": "acme/volumes/b"}
    want = {"pool": OF, "uuid": "s", "format": "raw", "freeze": False, "volume": of}
    snapshot.ensure({"want": want, "uuid": "s"}, Work("h"))


def hanging(_host: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()
    monkeypatch.setattr(facts, "_traits", lambda *_words: over.wait(30))
    try:
        facts.observe("h", [])
    finally:
        over.set()


def without_libvirt(_host: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "libvirt", None)
    libvirt_client._open("qemu:///system")


def libvirt(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_uri: str) -> None:
        raise LibvirtError("no such socket")

    named = {"libvirtError": LibvirtError, "VIR_DOMAIN_AFFECT_LIVE": 1, "registerErrorHandler": lambda *_words: None}
    monkeypatch.setitem(sys.modules, "libvirt", SimpleNamespace(**named, open=refuse))


def libvirt_down(_host: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    libvirt(monkeypatch)
    libvirt_client._open("qemu:///system")


def plugged(_host: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    libvirt(monkeypatch)
    live._attach(Unpluggable(), ET.Element("disk"), "vdb", Work("h"))


def unplugged(_host: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    libvirt(monkeypatch)
    held = ET.Element("disk")
    ET.SubElement(held, "alias", name="virtio-disk1")
    live._detach(Unpluggable(), held, "vdb", Work("h"))


def one_answer_of_two(_host: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "run", lambda *_words, **_named: "[]\n")
    readings._ip(["link show", "address show"])


def other_image(_host: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_files, "facts", lambda _uuid: KEPT)
    monkeypatch.setattr(image_files, "path_of", lambda _found: __file__)
    image_files.standing({"uuid": "i", "address": "images/d", "content": "was"}, Work("h"))


def bring(host: Path, **fields: Any) -> None:
    source = host / "source.raw"
    source.write_bytes(b"\0" * 1024)
    want = {"uuid": "i", "name": "images/d", "source": str(source), "format": "raw", "compression": "none", **fields}
    image.ensure({"want": want, "uuid": "i"}, Work("h"))


def unkept(host: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_words: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(image_files, "keep", full)
    monkeypatch.setattr(image, "_replaced", lambda *_words: None)
    bring(host)


def given(**words: Any) -> None:
    instance.wanted({**dict.fromkeys(OPTIONS), **words}, "acme/instances/web", True)


def strange_files(host: Path) -> None:
    (host / "pools/default/notes.txt").write_text("mine")
    file_disks.discard(OF, Work("h"))


def moved(host: Path) -> None:
    identity = standalone.uuid_of("acme/volumes/data")
    enter(host, identity, {"pool": OF, "uuid": identity, "format": "raw", "size": 1 << 20})
    volume_module.wanted(VOLUME, "acme/volumes/data")


def too_many(_host: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(volume_attachment, "where", lambda *_words: {"pool": OF})
    taken = {name: {"device": f"vd{name}"} for name in volume_attachment.LETTERS}
    asked = {**ASKED, "size": None, "device": None, "mode": "rw"}
    volume_attachment.described(asked, {"root": VIRTIO, "volumes": taken}, "acme/volumes/data", {})


CASES: dict[str, tuple[str, Callable[..., Any]]] = {
    "a program answers less than it was asked": ("STEAD-E008", one_answer_of_two),
    "reading hangs": ("STEAD-E019", hanging),
    "libvirt is not installed": ("STEAD-E020", without_libvirt),
    "libvirt is down": ("STEAD-E021", libvirt_down),
    "a volume was enlarged by somebody": ("STEAD-E150", too_large),
    "a volume is smaller than its image": ("STEAD-E152", smaller_than_its_image),
    "a snapshot is in another pool": (
        "STEAD-E153",
        lambda _host: make(snapshot={"uuid": "s", "address": "acme/snapshots/s", "pool": OF}),
    ),
    "a volume is copied in use": ("STEAD-E154", copied_in_use),
    "a volume is copied that is elsewhere": (
        "STEAD-E155",
        lambda _host: make(volume={"uuid": "b", "address": "acme/volumes/b", "pool": OF}),
    ),
    "a snapshot has no volume": ("STEAD-E156", snapshot_of_nothing),
    "a device cannot be plugged": ("STEAD-E304", plugged),
    "a guest holds on to a device": ("STEAD-E304", unplugged),
    "an image has other content": ("STEAD-E407", other_image),
    "there is no room for an image": ("STEAD-E414", unkept),
    "an image has another size": ("STEAD-E415", lambda host: bring(host, size=1 << 20)),
    "no processor": (
        "STEAD-E500",
        lambda _host: given(project="acme", name="web", image="d", **HARDWARE | {"vcpus": 0}),
    ),
    "no time to wait": ("STEAD-E501", lambda _host: instance.waited({**WAIT, "timeout": 0}, {})),
    "a path of an agent": ("STEAD-E502", lambda _host: instance.waited({**WAIT, "path": "/"}, {})),
    "no source address": ("STEAD-E503", lambda _host: instance.waited({**WAIT, "for": "ssh"}, {})),
    "a pool in use": ("STEAD-E506", lambda _host: pool.absent(OF, {"path": "/p"}, ["acme/volumes/b"], Work("h"))),
    "a pool with other files": ("STEAD-E111", strange_files),
    "a volume in another format": ("STEAD-E508", moved),
    "no letter is left": ("STEAD-E510", too_many),
    "a volume elsewhere is attached": (
        "STEAD-E511",
        lambda _host: volume_attachment.where(ASKED, "acme/volumes/data"),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_refusal_has_its_code_and_says_what_to_do(name: str, host: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, refuse = CASES[name]
    with pytest.raises(Failed) as failed:
        refuse(*(host, monkeypatch)[: refuse.__code__.co_argcount])
    assert str(failed.value).startswith(f"{code}: ")
    assert failed.value.text.endswith(".")
