"""What a host does with what it takes over: it compares, refuses what is somebody's, keeps what has no word."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from ansible_collections.stead.cloud.plugins.module_utils.host.base import ledger
from ansible_collections.stead.cloud.plugins.module_utils.host.base.errors import Failed
from ansible_collections.stead.cloud.plugins.module_utils.host.base.work import Work
from ansible_collections.stead.cloud.plugins.module_utils.host.hypervisor import drivers as hypervisors
from ansible_collections.stead.cloud.plugins.module_utils.host.hypervisor.domains import (
    adoption,
    definition,
    kept,
    live,
    readback,
)
from ansible_collections.stead.cloud.plugins.module_utils.host.kinds import instance, snapshot, volume
from ansible_collections.stead.cloud.plugins.module_utils.host.net.driver import Plug
from ansible_collections.stead.cloud.plugins.module_utils.host.storage import drivers, found_files

UUID, DISK = "11111111-0000-4000-8000-000000000001", "22222222-0000-4000-8000-000000000002"
MAC = "52:54:00:11:22:33"
LABEL = "<metadata><stead:instance xmlns:stead='https://stead.cloud/xmlns/1' {0}/></metadata>"
PLUGS = {"lan": Plug("br0", "st0011", "", None, offload=True)}


def want(folder: Path, **more: Any) -> dict[str, Any]:
    pool = {"name": "images", "type": "dir", "path": str(folder), "file": "web.qcow2"}
    nic = {"filtered": False, "groups": [], "model": "virtio", "mtu": 1500, "network": "networks/lan", "position": 0}
    return {
        "agent": False,
        "architecture": "x86_64",
        "autostart": True,
        "boot": ["disk"],
        "cpu": "maximum",
        "firmware": "bios",
        "graphics": "none",
        "hostname": "web",
        "hypervisor": "qemu",
        "machine": "pc-q35-7.2",
        "max_memory": 1 << 30,
        "max_vcpus": 1,
        "memory": 1 << 30,
        "name": "shop.web",
        "nics": {"lan": {**nic, "network_uuid": DISK, "routed": True, "subnets": []}},
        "ports": {"lan": {"addresses": [], "mac": MAC}},
        "root": {"bus": "virtio", "volume": {"format": "qcow2", "pool": pool, "uuid": DISK, "shareable": False}},
        "seed": {},
        "state": "running",
        "stop_timeout": 60,
        "tpm": False,
        "uuid": UUID,
        "vcpus": 1,
        "volumes": {},
        "watchdog": "none",
        **more,
    }


def step(folder: Path, **more: Any) -> Any:
    fields = want(folder, **more)
    told = {"address": "shop/instances/web", "uuid": UUID, "kind": "instances", "digest": "d1", "want": fields}
    return {**told, "number": 1, "action": "adopt", "origin": {"site": "ours", "serial": 1, "token": "t"}}


def by_hand(folder: Path, top: str = "", devices: str = "", vcpus: int = 1) -> str:
    return (
        f"<domain type='qemu'><name>web</name><uuid>{UUID}</uuid>{top}<memory unit='GiB'>1</memory>"
        f"<currentMemory unit='GiB'>1</currentMemory><vcpu>{vcpus}</vcpu><cputune><shares>512</shares></cputune>"
        "<os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type><boot dev='hd'/><smbios mode='host'/></os>"
        "<features><acpi/><hyperv mode='custom'/></features><cpu mode='maximum'><feature policy='disable' name='vmx'/>"
        "</cpu><clock offset='localtime'/><devices><disk type='file' device='disk'><driver name='qemu' type='qcow2' "
        f"io='native'/><source file='{folder}/web.qcow2'/><target dev='vda' bus='virtio'/>"
        "<address type='pci' slot='0x07'/></disk>"
        f"<interface type='network'><mac address='{MAC}'/><source network='default' bridge='br0'/>"
        "<target dev='vnet0'/><model type='virtio'/><address type='pci' slot='0x03'/></interface>"
        "<controller type='usb' index='0'/>"
        f"<hostdev mode='subsystem' type='pci'/>{devices}</devices></domain>"
    )


class HandMade:
    """As much of libvirt's domain as taking it over needs."""

    def __init__(self, xml: str) -> None:
        self.xml, self.told = xml, list[Any]()

    def XMLDesc(self, _flags: int = 0) -> str:  # noqa: N802 - libvirt's word
        return self.xml

    def UUIDString(self) -> str:  # noqa: N802 - libvirt's word
        return UUID

    def connect(self) -> None:
        """`readback` is told what there is."""

    def isActive(self) -> bool:  # noqa: N802 - libvirt's word
        return True

    def setMetadata(self, _kind: int, text: str, *_more: Any) -> None:  # noqa: N802 - libvirt's word
        self.told.append(text)

    def autostart(self) -> int:
        return 1

    def setAutostart(self, wanted: int) -> None:  # noqa: N802 - libvirt's word
        self.told.append(wanted)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Any:
    names = (
        "VIR_DOMAIN_METADATA_ELEMENT",
        "VIR_DOMAIN_AFFECT_CONFIG",
        "VIR_DOMAIN_AFFECT_LIVE",
        "VIR_DOMAIN_XML_INACTIVE",
    )
    monkeypatch.setitem(sys.modules, "libvirt", SimpleNamespace(**dict.fromkeys(names, 1)))

    def make(xml: str) -> HandMade:
        parsed = ET.fromstring(xml)  # noqa: S314 - its own
        seen = readback.SeenDomain("web", "running", True, parsed, parsed)
        monkeypatch.setattr(readback, "everything", lambda _connection: {UUID: seen})
        return HandMade(xml)

    return make


