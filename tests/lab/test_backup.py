"""Backups of real disks, of running guests too: what comes back is what was there, and failures leave nothing behind.

The tests of this file tell one story, in order: back up, change, restore, and then everything that can go wrong.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import time
from collections.abc import Callable, Mapping

import pytest
from beginnings import SMALL
from disk_scripts import user_data
from driving import Driven, prepare, tiny
from waiting import patiently

from stead.core.address import parse
from stead.lab.site import Lab
from stead.lab.sizes import parse as parse_sizes
from stead.store import open_store

pytestmark = [pytest.mark.lab, pytest.mark.long]

SIZES = {
    "hosts": {
        "compute": {"count": 1},
        "network": {"count": 1, "roles": ["network", "controller"]},
        "storage": {
            "count": 1,
            "pools": {
                "files": {"type": "nfs", "size": "8GiB"},
                "blocks": {"type": "iscsi", "size": "8GiB", "path": "/srv/blocks"},
            },
            "vars": {"stead_backup": {"path": "/srv/backup", "keep": {"daily": 2}}},
        },
    }
}
SPEC = (
    SMALL
    + """projects:
  acme:
    networks:
      app: {subnets: {v4: {cidr: 10.20.0.0/24}}}
    security_groups:
      web: {ingress: [{protocol: tcp, ports: 80}]}
    volumes:
      local: {size: 64MiB, host: compute-1}
      files: {size: 64MiB, pool: files}
      blocks: {size: 64MiB, pool: blocks}
      idle: {host: compute-1, from: {image: tiny}, size: 1GiB}
      #MORE
    instances:
      db: {flavor: small, image: tiny, host: compute-1, networks: [app], security_groups: [web],
           volumes: [local, files, blocks], stop_timeout: 20s, cloud_init: {user_data: SCRIPTS}}
  #OTHER
