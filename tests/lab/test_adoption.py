"""Guests that were made by hand with virsh become Stead's as they run: none is restarted, and nothing is moved.

The tests of this file tell one story, in order: import, adoption, changes while it runs, a restart, and the end.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from driving import STEAD, Driven, prepare, tiny
from waiting import patiently

from stead.lab.sizes import parse

pytestmark = [pytest.mark.lab, pytest.mark.long]

HOST = "compute-1"
HOSTS = {"compute": {"count": 1, "roles": ["compute", "controller", "network"]}}
IMAGES = "/var/lib/libvirt/images"
MACS = {"web": "52:54:00:77:00:01", "db": "52:54:00:77:00:02"}
UUIDS = {"web": "77777777-0000-4000-8000-000000000001", "db": "77777777-0000-4000-8000-000000000002"}
ADDRESSES = {"web": "192.168.122.11", "db": "192.168.122.12"}
NETWORK = f"""<network><name>default</name><forward mode='nat'/><bridge name='virbr0'/>
<ip address='192.168.122.1' netmask='255.255.255.0'><dhcp><range start='192.168.122.2' end='192.168.122.254'/>
<host mac='{MACS["web"]}' ip='{ADDRESSES["web"]}'/><host mac='{MACS["db"]}' ip='{ADDRESSES["db"]}'/></dhcp>
</ip></network>
"""
DATA = (
    f"<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='{IMAGES}/db-data.img'/>"
    "<target dev='vdb' bus='virtio'/></disk>"
)
# Somebody else's, which must not be touched.
OTHERS = ("theirs", "77777777-0000-4000-8000-000000000003")


def domain(name: str, more: str = "") -> str:
    return f"""<domain type='qemu'><name>{name}</name><uuid>{UUIDS[name]}</uuid><title>Made by hand</title>
