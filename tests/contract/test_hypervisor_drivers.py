# mypy: disable-error-code="no-untyped-call"
"""Every hypervisor driver: what its controller's half claims, its host's half does; and a new one edits nothing."""

from __future__ import annotations

import re
import runpy
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from tests.installing import announce
from tests.unit.hosts.test_host_code import WANT

from ansible_collections.stead.cloud.plugins.module_utils.host.base import commands, paths
from ansible_collections.stead.cloud.plugins.module_utils.host.base.errors import Failed
from ansible_collections.stead.cloud.plugins.module_utils.host.base.sessions import Sessions
from ansible_collections.stead.cloud.plugins.module_utils.host.base.work import Work
from ansible_collections.stead.cloud.plugins.module_utils.host.hypervisor import driver as host_driver
from ansible_collections.stead.cloud.plugins.module_utils.host.hypervisor import drivers as on_hosts
from ansible_collections.stead.cloud.plugins.module_utils.host.hypervisor import lxc as lxc_on_hosts
from ansible_collections.stead.cloud.plugins.module_utils.host.hypervisor.containers import trial as container_trial
from ansible_collections.stead.cloud.plugins.module_utils.host.hypervisor.domains import probe
from ansible_collections.stead.cloud.plugins.module_utils.host.kinds import instance
from ansible_collections.stead.cloud.plugins.module_utils.host.storage import instance_disks
from ansible_collections.stead.cloud.plugins.module_utils.wire import instance as wire
from stead.core.driver import DriverScope, Proven, no, yes
from stead.core.effect import Data
from stead.core.observed import Host
from stead.drivers import hypervisor
from stead.drivers.hypervisor import FEATURES, HypervisorDriver, all_of_them, by_hypervisor
from stead.kinds.instance import effects
from stead.site.abilities import with_abilities

ROOT = Path(__file__).parents[2]
OWN = re.compile(r"hypervisor/(qemu|lxc)\.py|hypervisor/(domains|containers)/")
BUILT_IN = sorted(name for name in all_of_them())


def half_on_hosts(name: str) -> host_driver.HostDriver:
    return on_hosts.driver_of(next(iter(all_of_them()[name].runs)))


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_driver_says_something_of_every_feature(name: str) -> None:
    driver = all_of_them()[name]
    assert set(driver.capabilities) == {one.name for one in FEATURES}
    assert all(one.can or one.text.endswith(".") for one in driver.capabilities.values())


@pytest.mark.parametrize("name", BUILT_IN)
def test_what_a_driver_claims_its_hosts_half_has_operations_for(name: str) -> None:
    driver, half = all_of_them()[name], half_on_hosts(name)
    assert set(half.runs) == set(driver.runs)
    for feature in FEATURES:
        if feature.operations:
            has = all(callable(getattr(half.guest, one, None)) for one in feature.operations)
            assert has is driver.capabilities[feature.name].can, feature.name


def test_instances_move_where_a_driver_says_that_they_do() -> None:
    assert instance.KIND.receive is not None
    for driver in all_of_them().values():
        assert driver.capabilities[hypervisor.MIGRATE.name].can is (driver.mover is not None), driver.name


@pytest.mark.parametrize("name", BUILT_IN)
def test_hosts_try_what_a_driver_runs(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "emulator", lambda: "/usr/bin/qemu")
    monkeypatch.setattr(probe, "trial", lambda _accelerator: "")
    monkeypatch.setattr(lxc_on_hosts.LxcDriver, "is_here", lambda _driver: True)
    monkeypatch.setattr(container_trial, "run", str)
    assert set(half_on_hosts(name).trials()) == set(all_of_them()[name].runs)


def test_every_feature_with_operations_is_one_of_the_protocol() -> None:
    protocols = (
        host_driver.Adjusts,
        host_driver.Grows,
        host_driver.Copies,
        host_driver.Asks,
        host_driver.Pauses,
        host_driver.Suspends,
        host_driver.Shows,
    )
    said = {operation for feature in FEATURES for operation in feature.operations}
    assert said == {name for one in protocols for name in vars(one) if not name.startswith("_")}


