"""The guest images boot without KVM and do what their seed says. They run under plain QEMU on a host of the lab."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from waiting import BOOTS_WITHIN

from stead.lab.image.build import ensure_image
from stead.lab.lifecycle import quiet
from stead.lab.site import Lab

pytestmark = pytest.mark.lab

HOST = "compute-1"
MAC = "52:54:00:12:34:56"
TYPE = """
import socket, sys, time
link = socket.socket(socket.AF_UNIX)
link.connect(sys.argv[1])
link.settimeout(2)
deadline = time.monotonic() + 90
for typed, wanted in zip(sys.argv[2::2], sys.argv[3::2]):
    seen = b""
    while wanted.encode() not in seen:
        assert time.monotonic() < deadline, (wanted, seen)
        link.sendall(typed.encode() + b"\\n")
        try:
            while time.monotonic() < deadline:
                seen += link.recv(4096)
        except TimeoutError:
            continue
"""


@dataclass(kw_only=True)
class Guest:
    """A guest on the lab's first compute host; its files are shared with the machine."""

    lab: Lab
    name: str
    image: Path
    port: int  # for ssh; the next one is for http
    memory: int = 192
    cpus: int = 1

    @property
    def outside(self) -> Path:
        return self.lab.rooms.host(HOST) / "own/var/lib/stead" / self.name

    @property
    def inside(self) -> str:
        return f"/var/lib/stead/{self.name}"

    def make(self, size: str) -> None:
        self.outside.mkdir()
        shutil.copy(self.image, self.outside / "image.qcow2")
        backing = ["-b", f"{self.inside}/image.qcow2", "-F", "qcow2"]
        self.lab.run(HOST, ["qemu-img", "create", "-q", "-f", "qcow2", *backing, f"{self.inside}/disk.qcow2", size])
        self.lab.run(HOST, ["qemu-img", "create", "-q", "-f", "raw", f"{self.inside}/volume.raw", "64M"])

    def seed(self, **files: str) -> None:
        """A NoCloud seed; `network_config` is the file network-config."""
        directory = self.outside / "seed"
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir()
        for name, text in files.items():
            (directory / name.replace("_", "-")).write_text(text, encoding="utf-8")
        iso = ["-output", f"{self.inside}/seed.iso", "-volid", "cidata", "-joliet", "-rock", f"{self.inside}/seed"]
        self.lab.run(HOST, ["genisoimage", "-quiet", *iso])

    def boot(self, seed: str = "if=virtio,readonly=on,format=raw") -> None:
        (self.outside / "serial.log").unlink(missing_ok=True)
        drives = [f"file={self.inside}/disk.qcow2,if=virtio", f"file={self.inside}/volume.raw,if=virtio,format=raw"]
        if (self.outside / "seed.iso").exists():
            drives.append(f"file={self.inside}/seed.iso,{seed}")
        forward = f"hostfwd=tcp::{self.port}-:22,hostfwd=tcp::{self.port + 1}-:80"
        console = f"socket,id=console,path={self.inside}/console,server=on,wait=off,logfile={self.inside}/serial.log"
        qemu = [
            *("qemu-system-x86_64", "-accel", "tcg", "-cpu", "max", "-m", str(self.memory), "-smp", str(self.cpus)),
            *("-display", "none", "-nic", f"user,model=virtio,mac={MAC},{forward}"),
            *("-chardev", console, "-serial", "chardev:console"),
            *("-monitor", f"unix:{self.inside}/monitor,server=on,wait=off"),
            *(word for drive in drives for word in ("-drive", drive)),
        ]
        self.lab.run(HOST, ["systemd-run", "--quiet", "--collect", f"--unit={self.name}", *qemu])

    @property
    def console(self) -> str:
        path = self.outside / "serial.log"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def wait_for(self, text: str, within: float) -> None:
        deadline = time.monotonic() + within
        while not re.search(text, self.console):
            assert time.monotonic() < deadline, (
                f"no {text!r} within {within} s; the console said {self.console[-2000:]}"
            )
            time.sleep(0.1)

    def run(self, command: str, user: str = "root") -> str:
        host = self.lab.host(HOST).address
        options = ["BatchMode=yes", "StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR"]
        ssh = ["ssh", "-F", "/dev/null", "-i", str(self.lab.rooms.key), "-p", str(self.port), f"{user}@{host}"]
        words = [*ssh, *(word for option in options for word in ("-o", option)), command]
        return subprocess.run(words, capture_output=True, text=True, check=True, timeout=60).stdout

    def identity(self) -> Any:
        with urllib.request.urlopen(f"http://{self.lab.host(HOST).address}:{self.port + 1}/", timeout=60) as answer:
            return json.load(answer)

    def type(self, socket: str, *lines: str) -> None:
        """What is typed and what is then to be read, in turn. Typed again after a silence: nobody may have listened."""
        self.lab.run(HOST, ["python3", "-c", TYPE, f"{self.inside}/{socket}", *lines])

    def used(self) -> float:
        """Seconds of a processor, for all that it has done."""
        pid = self.lab.run(HOST, ["systemctl", "show", "--property=MainPID", "--value", self.name]).strip()
        return sum(map(int, self.lab.run(HOST, ["cat", f"/proc/{pid}/stat"]).rpartition(")")[2].split()[11:13])) / 100

    def is_running(self) -> bool:
        units = self.lab.run(HOST, ["systemctl", "list-units", "--plain", "--no-legend", f"{self.name}.service"])
        return "running" in units

    def press_power(self, within: float) -> None:
        self.type("monitor", "system_powerdown", "(qemu)")
        deadline = time.monotonic() + within
        while self.is_running():
            assert time.monotonic() < deadline, f"still on {within} s after the power button; {self.console[-2000:]}"
            time.sleep(0.2)

    def remove(self) -> None:
        if self.is_running():
            self.lab.run(HOST, ["systemctl", "stop", self.name])
        shutil.rmtree(self.outside, ignore_errors=True)


