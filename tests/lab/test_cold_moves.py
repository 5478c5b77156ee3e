"""What is off moves with what is on its disks, whoever is killed meanwhile.

The tests of this file tell one story, in order.
"""

from __future__ import annotations

import json
import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from disk_scripts import user_data
from driving import Driven, prepare, tiny
from killing import children, slain
from leftovers import differences, listing
from waiting import patiently

from stead.core.address import Address
from stead.lab.sizes import parse
from stead.store import open_store

pytestmark = [pytest.mark.lab, pytest.mark.long]

SEED, KILLS = 14, 6
COMPUTES = ("compute-1", "compute-2")
VICTIMS = ("stead", "ansible", "qemu-nbd", "qemu-img", "power of the source", "power of the target")
HOSTS = {"compute": {"count": 2, "cpus": 4}, "network": {"count": 1, "roles": ["network", "controller"]}}
NOTES = {
    "note": 'echo "${QUERY_STRING}" > /srv/note; dd if=/dev/urandom of=/srv/more bs=1M count=8 2>&1; sync; echo done',
    "read": "cat /srv/note; sha256sum < /srv/more",
}
SPEC = """stead: 1
images: {tiny: {source: IMAGE}}
projects:
  acme:
    networks: {app: {subnets: {v4: {cidr: 10.20.0.0/24}}}}
    security_groups: {open: {ingress: [{protocol: any}]}}
    volumes:
      data: {size: 64MiB, format: qcow2, host: WHERE}
      loose: {size: 64MiB, host: WHERE}
    instances:
      pet:
        flavor: {vcpus: 1, memory: 128MiB, disk: 1GiB, swap: 16MiB}
        image: tiny
        networks: [{network: app, address: 10.20.0.20}]
        security_groups: [open]
        stop_timeout: 10s
        volumes: [data]
        cloud_init: {user_data: CALLER}
        state: STATE
        host: HOST
"""


