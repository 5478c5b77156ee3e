"""Faults by name on real hosts: each proves that it broke something, and Stead that nothing was lost or done twice."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from driving import STEAD, Driven, prepare
from killing import differences
from killing_moves import VICTIMS as MOVE_VICTIMS
from killing_moves import KillingMoves
from killing_worlds import Real
from kills import LEFT, RIGHT, VICTIMS, on_real_hosts, on_simulated_hosts, real_specs, spec
from waiting import patiently

from stead.lab import faults
from stead.lab.site import Lab
from stead.lab.sizes import parse

pytestmark = pytest.mark.lab

HOSTS = {"compute": {"count": 2, "cpus": 8, "disk": "2GiB"}, "network": {"roles": ["network", "controller"]}}
SEED = int(os.environ.get("STEAD_SEED", "1"))  # the same in each normal run; a longer one may choose
FEW_REAL, FEW_SIMULATED, THOUSAND = 5, 45, 1000
MOVES = 2  # of each victim
MOVE_TRIES = 5  # to strike a victim that was never there
MOVING = "host: {host}, networks: [app], security_groups: [open]"
# Makes `qemu-img create` wait for as long as /root/wait is there, and count how often it was called.
SLOW = """#!/bin/sh
if [ "$1" = create ]; then
  echo "$@" >>/root/called
  while [ -e /root/wait ]; do sleep 0.05; done