def user_data(lab: Lab) -> str:
    key = lab.rooms.key.with_name("id_ed25519.pub").read_text(encoding="utf-8").strip()
    data = {
        "ssh_authorized_keys": [key],
        "write_files": [{"path": "/etc/greeting", "content": "it's $HOME\n", "permissions": "0640"}],
        "runcmd": [
            ["sh", "-c", "echo ran >> /root/ran"],
            "echo as a shell > /root/shell",
            "cat /proc/uptime > /root/uptime",
        ],
        "fs_setup": [{"device": "/dev/vdb", "filesystem": "ext4", "label": "data"}],
        "mounts": [["/dev/vdb", "/data"]],
    }
    return "#cloud-config\n" + yaml.safe_dump(data)


def network_config() -> str:
    """As Stead writes it: JSON, which is YAML."""
    ethernet = {
        "match": {"macaddress": MAC},
        "dhcp4": True,
        "addresses": ["10.9.8.7/24", "fd00:9::7/64"],
        "routes": [{"to": "10.77.0.0/16", "via": "10.9.8.1"}],
    }
    return json.dumps({"network": {"version": 2, "ethernets": {"n0": ethernet}}})


@pytest.fixture(scope="module")
def guests(lab: Lab) -> Iterator[Callable[..., Guest]]:
    made: list[Guest] = []

    def make(kind: str, size: str = "1G", **options: Any) -> Guest:
        name = f"guest-{kind}-{len(made)}"
        guest = Guest(lab=lab, name=name, image=ensure_image(kind, quiet), port=2200 + 10 * len(made), **options)
        made.append(guest)
        guest.make(size)
        return guest

    yield make
    for guest in made:
        guest.remove()


@pytest.fixture(scope="module")
def tiny(guests: Callable[..., Guest], lab: Lab) -> Guest:
    guest = guests("tiny")
    meta = json.dumps({"instance-id": "i-1", "local-hostname": "web-0"})
    guest.seed(meta_data=meta, user_data=user_data(lab), network_config=network_config())
    guest.boot()
    guest.wait_for("is ready after", BOOTS_WITHIN)
    return guest


def test_the_tiny_image_is_small() -> None:
    assert ensure_image("tiny", quiet).stat().st_size < 20_000_000


def test_an_image_is_built_once() -> None:
    first = ensure_image("tiny", quiet)
    before = first.stat().st_mtime_ns
    assert ensure_image("tiny", quiet) == first
    assert first.stat().st_mtime_ns == before


def test_a_tiny_guest_is_ready_in_seconds(tiny: Guest) -> None:
    """Of a processor, 5 when nothing else is done on it; and it waits for nothing."""
    assert re.search(r"stead: web-0 is ready after \d+ s", tiny.console)
    assert tiny.used() < 20
    assert float(tiny.run("cat /root/uptime").split()[1]) < 10


