"""The store lost, old or another's, on real hosts: nothing is planned with it, and the hosts tell it all again."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from driving import PLAYBOOK, Driven, prepare, tiny

from stead.lab.site import Lab
from stead.lab.sizes import parse

pytestmark = pytest.mark.lab

HOSTS = {"hosts": {"compute": {"count": 2, "cpus": 4}, "network": {"count": 1, "roles": ["network", "controller"]}}}
SPEC = """
stead: 1
images:
  tiny: {source: TINY}
flavors:
  small: {vcpus: 1, memory: 160MiB, disk: 1GiB}
networks:
  public: {type: flat, physical: external, external: true, subnets: {v4: {cidr: 203.0.113.0/24, gateway: 203.0.113.1,
           pool: 203.0.113.50-203.0.113.90}}}
projects:
  acme:
    networks:
      app: {subnets: {v4: {cidr: 10.20.0.0/24}}}
    routers:
      edge: {external: public, networks: [app]}
    security_groups:
      open: {ingress: [{protocol: any}]}
    volumes:
      data: {size: 1GiB}
    instances:
      web: {count: 2, spread: hosts, flavor: small, image: tiny, networks: [app], security_groups: [open],
            stop_timeout: 5s}
      db: {flavor: small, image: tiny, networks: [app], volumes: [data], host: compute-2, stop_timeout: 5s,
           cloud_init: {user_data: "#!/bin/sh\n: {{ vars.token }}\n"}}
vars:
  token: {type: string, secret: true, default: "hunter2-and-more"}
"""
EVERY_FILE = (
    "find /var/lib/stead /etc/libvirt/qemu -type f ! -path '*.log' ! -path '*/pools/*' ! -name lock "
    "! -name 'capab*' -exec md5sum {} + | sort; ls /var/lib/stead/pools/*; virsh list --all --uuid 2>/dev/null || true"
)


@pytest.fixture(scope="module")
def cloud(make_lab: Callable[..., Lab], tmp_path_factory: pytest.TempPathFactory) -> Driven:
    lab = make_lab("q", parse(HOSTS, "test"))
    prepare(lab)
    found = Driven(lab, tmp_path_factory.mktemp("site"))
    found.write(SPEC.replace("TINY", str(tiny())))
    found.apply()
    found.assert_nothing_to_do()
    return found


def files(cloud: Driven) -> dict[str, str]:
    """What the hosts have, the disks' contents aside, which guests write to."""
    return {host.name: cloud.run(host.name, EVERY_FILE) for host in cloud.lab.hosts}


@contextmanager
def clone(cloud: Driven) -> Iterator[Path]:
    """The spec alone, as somebody has it who has just cloned it; the store is back when it ends."""
    store, kept = cloud.folder / ".stead", cloud.folder / "kept"
    store.rename(kept)
    try:
        yield store
    finally:
        shutil.rmtree(store, ignore_errors=True)
        kept.rename(store)


def test_a_missing_store_plans_nothing_and_is_not_made(cloud: Driven) -> None:
    before = files(cloud)
    with clone(cloud) as folder:
        for words in (["plan"], ["apply", "--auto-approve", "--target", "acme/routers/edge"], ["plan", "--destroy"]):
            said = cloud.stead(*words, status=1)
            assert "STEAD-S022" in said.text
            assert "stead recover" in said.text
            assert not {"state.db", "site.json"} & {path.name for path in folder.iterdir()}
    assert files(cloud) == before
    cloud.assert_nothing_to_do()


def test_an_older_copy_of_the_store_plans_nothing(cloud: Driven) -> None:
    old = cloud.folder / "old.db"
    shutil.copy(cloud.folder / ".stead" / "state.db", old)
    text = (cloud.folder / "stead.yml").read_text()
    cloud.write(text.replace("data: {size: 1GiB}", "data: {size: 1GiB}\n      more: {size: 1GiB}"))
    cloud.apply()
    before = files(cloud)
    with clone(cloud) as folder:
        shutil.copytree(cloud.folder / "kept", folder)
        shutil.copy(old, folder / "state.db")
        said = cloud.stead("apply", "--auto-approve", status=1)
        assert "STEAD-S024" in said.text
        assert "older copy" in said.text
    assert files(cloud) == before
    cloud.assert_nothing_to_do()


def test_a_host_of_another_site_is_not_planned_for(cloud: Driven) -> None:
    said = json.loads(cloud.run("network-1", "cat /var/lib/stead/site.json"))
    path = cloud.folder / ".stead" / "site.json"
    assert said["site"] == json.loads(path.read_text())["site"]
    assert cloud.run("network-1", "stat -c %a /var/lib/stead/site.json").strip() == "600"
    file = "/var/lib/stead/site.json"
    cloud.run("network-1", f'cp {file} /root/kept; sed -i \'s/"site": "../"site": "xx/\' {file}')
    said_by_plan = cloud.stead("plan", status=1).text
    assert "STEAD-S023" in said_by_plan
    assert "network-1" in said_by_plan
    cloud.run("network-1", "mv /root/kept /var/lib/stead/site.json")
    cloud.assert_nothing_to_do()


