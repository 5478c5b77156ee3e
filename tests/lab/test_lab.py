"""A lab's hosts are real enough, can be hurt and come back, and leave nothing behind."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from varying import variant

from stead.core.diagnostics import Refused
from stead.lab import cgroups, links, paths
from stead.lab.base import Base
from stead.lab.commands import run
from stead.lab.lifecycle import bring_up, probe_overlay, settle, take_down
from stead.lab.site import Lab, greets
from stead.lab.sizes import Sizes, parse

pytestmark = pytest.mark.lab

STEAD = Path(sys.executable).with_name("stead")
MakeLab = Callable[..., Lab]


def sizes(**hosts: int) -> Sizes:
    return parse({"hosts": hosts}, "test")


def traces(name: str) -> list[str]:
    """Everything on this machine that carries the lab's name."""
    marks = (f"stead-{name}", f"sl-{name}", str(paths.rooms(name).top))
    found = [f"namespace {path.name}" for path in links.NETNS.glob(f"stead-{name}*")]
    found += [f"link {path.name}" for path in Path("/sys/class/net").glob(f"sl-{name}")]
    mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
    found += [f"mount {line}" for line in mounts if any(mark in line for mark in marks)]
    found += [f"group {path}" for root in cgroups.hierarchies() for path in root.glob(f"stead-{name}")]
    found += [f"files {paths.rooms(name).top}"] if paths.rooms(name).top.exists() else []
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = process.read_bytes().decode(errors="replace").replace("\0", " ")
        except OSError:
            continue
        if any(mark in words for mark in marks):
            found.append(f"process {words}")
    return found


def wait_for(what: Callable[[], bool], within: float, why: Callable[[], str]) -> None:
    deadline = time.monotonic() + within
    while not what():
        assert time.monotonic() < deadline, why()
        time.sleep(0.05)


def link(lab: Lab, host: str, device: str) -> str:
    """What the host says of it, asked without its network."""
    words = lab.console_argv(host, ["ip", "link", "show", device])
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


def assert_gone(name: str) -> None:
    """All of it, by itself and soon: an ssh that was under way to a host still has to see that there is none."""
    wait_for(lambda: traces(name) == [], 120, lambda: str(traces(name)))


def boot_id(lab: Lab, name: str) -> str:
    return lab.run(name, ["cat", "/proc/sys/kernel/random/boot_id"])


def test_hosts_are_machines_of_their_own(lab: Lab) -> None:
    names = [host.name for host in lab.hosts]
    assert names == ["controller-1", "compute-1", "compute-2", "storage-1", "network-1"]
    assert [lab.run(name, ["hostname"]).strip() for name in names] == names
    assert len({lab.run(name, ["cat", "/etc/machine-id"]) for name in names}) == len(names)
    assert len({boot_id(lab, name) for name in names}) == len(names)


def test_hosts_boot_without_a_failed_unit(lab: Lab) -> None:
    for host in lab.hosts:
        lab.run(host.name, ["systemctl", "is-system-running", "--wait"])


def test_sys_shows_the_hosts_own_links(lab: Lab) -> None:
    assert lab.run("network-1", ["ls", "/sys/class/net"]).split() == ["eth0", "eth1", "lo"]
    assert lab.run("storage-1", ["ls", "/sys/class/net"]).split() == ["eth0", "lo"]
    assert lab.run("compute-1", ["cat", "/sys/class/net/eth0/address"]).strip() == lab.host("compute-1").links[0].mac


def test_a_host_may_change_its_network_and_not_the_machine(lab: Lab) -> None:
    before = Path("/proc/sys/net/ipv4/ip_forward").read_text(encoding="utf-8")
    had = lab.run("network-1", ["sysctl", "-n", "net.ipv4.ip_forward"]).strip()
    lab.run("network-1", ["sysctl", "-w", f"net.ipv4.ip_forward={1 - int(before)}"])
    assert Path("/proc/sys/net/ipv4/ip_forward").read_text(encoding="utf-8") == before
    lab.run("network-1", ["sysctl", "-w", f"net.ipv4.ip_forward={had}"])
    for argv in (["date", "--set", "2020-01-01"], ["sysctl", "-w", "vm.swappiness=1"]):
        with pytest.raises(subprocess.CalledProcessError):
            lab.run("network-1", argv)