"""
)
# `turns` counts in two places of a disk, always first in the one: at any moment it is the same or one ahead there.
SCRIPTS = {
    "fill": 'dd if=/dev/urandom of="/dev/$(disk)" bs=1M count=40 conv=fsync 2>&1',
    "sum": 'sync; md5sum <"/dev/$(disk)"',
    "turns": 'disk=$(disk); (i=0; while :; do i=$((i+1)); for at in 0 2000000; do printf "%-16s" $i |'
    " dd of=/dev/$disk bs=16 seek=$at conv=notrunc,fsync; done; done) >/dev/null 2>&1 </dev/null & echo $! >>/tmp/busy",
    "calm": "kill $(cat /tmp/busy); rm /tmp/busy",
}
COUNTS = "for at in 0 2000000; do dd if=/tmp/c bs=16 skip=$at count=1 2>/dev/null; done"
POOLS = ("local", "files", "blocks")
KEEPER, HOME = "storage-1", "compute-1"


class Backups(Driven):
    def argv(self, *words: str) -> list[str]:
        """Options come after a subcommand."""
        found = super().argv(*words)
        if words[0] in ("backup", "state"):
            found.remove(words[1])
            found.insert(2, words[1])
        return found

    def spec(self, *more: str, other: str = "") -> None:
        text = SPEC.replace("TINY", str(tiny())).replace("#MORE", "\n      ".join(more)).replace("#OTHER", other)
        self.write(text.replace("SCRIPTS", json.dumps(user_data(SCRIPTS))))

    def leases(self, name: str) -> Mapping[str, str]:
        address = parse(name)
        assert address is not None
        return open_store("", directory=self.folder / ".stead").recorded().resources[address].leases

    def ask(self, what: str, volume: str) -> str:
        address = next(one for key, one in self.leases("acme/instances/db").items() if key.endswith(".v4"))
        namespace = f"stead-dhcp-{self.leases('acme/networks/app')['uuid']}"
        url = f"http://{address}/cgi-bin/{what}?{self.leases(f'acme/volumes/{volume}')['uuid'][:20]}"
        return self.run("network-1", f"ip netns exec {namespace} curl -sS -m 30 '{url}'").split(" ")[0].strip()

    def back_up(self, *words: str, status: int = 0) -> dict[str, str]:
        """Address -> backup."""
        said = self.stead("backup", "run", *words, "--json", status=status)
        return {one["address"]: one["id"] for one in json.loads(said.out)["backups"]}

    def listed(self) -> set[str]:
        return {one["id"] for one in json.loads(self.stead("backup", "list", "--json").out)["backups"]}

    def sum_of(self, volume: str) -> str:
        """Of what a guest would see of a volume that is attached to none."""
        uuid = self.leases(f"acme/volumes/{volume}")["uuid"]
        script = (
            f"one=$(ls /var/lib/stead/pools/*/{uuid}.* /srv/blocks/{uuid}.* 2>/dev/null | head -1);"
            " qemu-img convert -U -f ${one##*.} -O raw $one /tmp/content && md5sum </tmp/content; rm /tmp/content"
        )
        host = HOME if self.run(HOME, f"ls /var/lib/stead/pools/*/{uuid}.* 2>/dev/null || true") else KEEPER
        return self.run(host, script).split(" ")[0]

    def left(self, host: str = HOME) -> str:
        """What backups have left: files, jobs of guests, programs."""
        script = (
            "ls /var/lib/stead/backup | grep -E 'qcow2|raw' || true;"
            " pgrep -a qemu-nbd || true; for one in $(virsh list --name 2>/dev/null); do"
            " virsh domjobinfo $one | grep -v -e None -e '^$' || true; done"
        )
        return self.run(host, script)


@pytest.fixture(scope="module")
def site(make_lab: Callable[..., Lab], tmp_path_factory: pytest.TempPathFactory) -> Backups:
    lab = make_lab("k", parse_sizes(SIZES, "test_backup"))
    # A file system of its own, that can be full.
    lab.run(KEEPER, ["sh", "-c", "mkdir -p /srv/backup && mount -t tmpfs -o size=1g backup /srv/backup"])
    prepare(lab)
    found = Backups(lab=lab, folder=tmp_path_factory.mktemp("site"))
    found.spec()
    found.stead("backup", "run", status=1)  # STEAD-S014: there is no store yet
    found.apply()
    patiently(lambda: found.ask("fill", "local"))
    return found


def test_what_running_guests_have_is_restored_as_new_volumes(site: Backups) -> None:
    for name in POOLS:
        site.ask("fill", name)
    before = {name: site.ask("sum", name) for name in POOLS}
    made = site.back_up()
    volumes = {f"acme/volumes/{name}" for name in (*POOLS, "idle")}
    assert set(made) == {"acme/instances/db", "store", *volumes}
    for name in POOLS:
        site.ask("fill", name)
        assert site.ask("sum", name) != before[name]
    shown = site.stead("backup", "show", made["acme/volumes/local"]).out
    assert f'from: {{backup: "volumes/local@{made["acme/volumes/local"]}"}}' in shown
    sources = {name: f"volumes/{name}@{made[f'acme/volumes/{name}']}" for name in POOLS}
    pools = {"local": "host: compute-1", "files": "pool: files", "blocks": "pool: blocks"}
    more = [f'r-{name}: {{size: 64MiB, {pools[name]}, from: {{backup: "{sources[name]}"}}}}' for name in POOLS]
    # Of a chain of files: what its guest sees, in another pool and another format.
    more.append(f'r-idle: {{size: 1GiB, pool: files, from: {{backup: "volumes/idle@{made["acme/volumes/idle"]}"}}}}')
    site.spec(*more)
    site.apply()
    assert {name: site.sum_of(f"r-{name}") for name in POOLS} == before
    assert site.sum_of("r-idle") == site.sum_of("idle")
    site.assert_nothing_to_do()
    assert (site.left(), site.left(KEEPER)) == ("", "")


def test_the_store_is_part_of_a_run_and_comes_back(site: Backups) -> None:
    made = site.back_up()
    site.stead("backup", "fetch", made["store"], "store.db")
    assert (site.folder / "store.db").stat().st_mode & 0o777 == 0o600
    there = site.stead("state", "list").out
    assert "acme/volumes/local" in there
    assert site.stead("state", "list", "--store", "store.db").out == there
    assert "STEAD-C073" in site.stead("backup", "fetch", made["store"], "store.db", status=1).text
    site.stead("backup", "fetch", made["acme/volumes/r-local"], "disk")
    content = (site.folder / "disk").read_bytes()
    assert hashlib.md5(content, usedforsecurity=False).hexdigest() == site.sum_of("r-local")


def test_a_second_backup_of_the_same_takes_no_room(site: Backups) -> None:
    said = json.loads(site.stead("backup", "run", "acme/volumes/r-local", "--json").out)
    assert said["backups"][0]["added"] < 1 << 20
    assert said["backups"][0]["moment"] == "closed"


def test_a_busy_disk_is_of_one_moment(site: Backups) -> None:
    for name in POOLS:
        site.ask("turns", name)
    made = site.back_up(*(f"acme/volumes/{name}" for name in POOLS))
    site.ask("calm", "local")
    volumes = [
        f'b-{name}: {{size: 64MiB, from: {{backup: "volumes/{name}@{made[f"acme/volumes/{name}"]}"}}}}'
        for name in POOLS
    ]
    site.spec(*(one.replace("size:", "host: compute-1, size:") for one in volumes))
    site.apply("--max-disruption", "data-loss")
    for name in POOLS:
        path = f"/var/lib/stead/pools/default/{site.leases(f'acme/volumes/b-{name}')['uuid']}.qcow2"
        script = f"qemu-img convert -U -O raw {path} /tmp/c; {COUNTS}"
        first, second = map(int, site.run(HOME, script).split())
        assert first - second in (0, 1), name
        assert second > 0


def test_a_volume_is_restored_in_place_with_consent_alone(site: Backups) -> None:
    before = site.ask("sum", "local")
    made = site.back_up("acme/volumes/local")["acme/volumes/local"]
    site.ask("fill", "local")
    text = (site.folder / "stead.yml").read_text()
    text = text.replace("local: {size: 64MiB,", f'local: {{size: 64MiB, from: {{backup: "volumes/local@{made}"}},', 1)
    site.write(text)
    site.assert_nothing_to_do()
    refused = site.apply("--replace", "acme/volumes/local", status=1)
    assert "STEAD-C031" in refused.text
    site.apply("--replace", "acme/volumes/local", "--max-disruption", "data-loss")
    patiently(lambda: site.ask("sum", "local"))
    assert site.ask("sum", "local") == before


def test_what_cannot_be_brought_destroys_nothing(site: Backups) -> None:
    """Another project's backup, by its own words; and one that there never was."""
    made = site.back_up("acme/volumes/idle")["acme/volumes/idle"]
    stolen = f'evil: {{volumes: {{local: {{size: 1GiB, host: compute-1, from: {{backup: "volumes/idle@{made}"}}}}}}}}'
    site.spec(other=stolen)
    said = site.stead("apply", "--auto-approve", "--max-disruption", "data-loss", status=1)
    assert "STEAD-A007" in said.text
    assert "STEAD-E190" in said.text
    before = site.ask("sum", "local")
    site.spec('x: {size: 1GiB, host: compute-1, from: {backup: "volumes/idle@00000000"}}')
    said = site.stead("apply", "--auto-approve", "--max-disruption", "data-loss", status=1)
    assert "STEAD-E190" in said.text
    assert site.ask("sum", "local") == before
    assert "STEAD-C077" in site.stead("backup", "show", "00000000", status=1).text
    assert "STEAD-C076" in site.stead("backup", "run", "acme/volumes/nothing", status=1).text
    site.spec()


