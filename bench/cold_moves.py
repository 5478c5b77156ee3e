"""A volume that moves to another host, beside `qemu-img convert` and `scp` by hand, on the same two hosts, in one run.

By hand, the disk of a volume alike is converted to a packed file on its host, copied by SSH through this machine (hosts
have no keys of each other), and looked at on the target by `qemu-img check`; nothing compares its content. Stead
copies from host to host by TLS, reads both sides and compares digests. They take turns; medians count.
python bench/cold_moves.py INVENTORY [--rounds 3] [--data 256]. INVENTORY has two compute hosts, bootstrapped,
with nothing of Stead's on them; `--data` is how many MiB of the volume, which has 1 GiB, hold random bytes.
"""

from __future__ import annotations

import argparse
import shlex
import subprocess
import tempfile
import time
from pathlib import Path
from statistics import median

from measure import STEAD
from stead.core.address import Address
from stead.site.inventory import Inventory, read_inventory
from stead.site.ssh import ssh
from stead.store import open_store

VOLUME = Address("acme", "volumes", "data")
POOL, ROOM = "/var/lib/stead/pools/default", "/var/lib/stead-by-hand"
SPEC = "stead: 1\nprojects: {{acme: {{volumes: {{data: {{size: 1GiB, format: qcow2, host: {host}}}}}}}}}\n"


class Bench:
    def __init__(self, sources: Path, folder: Path) -> None:
        self.sources, self.folder = sources.resolve(), folder
        self.inventory: Inventory = read_inventory((self.sources,))[0]
        hosts = self.inventory.hosts.items()
        self.hosts = sorted(name for name, host in hosts if "compute" in host.roles)[:2]
        self.at = 0  # of the hosts, the one that has the volume

    def words(self, host: str, script: str) -> list[str]:
        return ssh(host, self.inventory.connections[host], [f"sh -c {shlex.quote(script)}"])

    def on(self, host: str, script: str) -> str:
        return subprocess.run(self.words(host, script), check=True, capture_output=True, text=True).stdout

    def stead(self, *words: str) -> None:
        command = [*STEAD, words[0], "-i", str(self.sources), *words[1:]]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")

    def prepare(self, data: int) -> None:
        (self.folder / "stead.yml").write_text(SPEC.format(host=self.hosts[0]))
        self.stead("apply", "--auto-approve", "-q")
        uuid = open_store("", directory=self.folder / ".stead").recorded().resources[VOLUME].leases["uuid"]
        path = f"{POOL}/{uuid}.qcow2"
        fill = f"head -c {data}M /dev/urandom > {ROOM}/raw && truncate -s 1G {ROOM}/raw"
        write = f"qemu-img convert -f raw -n -O qcow2 {ROOM}/raw {path}"
        self.on(self.hosts[0], f"mkdir -p {ROOM} && {fill} && {write} && rm {ROOM}/raw && cp {path} {ROOM}/hand.qcow2")

    def by_hand(self) -> float:
        source, target = self.hosts[self.at], self.hosts[1 - self.at]
        began = time.monotonic()
        self.on(source, f"qemu-img convert -O qcow2 {ROOM}/hand.qcow2 {ROOM}/sent.qcow2")
        with subprocess.Popen(self.words(source, f"cat {ROOM}/sent.qcow2"), stdout=subprocess.PIPE) as sends:
            takes = f"mkdir -p {ROOM} && cat > {ROOM}/hand.qcow2 && sync"
            subprocess.run(self.words(target, takes), stdin=sends.stdout, check=True)
        self.on(target, f"qemu-img check -q {ROOM}/hand.qcow2")
        self.on(source, f"rm {ROOM}/hand.qcow2 {ROOM}/sent.qcow2")
        return time.monotonic() - began

    def by_stead(self) -> tuple[float, float]:
        """Seconds of the apply, and of the step in it."""
        self.at = 1 - self.at
        (self.folder / "stead.yml").write_text(SPEC.format(host=self.hosts[self.at]))
        began = time.monotonic()
        self.stead("apply", "--auto-approve", "-q", "--max-disruption", "migrate")
        took = time.monotonic() - began
        store = open_store("", directory=self.folder / ".stead")
        step = next(one for one in store.journal(store.runs(1)[0].id) if one.action == "migrate")
        assert step.ended is not None
        return took, step.ended - step.began

    def destroy(self) -> None:
        for host in self.hosts:
            self.on(host, f"rm -rf {ROOM}")
        self.stead("destroy", "--auto-approve", "--max-disruption", "data-loss", "-q")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("inventory", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--data", type=int, default=256)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="stead-bench-") as name:
        bench = Bench(options.inventory, Path(name))
        try:
            bench.prepare(options.data)
            compare(bench, options.rounds)
        finally:
            bench.destroy()


def compare(bench: Bench, rounds: int) -> None:
    hand, ours = [], []
    for at in range(rounds):
        hand.append(bench.by_hand())
        ours.append(bench.by_stead())
        print(
            f"round {at + 1}: by hand {hand[-1]:.1f} s; apply {ours[-1][0]:.1f} s, its step {ours[-1][1]:.1f} s",
            flush=True,
        )
    floor = median(hand)
    whole, step = (median(column) for column in zip(*ours, strict=True))
    print(f"qemu-img convert and scp by hand  {floor:6.2f} s")
    print(f"the step of a plan                {step:6.2f} s  {step / floor:4.2f}x")
    print(f"stead apply, in all               {whole:6.2f} s  {whole / floor:4.2f}x")


if __name__ == "__main__":
    main()
