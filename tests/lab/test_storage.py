"""Volumes that a storage host serves: a guest has them wherever it runs, keeps what is on them, and nobody else does.

The tests of this file tell one story, in order: apply, write, move, grow, detach, copy, interrupt, destroy.
"""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event

import pytest
from beginnings import SMALL
from disk_scripts import SECTORS, user_data
from leftovers import differences, listing
from varying import variant
from waiting import patiently
from working import Site

from stead.cli import main
from stead.core.address import Address
from stead.lab.image.build import ensure_image
from stead.lab.site import Lab
from stead.lab.sizes import parse
from stead.store import open_store

pytestmark = pytest.mark.lab

SIZES = {
    "hosts": {
        "compute": {"count": 2},
        "network": {"count": 1, "roles": ["network", "controller"]},
        "storage": {
            "count": 1,
            "pools": {
                "files": {"type": "nfs", "size": "8GiB"},
                "blocks": {"type": "iscsi", "size": "8GiB", "path": "/srv/blocks"},
            },
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
      files: {size: 64MiB, pool: files}
      blocks: {size: 64MiB, pool: blocks}
      booted: {from: {image: tiny}, size: 1GiB, pool: blocks}
    #MORE
    instances:
      db: {flavor: small, image: tiny, host: compute-1, networks: [app], security_groups: [web],
           volumes: [files, blocks], stop_timeout: 20s, cloud_init: {user_data: SCRIPTS}}
      web: {flavor: {vcpus: 1, memory: 128MiB, disk: 0GiB}, boot_volume: booted, networks: [app],
            security_groups: [web], stop_timeout: 20s, cloud_init: {user_data: SCRIPTS}}
"""
)
SCRIPTS = {
    "busy": 'disk=$(disk); (while dd if=/dev/urandom of="/dev/$disk" bs=4k seek=16 count=64 conv=notrunc,fsync; do'
    " echo $disk >>/tmp/rounds; done; echo failed >>/tmp/failed) >/dev/null 2>&1 </dev/null & echo $! >>/tmp/busy",
    "rounds": "wc -l </tmp/rounds; cat /tmp/failed 2>/dev/null; dmesg | grep -i 'I/O error'",
    "each": 'grep -c "^$(disk)$" /tmp/rounds',
    "calm": "kill $(cat /tmp/busy); rm /tmp/busy",
    "reach": 'nc -w 3 "${QUERY_STRING%%=*}" "${QUERY_STRING#*=}" </dev/null >/dev/null 2>&1 && echo yes || echo no',
}
USER_DATA = user_data(SCRIPTS)
DB, WEB = "acme/instances/db", "acme/instances/web"
BOTH = ("files", "blocks")


@pytest.fixture(scope="module")
def site(make_lab: Callable[..., Lab], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    lab, folder = make_lab("s", parse(SIZES, "test_storage")), tmp_path_factory.mktemp("site")
    play(lab, "bootstrap")
    shutil.copy(ensure_image("tiny", lambda _text: None), folder / "tiny.qcow2")
    store = open_store("", directory=folder, create=True)
    found = Site(lab=lab, folder=folder, store=store, text=spec())
    found.plan()  # looking at a host for the first time leaves what was proven there
    found.before = listing(lab)
    yield found
    store.close()


def spec(*replaced: tuple[str, str]) -> str:
    text = SPEC
    for old, new in replaced:
        assert old in text
        text = text.replace(old, new)
    return text.replace("SCRIPTS", json.dumps(USER_DATA))


def play(lab: Lab, name: str, *arguments: str) -> str:
    program = Path(sys.executable).with_name("ansible-playbook")
    words = [str(program), "-i", str(lab.inventory), f"stead.cloud.{name}", *arguments]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]
    return done.stdout


def settle(site: Site, *replaced: tuple[str, str]) -> dict[str, str]:
    """Applies the spec as changed, and says which steps that took."""
    site.text = spec(*replaced)
    plan = site.plan()
    applied = site.apply(plan)
    assert [told.why for told in (*applied.failed, *applied.skipped, *applied.unknown)] == []
    return {str(step.address): str(step.action) for step in plan.steps}


def served(site: Site) -> list[str]:
    """All that the storage host has of volumes: files and targets."""
    script = "ls /var/lib/stead/pools/files /srv/blocks; tgtadm --lld iscsi --op show --mode target"
    return [line for line in site.lab.run("storage-1", ["sh", "-c", script]).splitlines() if ".raw" in line]


def ask(site: Site, what: str, *volumes: str, word: str = "") -> list[str]:
    """What the guest says of each volume, which it knows by its serial number."""
    records = site.store.recorded().resources
    serials = [records[Address("acme", "volumes", name)].leases["uuid"][:20] for name in volumes]
    return [site.ask(DB, f"{what}?{serial}{word and '=' + word}").strip() for serial in serials]


def _host(site: Site, instance: str) -> str:
    return next(one.host for address, one in site.store.recorded().resources.items() if str(address) == instance)


def test_guests_have_what_a_storage_host_serves(site: Site) -> None:
    with watched() as seen:
        settle(site)
    for name in ("blocks", "booted"):
        assert [words for words in seen if secret_of(site, name) in words] == [], "of no process"
        assert [words for words in seen if "qemu-system" in words and uuid(site, name) in words] != []
    assert [words for words in seen if words.startswith("ssh") and site.lab.layout.name in words] != []
    site.identity(DB)
    for name in BOTH:
        ask(site, "put", name, word=f"on-{name}")
    assert ask(site, "get", *BOTH) == ["on-files", "on-blocks"]
    assert ask(site, "size", *BOTH) == [str(64 * SECTORS)] * 2


def test_an_instance_boots_from_a_served_volume(site: Site) -> None:
    assert site.identity(WEB)["hostname"] == "web"
    assert "iqn.2026-01.cloud.stead:" in site.lab.run(_host(site, WEB), ["virsh", "domblklist", "acme.web"])


def test_a_second_plan_is_empty(site: Site) -> None:
    assert site.plan().empty


def test_the_same_steps_again_change_nothing(site: Site) -> None:
    for arguments in ((), ("--check",)):
        for wave in sorted(site.runs[0].iterdir()):
            for old in wave.glob("*.result-*.json"):
                old.unlink()
            play(site.lab, "wave", "-e", f"stead_wave={wave}", *arguments)
            results = [one for path in wave.glob("*.result-*.json") for one in json.loads(path.read_text())["results"]]
            assert results
            assert [(one["address"], one["done"]) for one in results if one["changed"]] == []


def test_bootstrap_again_changes_nothing(site: Site) -> None:
    assert "changed=0" in play(site.lab, "bootstrap", "--limit", "storage-1")


def test_nobody_but_the_hosts_gets_in(site: Site) -> None:
    """Neither a guest nor a machine that is in the same network and not in the inventory."""
    storage = site.lab.host("storage-1").address
    assert site.ask(DB, f"reach?{storage}=3260").strip() == "no"
    assert site.ask(DB, f"reach?{storage}=2049").strip() == "no"
    for port in (2049, 3260, 20048):
        words = ["curl", "--silent", "--max-time", "2", f"telnet://{storage}:{port}"]
        assert subprocess.run(words, check=False, stdin=subprocess.DEVNULL).returncode == 28, port  # nothing answers
    for host in ("compute-1", "storage-1"):  # nor any other process of a host, its own server's included
        reached = [opens(site, host, user, f"{storage}:{port}") for user in USERS for port in (2049, 3260)]
        assert reached == [True] * 2 * (len(USERS) - 1) + [False] * 2, host
    targets = json.loads(site.lab.run("storage-1", ["cat", "/etc/stead/storage.json"]))["clients"]
    assert sorted(targets) == sorted(host.address for host in site.lab.hosts)


USERS = ("0", "64055", "65534")  # root, QEMU's, and nobody's


def opens(site: Site, host: str, user: str, target: str) -> bool:
    address, port = target.rsplit(":", 1)
    code = f"import socket; print(socket.socket().connect_ex(({address!r}, {port})) == 0)"
    words = ["timeout", "2", "setpriv", "--reuid", user, "--clear-groups", "python3", "-c", code]
    return site.lab.run(host, ["sh", "-c", f"{shlex.join(words)} || true"]).strip() == "True"


def uuid(site: Site, volume: str) -> str:
    return str(site.store.recorded().resources[Address("acme", "volumes", volume)].leases["uuid"])


def logs_in(site: Site, host: str, volume: str, *, user: str = "0", secret: str = "") -> str:
    """What the target says to a program of a host that gives this secret, or none: empty when it opens the volume."""
    target = f"iqn.2026-01.cloud.stead:{uuid(site, volume)}"
    how = {"driver": "iscsi", "transport": "tcp", "portal": f"{site.lab.host('storage-1').address}:3260"}
    how |= {"target": target, "lun": "1"}
    given = ["--object", f"secret,id=s,{secret}"] if secret else []
    how |= {"user": f"stead-{uuid(site, volume)}", "password-secret": "s"} if secret else {}
    words = ["timeout", "20", "setpriv", "--reuid", user, "--clear-groups", "qemu-img", "info", *given]
    text = shlex.join([*words, "json:" + json.dumps({"driver": "raw", "file": how})])
    return site.lab.run(host, ["sh", "-c", f"{text} 2>&1 >/dev/null || true"]).strip()


def test_a_host_without_a_volumes_secret_does_not_get_in_while_its_guest_works(site: Site) -> None:
    """Root of another compute, QEMU's user there, and who guesses; also on the volume's own host."""
    ask(site, "busy", "blocks")
    before = rounds(site, "blocks")
    told = [
        logs_in(site, host, "blocks", user=user, secret=secret)
        for host in ("compute-1", "compute-2", "storage-1")
        for user in ("0", "64055")
        for secret in ("", "data=guessed", f"data={secret_of(site, 'booted')}")
    ]
    assert [one for one in told if "authentication" not in one.lower() and "login" not in one.lower()] == []
    assert len(told) == 18
    used = f"file=/var/lib/stead/accounts/used/{uuid(site, 'blocks')}"
    assert logs_in(site, "compute-1", "blocks", secret=used) == ""  # its own root, who is trusted with it
    assert "Permission denied" in logs_in(site, "compute-1", "blocks", user="64055", secret=used)
    assert site.lab.run("compute-2", ["sh", "-c", f"ls {USED}"]).split() in ([], [uuid(site, "booted")])
    patiently(lambda: rounds(site, "blocks") > before)
    int(site.ask(DB, "rounds"))
    site.ask(DB, "calm")


USED, SERVED = "/var/lib/stead/accounts/used", "/var/lib/stead/accounts/served"


def secret_of(site: Site, volume: str) -> str:
    return site.lab.run("storage-1", ["cat", f"{SERVED}/{uuid(site, volume)}"]).strip()


def test_a_target_that_lets_in_everybody_is_drift(site: Site) -> None:
    table = site.lab.run("storage-1", ["tgtadm", "--lld", "iscsi", "--op", "show", "--mode", "target"])
    number = table[: table.index(uuid(site, "blocks"))].rpartition("Target ")[2].partition(":")[0]
    words = ["tgtadm", "--lld", "iscsi", "--op", "unbind", "--mode", "account", "--tid", number]
    site.lab.run("storage-1", [*words, "--user", f"stead-{uuid(site, 'blocks')}"])
    assert logs_in(site, "compute-2", "blocks") == ""
    assert settle(site) == {"acme/volumes/blocks": "update"}
    assert logs_in(site, "compute-2", "blocks") != ""


def test_a_client_makes_and_removes_nothing(site: Site) -> None:
    storage = site.lab.host("storage-1").address
    url = f"nfs://{storage}/var/lib/stead/pools/files/mine.raw"
    with pytest.raises(subprocess.CalledProcessError):
        site.lab.run("compute-1", ["qemu-img", "create", "-f", "raw", url, "1M"])


def test_volumes_keep_what_is_on_them_when_the_instance_is_made_on_another_host(site: Site) -> None:
    gone = SPEC[SPEC.index("      db:") : SPEC.index("      web: {flavor")]
    assert settle(site, (gone, ""))[DB] == "destroy"
    steps = settle(site, ("host: compute-1", "host: compute-2"))
    assert steps[DB] == "create"
    assert not [address for address in steps if "/volumes/" in address]
    site.identity(DB)
    assert ask(site, "get", *BOTH) == ["on-files", "on-blocks"]


MOVED = ("host: compute-1", "host: compute-2")
GROWN = ("size: 64MiB", "size: 96MiB")


def test_a_volume_grows_under_a_guest_that_writes_to_it(site: Site) -> None:
    boot = site.identity(DB)["boot_id"]
    ask(site, "busy", *BOTH)
    steps = settle(site, MOVED, GROWN)
    assert steps == {"acme/volumes/files": "update", "acme/volumes/blocks": "update", DB: "update"}
    assert ask(site, "size", *BOTH) == [str(96 * SECTORS)] * 2
    before = int(site.ask(DB, "rounds"))  # which fails on anything but a number: no write was refused
    patiently(lambda: int(site.ask(DB, "rounds")) > before)
    assert site.identity(DB)["boot_id"] == boot
    assert site.plan().empty


def test_a_volume_comes_and_goes_while_the_guest_runs(site: Site) -> None:
    boot = site.identity(DB)["boot_id"]
    site.ask(DB, "calm")
    assert settle(site, MOVED, GROWN, ("volumes: [files, blocks]", "volumes: []")) == {DB: "update"}
    with pytest.raises((subprocess.CalledProcessError, ValueError)):
        int(ask(site, "size", "files")[0])
    for again in ("volumes: [{volume: files, bus: scsi}, blocks]", "volumes: [blocks]", "volumes: [files, blocks]"):
        assert settle(site, MOVED, GROWN, ("volumes: [files, blocks]", again)) == {DB: "update"}
        if "files" in again:
            patiently(lambda: ask(site, "get", *BOTH) == ["on-files", "on-blocks"])  # the guest looks for it itself
    assert site.identity(DB)["boot_id"] == boot


COPIES = """snapshots:
      monday: {volume: files}
      tuesday: {volume: blocks}
    #EVEN"""
MADE = """volumes:
      was-files: {from: {snapshot: monday}, pool: files}
      was-blocks: {from: {snapshot: tuesday}, pool: blocks, size: 128MiB}
      twin: {from: {volume: files}, pool: blocks}
      near: {from: {volume: files}, host: compute-2}
"""
TAKEN = (("#MORE", COPIES),)
ATTACHED = ("volumes: [files, blocks]", "volumes: [files, blocks, was-files, was-blocks, twin, near]")


def test_a_snapshot_is_of_its_moment_and_volumes_are_made_from_it(site: Site) -> None:
    """Attached and idle: what the copy has is what the guest had written last."""
    settle(site, MOVED, GROWN, *TAKEN)
    for name in BOTH:
        ask(site, "put", name, word="later-on")
    steps = settle(site, MOVED, GROWN, *TAKEN, more(MADE), ATTACHED)
    assert steps[DB] == "update"
    found = ask(site, "get", *BOTH, "was-files", "was-blocks", "twin", "near")
    assert found == ["later-on", "later-on", "on-files", "on-blocks", "later-on", "later-on"]
    assert ask(site, "size", "was-blocks") == [str(128 * SECTORS)]
    assert site.plan().empty


MOVED_POOLS = """volumes:
      was-files: {from: {snapshot: monday}, pool: blocks}
      was-blocks: {from: {snapshot: tuesday}, host: compute-2, size: 128MiB}
      twin: {from: {volume: files}, pool: files}
      near: {from: {volume: files}, pool: blocks}
"""
SNAPPED = ("#EVEN", "  thursday: {volume: near}")
NOT_NEAR = ("volumes: [files, blocks]", "volumes: [files, blocks, was-files, was-blocks, twin]")


def more(volumes: str) -> tuple[str, str]:
    return "      booted: {from", f"{volumes.removeprefix('volumes:' + chr(10))}      booted: {{from"


def test_volumes_move_to_other_pools_and_are_attached_there(site: Site) -> None:
    """Within the storage host, to it and from it; the guest runs all the time."""
    before = uuid(site, "near"), uuid(site, "twin")
    settle(site, MOVED, GROWN, *TAKEN, more(MADE))
    steps = settle(site, MOVED, GROWN, *TAKEN, more(MOVED_POOLS), ATTACHED)
    names = [f"acme/volumes/{name}" for name in ("near", "twin", "was-blocks", "was-files")]
    assert steps == {**dict.fromkeys(names, "migrate"), DB: "update"}
    found = ask(site, "get", "was-files", "was-blocks", "twin", "near")
    assert found == ["on-files", "on-blocks", "later-on", "later-on"]
    assert (uuid(site, "near"), uuid(site, "twin")) == before
    assert logs_in(site, "compute-1", "near") != "", "it has a secret there"
    assert site.plan().empty


def test_a_volume_goes_back_to_its_snapshot(site: Site) -> None:
    before = uuid(site, "near")
    settle(site, MOVED, GROWN, *TAKEN, SNAPPED, more(MOVED_POOLS), ATTACHED)
    ask(site, "put", "near", word="too-late")
    settle(site, MOVED, GROWN, *TAKEN, SNAPPED, more(MOVED_POOLS), NOT_NEAR)
    names = ["acme/volumes/near", "acme/snapshots/thursday"]
    applied = site.apply(site.plan(asked={"target": names[:1], "revert": names}))
    assert [told.why for told in (*applied.failed, *applied.skipped, *applied.unknown)] == []
    assert applied.done == 1
    assert site.plan().empty
    settle(site, MOVED, GROWN, *TAKEN, SNAPPED, more(MOVED_POOLS), ATTACHED)
    assert ask(site, "get", "near") == ["later-on"]
    assert uuid(site, "near") == before
    assert site.plan().empty


def test_a_guest_outlives_the_servers_of_its_volumes(site: Site) -> None:
    """tgt and nfs-ganesha start anew, as after a crash; then the whole host does. Guests wait, and lose nothing."""
    boot = site.identity(DB)["boot_id"]
    ask(site, "busy", *BOTH)
    site.lab.run("storage-1", ["systemctl", "kill", "--signal=KILL", "stead-iscsi", "stead-nfs"])
    _goes_on(site)
    site.lab.reboot([site.lab.host("storage-1")])
    _goes_on(site)
    assert site.identity(DB)["boot_id"] == boot
    assert site.plan().empty


def _goes_on(site: Site) -> None:
    """On each volume, and no write was refused: `rounds` is no number then."""
    before = patiently(lambda: rounds(site))
    patiently(lambda: all(now > was + 1 for now, was in zip(rounds(site), before, strict=True)))
    int(site.ask(DB, "rounds"))


def rounds(site: Site, *volumes: str) -> list[int]:
    return [int(one) for one in ask(site, "each", *(volumes or BOTH))]


def test_guests_have_their_volumes_again_after_a_boot_of_their_host(site: Site) -> None:
    """Without a controller: from what the host keeps for root alone, though libvirt had lost it."""
    host = _host(site, DB)
    site.lab.run(host, ["virsh", "secret-undefine", uuid(site, "blocks")])
    site.lab.reboot([site.lab.host(host)])
    site.identity(DB)
    assert ask(site, "get", *BOTH) == ["later-on", "later-on"]
    assert site.plan().empty
    ask(site, "busy", *BOTH)


def state(site: Site) -> str:
    return site.lab.run(_host(site, DB), ["virsh", "domstate", "--reason", "acme.db"]).strip()


@pytest.mark.parametrize("seconds", [20, variant(180)])
def test_a_guest_waits_for_storage_that_has_no_power_and_goes_on_by_itself(site: Site, seconds: int) -> None:
    """Nobody runs anything of Stead meanwhile, and the guest is told of no error: nobody answers that there is one."""
    if not site.runs:  # one of the long tests, which begin here
        settle(site, MOVED, GROWN)
        site.identity(DB)
        ask(site, "busy", *BOTH)
    boot, storage = site.identity(DB)["boot_id"], site.lab.host("storage-1")
    site.lab.crash(storage)
    try:
        time.sleep(2)
        before = rounds(site)
        time.sleep(seconds)
        assert rounds(site) == before, "it waits"
        assert state(site) == "running (booted)"
    finally:
        site.lab.start([storage])
    _goes_on(site)
    assert state(site) == "running (booted)"
    assert site.identity(DB)["boot_id"] == boot
    assert site.plan().empty


def test_what_is_gone_from_the_spec_is_gone_from_the_storage_host(site: Site) -> None:
    site.ask(DB, "calm")
    had = len(served(site))
    settle(site, MOVED, GROWN)
    assert len(served(site)) < had
    assert site.plan().empty


def test_a_smaller_volume_is_a_new_one_that_the_guest_is_given(site: Site) -> None:
    boot = site.identity(DB)["boot_id"]
    steps = settle(
        site, MOVED, ("size: 64MiB, pool: files", "size: 96MiB, pool: files"), ("size: 64MiB", "size: 48MiB")
    )
    assert [str(step) for step in steps] == ["acme/instances/db", "acme/volumes/blocks"]
    assert ask(site, "size", *BOTH) == [str(96 * SECTORS), str(48 * SECTORS)]
    assert ask(site, "get", *BOTH) == ["later-on", ""]
    assert site.identity(DB)["boot_id"] == boot
    assert site.plan().empty


@contextmanager
def watched() -> Iterator[set[str]]:
    """Command lines of all processes, those of lab hosts and of the controller's SSH among them."""
    seen, over = set[str](), Event()

    def look() -> None:
        while not over.wait(0.01):
            for path in Path("/proc").iterdir():
                with suppress(OSError):  # no process, or one that ended
                    seen.add((path / "cmdline").read_bytes().decode(errors="replace"))

    with ThreadPoolExecutor(1) as pool:
        looking = pool.submit(look)
        try:
            yield seen
        finally:
            over.set()
            looking.result()


def test_secrets_of_volumes_are_where_root_alone_reads_them_and_nowhere_else(site: Site) -> None:
    """Not in the store, the plans, the journals, the ledgers, the logs or what Ansible wrote down."""
    secret = secret_of(site, "blocks")
    written = [path for path in site.folder.rglob("*") if path.is_file() and secret.encode() in path.read_bytes()]
    assert written == []
    script = f"grep -rlsI {secret} /var/lib/stead /etc /var/log /run/libvirt /root /tmp 2>/dev/null || true"
    found = {host.name: site.lab.run(host.name, ["sh", "-c", script]).split() for host in site.lab.hosts}
    kept = {"storage-1": [f"{SERVED}/{uuid(site, 'blocks')}"], _host(site, DB): [f"{USED}/{uuid(site, 'blocks')}"]}
    assert {host: files for host, files in found.items() if files} == kept
    for host, (path,) in kept.items():
        modes = site.lab.run(host, ["stat", "-c", "%a %U", path, str(Path(path).parent)]).split("\n")[:2]
        assert modes == ["600 root", "700 root"]


def test_the_doctor_tells_a_pool_that_is_not_served(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    def told() -> set[tuple[str, str]]:
        capsys.readouterr()
        main(["doctor", "-i", str(site.lab.inventory), "--json", "--cached"])
        return {(one["code"], one["host"]) for one in json.loads(capsys.readouterr().out)["findings"]}

    silent = {("STEAD-H022", "compute-1"), ("STEAD-H022", "compute-2")}
    assert not told() & silent
    site.lab.run("storage-1", ["systemctl", "stop", "stead-nfs"])
    assert told() >= silent
    site.lab.run("storage-1", ["systemctl", "start", "stead-nfs"])
    assert patiently(lambda: not told() & silent)


def test_destroy_leaves_nothing(site: Site) -> None:
    applied = site.apply(site.plan(destroy=True))
    assert (applied.failed, applied.skipped) == ((), ())
    assert differences(site.before, listing(site.lab)) == []
    assert served(site) == []