def test_nobody_else_asks_which_driver_it_is() -> None:
    """Names of what drivers run are data; who compares with one decides for one driver."""
    names = {*all_of_them(), *by_hypervisor(), "libvirt"}
    asks = re.compile(rf"(==|!=|\bin\b|\bis\b)\s*[(\[{{]?\s*['\"]({'|'.join(sorted(names))})['\"]|^\s*import libvirt\b")
    code = [*ROOT.glob("src/stead/**/*.py"), *ROOT.glob("collections/**/module_utils/**/*.py")]
    # libvirt keeps the filters of linuxbridge's ports as well, and the connection is one for both.
    allowed = re.compile(
        rf"{OWN.pattern}|net/linuxbridge/|base/libvirt_client\.py|libvirt_secrets\.py|base/readings\.py|stead/lab/"
    )
    found = [
        f"{path.relative_to(ROOT)}:{at}: {line.strip()}"
        for path in code
        if not allowed.search(str(path))
        for at, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if asks.search(line)
    ]
    assert found == []


# A driver of somebody else's: containers that can do little.
TOY = HypervisorDriver(
    name="toy",
    help="Containers of paper.",
    scope=DriverScope.HOST,
    capabilities={one.name: no("Paper cannot do that.") for one in FEATURES} | {"cpu": yes(Proven.NOT_HERE)},
    runs={"toy": "paper"},
    slow=frozenset({"toy"}),
    programs={},
    console=lambda uuid: ["toy", "attach", uuid],
)


class ToyGuest:
    """It has no operation that a guest may be without."""

    def __init__(self, uuid: str, name: str, digest: str) -> None:
        self.uuid, self.name, self._digest = uuid, name, digest
        self.on = False

    def is_on(self) -> bool:
        return self.on

    def digest(self) -> str:
        return self._digest

    def start(self, work: Work) -> None:
        if not self.on:
            work.act(f"start {self.name}", setattr, self, "on", True)

    def stop(self, _patience: int, work: Work) -> None:
        if self.on:
            work.act(f"stop {self.name}", setattr, self, "on", False)

    def undefine(self, work: Work) -> None:
        work.act(f"undefine {self.name}", ToyHost.guests_of_it.pop, self.uuid)

    def files(self) -> set[str]:
        return set()

    def device_of(self, _uuid: str, _path: str) -> None:
        return None


class ToyHost:
    """Driver and hypervisor in one."""

    runs = ("toy",)
    guest = ToyGuest
    guests_of_it: dict[str, ToyGuest] = {}  # noqa: RUF012 - of the one host that there is

    def is_here(self) -> bool:
        return True

    def open(self, _sessions: Sessions) -> ToyHost:
        return self

    def find(self, uuid: str) -> ToyGuest | None:
        return self.guests_of_it.get(uuid)

    def guests(self) -> list[ToyGuest]:
        return [*self.guests_of_it.values()]

    def check(self, want: dict[str, Any]) -> None:
        pass

    def define(self, step: Mapping[str, Any], _plugs: object, work: Work) -> ToyGuest | None:
        want = step["want"]
        if want["uuid"] not in self.guests_of_it:
            made = ToyGuest(want["uuid"], want["name"], step["digest"])
            work.act(f"define {want['name']}", self.guests_of_it.setdefault, want["uuid"], made)
        return self.guests_of_it.get(want["uuid"])


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ToyHost]:
    """Installed beside Stead, as pip leaves it, and in the host's list as the site's collection puts it there."""
    (tmp_path / "paper.py").write_text("from test_hypervisor_toy import TOY as DRIVER\n")
    announce(tmp_path, "paper", {"stead.drivers.hypervisor": {"toy": "paper:DRIVER"}})
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(sys.modules, "test_hypervisor_toy", sys.modules[__name__])
    monkeypatch.setattr(on_hosts, "DRIVERS", (ToyHost(),))
    monkeypatch.setattr(ToyHost, "guests_of_it", {})
    monkeypatch.setattr(paths, "ROOT", str(tmp_path))
    caches = (hypervisor.known_of, hypervisor.all_of_them, hypervisor.by_hypervisor, hypervisor.traits)
    for one in caches:
        one.cache_clear()
    yield ToyHost()
    for one in caches:
        one.cache_clear()
    sys.modules.pop("paper", None)


@pytest.mark.usefixtures("toy")
def test_a_driver_that_is_installed_runs_instances() -> None:
    assert set(all_of_them()) == {*BUILT_IN, "toy"}
    host = Host(name="c1", roles=frozenset({"compute"}), hypervisors=frozenset({"toy", "vax"}))
    found = with_abilities(host)
    assert found.hypervisors == {"toy"}
    assert {"without:tpm", "without:devices"} <= found.traits
    assert "without:cpu" not in found.traits
    assert hypervisor.preferred(found.hypervisors) == "toy"
    assert hypervisor.refusal({"hypervisor": "toy"}) == ""
    assert hypervisor.refusal({"hypervisor": "toy", "tpm": True}) == "Paper cannot do that."
    assert "`toy`" in hypervisor.refusal({"hypervisor": "vax"})