fi
exec /root/qemu-img "$@"
"""


@pytest.fixture(scope="module")
def trio(make_lab: Callable[..., Lab]) -> Lab:
    found = make_lab("f", parse({"hosts": HOSTS}, "faults"))
    prepare(found)
    return found


@pytest.fixture
def site(trio: Lab, tmp_path: Path) -> Iterator[Driven]:
    (tmp_path / "site").mkdir()
    found = Driven(trio, tmp_path / "site")
    found.write(real_specs()[0])
    yield found
    found.destroy()


def stead_lab(lab: Lab, *words: str) -> subprocess.CompletedProcess[str]:
    name = ["--name", lab.layout.name]
    return subprocess.run([str(STEAD), "lab", words[0], *name, *words[1:]], capture_output=True, text=True, check=False)


def test_a_fault_proves_itself_and_a_missing_one_is_told(trio: Lab) -> None:
    killed = stead_lab(trio, "kill", "compute-1", "sshd")
    assert "was killed and is gone: sshd: /usr/sbin/sshd" in killed.stdout, killed.stderr
    patiently(lambda: trio.run("compute-1", ["true"]) == "")  # systemd starts another
    nothing = stead_lab(trio, "kill", "compute-1", "ganesha")
    assert nothing.returncode != 0
    assert "STEAD-B021" in nothing.stderr
    assert "STEAD-B022" in stead_lab(trio, "break", "network-1", "dhcp", "acme/networks/none").stderr
    assert "STEAD-B024" in stead_lab(trio, "fill", "compute-1", "/srv").stderr
    trio.run("compute-1", ["sh", "-c", "head -c 1000 /dev/zero >/root/victim"])
    assert stead_lab(trio, "corrupt", "compute-1", "/root/victim").returncode == 0
    assert trio.run("compute-1", ["stat", "-c", "%s", "/root/victim"]).strip() == "500"


@contextmanager
def slow_disks(site: Driven, host: str) -> Iterator[None]:
    site.lab.run(host, ["sh", "-c", "cat >/root/slow; chmod 755 /root/slow"], feed=SLOW)
    site.run(host, "cp /usr/bin/qemu-img /root/qemu-img; touch /root/wait; : >/root/called")
    site.run(host, "mount --bind /root/slow /usr/bin/qemu-img")
    try:
        yield
    finally:
        site.run(host, "rm -f /root/wait; umount /usr/bin/qemu-img")


@contextmanager
def applying(site: Driven, name: str) -> Iterator[subprocess.Popen[str]]:
    with (site.folder / name).open("w") as said:
        words = site.argv("apply", "--auto-approve", "--verbose")
        apply = subprocess.Popen(words, cwd=site.folder, stdout=said, stderr=said, text=True)
        try:
            yield apply
        finally:
            apply.kill()
            apply.wait()


def test_sshd_killed_in_a_step_has_nothing_done_twice(site: Driven) -> None:
    """The module goes on without its connection, and the next apply waits for it."""
    site.apply()
    site.write(site_with_more(real_specs()[0], "new: {size: 2MiB, format: qcow2, host: compute-2}"))
    calls = "grep -c . /root/called || true"
    with slow_disks(site, "compute-2"):
        with applying(site, "first") as apply:
            patiently(lambda: site.run("compute-2", calls).strip() == "1")
            assert len(faults.kill(site.lab, "compute-2", "sshd")) > 1  # the server, and the connection of the module
            apply.wait()
        said = (site.folder / "first").read_text(encoding="utf-8")
        assert apply.returncode == 1, said
        assert "compute-2 went silent meanwhile" in said
        assert faults.inside(site.lab, "compute-2", faults.fault("kill", "lock").script, {}).split(), "it goes on"
        with applying(site, "second") as apply:
            patiently(lambda: "wave 1" in (site.folder / "second").read_text(encoding="utf-8"))
            site.run("compute-2", "rm /root/wait")
            apply.wait()
        assert apply.returncode == 0, (site.folder / "second").read_text(encoding="utf-8")
        assert site.run("compute-2", calls).strip() == "1"
    site.assert_nothing_to_do()


def site_with_more(text: str, volume: str) -> str:
    return text.replace("    volumes:\n", f"    volumes:\n      {volume}\n")


LEFT_OVER = ("0", "64KiB")  # room for nothing, and for entries of the ledger but no disk
CALM = "host: compute-2, networks: [app], security_groups: [open]"


@pytest.mark.long
def test_a_full_disk_stops_its_host_alone_and_nothing_is_lost(site: Driven) -> None:
    """Full between plan and apply, then a little less each time, so work ends at another point. A guest runs on."""
    world = Real(site.lab)
    before = spec(["app"], ["one"], left=LEFT, calm=CALM)
    after = spec(["app", "more"], ["one", "two"], left=LEFT, calm=CALM, right=RIGHT)
    after = site_with_more(after, "new: {size: 40MiB, host: compute-2}")
    site.write(after)
    site.apply()
    undisturbed, guests = world.state(), site.guests("compute-2")
    site.write(before)
    site.apply("--max-disruption", "data-loss")
    site.write(after)
    for left in LEFT_OVER:
        site.stead("plan", "-o", "full.plan")
        filled = stead_lab(site.lab, "fill", "compute-2", "--leave", left)
        assert filled.returncode == 0, filled.stderr
        try:
            said = site.stead("apply", "full.plan", "--auto-approve", status=None)
            full = [line for line in said.err.splitlines() if "No space left" in line]
            assert said.status == 1, said.text
            assert full, said.text
            assert [line for line in full if "compute-2" not in line] == [], said.text
            assert site.run("compute-1", "grep -l acme/volumes/two /var/lib/stead/ledger/volumes/*.json || true")
            assert site.stead("plan", status=None).status in (0, 1)  # looks at a full host, and says what it finds
        finally:
            assert stead_lab(site.lab, "heal", "compute-2").returncode == 0
    site.apply("--max-disruption", "none")
    assert list(differences(undisturbed, world.state())) == []
    assert site.guests("compute-2") >= guests
    site.assert_nothing_to_do()


def test_kills_on_real_hosts_leave_nothing(trio: Lab, tmp_path: Path) -> None:
    """Of the apply, of Ansible below it, and on hosts of the module and of whoever holds the lock."""
    killing = on_real_hosts(trio, tmp_path, SEED)
    tally = killing.kill(FEW_REAL)
    killing.destroy()
    assert {tally.kills[victim] for victim in VICTIMS} == {FEW_REAL // len(VICTIMS)}


@pytest.mark.long
@pytest.mark.timeout(0)
def test_kills_in_a_move_leave_one_guest_that_runs(site: Driven) -> None:
    """Of the apply, of virsh, of libvirt's daemons at both ends; and a power cut of the target."""
    killing = KillingMoves(site, lambda host: spec(["app"], [], left=MOVING.format(host=host)), SEED)
    killing.prepare()
    for victim in MOVE_VICTIMS * MOVES:
        killing.kill(victim)
    for victim in MOVE_VICTIMS:  # on a busy machine a move may end before its victim is struck
        assert any(killing.tally[victim] or killing.kill(victim) for _try in range(MOVE_TRIES)), victim
    print(killing.tally, f"seed {SEED}, within {killing.span:.1f} s")


def test_kills_on_simulated_hosts_leave_nothing(tmp_path: Path) -> None:
    assert on_simulated_hosts(tmp_path, SEED).kill(FEW_SIMULATED).converged == FEW_SIMULATED


@pytest.mark.long
@pytest.mark.timeout(0)
def test_a_thousand_kills_leave_nothing(trio: Lab, tmp_path: Path) -> None:
    killing = on_real_hosts(trio, tmp_path, SEED)
    print(*killing.kill(THOUSAND).rows(), sep="\n")
    killing.destroy()
