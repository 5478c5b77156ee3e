"""Bad days on real hosts: what is wrong is said with its host and its line, the rest is done, the next apply finishes.

Every test leaves an empty plan behind it.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import pytest
from driving import Driven, Said, prepare, tiny
from leftovers import differences, listing
from varying import variant
from waiting import patiently

from stead.lab.site import Lab
from stead.lab.sizes import parse
from stead.runner.ansible_process import collections

pytestmark = pytest.mark.lab

FLAVOR = "{vcpus: 1, memory: 160MiB, disk: 1GiB}"
SPEC = f"""stead: 1
images:
  tiny: {{source: {tiny()}}}
projects:
  acme:
    networks:
      app: {{subnets: {{v4: {{cidr: 10.20.0.0/24}}}}}}
    volumes:
      one: {{size: 1MiB, host: compute-1}}
      two: {{size: 1MiB, host: compute-2}}
    instances:
      left: {{image: tiny, flavor: {FLAVOR}, networks: [app], stop_timeout: 1s, host: compute-1}}
      right: {{image: tiny, flavor: {FLAVOR}, networks: [app], stop_timeout: 1s, host: compute-2}}
"""


@pytest.fixture(scope="module")
def quartet(make_lab: Callable[..., Lab]) -> Lab:
    hosts = {"controller": 1, "compute": {"count": 2, "cpus": 4}, "network": 1}
    found = make_lab("d", parse({"hosts": hosts}, "bad days"))
    prepare(found)
    return found


@pytest.fixture
def site(quartet: Lab, tmp_path: Path) -> Iterator[Driven]:
    (tmp_path / "site").mkdir()
    found = Driven(quartet, tmp_path / "site")
    found.write(SPEC)
    found.stead("plan")
    before = listing(quartet)
    yield found
    found.write(SPEC)
    found.destroy()
    assert differences(before, listing(quartet)) == []


def told(said: Said, what: str, host: str, place: str) -> str:
    """The line that says what became of it, where it is in the spec, and why."""
    found = [line for line in said.err.splitlines() if f"{what} on {host} ({place}" in line]
    assert found, said.text
    return found[0]


def running(site: Driven, host: str) -> list[str]:
    return site.run(host, "virsh list --name").split()


def all_is_well(site: Driven) -> None:
    """What the next apply comes to: everything there, and nothing left to do."""
    site.apply()
    assert running(site, "compute-1") == ["acme.left"]
    assert running(site, "compute-2") == ["acme.right"]
    site.assert_nothing_to_do()


def test_a_wrong_checksum_holds_up_what_needs_it_and_nothing_else(site: Driven) -> None:
    bad = f"images:\n  bad: {{source: {tiny()}, checksum: 'sha256:{'0' * 64}'}}\n"
    site.write(SPEC.replace("images:\n", bad).replace("right: {image: tiny", "right: {image: bad"))
    said = site.apply(status=1)
    assert "has checksum sha256:" in told(said, "create images/bad", "controller-1", site.line_of("  bad:"))
    why = told(said, "create acme/instances/right", "compute-2", site.line_of("right:"))
    assert "which was not done" in why
    assert running(site, "compute-1") == ["acme.left"]
    site.write(SPEC)
    all_is_well(site)


@pytest.mark.long
def test_a_source_that_is_gone(site: Driven, tmp_path: Path) -> None:
    image = tmp_path / "image.qcow2"
    text = SPEC.replace(str(tiny()), str(image))
    site.write(text)
    said = site.apply(status=1)
    assert f"Cannot read {image}: No such file" in told(
        said, "create images/tiny", "controller-1", site.line_of("  tiny:")
    )
    assert site.run("compute-1", "ls /var/lib/stead/pools/default | wc -l").strip() == "1"  # the volume
    shutil.copy(tiny(), image)
    all_is_well(site)
    image.unlink()  # it is kept: nobody asks for the source again
    site.assert_nothing_to_do()
    site.write(SPEC)
    site.apply("--max-disruption", "data-loss")


@pytest.mark.parametrize(
    "folder",
    [
        "images",
        *(variant(one) for one in ("pools/default", "ledger", "journal", "instances")),
    ],
)
def test_a_full_disk_is_said_and_stops_its_host_alone(site: Driven, folder: str) -> None:
    path = f"/var/lib/stead/{folder}"
    if folder == "pools/default":  # room that the planner counts on, and no file more
        site.run("compute-2", f"mount -t tmpfs -o size=20g,nr_inodes=1,mode=0711 full {path}")
    else:
        site.run("compute-2", f"mount -t tmpfs -o size=64k,mode=0711 full {path}")
        site.run("compute-2", f"head -c 1M /dev/zero > {path}/.filler 2>/dev/null || true")
    try:
        said = site.apply(status=1)
        lines = [line for line in said.err.splitlines() if " on compute-2 (stead.yml:" in line]
        assert any("No space left on device" in line or "has room for" in line for line in lines), said.text
        assert running(site, "compute-1") == ["acme.left"]
    finally:
        site.run("compute-2", f"umount {path}")
    all_is_well(site)


@pytest.mark.parametrize(
    ("host", "folder", "step", "left", "gone"),
    [
        ("compute-2", "/etc/libvirt/qemu", "create acme/instances/right", "new files: /var/lib/stead/instances/", True),
        ("network-1", "/run/systemd/transient", "create acme/networks/app", "new namespaces: stead-dhcp-", False),
    ],
    ids=["instance gone from the spec", "network destroyed"],
)
def test_what_is_made_half_leaves_nothing(
    site: Driven, host: str, folder: str, step: str, left: str, gone: bool
) -> None:
    """The disk is there and the domain cannot be defined; the bridge is there and dnsmasq cannot be started."""
    before = listing(site.lab)
    site.run(host, f"mount --bind {folder} {folder}; mount -o remount,ro,bind {folder}")
    try:
        told(site.apply(status=1), step, host, site.line_of("right:" if "instances" in step else "app:"))
    finally:
        site.run(host, f"umount {folder}")
    assert any(line.startswith(f"{host}: {left}") for line in differences(before, listing(site.lab)))
    if gone:
        site.write("stead: 1\n")
        site.apply("--max-disruption", "data-loss")
    else:
        site.destroy()
    assert differences(before, listing(site.lab)) == []


def test_a_host_that_goes_silent_in_the_middle(site: Driven) -> None:
    """Cut while it is at work: its steps are unknown, the others' are done, and the next plan looks."""
    had = journals(site, "compute-2")
    with started(site) as apply:
        begun(site, "compute-2", had)
        site.lab.cut(site.lab.host("compute-2"))
        try:
            said = ended(apply)
        finally:
            site.lab.heal(site.lab.host("compute-2"))
    assert said.status == 1
    assert "compute-2 went silent meanwhile" in told(
        said, "create acme/instances/right", "compute-2", site.line_of("right:")
    )
    assert running(site, "compute-1") == ["acme.left"]
    all_is_well(site)