<memory unit='MiB'>192</memory><vcpu>1</vcpu><os><type arch='x86_64' machine='q35'>hvm</type><boot dev='hd'/></os>
<features><acpi/><apic/></features><cpu mode='maximum'/><devices>
<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='{IMAGES}/{name}.qcow2'/>
<target dev='vda' bus='virtio'/></disk>{more}
<interface type='network'><mac address='{MACS[name]}'/><source network='default'/><model type='virtio'/></interface>
<serial type='pty'/><sound model='ich6'/></devices></domain>"""


class Site:
    def __init__(self, driven: Driven) -> None:
        self.driven = driven

    def run(self, command: str) -> str:
        return self.driven.run(HOST, command)

    def define(self, xml: str, kind: str = "define") -> None:
        self.driven.lab.run(HOST, ["virsh", kind, "/dev/stdin"], feed=xml)

    def imported(self, *words: str, status: int = 0) -> str:
        """What is said beside the spec."""
        own = [word for path in self.driven.inventories for word in ("-i", str(path))]
        argv = [str(STEAD), "import", "libvirt", *words, *own]
        done = subprocess.run(argv, cwd=self.driven.folder, capture_output=True, text=True, check=False)
        assert done.returncode == status, done.stderr
        return done.stdout + done.stderr

    def boot(self, name: str) -> str:
        """Another one after every start."""
        url = f"http://{ADDRESSES[name]}/cgi-bin/index.cgi"
        return str(json.loads(self.run(f"curl -sS -m 8 {url}"))["boot_id"])

    def boots(self) -> list[str]:
        return [patiently(partial(self.boot, name)) for name in UUIDS]

    def qemu(self) -> set[str]:
        return self.driven.guests(HOST)

    def xml(self, name: str) -> str:
        return self.run(f"virsh dumpxml --inactive {UUIDS[name]}")

    def slots(self, name: str) -> list[str]:
        """Where the devices of the guest are: its names for interfaces follow from that."""
        return sorted(line.strip() for line in self.xml(name).splitlines() if "<address type='pci'" in line)


@pytest.fixture(scope="module")
def site(make_lab: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Site:
    lab = make_lab("a", parse({"hosts": HOSTS}, "adoption"))
    prepare(lab)
    folder = tmp_path_factory.mktemp("adoption")
    more = folder / "more.yml"
    more.write_text("compute: {}\n", encoding="utf-8")
    found = Site(Driven(lab, folder, more=[more]))
    found.run(f"mkdir -p {IMAGES}; virsh net-destroy default; virsh net-undefine default; true")
    found.define(NETWORK, "net-define")
    found.run("virsh net-start default")
    _copy(lab, tiny(), f"{IMAGES}/web.qcow2")
    found.run(f"cp {IMAGES}/web.qcow2 {IMAGES}/db.qcow2; truncate -s 64M {IMAGES}/db-data.img {IMAGES}/other.img")
    found.define(domain("web"))
    found.define(domain("db", DATA))
    found.run("virsh start web && virsh start db && virsh autostart web && virsh autostart db")
    found.define(
        f"<domain type='qemu'><name>{OTHERS[0]}</name><uuid>{OTHERS[1]}</uuid><memory unit='MiB'>64</memory>"
        f"<vcpu>1</vcpu><os><type arch='x86_64'>hvm</type></os><devices><disk type='file'><source "
        f"file='{IMAGES}/other.img'/><target dev='vda' bus='virtio'/></disk></devices></domain>"
    )
    found.boots()
    return found


def _copy(lab: Any, source: Path, target: str) -> None:
    with source.open("rb") as opened:
        subprocess.run(lab.ssh_argv(HOST, ["dd", f"of={target}", "status=none"]), stdin=opened, check=True)


def test_what_the_inventory_lacks_is_told(site: Site) -> None:
    words = ("web", "db", "--project", "shop", "-o", "stead.yml")
    said = " ".join(site.imported(*words).split())
    assert "stead_physical_networks: {default: virbr0}" in said
    assert f"stead_pools: {{images: {{path: {IMAGES}, size: " in said
    assert "devices/sound" in said
    site.driven.more[0].write_text(
        "compute: {hosts: {compute-1: {stead_physical_networks: {external: eth1, default: virbr0},\n"
        f"  stead_pools: {{default: {{size: 8GiB}}, images: {{path: {IMAGES}, size: 8GiB}}}}}}}}}}\n",
        encoding="utf-8",
    )
    (site.driven.folder / "stead.yml").unlink()
    assert "STEAD-K014" not in site.imported(*words)
    assert OTHERS[0] not in (site.driven.folder / "stead.yml").read_text(encoding="utf-8")


def test_guests_are_adopted_as_they_run(site: Site) -> None:
    before, processes, definitions = site.boots(), site.qemu(), [site.slots(name) for name in UUIDS]
    steps = {one["address"]: (one["action"], one["disturbs"]) for one in site.driven.steps()}
    assert steps["shop/instances/web"] == steps["shop/volumes/db-vdb"] == ("adopt", "none"), steps
    assert {disturbs for _, disturbs in steps.values()} == {"none"}
    site.driven.apply()
    assert (site.boots(), site.qemu()) == (before, processes)
    assert [site.slots(name) for name in UUIDS] == definitions
    site.driven.assert_nothing_to_do()
    assert site.qemu() == processes


def _written(site: Site) -> str:
    return (site.driven.folder / "stead.yml").read_text(encoding="utf-8")


def test_what_was_adopted_changes_while_it_runs(site: Site) -> None:
    before, processes = site.boots(), site.qemu()
    head, data, tail = _written(site).partition("      db-vdb:\n")
    text = head + data + tail.replace("size: 64MiB", "size: 96MiB", 1)
    text = text.replace("    volumes:\n", "    volumes:\n      extra: {size: 16MiB}\n", 1)
    text = text.replace("        boot_volume: web-vda\n", "        boot_volume: web-vda\n        volumes: [extra]\n")
    site.driven.write(text)
    steps = {one["address"]: (one["action"], one["disturbs"]) for one in site.driven.steps()}
    assert set(steps) == {"shop/volumes/extra", "shop/volumes/db-vdb", "shop/instances/web"}, steps
    assert {disturbs for _, disturbs in steps.values()} == {"none"}
    site.driven.apply()
    assert (site.boots(), site.qemu()) == (before, processes)
    assert "vdb" in site.run(f"virsh domblklist {UUIDS['web']}")
    assert f"{96 << 20}" in site.run(f"virsh domblkinfo {UUIDS['db']} vdb")
    site.driven.assert_nothing_to_do()


def test_a_run_that_was_killed_before_it_booked_is_registered(site: Site) -> None:
    """The domain says whose it is, and the ledger says nothing."""
    processes = site.qemu()
    site.run(f"rm /var/lib/stead/ledger/instances/{UUIDS['db']}.json")
    assert [(one["address"], one["action"]) for one in site.driven.steps()] == [("shop/instances/db", "register")]
    site.driven.apply()
    site.driven.assert_nothing_to_do()
    assert site.qemu() == processes


def test_a_restart_finds_devices_where_they_were(site: Site) -> None:
    before, slots = site.boots(), site.slots("web")
    site.driven.stead("reboot", "shop/instances/web", "--auto-approve")
    after = site.boots()
    assert after[0] != before[0]
    assert after[1] == before[1]
    assert set(slots) <= set(site.slots("web"))
    assert "<sound model=" in site.xml("web")
    assert "web" in site.run("virsh list --name").split()
    site.driven.assert_nothing_to_do()


def test_its_host_boots_and_stead_starts_them(site: Site) -> None:
    site.run("virsh net-autostart default")
    before = site.boots()
    site.driven.lab.reboot([site.driven.lab.host(HOST)])
    assert not set(before) & set(site.boots())
    site.driven.assert_nothing_to_do()


def test_what_goes_is_what_was_adopted(site: Site) -> None:
    refused = site.driven.stead("destroy", "--auto-approve", status=None)
    assert refused.status != 0
    assert len(site.qemu()) == 2
    site.driven.destroy()
    assert site.run("virsh list --all --name").split() == [OTHERS[0]]
    assert site.run(f"ls {IMAGES}").split() == ["other.img"]
    assert "virbr0" in site.run("virsh net-dumpxml default")
