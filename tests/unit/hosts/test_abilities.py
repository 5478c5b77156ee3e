# mypy: disable-error-code="no-untyped-call"
"""The table of abilities says what the host code does, and simulated hosts do neither more nor less."""

from __future__ import annotations

import typing
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.unit.hosts.test_host_code import WANT
from tests.unit.runner.making import Bench, keep, plan_of, step

from ansible_collections.stead.cloud.plugins.module_utils.host.base import commands, ledger, paths
from ansible_collections.stead.cloud.plugins.module_utils.host.base.errors import Failed
from ansible_collections.stead.cloud.plugins.module_utils.host.base.kind import HostKind, nothing
from ansible_collections.stead.cloud.plugins.module_utils.host.base.work import Work
from ansible_collections.stead.cloud.plugins.module_utils.host.kinds import snapshot, table, volume
from ansible_collections.stead.cloud.plugins.module_utils.host.net.linuxbridge import conntrack, dhcp, forwarding
from ansible_collections.stead.cloud.plugins.module_utils.host.run import batch
from ansible_collections.stead.cloud.plugins.module_utils.host.storage import (
    drivers,
    instance_disks,
    iscsi_targets,
    logical_disks,
)
from ansible_collections.stead.cloud.plugins.module_utils.wire import abilities
from ansible_collections.stead.cloud.plugins.module_utils.wire.abilities import TABLE, Ability
from stead.core.address import Address
from stead.core.kind import Action
from stead.core.observed import Host, StoragePool
from stead.core.value import replace
from stead.core.want import Body, Want
from stead.runner.observe import Answer, to_observed
from stead.runner.simulated import SimulatedRunner
from stead.site.abilities import with_abilities
from stead.site.inventory import variables

MIB = 1 << 20
UUID = "11111111-0000-4000-8000-000000000001"
POOL_TYPES = ("dir", "nfs", "iscsi", "lvm", "lvm-thin")
ROWS = [pytest.param(one, id=f"{one.what} {one.name}") for one in TABLE]


class RunningGuest:
    """It uses the volume."""

    name = "acme.web"

    def grow(self, _disk: str, _size: int, work: Work) -> None:
        work.act("grow", self.copy)

    def copy(self, *_words: Any) -> None:
        raise AssertionError("in check mode nothing is done")


def pool_of(kind: str, folder: Path, *, served: bool = True) -> dict[str, str]:
    path = {"lvm": "vg0", "lvm-thin": "vg0/thin"}.get(kind, str(folder))
    found = {"name": "p", "type": kind, "path": path}
    return {**found, "host": "nas", "server": "192.0.2.9"} if served and kind in ("nfs", "iscsi") else found


