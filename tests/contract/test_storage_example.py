"""The example in `plugins/` keeps to the contract of storage drivers, through the ways in that a site would use."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import MappingProxyType

import pytest
from tests.contract import test_storage_drivers as contract
from tests.installing import install_example

from ansible_collections.stead.cloud.plugins.module_utils.host.base.errors import Failed
from ansible_collections.stead.cloud.plugins.module_utils.host.storage import drivers as on_hosts
from stead.blueprint.capacities import placement_hosts
from stead.core.driver import DriverScope
from stead.core.observed import Host, HostStatus
from stead.core.value import replace
from stead.drivers import storage
from stead.drivers.storage import StorageDriver
from stead.kinds.shared.storage import location
from stead.site.inventory import variables

EXAMPLE = Path(__file__).parents[2] / "plugins" / "storage-example"
HOST_HALF = "ansible_collections.stead.site.plugins.module_utils.storage"


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StorageDriver]:
    """Installed the way pip and ansible-galaxy leave it."""
    folder, modules = tmp_path / "site-packages", set(sys.modules)
    install_example(EXAMPLE, folder, monkeypatch)
    storage.all_of_them.cache_clear()
    half = import_module(HOST_HALF)
    monkeypatch.setattr(half, "_is_mounted", lambda _path: True)
    monkeypatch.setattr(
        on_hosts, "DRIVERS", MappingProxyType({one.name: one for one in (*half.DRIVERS, *on_hosts.BUILT_IN)})
    )
    yield storage.all_of_them()["clusterfs"]
    storage.all_of_them.cache_clear()
    storage._traits.cache_clear()
    for name in set(sys.modules) - modules:
        if name.startswith(("stead_storage_example", "ansible_collections.stead.site")):
            del sys.modules[name]


def test_it_keeps_to_the_contract(example: StorageDriver, tmp_path: Path) -> None:
    assert set(storage.all_of_them()) > {example.name}
    contract.test_a_driver_answers_for_every_feature_and_says_what_to_do_instead(example)
    contract.test_the_hosts_half_has_the_operations_that_are_claimed_and_no_others(example)
    contract.test_a_pool_of_the_inventory_is_shared_where_hosts_share_it(example, tmp_path)


@pytest.mark.skipif(shutil.which("qemu-img") is None, reason="reads disks by qemu-img")
def test_it_keeps_real_data(example: StorageDriver, tmp_path: Path) -> None:
    (tmp_path / "pool").mkdir()
    contract.check_data(example, tmp_path)


def test_no_host_keeps_its_pools(example: StorageDriver) -> None:
    """What a host is told of one names no host, whichever host asks, and hosts without the pool are told the same."""
    assert example.scope is DriverScope.CLUSTER
    pool = variables.pools({"shared": {"type": "clusterfs", "size": "20TiB", "path": "/mnt/pool"}})["shared"]
    hosts = {name: Host(name=name, roles=frozenset({"compute"}), pools={"shared": pool}) for name in ("c1", "c2")}
    hosts["c3"] = Host(name="c3", roles=frozenset({"compute"}))
    told = {"name": "shared", "type": "clusterfs", "path": "/mnt/pool"}
    assert [location("shared", one, hosts) for one in hosts] == [told, told, told]
    assert storage.is_shared(told)
    assert on_hosts.shared(told)


def test_a_host_that_has_no_such_driver_says_so_with_a_code() -> None:
    with pytest.raises(Failed, match=r"STEAD-E100.*clusterfs"):
        on_hosts.driver({"name": "shared", "type": "clusterfs"})


def test_the_room_of_such_a_pool_is_there_once(example: StorageDriver) -> None:
    """However many hosts have it, and whoever of them made what is in it."""
    pool = storage.pool("shared", example.name, 100, "/mnt/pool")
    plain = Host(name="c1", roles=frozenset(), state=HostStatus.DOWN, pools={"shared": pool})
    hosts = {one.name: one for one in (plain, *(replace(plain, name=one, state=HostStatus.UP) for one in ("c2", "c3")))}
    taken = {("c1", "disk:shared"): 30, ("c2", "disk:shared"): 10}
    found = placement_hosts(hosts, frozenset({"shared"}), lambda: taken)
    assert [one.capacity["disk:shared"] for one in found] == [30, 70, 0]


def test_ansible_takes_its_host_code_along(tmp_path: Path) -> None:
    """To a host, as a module of a playbook does; there it refuses what is no cluster file system."""
    words = ["-m", "stead.cloud.pool", "-a", f"pool=shared type=clusterfs path={tmp_path}/pool"]
    folders = f"{EXAMPLE.parents[1] / 'collections'}:{EXAMPLE / 'collections'}"
    done = subprocess.run(
        [Path(sys.executable).with_name("ansible"), "localhost", *words],
        env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": folders, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "CLUSTERFS-1" in done.stdout