def test_hosts_reach_each_other_and_the_neighbour(lab: Lab) -> None:
    lab.run("compute-1", ["ping", "-c1", "-W20", "storage-1"])
    lab.run("network-1", ["ip", "address", "add", "203.0.113.50/24", "dev", "eth1"])
    try:
        lab.run("neighbour", ["ping", "-c1", "-W20", "203.0.113.50"])
        seen = lab.run("network-1", ["curl", "--silent", "--max-time", "20", "http://203.0.113.1/"])
        assert seen.strip() == "203.0.113.50"
    finally:
        lab.run("network-1", ["ip", "address", "delete", "203.0.113.50/24", "dev", "eth1"])


def test_a_stocked_host_has_the_packages_and_runs_none_of_them(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab("p", sizes(compute=1))  # the shared one is prepared by other tests
    programs = "virsh qemu-system-x86_64 qemu-img nft tgtd ganesha.nfsd keepalived haproxy"
    lab.run("compute-1", ["sh", "-c", f"command -v {programs}"])
    running = lab.run("compute-1", ["systemctl", "list-units", "--type=service,socket", "--state=active", "--plain"])
    for daemon in (
        "libvirtd",
        "virtlogd",
        "tgt.",
        "nfs-ganesha",
        "dnsmasq",
        "keepalived",
        "haproxy",
        "chrony",
        "rpcbind",
    ):
        assert daemon not in running
    enabled = lab.run("compute-1", ["systemctl", "list-unit-files", "--state=enabled", "--plain"])
    assert "ssh.service" in enabled
    assert "libvirtd" not in enabled


def test_what_a_host_keeps_for_stead_is_not_on_the_overlay(lab: Lab) -> None:
    for path in ("/var/lib/stead", "/srv"):
        assert lab.run("storage-1", ["stat", "-f", "-c", "%T", path]).strip() != "overlayfs"
    assert lab.run("storage-1", ["stat", "-f", "-c", "%T", "/etc"]).strip() == "overlayfs"


def test_ansible_reaches_every_host_from_outside(lab: Lab) -> None:
    ansible = Path(sys.executable).with_name("ansible")
    done = subprocess.run(
        [ansible, "-i", lab.inventory, "all", "-m", "ping"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("SUCCESS") == len(lab.hosts)


def test_words_of_a_command_arrive_as_given(lab: Lab) -> None:
    words = ["a b", "$HOME", "it's", '"', "*", ""]
    assert lab.run("compute-1", ["printf", "%s\\n", *words]).splitlines() == words
    assert lab.run("neighbour", ["printf", "%s\\n", *words]).splitlines() == words


def test_the_secret_key_is_readable_by_root_only(lab: Lab) -> None:
    assert lab.rooms.key.stat().st_mode & 0o777 == 0o600


def refused(attempt: Callable[[], object]) -> str:
    with pytest.raises(Refused) as refusal:
        attempt()
    return refusal.value.diagnostics[0].code


def test_a_place_that_takes_no_overlay_is_refused(lab: Lab, tmp_path: Path) -> None:
    """An overlay's upper layer cannot lie on another overlay."""
    for name in ("lower", "upper", "work", "on"):
        (tmp_path / name).mkdir()
    options = f"lowerdir={tmp_path / 'lower'},upperdir={tmp_path / 'upper'},workdir={tmp_path / 'work'}"
    run(["mount", "-t", "overlay", "stead-lab-test", "-o", options, tmp_path / "on"])
    try:
        base = Base(top=paths.cache())
        assert refused(lambda: probe_overlay(replace(lab.rooms, top=tmp_path / "on"), base)) == "STEAD-B004"
    finally:
        run(["umount", tmp_path / "on"])


def test_a_power_cut_ends_everything_of_the_host_and_nothing_else(lab: Lab) -> None:
    host, others = lab.host("compute-1"), ["controller-1", "compute-2", "storage-1", "network-1"]
    before = {name: boot_id(lab, name) for name in others}
    lab.run(
        host.name,
        [
            "sh",
            "-c",
            "echo kept > /root/kept; ip link add br-lost type bridge; setsid sleep 1000 >/dev/null 2>&1 </dev/null &",
        ],
    )
    lab.crash(host)
    assert cgroups.processes(lab.layout.name, host.name) == set()
    assert not links.has_namespace(host.namespace)
    assert [state.running for state in lab.status() if state.host == host] == [False]
    assert refused(lambda: lab.console_argv(host.name)) == "STEAD-B016"
    assert refused(lambda: lab.wait(host)) == "STEAD-B013"
    lab.reboot([host])
    assert lab.run(host.name, ["cat", "/root/kept"]).strip() == "kept"
    with pytest.raises(subprocess.CalledProcessError):
        lab.run(host.name, ["ip", "link", "show", "br-lost"])
    assert {name: boot_id(lab, name) for name in others} == before


def test_a_host_that_reboots_itself_comes_back_with_a_fresh_network(lab: Lab) -> None:
    before = boot_id(lab, "compute-2")
    lab.run("compute-2", ["ip", "link", "add", "br-lost", "type", "bridge"])
    with contextlib.suppress(subprocess.CalledProcessError):  # the connection may end before the command's answer
        lab.run("compute-2", ["systemctl", "--no-block", "reboot"])

    lab.forget_connection(lab.host("compute-2"))

    def is_back() -> bool:
        try:
            return boot_id(lab, "compute-2") != before
        except subprocess.CalledProcessError:
            return False

    wait_for(is_back, 240, lambda: lab.last_words(lab.host("compute-2")))
    assert lab.run("compute-2", ["ls", "/sys/class/net"]).split() == ["eth0", "eth1", "lo"]


def test_an_orderly_reboot_runs_what_stops_services(lab: Lab) -> None:
    before = boot_id(lab, "storage-1")
    unit = "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStop=/bin/touch /root/stopped\n"
    lab.run("storage-1", ["tee", "/etc/systemd/system/witness.service"], feed=unit)
    lab.run("storage-1", ["systemctl", "start", "witness"])
    lab.reboot([lab.host("storage-1")])
    assert boot_id(lab, "storage-1") != before
    lab.run("storage-1", ["test", "-e", "/root/stopped"])


def test_a_cut_cable_silences_a_host_until_it_is_healed(lab: Lab) -> None:
    host = lab.host("compute-2")
    lab.cut(host)
    try:
        assert not greets(host.address)
        wait_for(lambda: "NO-CARRIER" in link(lab, host.name, "eth0"), 20, lambda: link(lab, host.name, "eth0"))
        lab.crash(host)
        lab.start([host])
        wait_for(lambda: listens(lab, host.name), 240, lambda: lab.last_words(host))
        assert "NO-CARRIER" in link(lab, host.name, "eth0"), "a pulled cable was plugged in by a power cut"
        assert not greets(host.address)
    finally:
        lab.heal(host)
    lab.wait(host)


def listens(lab: Lab, host: str) -> bool:
    """Whether a host that nobody reaches has an sshd by now."""
    try:
        words = lab.console_argv(host, ["ss", "-ltn"])
    except Refused:  # it is not so far yet
        return False
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return ":22 " in done.stdout


def test_cutting_one_network_leaves_the_other(lab: Lab) -> None:
    host = lab.host("network-1")
    lab.cut(host, "external")
    try:
        wait_for(lambda: "NO-CARRIER" in link(lab, host.name, "eth1"), 20, lambda: link(lab, host.name, "eth1"))
        assert greets(host.address, 20)
    finally:
        lab.heal(host, "external")
    wait_for(lambda: "LOWER_UP" in link(lab, host.name, "eth1"), 20, lambda: link(lab, host.name, "eth1"))


def test_up_again_starts_only_what_is_off(lab: Lab) -> None:
    before = {host.name: boot_id(lab, host.name) for host in lab.hosts}
    lab.crash(lab.host("compute-1"))
    bring_up(parse({}, "test"), lab.layout.name)
    changed = [host.name for host in lab.hosts if boot_id(lab, host.name) != before[host.name]]
    assert changed == ["compute-1"]


def test_another_lab_of_the_same_name_is_refused(lab: Lab) -> None:
    with pytest.raises(Refused, match="STEAD-B010"):
        bring_up(sizes(compute=1), lab.layout.name)


def test_what_is_not_there_is_named(lab: Lab) -> None:
    with pytest.raises(Refused, match=r"STEAD-B009.*compute-2"):
        lab.host("compute-9")
    with pytest.raises(Refused, match=r"STEAD-B015.*external"):
        lab.cut(lab.host("compute-1"), "moon")


def test_a_bare_host_installs_packages_without_a_way_out(make_lab: MakeLab) -> None:
    lab = make_lab("i", sizes(storage=1), base="bare")
    with pytest.raises(subprocess.CalledProcessError):
        lab.run("storage-1", ["dpkg", "--status", "tgt"])
    lab.run("storage-1", ["apt-get", "--yes", "install", "tgt"])
    lab.run("storage-1", ["systemctl", "is-active", "tgt"])


def test_two_labs_live_side_by_side_and_one_leaves_nothing(lab: Lab, make_lab: MakeLab) -> None:
    other = make_lab("s", sizes(compute=2))
    name = other.layout.name
    assert other.layout.underlay != lab.layout.underlay
    other.run("compute-1", ["ping", "-c1", "-W20", "compute-2"])
    with pytest.raises(subprocess.CalledProcessError):
        other.run("compute-1", ["ping", "-c1", "-W1", lab.host("compute-1").address])
    assert traces(name) != []
    before = boot_id(lab, "compute-1")
    assert take_down(name)
    assert_gone(name)
    assert not take_down(name)
    assert boot_id(lab, "compute-1") == before


@pytest.mark.parametrize("after", [0.6, *(variant(one) for one in (0.3, 1.2))])
def test_an_up_that_is_killed_can_be_taken_down(after: float) -> None:
    name = f"k{os.getpid():x}"
    up = subprocess.Popen([STEAD, "lab", "up", "--name", name], stderr=subprocess.PIPE)
    time.sleep(after)
    up.send_signal(signal.SIGKILL)
    up.communicate()
    take_down(name)
    assert_gone(name)


@pytest.mark.parametrize(
    "begun",
    [
        "hosts/compute-1/keeper.log",
        *(variant(one) for one in ("lab.json", "hosts/compute-2/pid")),
    ],
)
def test_an_up_that_is_killed_can_be_completed(begun: str) -> None:
    name = f"c{os.getpid():x}"
    up = subprocess.Popen([STEAD, "lab", "up", "--name", name], stderr=subprocess.PIPE)
    wait_for((paths.rooms(name).top / begun).exists, 240, lambda: f"no {begun}")
    up.send_signal(signal.SIGKILL)
    up.communicate()
    try:
        lab = bring_up(parse({}, "test"), name)
        assert len(lab.status()) == 5
        wait_for(lambda: all(state.answers for state in lab.status()), 60, lambda: str(lab.status()))
        seen = lab.run("neighbour", ["curl", "--silent", "--max-time", "20", "http://203.0.113.1/"])
        assert seen.strip() == "203.0.113.1"
    finally:
        take_down(name)
    assert_gone(name)


def test_a_lab_whose_record_is_lost_is_found_by_its_name(make_lab: MakeLab) -> None:
    lab = make_lab("l", sizes(compute=1))
    shutil.rmtree(lab.rooms.top)
    assert take_down(lab.layout.name)
    assert_gone(lab.layout.name)


@pytest.mark.long
def test_labs_that_come_up_together_get_their_own_subnets(tmp_path: Path) -> None:
    names = [f"{letter}{os.getpid():x}" for letter in "xyz"]
    (tmp_path / "small.yml").write_text("hosts: {compute: 1}\n")
    words = [str(STEAD), "lab", "up", str(tmp_path / "small.yml")]
    started = [subprocess.Popen([*words, "--name", name], stderr=subprocess.PIPE, text=True) for name in names]
    try:
        said = [one.communicate()[1] for one in started]
        assert [one.returncode for one in started] == [0, 0, 0], said
        shown = [
            subprocess.run([STEAD, "lab", "status", "--json", "--name", name], capture_output=True, check=True)
            for name in names
        ]
        assert len({json.loads(one.stdout)["underlay"] for one in shown}) == 3
    finally:
        for name in names:
            take_down(name)
    for name in names:
        assert_gone(name)


def idle() -> tuple[float, int]:
    """Seconds that this machine's cores did nothing since its boot, added up, and how many cores."""
    cores = [line.split() for line in Path("/proc/stat").read_text().splitlines() if line.startswith("cpu")][1:]
    return sum(int(core[4]) for core in cores) / os.sysconf("SC_CLK_TCK"), len(cores)


def used(lab: str) -> float:
    """Seconds of processors that a lab has used, and we and our children with it."""
    nanoseconds = 0
    for group in (root / cgroups.group_name(lab) for root in cgroups.hierarchies()):
        with contextlib.suppress(OSError):
            nanoseconds = int((group / "cpuacct.usage").read_text())
        with contextlib.suppress(OSError):
            words = dict(line.split() for line in (group / "cpu.stat").read_text().splitlines())
            nanoseconds = int(words.get("usage_usec", 0)) * 1000 or nanoseconds
    return nanoseconds / 1e9 + sum(os.times()[:4])


def test_five_hosts_answer_within_ten_seconds_and_are_small() -> None:
    """Of the time that the machine had for them: what others do here meanwhile is not the lab's."""
    name = f"q{os.getpid():x}"
    began, (idled, cores), had = time.monotonic(), idle(), used(name)
    try:
        bring_up(parse({}, "test"), name)
        took = time.monotonic() - began
        own, nobodys = used(name) - had, idle()[0] - idled
        assert own > 0.5
        assert (own + nobodys) / cores < 10, f"{took:.1f} s: {own:.1f} s of work, {nobodys:.1f} s of {cores} cores idle"
        assert cgroups.memory(name) < 500 * 2**20  # 1.5 GB is the promise for hosts with their daemons running
    finally:
        take_down(name)


def test_a_network_that_was_made_in_part_is_completed(monkeypatch: pytest.MonkeyPatch) -> None:
    """As an `up` leaves it that ended after each of its commands in turn."""
    name = f"w{os.getpid():x}"
    rooms = paths.rooms(name)
    rooms.top.mkdir(parents=True)
    layout = settle(parse({}, "test"), name, rooms)

    def made(least: int) -> list[str]:
        """All that is there, after that many commands and then from the beginning."""
        left = iter(range(least))

        def until_then(*words: Any, **options: Any) -> str:
            next(left)
            return run(*words, **options)

        with monkeypatch.context() as patch, contextlib.suppress(StopIteration):
            patch.setattr(links, "run", until_then)
            links.build_switch(layout)
        links.build_switch(layout)
        found: list[object] = []
        for where in (["-n", layout.switch], ["-n", layout.neighbour], []):
            told = subprocess.run(["ip", *where, "-json", "address"], capture_output=True, check=True).stdout
            seen = [one for one in json.loads(told) if where or one["ifname"] == layout.machine_link]
            addresses = [[one["local"] for one in link["addr_info"] if one["scope"] == "global"] for link in seen]
            found += [(link["ifname"], link.get("master"), "UP" in link["flags"], link["mtu"]) for link in seen]
            found += addresses
        links.remove_network(layout)
        return sorted(map(str, found))

    try:
        whole = made(0)
        assert len(whole) == 2 * len(["lo", "underlay", "phys0", "machine", "n0", "lo", "eth0", layout.machine_link])
        for least in range(1, 20):
            assert made(least) == whole, least
    finally:
        take_down(name)