def want_for(one: Ability, folder: Path) -> tuple[str, dict[str, Any]]:
    """The kind and the want that has it."""
    disk: dict[str, Any] = {
        "uuid": UUID,
        "format": "raw",
        "size": 4 * MIB,
        "pool": pool_of(one.name, folder),
        "name": "acme/volumes/a",
    }
    of_snapshot = {"volume": {"uuid": UUID, "address": "acme/volumes/a"}, "uuid": "s"}
    match one.what:
        case abilities.VOLUME | abilities.GROW:
            return "volumes", disk
        case abilities.QCOW2:
            return "volumes", {**disk, "format": "qcow2"}
        case abilities.SNAPSHOT | abilities.FREEZE:
            return "snapshots", {**disk, **of_snapshot, "freeze": one.what == abilities.FREEZE}
        case abilities.ROOT_DISK:
            best = drivers.driver(disk["pool"]).formats[0]
            root = {"format": best, "bus": "virtio", "size": 4 * MIB, "pool": disk["pool"]}
            return "instances", {**WANT, "root": root}
    raise AssertionError(one)


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One whose programs answer, and whose disks are there where a row is about what is in use."""

    def answer(argv: list[Any], **_more: Any) -> str:
        return {"vg_extent_size": str(MIB), "lv_size": str(MIB)}.get(argv[argv.index("--options") + 1], "")

    monkeypatch.setattr(commands, "run", answer)
    for module, name in ((conntrack, "ensure"), (dhcp, "remove"), (forwarding, "ensure"), (iscsi_targets, "ensure"),
                         (instance_disks, "_seed")):  # fmt: skip
        monkeypatch.setattr(module, name, lambda *_words: None)
    monkeypatch.setattr(commands, "attempt", lambda *_words, **_more: (0, "", ""))
    monkeypatch.setattr(paths, "INSTANCES", str(tmp_path / "instances"))
    monkeypatch.setattr(paths, "JOURNAL", str(tmp_path / "journal"))
    monkeypatch.setattr(ledger, "LEDGER", str(tmp_path / "ledger"))
    return tmp_path


def in_use(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / f"{UUID}.raw").write_bytes(bytes(MIB))
    monkeypatch.setattr(logical_disks.Logical, "exists", lambda disk: disk.path.endswith(UUID))
    monkeypatch.setattr(volume, "in_use", lambda *_words: [(RunningGuest(), "vdb")])


def by_real_code(one: Ability, folder: Path, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether the host code takes it, in check mode. What refuses is `Failed`, and nothing else."""
    if one.what == abilities.ACTION:
        return _by_batch(one.name)
    if one.what == abilities.SERVE:
        return bool(drivers.shared({"type": one.name, "server": "192.0.2.9"}))
    if one.what in (abilities.GROW, abilities.SNAPSHOT, abilities.FREEZE):
        in_use(folder, monkeypatch)
    links = {"eth1": {"ifname": "eth1"}}
    _kind, want = want_for(one, folder)
    now: Any = SimpleNamespace(links=lambda: links, unit=lambda _name: None, entries=lambda _kind: [])
    work = Work("c1", check=True, now=now)
    try:
        _carry_out(one, {"want": want, "uuid": want["uuid"], "address": "a", "digest": "d", "action": "create"}, work)
    except Failed:
        return False
    return bool(work.done)  # it would do something


def _carry_out(one: Ability, given: dict[str, Any], work: Work) -> None:
    ensure: dict[str, Callable[[dict[str, Any], Work], Any]] = {
        abilities.ROOT_DISK: lambda given, work: instance_disks.ensure(given["want"], work),
        abilities.SNAPSHOT: snapshot.ensure,
        abilities.FREEZE: snapshot.ensure,
    }
    ensure.get(one.what, volume.ensure)(given, work)


def _by_batch(action: str) -> bool:
    """By a kind that has the functions that instances have, and whose functions do nothing."""
    idle = HostKind(ensure=nothing, remove=nothing, seen=lambda _step, _look: {}, restore=nothing)
    known: dict[str, Any] = table.KINDS
    known["things"] = idle._replace(migrate=table.KINDS["instances"].migrate)
    given = {"number": 1, "kind": "things", "action": action, "address": "things/a", "uuid": UUID, "digest": "d",
             "want": None if action == "destroy" else {"uuid": UUID}, "have": None, "to": "c2"}  # fmt: skip
    try:
        (result,) = batch.Batch({"host": "c1", "run": "r", "steps": [given]}, check=True).carry_out()
    finally:
        del known["things"]
    return bool(result["status"] == "ok")


