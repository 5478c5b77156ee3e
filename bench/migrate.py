"""Live migration by Stead beside `virsh migrate` by hand, of guests alike, between the same two hosts, in one run.

The guest of `by hand` has the same memory, processor and disk as Stead's, and moves by the same way with the same
encryption; its disk is made on the target before, and nothing else is done for it: no filters, no forwarding entries.
So its pause is QEMU's own, as libvirt tells it, and less than a ping would see. Stead's pause is what a ping at 0.05 s
sees, beyond that interval. They take turns, so that the machine's other work meets both alike; medians count.
python bench/migrate.py INVENTORY IMAGE [--rounds 5]. INVENTORY has two compute hosts and one of the roles network and
controller; IMAGE is `stead lab image tiny`. They are bootstrapped, and nothing of Stead's is on them.
"""

from __future__ import annotations

import argparse
import itertools
import re
import shlex
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from measure import STEAD
from stead.core.want import Body, Want
from stead.drivers.hypervisor import MoveRequest, qemu
from stead.site.inventory import Inventory, read_inventory
from stead.site.ssh import ssh
from stead.store import open_store

INTERVAL = 0.05  # seconds between pings
ADDRESS = "10.20.0.77"
WEB, HAND = "acme/instances/web", "11111111-2222-8333-8444-555555555555"
ROOM = "/var/lib/stead-by-hand"
TOTAL_AIM, PAUSE_AIM = 1.3, 0.1
SPEC = """stead: 1
images: {{tiny: {{source: {image}}}}}
projects:
  acme:
    networks: {{app: {{subnets: {{v4: {{cidr: 10.20.0.0/24}}}}}}}}
    security_groups: {{open: {{ingress: [{{protocol: any}}]}}}}
    instances:
      web: {{{guest}, networks: [{{network: app, address: {address}}}]}}
      one: {{{guest}, networks: [app], host: {one}}}
      two: {{{guest}, networks: [app], host: {two}}}
"""
GUEST = (
    "image: tiny, hypervisor: qemu, flavor: {vcpus: 1, memory: 128MiB, disk: 1GiB}, security_groups: [open], "
    "stop_timeout: 1s"
)


DOMAIN = """<domain type='qemu'>
<name>hand</name><uuid>{uuid}</uuid><memory unit='MiB'>128</memory><vcpu>1</vcpu>
<os><type arch='x86_64' machine='q35'>hvm</type></os><features><acpi/><apic/></features><cpu mode='maximum'/>
<devices>
<disk type='file' device='disk'><driver name='qemu' type='qcow2' discard='unmap' detect_zeroes='unmap'/>
<source file='{disk}'/><target dev='vda' bus='virtio'/></disk>
<interface type='bridge'><source bridge='{bridge}'/><mac address='52:54:00:0a:0b:0c'/><model type='virtio'/></interface>
</devices></domain>
"""