def test_a_domain_says_whose_it_is_and_nothing_else_is_done(made: Any, tmp_path: Path) -> None:
    domain = made(by_hand(tmp_path))
    work = Work("hv-1")
    adoption.adopt(domain, step(tmp_path), work)
    assert [one for one in work.done if one != "set autostart off"] == ["label"]
    assert 'adopted="yes"' in domain.told[0]
    assert 'site="ours"' in domain.told[0]


def test_one_that_a_run_had_labelled_before_it_was_killed_is_taken_over_again(made: Any, tmp_path: Path) -> None:
    label = LABEL.format("address='shop/instances/web' site='ours' digest='d1' adopted='yes'")
    domain, work = made(by_hand(tmp_path, label)), Work("hv-1")
    adoption.adopt(domain, step(tmp_path), work)
    assert "label" not in work.done


@pytest.mark.parametrize(
    "label", ["address='shop/instances/web' site='theirs'", "address='other/instances/web' site='ours'"]
)
def test_another_steads_domain_is_refused(made: Any, tmp_path: Path, label: str) -> None:
    domain = made(by_hand(tmp_path, LABEL.format(label)))
    with pytest.raises(Failed, match="STEAD-E311"):
        adoption.adopt(domain, step(tmp_path), Work("hv-1"))
    assert domain.told == []


def test_one_that_changed_since_it_was_planned_is_refused(made: Any, tmp_path: Path) -> None:
    for xml in (by_hand(tmp_path, vcpus=2), by_hand(tmp_path / "elsewhere")):
        domain = made(xml)
        with pytest.raises(Failed, match="STEAD-E312"):
            adoption.adopt(domain, step(tmp_path), Work("hv-1"))
        assert domain.told == []


def test_one_that_is_gone_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(hypervisors, "find", lambda *_words: None)
    with pytest.raises(Failed, match="STEAD-E313"):
        instance.adopt(step(tmp_path), Work("hv-1"))


def test_what_stead_has_no_word_for_stays_when_it_is_defined_anew(tmp_path: Path) -> None:
    changed: Any = {**step(tmp_path, vcpus=2, max_vcpus=2), "digest": "d2"}
    text = kept.merged(by_hand(tmp_path), definition.build(changed, PLUGS))
    xml = ET.fromstring(text)  # noqa: S314 - its own
    assert xml.findtext("vcpu") == "2"
    assert xml.findtext("cputune/shares") == "512"
    for path in ("features/hyperv", "cpu/feature", "os/smbios", "devices/hostdev"):
        assert xml.find(path) is not None, path
    slots = [one.get("slot") for one in xml.iterfind("devices/*/address")]
    assert slots == ["0x07", "0x03"]
    assert adoption.is_adopted(text)
    (interface,) = xml.findall("devices/interface")
    found = {one.tag: dict(one.attrib) for one in interface}
    assert (found["source"], found["target"]) == ({"bridge": "br0"}, {"dev": "st0011"})
    (disk,) = xml.findall("devices/disk")
    driver = disk.find("driver")
    assert driver is not None
    assert driver.get("io") == "native"
    clock = xml.find("clock")
    assert clock is not None
    assert clock.get("offset") == "localtime"


def test_a_change_of_its_screen_is_made(tmp_path: Path) -> None:
    changed = step(tmp_path, graphics="vnc", watchdog="reset")
    xml = ET.fromstring(kept.merged(by_hand(tmp_path), definition.build(changed, PLUGS)))  # noqa: S314 - its own
    assert len(xml.findall("devices/graphics")) == 1
    assert len(xml.findall("devices/watchdog")) == 1


def test_what_may_pass_an_interface_of_before_waits_for_a_restart(tmp_path: Path) -> None:
    fields = want(tmp_path)
    plugs = {"lan": Plug("br0", "st0011", "stead-port-x", None, offload=True)}
    xml = ET.fromstring(by_hand(tmp_path))  # noqa: S314 - its own
    with pytest.raises(Failed, match="STEAD-E310"):
        live._interfaces(SimpleNamespace(), xml, fields, plugs, Work("hv-1"))
    work = Work("hv-1")
    live._interfaces(SimpleNamespace(), xml, fields, PLUGS, work)
    live._disks(SimpleNamespace(), xml, fields, work)
    assert work.done == []