class Cloud:
    def __init__(self, driven: Driven) -> None:
        self.driven = driven

    def write(self, state: str, host: str) -> None:
        """An instance, its volume and another one."""
        text = SPEC.replace("IMAGE", str(tiny())).replace("CALLER", json.dumps(user_data(NOTES)))
        self.driven.write(text.replace("STATE", state).replace("HOST", host).replace("WHERE", host))

    def apply(self, state: str, host: str, *words: str, status: int | None = 0) -> str:
        self.write(state, host)
        return self.driven.apply(*words, status=status).text

    def ask(self, path: str) -> str:
        namespace = self.driven.run("network-1", "ip netns list | grep -o 'stead-dhcp-[^ ]*'").strip()
        words = f"ip netns exec {namespace} curl -sS -m 20 'http://10.20.0.20/cgi-bin/{path}'"
        said: str = patiently(lambda: self.driven.run("network-1", words))
        return said

    def uuid(self, volume: str) -> str:
        recorded = open_store("", directory=self.driven.folder / ".stead").recorded()
        return recorded.resources[Address("acme", "volumes", volume)].leases["uuid"]

    def content(self, host: str) -> list[str]:
        """Digests of what a guest would read on all disks there are."""
        pool = "/var/lib/stead/pools/default"
        words = f"for one in $(ls {pool}); do qemu-img convert -O raw {pool}/$one /tmp/whole; "
        words += "echo $one $(sha256sum < /tmp/whole); done; rm -f /tmp/whole"
        return self.driven.run(host, words).splitlines()

    def disks(self, host: str) -> list[str]:
        words = "ls -A /var/lib/stead/pools/default /var/lib/stead/instances 2>/dev/null; virsh list --all --name; "
        words += "systemctl list-units --all --plain --no-legend 'stead-move-*'"
        return [one for one in self.driven.run(host, words).split() if not one.startswith("/")]

    def moving(self, host: str) -> subprocess.Popen[str]:
        """An apply that has begun to move all of it to a host."""
        self.write("stopped", host)
        runs = self.driven.folder / ".stead" / "runs"
        before = set(runs.glob("*/wave-*-receive"))
        apply = subprocess.Popen(
            self.driven.argv("apply", "--auto-approve", "--quiet"),
            cwd=self.driven.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        while apply.poll() is None and set(runs.glob("*/wave-*-receive")) == before:
            time.sleep(0.02)
        assert apply.poll() is None, "nothing moved"
        return apply


@pytest.fixture(scope="module")
def cloud(make_lab: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    lab = make_lab("c", parse({"hosts": HOSTS}, "cold"))
    prepare(lab)
    found = Cloud(Driven(lab, tmp_path_factory.mktemp("cold")))
    found.write("running", "compute-1")
    found.driven.stead("plan")
    before = listing(lab)
    yield found
    found.driven.destroy()
    assert differences(before, listing(lab)) == []


def test_what_is_stopped_moves_with_what_is_on_its_disks_and_volumes(cloud: Cloud) -> None:
    cloud.apply("running", "compute-1")
    cloud.ask("note?of-compute-1")
    before = cloud.ask("read")
    assert "of-compute-1" in before
    cloud.ask(f"put?{cloud.uuid('data')[:20]}=written-there")
    cloud.apply("stopped", "compute-1")
    data, loose = (f"/var/lib/stead/pools/default/{cloud.uuid(name)}.qcow2" for name in ("data", "loose"))
    for disk in (data, loose):  # more than the full target of the next test takes
        cloud.driven.run("compute-1", f"qemu-io -c 'write -P 7 30M 5M' {disk}")
    cloud.write("stopped", "compute-2")
    moves = [one for one in cloud.driven.steps() if one["action"] == "migrate"]
    names = {"acme/volumes/data", "acme/volumes/loose", "acme/instances/pet"}
    assert {(one["address"], one["disturbs"]) for one in moves} == {(name, "migrate") for name in names}
    cloud.driven.apply("--max-disruption", "migrate")
    assert cloud.disks("compute-1") == []
    cloud.driven.assert_nothing_to_do()
    for disk in (data, loose):
        assert "failed" not in cloud.driven.run("compute-2", f"qemu-io -c 'read -P 7 30M 5M' {disk}")
    cloud.apply("running", "compute-2")
    assert cloud.ask("read") == before
    assert cloud.ask(f"get?{cloud.uuid('data')[:20]}") == "written-there"
    cloud.driven.assert_nothing_to_do()


def test_a_target_that_is_full_gets_nothing_and_the_source_keeps_all(cloud: Cloud) -> None:
    """It has become full since the plan was made."""
    cloud.apply("stopped", "compute-2")
    before = cloud.content("compute-2")
    pool = "/var/lib/stead/pools/default"
    apply = cloud.moving("compute-1")
    cloud.driven.run("compute-1", f"mkdir -p {pool}; mount -t tmpfs -o size=3m tmpfs {pool}")
    try:
        assert apply.wait() == 1
        assert cloud.driven.run("compute-1", f"ls -A {pool}") == ""
    finally:
        cloud.driven.run("compute-1", f"umount {pool}")
    assert cloud.content("compute-2") == before
    cloud.driven.apply()
    assert cloud.content("compute-1") == before
    assert cloud.disks("compute-2") == []


def test_an_interrupt_leaves_it_where_it_was(cloud: Cloud) -> None:
    before = cloud.content("compute-1")
    apply = cloud.moving("compute-2")
    apply.send_signal(signal.SIGINT)
    apply.wait()
    cloud.write("stopped", "compute-2")
    cloud.driven.apply()
    cloud.driven.assert_nothing_to_do()
    assert cloud.content("compute-2") == before


def test_whoever_is_killed_everything_is_once_and_whole_after_one_apply(cloud: Cloud) -> None:
    chance = random.Random(SEED)  # noqa: S311 - a seed that repeats it is what is wanted
    before, at = cloud.content("compute-2"), "compute-2"
    for victim in (VICTIMS * KILLS)[:KILLS]:
        to = "compute-1" if at == "compute-2" else "compute-2"
        apply = cloud.moving(to)
        time.sleep(chance.uniform(0, 12))
        strike(cloud, apply, victim, at, to)
        apply.wait()
        if victim.startswith("power"):
            cloud.driven.lab.reboot([cloud.driven.lab.host(at if victim.endswith("source") else to)])
        patiently(lambda: all(cloud.driven.run(host, "virsh list --all --name; echo up") for host in COMPUTES))
        cloud.driven.apply("--max-disruption", "migrate")
        cloud.driven.assert_nothing_to_do()
        assert cloud.content(to) == before, victim
        assert cloud.disks(at) == [], victim
        at = to


def strike(cloud: Cloud, apply: subprocess.Popen[str], victim: str, source: str, target: str) -> None:
    match victim:
        case "stead":
            slain([apply.pid])
        case "ansible":
            slain(children(apply.pid))
        case "qemu-nbd" | "qemu-img":
            host = source if victim == "qemu-nbd" else target
            cloud.driven.run(host, f"pkill -KILL -x {victim} || true")
        case _:
            host = source if victim.endswith("source") else target
            cloud.driven.lab.crash(cloud.driven.lab.host(host))