class Bench:
    def __init__(self, sources: Path, image: Path, folder: Path) -> None:
        self.sources, self.folder = sources.resolve(), folder
        self.inventory: Inventory = read_inventory((self.sources,))[0]
        hosts = self.inventory.hosts
        self.hosts = sorted(name for name, host in hosts.items() if "compute" in host.roles)[:2]
        self.front = next(name for name, host in hosts.items() if "network" in host.roles)
        one, two = self.hosts
        text = SPEC.format(image=image.resolve(), guest=GUEST, address=ADDRESS, one=one, two=two)
        (folder / "stead.yml").write_text(text)
        self.hand = one

    def on(self, host: str, script: str) -> str:
        words = ssh(host, self.inventory.connections[host], [f"sh -c {shlex.quote(script)}"])
        return subprocess.run(words, check=True, capture_output=True, text=True).stdout

    def stead(self, *words: str) -> str:
        command = [*STEAD, words[0], "-i", str(self.sources), *words[1:]]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout

    def record(self, address: str) -> Any:
        store = open_store("", directory=self.folder / ".stead")
        try:
            return next(one for name, one in store.recorded().resources.items() if str(name) == address)
        finally:
            store.close()

    def way(self, host: str) -> str:
        path = self.folder / f"reach-{host}"
        words = ssh(host, self.inventory.connections[host], ("virt-ssh-helper", qemu.LOCAL), options=("-T",))
        path.write_text("#!/bin/sh\nexec " + subprocess.list2cmdline(words) + "\n")
        path.chmod(0o700)
        return str(path)

    def prepare(self) -> None:
        self.stead("apply", "--auto-approve", "-q")
        source = self.record(WEB).host
        self.hand = source
        self.base = self.on(source, "ls /var/lib/stead/images/*.qcow2").split()[0]
        bridge = f"sb{self.record('acme/networks/app').leases['uuid'].replace('-', '')[:12]}"
        xml = DOMAIN.format(uuid=HAND, disk=f"{ROOM}/hand.qcow2", bridge=bridge)
        for host in self.hosts:
            self.clear(host)
        self.disk(source)
        self.on(source, f"cat > {ROOM}/hand.xml <<'END'\n{xml}\nEND\nvirsh define {ROOM}/hand.xml && virsh start hand")

    def disk(self, host: str) -> None:
        words = f"qemu-img create -q -f qcow2 -F qcow2 -b {self.base} {ROOM}/hand.qcow2 1G"
        self.on(host, f"mkdir -p {ROOM} && {words} && chmod 0777 {ROOM} {ROOM}/hand.qcow2")

    def clear(self, host: str) -> None:
        self.on(host, f"virsh destroy hand; virsh undefine hand; rm -rf {ROOM}; true")

    def by_hand(self) -> tuple[float, float]:
        """Seconds in all, and of the pause."""
        source, target = self.hand, next(one for one in self.hosts if one != self.hand)
        told = self.inventory.hosts[target]
        want = Want.of(Body.of({"root": {"bus": "virtio", "size": 1 << 30}})).fields()
        asked = MoveRequest(
            uuid=HAND, want=want, source=self.way(source), target=self.way(target), address=told.underlay
        )
        began = time.monotonic()
        self.disk(target)
        subprocess.run(qemu.move(asked), check=True, capture_output=True)
        self.on(source, f"rm -f {ROOM}/hand.qcow2")
        took = time.monotonic() - began
        self.hand = target
        said = self.on(target, "virsh domjobinfo hand --completed")
        found = re.search(r"Total downtime:\s+(\d+)", said)
        return took, int(found[1]) / 1000 if found else 0.0

    def by_stead(self) -> tuple[float, float, float]:
        """Seconds of the command, of the step in it, and of the pause."""
        target = next(one for one in self.hosts if one != self.record(WEB).host)
        with self.pinging() as seen:
            began = time.monotonic()
            self.stead("migrate", WEB, "--to", target, "--auto-approve", "-q")
            took = time.monotonic() - began
        store = open_store("", directory=self.folder / ".stead")
        try:
            last = store.runs(1)[0].id
            step = next(one for one in store.journal(last) if one.action == "migrate")
        finally:
            store.close()
        assert step.ended is not None
        return took, step.ended - step.began, max(0.0, longest(seen) - INTERVAL)

    @contextmanager
    def pinging(self) -> Iterator[list[float]]:
        network = self.record("acme/networks/app").leases["uuid"]
        command = f"ip netns exec stead-dhcp-{network} ping -D -i {INTERVAL} {ADDRESS}"
        words = ssh(self.front, self.inventory.connections[self.front], [command], options=("-tt",))
        seen: list[float] = []
        with (self.folder / "pings").open("w+") as file:
            process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=file, stderr=file)
            time.sleep(1)
            try:
                yield seen
            finally:
                time.sleep(1)
                process.terminate()
                process.wait()
                file.seek(0)
                seen += [float(one) for one in re.findall(r"\[([0-9.]+)\] \d+ bytes from", file.read())]

    def wait(self) -> None:
        with_ping = (
            f"ip netns exec stead-dhcp-{self.record('acme/networks/app').leases['uuid']} ping -c 1 -W 1 {ADDRESS}"
        )
        self.on(self.front, f"for n in $(seq 120); do {with_ping} >/dev/null && exit 0; sleep 1; done; exit 1")

    def destroy(self) -> None:
        for host in self.hosts:
            self.clear(host)
        self.stead("destroy", "--auto-approve", "--max-disruption", "data-loss", "-q")


def longest(seen: Sequence[float]) -> float:
    return max((after - before for before, after in itertools.pairwise(seen)), default=float("inf"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("inventory", type=Path)
    parser.add_argument("image", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="stead-bench-") as name:
        bench = Bench(options.inventory, options.image, Path(name))
        try:
            bench.prepare()
            bench.wait()
            compare(bench, options.rounds)
        finally:
            bench.destroy()


def compare(bench: Bench, rounds: int) -> None:
    hand, ours = [], []
    for at in range(rounds):
        hand.append(bench.by_hand())
        ours.append(bench.by_stead())
        print(
            f"round {at + 1}: by hand {hand[-1][0]:.1f} s, pause {hand[-1][1]:.2f} s; "
            f"stead migrate {ours[-1][0]:.1f} s, its step {ours[-1][1]:.1f} s, pause {ours[-1][2]:.2f} s",
            flush=True,
        )
    floor, pause = median(one[0] for one in hand), median(one[1] for one in hand)
    whole, step, seen = (median(column) for column in zip(*ours, strict=True))
    print(f"virsh migrate by hand   {floor:6.2f} s          pause {pause:5.2f} s")
    print(f"the step of a plan      {step:6.2f} s  {step / floor:4.2f}x   pause {seen:5.2f} s", end="")
    print(f"  (aims {TOTAL_AIM}x, {pause + PAUSE_AIM:.2f} s)")
    print(f"stead migrate, in all   {whole:6.2f} s  {whole / floor:4.2f}x")


if __name__ == "__main__":
    main()
