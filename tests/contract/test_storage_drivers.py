# mypy: disable-error-code="no-untyped-call"
"""What every storage driver keeps to: its two halves say the same, and what it claims is done with real data.

Names what a driver lacks. Data is written to disks of those drivers that this machine has: files. What hosts serve to
each other is done in `tests/lab/test_storage.py`; what needs device-mapper is asked for in check mode.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.unit.hosts.test_host_code import WANT
from tests.unit.runner.making import Bench, keep, plan_of, step

from ansible_collections.stead.cloud.plugins.module_utils.host.base import commands, ledger, paths
from ansible_collections.stead.cloud.plugins.module_utils.host.base.errors import Failed
from ansible_collections.stead.cloud.plugins.module_utils.host.base.work import Work
from ansible_collections.stead.cloud.plugins.module_utils.host.kinds import snapshot, volume
from ansible_collections.stead.cloud.plugins.module_utils.host.storage import (
    drivers as on_hosts,
)
from ansible_collections.stead.cloud.plugins.module_utils.host.storage import (
    instance_disks,
    iscsi_targets,
    logical_disks,
    rbd_images,
)
from ansible_collections.stead.cloud.plugins.module_utils.host.storage.driver import Content
from stead.core.address import Address
from stead.core.driver import DriverScope, Feature, Proven
from stead.core.want import Body, Want
from stead.drivers import storage
from stead.drivers.storage import StorageDriver
from stead.kinds import kinds
from stead.site.inventory import variables

MIB = 1 << 20
UUID = "11111111-0000-4000-8000-000000000001"
DRIVERS = [pytest.param(one, id=one.name) for one in storage.all_of_them().values()]
# What a want asks for, by the feature that it takes.
ASKED = (storage.VOLUMES, storage.QCOW2, storage.ROOT_DISKS, storage.GROW, storage.SNAPSHOTS, storage.FREEZE)
CLAIMS = [
    pytest.param(driver, feature, id=f"{driver.name} {feature.name}")
    for driver in storage.all_of_them().values()
    for feature in ASKED
]


def path_of(driver: StorageDriver, folder: Path) -> str:
    return next(one for one in (str(folder), "vg0", "vg0/thin") if driver.path.takes(one))


def pool_of(driver: StorageDriver, folder: Path) -> dict[str, str]:
    found = {"name": "p", "type": driver.name, "path": path_of(driver, folder)}
    served = driver.capabilities["shared"].can and driver.scope is DriverScope.HOST
    return {**found, "host": "nas", "server": "192.0.2.9"} if served else found


def want_for(driver: StorageDriver, feature: Feature, folder: Path) -> tuple[str, dict[str, Any]]:
    """The kind, and a want that takes the feature."""
    pool = pool_of(driver, folder)
    disk = {"uuid": UUID, "format": "raw", "size": 4 * MIB, "pool": pool, "name": "acme/volumes/a"}
    if feature in (storage.SNAPSHOTS, storage.FREEZE):
        of = {"volume": {"uuid": UUID, "address": "acme/volumes/a"}, "uuid": "s"}
        return "snapshots", {**disk, **of, "freeze": feature is storage.FREEZE}
    if feature is storage.ROOT_DISKS:
        root = {"format": driver.formats[0], "bus": "virtio", "size": 4 * MIB, "pool": pool}
        return "instances", {**WANT, "root": root}
    return "volumes", {**disk, "format": "qcow2"} if feature is storage.QCOW2 else disk


# The two halves


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_driver_answers_for_every_feature_and_says_what_to_do_instead(driver: StorageDriver) -> None:
    assert set(driver.capabilities) == {one.name for one in storage.FEATURES}
    assert driver.help.endswith(".")
    for one in driver.capabilities.values():
        assert one.can or one.text.endswith(".")
        assert one.can or one.tested is Proven.NOT_HERE


@pytest.mark.parametrize("driver", DRIVERS)
def test_the_hosts_half_has_the_operations_that_are_claimed_and_no_others(driver: StorageDriver) -> None:
    half = on_hosts.DRIVERS[driver.name]
    assert half.formats == driver.formats
    assert ("qcow2" in half.formats) is driver.capabilities["qcow2"].can
    assert half.cluster is (driver.scope is DriverScope.CLUSTER)
    for feature in storage.FEATURES:
        has = [one for one in feature.operations if getattr(half, one)]
        assert bool(has) is driver.capabilities[feature.name].can or not feature.operations, feature.name


def test_each_half_is_a_file_of_the_drivers_name() -> None:
    for name in {one.name for one in on_hosts.BUILT_IN} | set(storage.all_of_them()):
        file = name.replace("-", "_")
        half = import_module(f"ansible_collections.stead.cloud.plugins.module_utils.host.storage.{file}").DRIVER
        assert half is on_hosts.DRIVERS[name]
        assert import_module(f"stead.drivers.storage.{file}").DRIVER is storage.all_of_them()[name]


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("path", [None, "vg0", "vg0/pool", "/srv/pool"])
def test_the_inventory_takes_the_paths_that_hosts_take(driver: StorageDriver, path: str | None) -> None:
    given = {"type": driver.name, "size": "1TiB", **({"path": path} if path is not None else {})}

    def takes(call: Callable[[], object], refusal: type[Exception]) -> bool:
        try:
            call()
        except refusal:
            return False
        return True

    real = takes(lambda: on_hosts.disk({"name": "p", **given}, UUID, "raw"), Failed)
    assert takes(lambda: variables.pools({"p": given}), variables.Bad) is real


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_pool_of_the_inventory_is_shared_where_hosts_share_it(driver: StorageDriver, tmp_path: Path) -> None:
    pool = variables.pools({"p": {"type": driver.name, "size": "1TiB", "path": path_of(driver, tmp_path)}})["p"]
    assert pool.shared is on_hosts.shared({"type": driver.name, "server": "192.0.2.9"})
    assert pool.cluster is (driver.scope is DriverScope.CLUSTER)


# What is claimed is done, and the rest refused


class RunningGuest:
    """It uses the volume."""

    name = "acme.web"

    def grow(self, _disk: str, _size: int, work: Work) -> None:
        work.act("grow", self.copy)

    def copy(self, *_words: Any) -> None:
        raise AssertionError("in check mode nothing is done")

    def abandon(self, _path: str) -> None:
        raise AssertionError("nothing is copied")


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One whose programs answer, and where a guest uses the volume."""

    def answer(argv: list[Any], **_more: Any) -> str:
        if argv[0] == "rbd":
            return "[]"
        return {"vg_extent_size": str(MIB), "lv_size": str(MIB)}.get(argv[argv.index("--options") + 1], "")

    monkeypatch.setattr(commands, "run", answer)

    def status(argv: list[Any], **_more: Any) -> tuple[int, str, str]:
        missing = argv[0] == "rbd" and "info" in argv
        return (rbd_images.MISSING, "", rbd_images.NO_IMAGE) if missing else (0, "", "")

    monkeypatch.setattr(commands, "attempt", status)
    monkeypatch.setattr(iscsi_targets, "ensure", lambda *_words: None)
    monkeypatch.setattr(instance_disks, "_seed", lambda *_words: None)
    monkeypatch.setattr(paths, "INSTANCES", str(tmp_path / "instances"))
    monkeypatch.setattr(ledger, "LEDGER", str(tmp_path / "ledger"))
    return tmp_path