def test_a_tiny_guest_tells_who_it_is(tiny: Guest) -> None:
    found = tiny.identity()
    assert found["hostname"] == "web-0"
    assert found["instance_id"] == "i-1"
    assert "10.9.8.7" in found["ipv4"]
    assert "fd00:9::7" in found["ipv6"]
    assert len(found["ipv4"]) == 2, "static and DHCP"


def test_a_tiny_guest_lets_in_who_has_the_key_and_nobody_else(tiny: Guest) -> None:
    assert tiny.run("hostname").strip() == "web-0"
    assert tiny.run("id -un", user="debian").strip() == "debian"
    address = f"root@{tiny.lab.host(HOST).address}"
    options = ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "PreferredAuthentications=none,password"]
    words = ["ssh", "-F", "/dev/null", "-p", str(tiny.port), *(w for o in options for w in ("-o", o))]
    done = subprocess.run([*words, "-o", "BatchMode=yes", address, "true"], capture_output=True, check=False)
    assert done.returncode != 0


def test_a_tiny_guest_does_what_its_user_data_says(tiny: Guest) -> None:
    assert tiny.run("cat /etc/greeting") == "it's $HOME\n"
    assert tiny.run("stat -c %a /etc/greeting").strip() == "640"
    assert tiny.run("cat /root/ran /root/shell") == "ran\nas a shell\n"


def test_a_tiny_guest_mounts_its_volume_and_fills_its_disk(tiny: Guest) -> None:
    assert " /data ext4 " in tiny.run("cat /proc/mounts")
    size = int(tiny.run("df -m / | tail -1 | awk '{ print $2 }'"))
    assert 900 < size < 1024


def test_a_tiny_guest_has_the_routes_of_its_seed(tiny: Guest) -> None:
    routes = tiny.run("ip route")
    assert "10.77.0.0/16 via 10.9.8.1" in routes
    assert "default via 10.0.2.2" in routes


def test_a_tiny_guest_has_a_console_login(tiny: Guest) -> None:
    tiny.type("console", "", "login:", "root", "# ", "echo tty=$(tty)", "tty=/dev/ttyS0", "exit", "login:")


def test_a_tiny_guest_keeps_its_data_and_runs_its_commands_once(tiny: Guest) -> None:
    tiny.run("echo kept > /data/kept; echo kept > /root/kept")
    tiny.press_power(within=120)
    tiny.boot()
    tiny.wait_for("is ready after", BOOTS_WITHIN)
    assert tiny.run("cat /data/kept /root/kept /root/ran") == "kept\nkept\nran\n"
    tiny.press_power(within=120)


def test_a_tiny_guest_begins_anew_as_another_instance(tiny: Guest, lab: Lab) -> None:
    """After the test above, which leaves it off."""
    tiny.seed(meta_data="instance-id: i-2\nlocal-hostname: web-9\n", user_data=user_data(lab))
    tiny.boot(seed="if=ide,media=cdrom,format=raw,readonly=on")  # and from a CD drive
    tiny.wait_for("web-9 is ready after", BOOTS_WITHIN)
    assert tiny.run("cat /root/ran") == "ran\nran\n"
    assert tiny.identity()["ipv4"] == ["10.0.2.15"]  # DHCP, since nothing is said of the network


def test_a_tiny_guest_without_a_seed_still_answers(guests: Callable[..., Guest]) -> None:
    guest = guests("tiny")
    guest.boot()
    guest.wait_for("stead-tiny is ready after", BOOTS_WITHIN)
    assert guest.identity()["hostname"] == "stead-tiny"


@pytest.mark.long
def test_a_debian_guest_does_the_same_with_real_cloud_init(guests: Callable[..., Guest], lab: Lab) -> None:
    guest = guests("debian", size="8G", memory=512, cpus=2)
    meta = json.dumps({"instance-id": "i-1", "local-hostname": "deb-0"})
    guest.seed(meta_data=meta, user_data=user_data(lab), network_config=network_config())
    guest.boot()
    guest.wait_for(r"Cloud-init v\. \S+ finished", 900)  # 60 s on an idle machine
    assert guest.run("hostname", user="debian").strip() == "deb-0"
    assert json.loads(guest.run("cloud-init status --format json", user="debian"))["status"] == "done"
    assert guest.run("sudo cat /etc/greeting /root/ran", user="debian") == "it's $HOME\nran\n"
    assert "fd00:9::7/64" in guest.run("ip -brief address", user="debian")
    assert " /data ext4 " in guest.run("cat /proc/mounts", user="debian")
    guest.press_power(within=240)