def test_another_drivers_instance_is_another_disk() -> None:
    have = {"state": "running", "root": {"size": 1, "pool": {"name": "p"}}}
    assert effects.effect_of(effects.REBOOT, "hypervisor", "kvm", "qemu", {}, have) == effects.REBOOT
    found = effects.effect_of(effects.REBOOT, "hypervisor", "kvm", "toy", {}, have)
    assert found is not None
    assert effects.holds(have) is Data.HERE
    assert found.disturbs == effects.REBUILD.disturbs


def test_an_instance_is_made_and_removed_by_a_driver_that_came_later(
    toy: ToyHost, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(paths, "INSTANCES", str(tmp_path / "instances"))
    monkeypatch.setattr(paths, "IMAGES", str(tmp_path / "images"))
    monkeypatch.setattr(instance_disks, "_seed", lambda *_words: None)
    want = {**WANT, "hypervisor": "toy", "state": "running", "nics": {}, "ports": {}}
    step: Any = {"want": want, "uuid": want["uuid"], "address": "a", "digest": "d", "action": "create"}
    work = Work("c1", now=SimpleNamespace())  # type: ignore[arg-type]
    instance.ensure(step, work)
    guest = toy.find(want["uuid"])
    assert guest is not None
    assert guest.on
    with pytest.raises(Failed, match="STEAD-E300"):
        instance.ensure(dict(step, action="update"), work)  # type: ignore[arg-type]
    instance.remove(dict(step, have=want), work)  # type: ignore[arg-type]
    assert toy.guests() == []


def test_what_a_hosts_half_does_not_know_it_refuses() -> None:
    with pytest.raises(Failed, match=r"STEAD-E301.*vax"):
        on_hosts.of({"hypervisor": "vax"}, Sessions())


@pytest.mark.parametrize(("flavor", "code"), [("{gpu-a100: 1}", "STEAD-I046"), ("{}", "")])
def test_no_plan_promises_a_device_that_nobody_attaches(flavor: str, code: str) -> None:
    found = hypervisor.refusal({"hypervisor": "kvm", "devices": yaml.safe_load(flavor)})
    assert bool(found) is bool(code)


EXAMPLE = ROOT / "plugins" / "hypervisor-example"


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """The hosts' half of the worked example, on a host whose programs do what they are told."""
    folder = EXAMPLE / "collections/ansible_collections/stead/site/plugins/module_utils"
    found = SimpleNamespace(**runpy.run_path(str(folder / "cloud_hypervisor.py")))
    found.active = set[str]()

    def attempt(argv: list[str], **_more: Any) -> tuple[int, str, str]:
        return (0 if argv[-1] in found.active else 3, "", "")

    def run(argv: list[str], **_more: Any) -> str:
        if argv[0] == "systemd-run":
            found.active.add(argv[1].partition("=")[2])
        elif argv[:2] == ["systemctl", "stop"]:
            found.active.remove(argv[2])
        return ""

    monkeypatch.setattr(paths, "ROOT", str(tmp_path))
    monkeypatch.setattr(commands, "attempt", attempt)
    monkeypatch.setattr(commands, "run", run)
    return found


def test_both_halves_of_the_worked_example_say_the_same(example: Any) -> None:
    claims: HypervisorDriver = runpy.run_path(str(EXAMPLE / "stead_hypervisor_example.py"))["DRIVER"]
    assert set(claims.runs) == set(example.DRIVER.runs)
    assert set(claims.capabilities) == {one.name for one in FEATURES}
    for feature in FEATURES:
        can = claims.capabilities[feature.name].can
        assert can is all(hasattr(example.DRIVER.guest, one) for one in feature.operations) or not feature.operations
        assert can or claims.capabilities[feature.name].text.endswith(".")


def test_the_worked_example_makes_starts_reads_back_and_removes_a_guest(example: Any) -> None:
    want = {**WANT, "hypervisor": "cloud-hypervisor", "nics": {}, "ports": {}}
    step: Any = {"want": want, "uuid": want["uuid"], "address": "a", "digest": "d"}
    hypervisor, work = example.DRIVER.open(Sessions()), Work("c1")
    hypervisor.check(want)
    guest = hypervisor.define(step, {}, work)
    guest.start(work)
    seen = hypervisor.seen()[want["uuid"]]
    assert (seen.state, seen.label()["digest"]) == ("running", "d")
    assert wire.compare({**want, "state": "running"}, seen.fields(want)) == []
    guest.stop(1, work)
    assert not guest.is_on()
    guest.undefine(work)
    assert hypervisor.guests() == []