@pytest.mark.parametrize(
    ("other", "code"),
    [
        ({"site": "another"}, "STEAD-S023"),
        ({"token": "another", "serial": 0}, "STEAD-S024"),
    ],
    ids=["another site's", "an older copy"],
)
def test_a_host_itself_refuses_the_wave_of_another_store(cloud: Driven, other: dict[str, object], code: str) -> None:
    """Whatever planned it: nothing is done, nothing is written, and check mode says the same."""
    waves = sorted(cloud.folder.glob(".stead/runs/*/wave-*/network-1.json"), key=lambda path: path.stat().st_mtime)
    work = json.loads(waves[0].read_text(encoding="utf-8"))
    work["origin"] |= other
    assert work["steps"]
    folder = cloud.folder / f"wave-of-{code}"
    folder.mkdir()
    (folder / "network-1.json").write_text(json.dumps(work), encoding="utf-8")
    before = files(cloud)
    for more in ((), ("--check",)):
        words = ["-i", str(cloud.lab.inventory), "stead.cloud.wave", "-e", f"stead_wave={folder}", *more]
        done = subprocess.run([str(PLAYBOOK), *words], capture_output=True, text=True, check=False)
        assert done.returncode != 0
        assert code in done.stdout
        for path in folder.glob("network-1.result-*.json"):
            said = json.loads(path.read_text(encoding="utf-8"))
            assert code in said["msg"]
            assert said["results"] == []
    assert files(cloud) == before
    cloud.assert_nothing_to_do()


@pytest.mark.parametrize(
    ("path", "entry", "code"),
    [
        (
            "balancers/1",
            {"address": "acme/balancers/lb", "kind": "balancers", "uuid": "1", "digest": "d", "want": {}},
            "STEAD-S027",
        ),
        ("networks/1", {"version": 99, "address": "acme/networks/n", "kind": "networks", "uuid": "1"}, "newer Stead"),
        ("networks/1", {"address": "acme/networks/n", "want": {}}, "does not say its uuid"),
    ],
)
def test_an_entry_that_cannot_be_read_stops_nobody_else(cloud: Driven, path: str, entry: object, code: str) -> None:
    file = f"/var/lib/stead/ledger/{path}.json"
    cloud.run("compute-1", f"mkdir -p $(dirname {file}); echo '{json.dumps(entry)}' > {file}")
    said = cloud.stead("plan")
    assert code in said.text
    assert "compute-1" in said.text
    assert "Nothing to do" in said.text
    cloud.run("compute-1", f"rm {file}; rmdir --ignore-fail-on-non-empty $(dirname {file})")
    cloud.assert_nothing_to_do()


def recorded(path: Path) -> dict[str, Any]:
    """All that a store has of each resource, but why it was placed where it is."""
    with closing(sqlite3.connect(path / "state.db")) as db:
        rows = db.execute("SELECT address, host, leases, behind, protect FROM resources")
        return {row[0]: (row[1], json.loads(row[2]), json.loads(row[3]), row[4]) for row in rows}


def test_a_lost_store_is_rebuilt_from_the_hosts(cloud: Driven) -> None:
    before, whole = files(cloud), recorded(cloud.folder / ".stead")
    with clone(cloud) as folder:
        assert "Would recover" in cloud.stead("recover", "--dry-run").out
        assert not (folder / "state.db").exists()
        said = cloud.stead("recover")
        assert "hunter2" not in said.text
        assert recorded(folder) == whole
        cloud.assert_nothing_to_do()
        assert "STEAD-S020" in cloud.stead("recover", status=1).text
    assert files(cloud) == before


def test_a_host_that_was_down_completes_it_later(cloud: Driven) -> None:
    whole = recorded(cloud.folder / ".stead")
    with clone(cloud) as folder:
        cloud.lab.cut(cloud.lab.host("compute-2"))
        try:
            said = cloud.stead("recover", status=2)
            assert "STEAD-S028" in said.text
            assert "STEAD-S025" in cloud.stead("plan", status=1).text
        finally:
            cloud.lab.heal(cloud.lab.host("compute-2"))
        assert "compute-2 answers now" in cloud.stead("plan", status=1).text.replace("\n  ", " ")
        cloud.stead("recover")
        assert recorded(folder) == whole
        cloud.assert_nothing_to_do()


def test_a_ledger_that_is_gone_with_the_store_is_entered_again(cloud: Driven) -> None:
    """Guests tell what they are, and other hosts what is not theirs alone. Nothing is made anew for what is missing."""
    whole, before = recorded(cloud.folder / ".stead"), running(cloud)
    ledger = "/var/lib/stead/ledger"
    with clone(cloud) as folder:
        cloud.run("compute-2", f"mv {ledger} /root/ledger")
        try:
            cloud.stead("recover")
            assert recorded(folder) == whole
            steps = cloud.steps()
            assert {(one["action"], one["host"], one["disturbs"]) for one in steps} == {
                ("register", "compute-2", "none")
            }
            cloud.apply("--max-disruption", "none")
            cloud.assert_nothing_to_do()
            assert names(cloud, ledger) == names(cloud, "/root/ledger")
            assert recorded(folder) == whole
        finally:
            cloud.run("compute-2", f"[ -d {ledger} ] && rm -r /root/ledger || mv /root/ledger {ledger}")
        shutil.rmtree(cloud.folder / "kept")  # older by a run than what the hosts have seen since
        shutil.copytree(folder, cloud.folder / "kept")
    assert running(cloud) == before
    cloud.assert_nothing_to_do()


def names(cloud: Driven, ledger: str) -> str:
    return cloud.run("compute-2", f"cd {ledger}; find . -type f | sort")


def running(cloud: Driven) -> list[set[str]]:
    return [cloud.guests(host) for host in ("compute-1", "compute-2")]