def test_a_host_that_is_off_is_no_dead_host(site: Driven) -> None:
    """What it has is not planned elsewhere, and a change of something else goes through."""
    all_is_well(site)
    site.lab.cut(site.lab.host("compute-2"))
    try:
        site.write(SPEC.replace("one: {size: 1MiB", "one: {size: 2MiB"))
        steps = {(one["address"], one["host"]) for one in site.steps()}
        assert steps == {("acme/volumes/one", "compute-1")}
        said = site.apply()
        assert "compute-2" in said.text
    finally:
        site.lab.heal(site.lab.host("compute-2"))
    site.assert_nothing_to_do()


def test_libvirt_that_does_not_answer_is_not_an_empty_host(site: Driven) -> None:
    """Its guests run on. They are neither made again there nor anywhere else."""
    site.write(SPEC.replace(", host: compute-2}", "}"))
    site.apply()
    units = "libvirtd.service libvirtd.socket libvirtd-ro.socket libvirtd-admin.socket"
    where = next(host for host in ("compute-1", "compute-2") if "acme.right" in running(site, host))
    pid = site.run(where, "cat /run/libvirt/qemu/acme.right.pid")
    site.run(where, f"systemctl stop {units}")
    try:
        said = site.stead("plan", status=None)
        assert "libvirt does not answer" in said.text
        assert where in said.text
        assert [one for one in site.steps() if one["address"] == "acme/instances/right"] == []
        assert site.run(where, "cat /run/libvirt/qemu/acme.right.pid") == pid
    finally:
        site.run(where, f"systemctl start {units.replace('libvirtd.service ', '')}")
    site.assert_nothing_to_do()


@pytest.mark.long
def test_libvirt_that_does_not_answer_stops_what_needs_it(site: Driven) -> None:
    units = "libvirtd.service libvirtd.socket libvirtd-ro.socket libvirtd-admin.socket"
    site.run("compute-2", f"systemctl stop {units}")
    try:
        said = site.apply(status=1)
        lines = [line for line in said.err.splitlines() if " on compute-2 (stead.yml:" in line]
        assert any("libvirt does not answer on this host" in one and "Start libvirtd" in one for one in lines), said.err
        assert running(site, "compute-1") == ["acme.left"]
    finally:
        site.run("compute-2", f"systemctl start {units.replace('libvirtd.service ', '')}")
    all_is_well(site)


def test_a_killed_dnsmasq_is_back_and_a_stopped_one_is_drift(site: Driven) -> None:
    all_is_well(site)
    unit = site.run("network-1", "systemctl list-units --plain --no-legend 'stead-dhcp-*' | cut -d' ' -f1").strip()
    show = f"systemctl show --property MainPID --value {unit}"
    killed = site.run("network-1", show).strip()
    site.run("network-1", f"kill -9 {killed}")
    assert patiently(lambda: site.run("network-1", show).strip() not in ("0", killed))
    site.assert_nothing_to_do()
    site.run("network-1", f"systemctl stop {unit}")
    assert {(one["address"], one["host"]) for one in site.steps()} == {("acme/networks/app", "network-1")}
    all_is_well(site)
    assert site.run("network-1", f"systemctl is-active {unit}").strip() == "active"


