"""A pool of a real Ceph cluster: volumes that no host keeps, under guests that run.

The tests of this file tell one story, in order: apply, write, copy, grow, move, destroy.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator

import pytest
from ceph_cluster import POOL, make_cluster
from disk_scripts import SECTORS, user_data
from driving import prepare
from waiting import patiently
from working import Site

from stead.core.address import Address
from stead.lab.image.build import ensure_image
from stead.lab.site import Lab
from stead.lab.sizes import parse
from stead.store import open_store

pytestmark = [pytest.mark.lab, pytest.mark.long]

CEPH = {"default": {"size": "8GiB"}, "ceph": {"type": "rbd", "size": "8GiB", "path": POOL}}
SIZES = {
    "hosts": {
        "compute": {"count": 2, "pools": CEPH},
        "network": {"count": 1, "roles": ["network", "controller"]},
        "storage": {"count": 1},
    }
}
SPEC = """
stead: 1
images:
  tiny: {source: IMAGE}
projects:
  acme:
    networks:
      app: {subnets: {v4: {cidr: 10.20.0.0/24}}}
    security_groups:
      web: {ingress: [{protocol: tcp, ports: 80}]}
    volumes:
      data: {size: 64MiB, pool: ceph}
      root: {from: {image: tiny}, size: 256MiB, pool: ceph}
      booted: {from: {image: tiny}, size: 256MiB, pool: ceph}
    #MORE
    instances:
      db: {flavor: {vcpus: 1, memory: 128MiB, disk: 0GiB}, boot_volume: root, host: compute-1, networks: [app],
           security_groups: [web], volumes: [data], cloud_init: {user_data: SCRIPTS}}
      web: {flavor: {vcpus: 1, memory: 128MiB, disk: 0GiB}, boot_volume: booted, networks: [app],
            security_groups: [web]}
"""
USER_DATA = user_data({})
DB, WEB = "acme/instances/db", "acme/instances/web"
COPIES = """snapshots:
      monday: {volume: data}"""
COPIED = "volumes:\n      was: {from: {snapshot: monday}, pool: ceph, size: 96MiB}"
TAKEN = ("#MORE", COPIES)
MADE = ("volumes:", COPIED)
GROWN = ("data: {size: 64MiB", "data: {size: 80MiB")
BOTH = ("volumes: [data]", "volumes: [data, was]")
MOVED = ("host: compute-1", "host: compute-2")


@pytest.fixture(scope="module")
def site(make_lab: Callable[..., Lab], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    lab, folder = make_lab("q", parse(SIZES, "test_rbd")), tmp_path_factory.mktemp("site")
    make_cluster(lab, "storage-1", ["compute-1", "compute-2"])
    prepare(lab)
    shutil.copy(ensure_image("tiny", lambda _text: None), folder / "tiny.qcow2")
    store = open_store("", directory=folder, create=True)
    yield Site(lab=lab, folder=folder, store=store, text=SPEC)
    store.close()


def settle(site: Site, *replaced: tuple[str, str]) -> dict[str, str]:
    """Applies the spec as changed, and says which steps that took."""
    text = SPEC
    for old, new in replaced:
        assert old in text
        text = text.replace(old, new, 1)
    site.text = text.replace("SCRIPTS", json.dumps(USER_DATA))
    plan = site.plan()
    applied = site.apply(plan)
    assert [told.why for told in (*applied.failed, *applied.skipped, *applied.unknown)] == []
    return {str(step.address): str(step.action) for step in plan.steps}


def ask(site: Site, what: str, volume: str, word: str = "") -> str:
    serial = site.store.recorded().resources[Address("acme", "volumes", volume)].leases["uuid"][:20]
    return site.ask(DB, f"{what}?{serial}{word and '=' + word}").strip()


def images(site: Site) -> list[str]:
    return site.lab.run("storage-1", ["rbd", "ls", POOL]).split()


def test_instances_boot_from_clones_of_their_image(site: Site) -> None:
    settle(site)
    assert site.identity(DB)["hostname"] == "db"
    assert site.identity(WEB)["hostname"] == "web"
    ask(site, "put", "data", "monday")
    assert ask(site, "get", "data") == "monday"
    assert [one for one in images(site) if ".new" in one] == []
    assert len([one for one in images(site) if one.startswith("image-")]) == 1
    assert site.plan().empty


def test_the_key_is_in_no_process_and_no_definition(site: Site) -> None:
    ring = site.lab.run("storage-1", ["cat", "/etc/ceph/ceph.client.stead.keyring"])
    key = ring.split("key = ")[1].split()[0]
    script = "cat /proc/[0-9]*/cmdline | tr '\\0' ' '; virsh dumpxml acme.db; cat /var/lib/stead/ledger/*/*"
    assert key not in site.lab.run("compute-1", ["sh", "-c", script])
    assert key not in "".join(path.read_text(errors="replace") for path in site.folder.rglob("*") if path.is_file())


def test_a_snapshot_is_of_its_moment_and_volumes_are_made_of_it(site: Site) -> None:
    settle(site, TAKEN)
    ask(site, "put", "data", "tuesday")
    assert settle(site, TAKEN, MADE, BOTH) == {"acme/volumes/was": "create", DB: "update"}
    assert ask(site, "get", "was") == "monday"
    assert ask(site, "size", "was") == str(96 * SECTORS)
    assert ask(site, "get", "data") == "tuesday"
    assert site.plan().empty


def test_a_volume_grows_under_its_guest(site: Site) -> None:
    boot = site.identity(DB)["boot_id"]
    settle(site, TAKEN, MADE, BOTH, GROWN)
    assert ask(site, "size", "data") == str(80 * SECTORS)
    assert ask(site, "get", "data") == "tuesday"
    assert site.identity(DB)["boot_id"] == boot


def test_an_instance_moves_and_nothing_is_copied(site: Site) -> None:
    boot, before = site.identity(DB)["boot_id"], images(site)
    assert settle(site, TAKEN, MADE, BOTH, GROWN, MOVED)[DB] == "migrate"
    assert site.identity(DB)["boot_id"] == boot
    assert (ask(site, "get", "data"), images(site)) == ("tuesday", before)
    assert site.plan().empty


def test_what_stands_on_a_volume_outlives_it(site: Site) -> None:
    """The volume goes with the snapshot that the other was made of."""
    alone = ("volumes:\n      data: {size: 64MiB, pool: ceph}", "volumes:\n      was: {pool: ceph, size: 96MiB}")
    steps = settle(site, alone, ("volumes: [data]", "volumes: [was]"), MOVED)
    assert steps == {"acme/volumes/data": "destroy", "acme/snapshots/monday": "destroy", DB: "update"}
    assert ask(site, "get", "was") == "monday"
    assert site.plan().empty


def test_a_cluster_that_is_away_has_lost_nothing(site: Site) -> None:
    """No host plans an empty volume in the place of one that it cannot see."""
    site.lab.run("storage-1", ["systemctl", "stop", "ceph-mon@storage-1"])
    try:
        assert site.plan().steps == ()
    finally:
        site.lab.run("storage-1", ["systemctl", "start", "ceph-mon@storage-1"])
    patiently(lambda: site.identity(DB)["hostname"] == "db")


def test_nothing_is_left(site: Site) -> None:
    site.apply(site.plan(destroy=True))
    assert images(site) == []