def in_use(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / f"{UUID}.raw").write_bytes(bytes(MIB))
    monkeypatch.setattr(logical_disks.Logical, "exists", lambda disk: disk.path.endswith(UUID))
    images = rbd_images.RbdImage
    monkeypatch.setattr(images, "_info", lambda disk: {"size": MIB} if disk.spec.endswith(UUID) else None)
    monkeypatch.setattr(volume, "in_use", lambda *_words: [(RunningGuest(), "vdb")])


@pytest.mark.parametrize(("driver", "feature"), CLAIMS)
def test_hosts_do_what_is_claimed_and_refuse_the_rest_with_a_code(
    driver: StorageDriver, feature: Feature, host: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if feature in (storage.GROW, storage.SNAPSHOTS, storage.FREEZE):
        in_use(host, monkeypatch)
    _kind, want = want_for(driver, feature, host)
    now: Any = SimpleNamespace(unit=lambda _name: None)
    work = Work("c1", check=True, now=now)
    given: Any = {"want": want, "uuid": want["uuid"], "address": "a", "digest": "d", "action": "create"}
    ensure: dict[Feature, Callable[[], Any]] = {
        storage.ROOT_DISKS: lambda: instance_disks.ensure(want, work),
        storage.SNAPSHOTS: lambda: snapshot.ensure(given, work),
        storage.FREEZE: lambda: snapshot.ensure(given, work),
    }
    act = ensure.get(feature, lambda: volume.ensure(given, work))
    if driver.capabilities[feature.name].can:
        act()
        assert work.done
    else:
        with pytest.raises(Failed, match="STEAD-E101"):
            act()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    found = Bench(tmp_path / ".stead")
    yield found
    found.close()


@pytest.mark.parametrize(("driver", "feature"), CLAIMS)
def test_simulated_hosts_take_and_refuse_the_same(
    driver: StorageDriver, feature: Feature, bench: Bench, tmp_path: Path
) -> None:
    kind, want = want_for(driver, feature, tmp_path)
    fields = {name: value for name, value in want.items() if name not in ("nics", "volume")}
    address = Address("acme", kind, "one")
    applied = bench.apply(plan_of([step(address, "compute-1", want=Want.of(Body.of(fields)))], [keep(address)]))
    claimed = driver.capabilities[feature.name]
    assert bool(applied.done) is claimed.can, applied.failed
    assert applied.done or applied.failed[0].why == claimed.text
    assert kinds()[kind].host_needs(want).unable == ("" if claimed.can else claimed.text)


# Real data


def digest(path: str, form: str, folder: Path) -> str:
    """Of what a guest would read."""
    plain = folder / "plain"
    subprocess.run(["qemu-img", "convert", "-f", form, "-O", "raw", path, str(plain)], check=True)
    return hashlib.sha256(plain.read_bytes().rstrip(b"\0")).hexdigest()


@pytest.mark.skipif(shutil.which("qemu-img") is None, reason="reads disks by qemu-img")
@pytest.mark.parametrize("driver", [one for one in DRIVERS if one.values[0].path.takes("/srv")])  # type: ignore[union-attr]
def test_what_is_on_a_disk_is_what_was_written_however_it_came_there(driver: StorageDriver, tmp_path: Path) -> None:
    """Filled, grown, saved, copied, exported, brought back: the same bytes."""
    check_data(driver, tmp_path)


def check_data(driver: StorageDriver, folder: Path) -> None:
    pool = {"name": "p", "type": driver.name, "path": str(folder / "pool")}
    content, work = folder / "content", Work("here")
    content.write_bytes(hashlib.sha256(driver.name.encode()).digest() * 40_000)
    sum_ = hashlib.sha256(content.read_bytes()).hexdigest()
    on_hosts.driver(pool).prepare(pool, work)
    for form in driver.formats:
        first = on_hosts.disk(pool, f"first-{form}", form)
        first.fill(Content(str(content), "raw"), 2 * MIB, work)
        first.grow(4 * MIB, work)
        assert first.size() == first.rounded(4 * MIB)
        saved = on_hosts.snapshot(pool, f"saved-{form}")
        first.clone(saved, work)
        copy = on_hosts.disk(pool, f"copy-{form}", form)
        saved.clone(copy, work)
        saved.export(Content(str(folder / "exported"), "qcow2"), work)
        back = on_hosts.disk(pool, f"back-{form}", form)
        back.fill(Content(str(folder / "exported"), "qcow2"), 0, work)
        disks = (first, saved, copy, back)
        assert {digest(one.path, one.format, folder) for one in disks} == {sum_}
        assert {one.path: one.exists() for one in disks} == {one.path: True for one in disks}
        assert on_hosts.source(pool, f"copy-{form}", form).path == copy.path
        for one in disks:
            one.remove(work)
    assert list((folder / "pool").iterdir()) == []
    discard = on_hosts.driver(pool).discard
    if discard is not None:
        discard(pool, work)
        assert not on_hosts.driver(pool).there(pool)