@pytest.mark.parametrize("after", [0.3, 0.7, 1.2, 2.0])
@pytest.mark.parametrize("who", ["command", "reader", "keeper"])
def test_a_run_that_is_killed_leaves_nothing(site: Backups, who: str, after: float) -> None:
    site.ask("fill", "local")
    before, argv = site.listed(), site.argv("backup", "run", "acme/volumes/local")
    with subprocess.Popen(argv, cwd=site.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as run:
        time.sleep(after)
        if who == "command":
            run.kill()
        else:
            pattern = "^/usr/bin/python3 /usr/lib/stead/backup (read|keep)"
            site.run(HOME if who == "reader" else KEEPER, f"pkill -9 -f '{pattern}' || true")
        run.wait()
    if run.returncode == 0:
        assert len(site.listed() - before) == 1  # it was quicker
    patiently(lambda: site.back_up("acme/volumes/local"))  # the copy that was begun ends first
    assert (site.left(), site.left(KEEPER)) == ("", "")
    assert site.stead("backup", "verify", "--quick").status == 0


def test_a_power_cut_in_the_middle_leaves_nothing(site: Backups) -> None:
    host, argv = site.lab.host(HOME), site.argv("backup", "run", "acme/instances/db", "acme/volumes/files")
    with subprocess.Popen(argv, cwd=site.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as run:
        patiently(lambda: site.run(HOME, "ls /var/lib/stead/backup/*.qcow2"))
        site.lab.crash(host)
        assert run.wait(timeout=120) == 1
    site.lab.start([host])
    patiently(lambda: site.ask("sum", "local"))
    site.back_up("acme/instances/db")
    assert (site.left(), site.left(KEEPER)) == ("", "")


def test_a_full_repository_keeps_what_it_has(site: Backups) -> None:
    before = site.listed()
    site.ask("fill", "files")
    site.run(
        KEEPER,
        "for size in 1M 1k; do dd if=/dev/zero of=/srv/backup/filler-$size bs=$size 2>/dev/null || true; done",
    )
    said = site.stead("backup", "run", "acme/volumes/files", status=1)
    assert "STEAD-C075" in said.text
    assert "STEAD-E189" in said.text
    site.run(KEEPER, "rm /srv/backup/filler-*")
    assert site.listed() == before
    site.back_up("acme/volumes/files")
    assert site.stead("backup", "verify").status == 0


def test_a_wrong_password_is_said(site: Backups) -> None:
    path = "/etc/stead/backup.password"
    site.run(KEEPER, f"mv {path} {path}.old; echo wrong >{path}")
    assert "STEAD-E189" in site.stead("backup", "run", "acme/volumes/files", status=1).text
    assert "wrong password" in site.stead("backup", "list", status=1).text
    site.run(KEEPER, f"mv {path}.old {path}")
    assert site.listed()


def test_a_repository_that_is_gone_is_never_made_anew(site: Backups) -> None:
    before = site.listed()
    site.run(KEEPER, "mount -t tmpfs -o mode=755 nothing /srv/backup")
    assert "STEAD-E188" in site.stead("backup", "run", "acme/volumes/files", status=1).text
    prepare(site.lab)
    assert site.run(KEEPER, "ls -A /srv/backup") == ""
    site.run(KEEPER, "umount /srv/backup")
    assert site.listed() == before


def test_a_host_that_was_not_prepared_says_so(site: Backups) -> None:
    site.run(KEEPER, "mv /etc/stead/backup.json /etc/stead/backup.old")
    assert "STEAD-E187" in site.stead("backup", "list", status=1).text
    assert "STEAD-C078" in site.stead("backup", "list", status=1).text
    site.run(KEEPER, "mv /etc/stead/backup.old /etc/stead/backup.json")
    assert "STEAD-C074" in site.stead("backup", "list", "--on", HOME, status=1).text


def test_a_disk_that_cannot_be_read_fails_alone(site: Backups) -> None:
    path = f"/var/lib/stead/pools/default/{site.leases('acme/volumes/idle')['uuid']}.qcow2"
    site.run(HOME, f"mv {path} {path}.old; echo no disk >{path}")
    said = site.stead("backup", "run", "acme/volumes/idle", "acme/volumes/files", status=1)
    assert "STEAD-E113" in said.text
    assert "1 of 2 disks" in said.out
    site.run(HOME, f"rm {path}")
    assert "STEAD-E183" in site.stead("backup", "run", "acme/volumes/idle", status=1).text
    site.run(HOME, f"mv {path}.old {path}")


def test_secrets_are_in_no_process_and_no_file_of_the_controller(site: Backups) -> None:
    password = site.run(KEEPER, "cat /etc/stead/backup.password").strip()
    assert site.run(KEEPER, "stat -c %a /etc/stead/backup.password").strip() == "600"
    argv = site.argv("backup", "run")
    seen = []
    with subprocess.Popen(argv, cwd=site.folder, stdout=subprocess.DEVNULL) as run:
        while run.poll() is None:
            seen.append(site.run(KEEPER, "ps axww -o args"))
    assert any("restic" in one for one in seen)
    assert not [one for one in seen if password in one]
    assert run.returncode == 0
    for path in site.folder.rglob("*"):
        assert not path.is_file() or password.encode() not in path.read_bytes(), path


def test_a_truncated_repository_is_noticed(site: Backups) -> None:
    """Last: it stays broken."""
    script = "find /srv/backup/data -type f -size +64k | head -1"
    path = site.run(KEEPER, script).strip()
    site.run(KEEPER, f"chmod 600 {path}; truncate -s -1k {path}")
    for words in ((), ("--quick",)):
        assert "STEAD-E191" in site.stead("backup", "verify", *words, status=1).text