@pytest.mark.parametrize("one", ROWS)
def test_the_host_code_does_what_the_table_says_and_refuses_the_rest(
    one: Ability, host: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert by_real_code(one, host, monkeypatch) is one.can


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    found = Bench(tmp_path / ".stead")
    yield found
    found.close()


@pytest.mark.parametrize("one", [row for row in ROWS if row.values[0].what != abilities.SERVE])  # type: ignore[union-attr]
def test_simulated_hosts_take_and_refuse_the_same(one: Ability, bench: Bench, tmp_path: Path) -> None:
    if one.what == abilities.ACTION:
        before = step(ADDRESS, "compute-1", want=PLAIN)
        assert bench.apply(plan_of([before], [keep(ADDRESS)])).done == 1
        want_now = {} if one.name == Action.DESTROY else {"want": PLAIN}
        given = step(ADDRESS, "compute-1", Action(one.name), to="compute-2", **want_now)
    else:
        kind, want = want_for(one, tmp_path)
        fields = {name: value for name, value in want.items() if name not in ("nics", "volume")}
        given = step(ADDRESS._replace(kind=kind), "compute-1", want=Want.of(Body.of(fields)))
        wired = {"external": "eth1"}
        bench.hosts = {name: replace(host, physical_networks=wired) for name, host in bench.hosts.items()}
    applied = bench.apply(plan_of([given], [keep(given.address)]))
    assert bool(applied.done) is (one.can or one.rehearsed), applied.failed
    assert applied.done or applied.failed[0].why == one.text


ADDRESS = Address("acme", "instances", "web")
PLAIN = Want.of(Body.of({"hypervisor": "kvm"}))


def test_real_and_simulated_hosts_report_the_same_abilities(tmp_path: Path) -> None:
    """But for what is rehearsed, which has a trait of its own."""
    kept = {kind: StoragePool(kind, kind, 1 << 40) for kind in POOL_TYPES}
    given = Host(name="c1", roles=frozenset({"compute"}), pools=kept, hypervisors=frozenset({"kvm", "qemu", "lxc"}))
    (real,) = to_observed({"c1": Answer(host="c1", why="no route")}, {"c1": given}).hosts.values()
    runner = SimulatedRunner(tmp_path / "simulated.db")
    (simulated,) = runner.observe({"c1": given}).hosts.values()
    runner.close()
    rehearsed = {one.name for one in TABLE if one.rehearsed}
    assert real.traits - simulated.traits == {f"without:{name}" for name in rehearsed}
    assert simulated.traits - real.traits == {f"rehearses:{name}" for name in rehearsed}
    assert real.hypervisors == simulated.hypervisors == {"kvm", "qemu"}
    assert with_abilities(real) == real


def test_the_table_has_a_row_for_all_that_there_is() -> None:
    """Of the spec, of the inventory and of plans: what somebody adds gets its row."""
    named = {what: {one.name for one in TABLE if one.what == what} for what in abilities.ROWS}
    assert len({(one.what, one.name) for one in TABLE}) == len(TABLE)
    assert named[abilities.ACTION] == set(map(str, Action))
    for what in abilities.OF_POOLS:
        assert named[what] == set(POOL_TYPES) == set(drivers.DRIVERS)


def _choices(model: type, field: str) -> set[str]:
    hint = typing.get_type_hints(model)[field]
    found = {one for part in (hint, *typing.get_args(hint)) for one in typing.get_args(part) or (part,)}
    return {one for one in found if isinstance(one, str)}


def test_what_cannot_says_what_to_do_and_what_is_not_in_the_table_cannot() -> None:
    for one in TABLE:
        assert one.can or one.text.endswith(".")
    assert not abilities.row(abilities.VOLUME, "tape").can
    assert "tape" in abilities.refusal("volumes", {"pool": {"type": "tape"}})


@pytest.mark.parametrize("kind", POOL_TYPES)
def test_a_pool_of_the_inventory_is_shared_where_the_host_code_serves_it(kind: str, tmp_path: Path) -> None:
    given = {"type": kind, "size": "1TiB", "path": pool_of(kind, tmp_path)["path"]}
    assert variables.pools({"p": given})["p"].shared is abilities.row(abilities.SERVE, kind).can


@pytest.mark.parametrize(
    ("kind", "path"), [("lvm", ""), ("lvm", "vg0/pool"), ("lvm", "vg0"), ("lvm-thin", "vg0"), ("lvm-thin", "vg0/pool")]
)
def test_the_inventory_takes_the_paths_of_pools_that_the_host_code_takes(kind: str, path: str) -> None:
    given = {"type": kind, "size": "1TiB", **({"path": path} if path else {})}

    def takes(call: Callable[[], object], refusal: type[Exception]) -> bool:
        try:
            call()
        except refusal:
            return False
        return True

    real = takes(lambda: drivers.disk({"name": "p", **given}, UUID, "raw"), Failed)
    assert takes(lambda: variables.pools({"p": given}), variables.Bad) is real