def test_a_domain_deleted_behind_our_back_comes_back_on_its_disk(site: Driven) -> None:
    all_is_well(site)
    disk = "/var/lib/stead/pools/default/*.root.qcow2"
    before = site.run("compute-1", f"stat -c %i {disk}")
    site.run("compute-1", "virsh destroy acme.left; virsh undefine acme.left")
    steps = {(one["address"], one["host"]) for one in site.steps()}
    assert steps == {("acme/instances/left", "compute-1")}
    all_is_well(site)
    assert site.run("compute-1", f"stat -c %i {disk}") == before


def test_a_foreign_domain_of_the_same_name_is_left_alone(site: Driven) -> None:
    xml = (
        "<domain type='qemu'><name>acme.right</name><memory unit='MiB'>16</memory><vcpu>1</vcpu>"
        "<os><type>hvm</type></os></domain>"
    )
    site.lab.run("compute-2", ["virsh", "define", "/dev/stdin"], feed=xml)
    uuid = site.run("compute-2", "virsh domuuid acme.right").strip()
    try:
        said = site.apply(status=1)
        why = told(said, "create acme/instances/right", "compute-2", site.line_of("right:"))
        assert uuid in why
        assert "Stead does not touch it" in why
        assert running(site, "compute-1") == ["acme.left"]
        assert site.run("compute-2", "virsh domuuid acme.right").strip() == uuid
    finally:
        site.run("compute-2", f"virsh undefine {uuid}")
    all_is_well(site)


@pytest.mark.parametrize(
    "with_ansible",
    [variant(False, name="stead alone"), pytest.param(True, id="Ansible too")],
)
def test_a_controller_killed_in_the_middle(site: Driven, with_ansible: bool) -> None:
    had = journals(site, "compute-2")
    with started(site) as apply:
        begun(site, "compute-2", had)
        children = Path(f"/proc/{apply.pid}/task/{apply.pid}/children").read_text().split()
        assert children
        os.kill(apply.pid, signal.SIGKILL)
        if with_ansible:
            for child in children:
                with suppress(ProcessLookupError):  # it ends by itself when it has nothing left to do
                    os.killpg(int(child), signal.SIGKILL)
        apply.wait()
    all_is_well(site)


def test_ctrl_c_in_a_long_batch(site: Driven, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is done is told while the rest is being done, and little more is begun."""
    monkeypatch.setenv("ANSIBLE_COLLECTIONS_PATH", impatient(tmp_path))
    count = 600
    site.write(
        SPEC.replace("    volumes:", f"    volumes:\n      many: {{count: {count}, size: 1MiB, host: compute-1}}")
    )
    news, made = site.folder / "news", "ls /var/lib/stead/pools/default | wc -l"
    with news.open("wb") as file, started(site, file) as apply:
        patiently(lambda: "acme/volumes/many[" in news.read_text().partition("wave 1 of")[2])
        apply.send_signal(signal.SIGINT)
        apply.communicate(timeout=300)
    said = news.read_text()
    assert apply.returncode == 130, said
    assert "the run was stopped" in said
    assert 0 < int(site.run("compute-1", made)) < count
    site.apply()
    assert int(site.run("compute-1", made)) > count
    site.assert_nothing_to_do()


def impatient(folder: Path) -> str:
    """The collection, which tells what is done far sooner, so that a batch need not be long to be a long one."""
    away = shutil.ignore_patterns("output", "__pycache__")
    shutil.copytree(collections().partition(os.pathsep)[0], folder / "collections", ignore=away)
    batch = next((folder / "collections").rglob("module_utils/host/run/batch.py"))
    text = batch.read_text(encoding="utf-8")
    assert "SPELL = 5\n" in text
    batch.write_text(text.replace("SPELL = 5\n", "SPELL = 0.3\n"), encoding="utf-8")
    return str(folder / "collections")


@contextmanager
def started(site: Driven, said: IO[bytes] | int = subprocess.PIPE) -> Iterator[subprocess.Popen[str]]:
    """`stead apply` in the background; gone with the test, whatever becomes of it."""
    words = site.argv("apply", "--auto-approve", "--verbose")
    apply = subprocess.Popen(words, cwd=site.folder, stdout=said, stderr=said, text=True)
    try:
        yield apply
    finally:
        if apply.poll() is None:
            apply.kill()
            apply.wait()


def begun(site: Driven, host: str, had: set[str]) -> None:
    """Until that host is at work on the last wave that it has work in."""
    until = time.monotonic() + 300
    while not journals(site, host) - had:
        assert time.monotonic() < until, "it never began"


def journals(site: Driven, host: str) -> set[str]:
    """Of the runs in which that host was at work on an instance."""
    return set(site.run(host, "grep -ls instances/ /var/lib/stead/journal/*.jsonl || true").split())


def ended(apply: subprocess.Popen[str]) -> Said:
    out, err = apply.communicate(timeout=300)
    assert "Traceback" not in out + err
    return Said(apply.returncode, out, err)