def _volume(folder: Path, uuid: str = DISK, size: int = 1 << 20, name: str = "web.qcow2") -> Any:
    pool = {"name": "images", "type": "dir", "path": str(folder), "file": name}
    fields = {
        "uuid": uuid,
        "format": "qcow2",
        "pool": pool,
        "size": size,
        "shareable": False,
        "name": "shop/volumes/web",
    }
    return {"address": "shop/volumes/web", "uuid": uuid, "kind": "volumes", "digest": "v1", "want": fields}


@pytest.fixture
def kept_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(ledger, "LEDGER", str(tmp_path / "ledger"))
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", tmp_path / "web.qcow2", "1M"], check=True)
    return tmp_path


def test_a_file_is_taken_over_as_it_is(kept_in: Path) -> None:
    before = (kept_in / "web.qcow2").read_bytes()
    found_files.adopt(_volume(kept_in), Work("hv-1"))
    ledger.keep(ledger.made_by(_volume(kept_in)))
    work = Work("hv-1")
    volume.ensure(_volume(kept_in), work)
    assert (work.done, (kept_in / "web.qcow2").read_bytes()) == ([], before)


def test_a_file_that_is_not_as_the_spec_says_is_refused(kept_in: Path) -> None:
    (kept_in / "link.qcow2").symlink_to(kept_in / "web.qcow2")
    for told in (
        _volume(kept_in, size=2 << 20),
        _volume(kept_in, name="no.qcow2"),
        _volume(kept_in, name="link.qcow2"),
    ):
        with pytest.raises(Failed, match="STEAD-E164"):
            found_files.adopt(told, Work("hv-1"))


def test_a_file_belongs_to_one_volume(kept_in: Path) -> None:
    ledger.keep(ledger.made_by(_volume(kept_in)))
    with pytest.raises(Failed, match="STEAD-E163"):
        found_files.adopt(_volume(kept_in, uuid=UUID), Work("hv-1"))


def test_no_volume_is_made_on_a_file_that_was_never_its_own(kept_in: Path) -> None:
    for name in ("web.qcow2", "new.qcow2"):
        with pytest.raises(Failed, match="STEAD-E163"):
            volume.ensure(_volume(kept_in, name=name), Work("hv-1"))
    assert not (kept_in / "new.qcow2").exists()


def test_a_file_of_an_instance_or_of_a_pool_by_another_name_is_nobody_elses(kept_in: Path) -> None:
    ledger.keep(ledger.made_by(_volume(kept_in)))
    (kept_in / "other").symlink_to(kept_in)
    with pytest.raises(Failed, match=r"STEAD-E163.*shop/volumes/web"):
        found_files.adopt(_volume(kept_in / "other", uuid=UUID), Work("hv-1"))
    root = {"pool": {"name": "images", "type": "dir", "path": str(kept_in)}, "size": 1 << 20, "format": "qcow2"}
    fields = {"uuid": UUID, "root": root}
    made: Any = {"address": "acme/instances/db", "uuid": UUID, "kind": "instances", "digest": "i1", "want": fields}
    ledger.keep(ledger.made_by(made))
    (kept_in / f"{UUID}.root.qcow2").write_bytes((kept_in / "web.qcow2").read_bytes())
    with pytest.raises(Failed, match=r"STEAD-E163.*acme/instances/db"):
        found_files.adopt(_volume(kept_in, name=f"{UUID}.root.qcow2", uuid=UUID[::-1]), Work("hv-1"))


def test_a_snapshot_is_of_the_file_that_was_taken_over(kept_in: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger.keep(ledger.made_by(_volume(kept_in)))
    pool = {"name": "images", "type": "dir", "path": str(kept_in)}
    of = {"address": "shop/volumes/web", "uuid": DISK}
    fields = {"uuid": UUID, "name": "before", "freeze": False, "pool": pool, "format": "qcow2", "volume": of}
    monkeypatch.setattr(hypervisors, "guests", lambda _sessions: [])
    step: Any = {"address": "shop/snapshots/before", "uuid": UUID, "want": fields}
    snapshot.ensure(step, Work("hv-1"))
    assert (kept_in / f"{UUID}.snapshot.qcow2").exists()


def test_what_is_beside_a_file_that_was_taken_over_is_not_steads(kept_in: Path) -> None:
    (kept_in / "web.qcow2.new").write_text("somebody's")
    ledger.keep(ledger.made_by(_volume(kept_in)))
    disk = drivers.volume(_volume(kept_in)["want"])
    disk.remove(Work("hv-1"))
    assert sorted(one.name for one in kept_in.iterdir()) == ["ledger", "web.qcow2.new"]
