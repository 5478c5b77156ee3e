"""Network drivers: what the controller's half claims, the hosts' half does; and a site adds one without editing any."""

from __future__ import annotations

import re
import runpy
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_args, get_type_hints

import pytest
import yaml
from tests.installing import announce
from tests.unit.runner.making import Bench, keep, plan_of, step

from ansible_collections.stead.cloud.plugins.module_utils.host.base.errors import Failed
from ansible_collections.stead.cloud.plugins.module_utils.host.base.work import Work
from ansible_collections.stead.cloud.plugins.module_utils.host.net import driver as host_driver
from ansible_collections.stead.cloud.plugins.module_utils.host.net import drivers as host_drivers
from ansible_collections.stead.cloud.plugins.module_utils.host.net.linuxbridge import conntrack, dhcp, forwarding
from stead.blueprint.model import Blueprint
from stead.blueprint.settle import settle
from stead.core.address import Address
from stead.core.observed import Host, Observed, StoragePool
from stead.core.recorded import Recorded
from stead.core.value import replace
from stead.core.want import Body, Want
from stead.drivers import network
from stead.drivers.network import FEATURES, TYPES, NetworkDriver, all_of_them, of
from stead.kinds import kinds, tasks
from stead.kinds.network.model import Network
from stead.language.desired import resolve
from stead.language.module_files import files
from stead.language.spec import load

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "plugins" / "network-example"
CASES = ROOT / "tests" / "cases" / "network" / "drivers.yml"
HOST = "collections/ansible_collections/stead/cloud/plugins/module_utils/host/net"
UUID = "11111111-0000-4000-8000-000000000001"
TOYS = """
from stead.core.driver import Proven, yes
from stead.core.value import replace
from stead.core.want import Body, Want
from stead_network_example import DRIVER

# It makes tunnels of a type that no built-in driver makes.
OVERLAY = replace(
    DRIVER, name="overlay", capabilities={**DRIVER.capabilities, "geneve": yes(Proven.NOT_HERE)},
    realise=lambda layout: {"c2": Want.of(Body.of(layout.fields))}, overhead={"flat": 0, "geneve": 58},
    required={"geneve": frozenset({"overlay"})},
)
"""
ENTRIES = {"openvswitch": "stead_network_example:DRIVER", "overlay": "toys:OVERLAY"}


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[NetworkDriver]:
    """The worked example, and one made from it, installed the way pip leaves them."""
    folder = tmp_path / "site-packages"
    announce(folder, "stead_network_example", {"stead.drivers.network": ENTRIES})
    shutil.copy(EXAMPLE / "stead_network_example.py", folder)
    (folder / "toys.py").write_text(TOYS)
    monkeypatch.syspath_prepend(folder)
    all_of_them.cache_clear()
    yield all_of_them()["openvswitch"]
    all_of_them.cache_clear()
    for name in ("stead_network_example", "toys"):
        sys.modules.pop(name, None)


def host_half() -> host_driver.HostNetworkDriver:
    """Of the example, without installing its collection."""
    folder = EXAMPLE / "collections/ansible_collections/stead/site/plugins/module_utils"
    found: host_driver.HostNetworkDriver = runpy.run_path(str(folder / "openvswitch.py"))["DRIVER"]
    return found


def agree(claims: NetworkDriver, does: host_driver.HostNetworkDriver) -> None:
    assert claims.name == does.name
    assert set(claims.overhead) == set(does.types) == {one for one in TYPES if of(claims.name, TYPES[one]).can}
    assert set(claims.capabilities) == {one.name for one in FEATURES}
    for feature in FEATURES:
        for operation in feature.operations:
            assert (getattr(does, operation) is not None) is claims.capabilities[feature.name].can
    for found in claims.capabilities.values():
        assert found.can or found.text.endswith(".")


def test_both_halves_of_each_driver_say_the_same() -> None:
    assert set(all_of_them()) == {one.name for one in host_drivers.BUILT_IN}
    assert host_drivers.DEFAULT == network.DEFAULT
    for does in host_drivers.BUILT_IN:
        agree(all_of_them()[does.name], does)


def test_both_halves_of_the_example_say_the_same(example: NetworkDriver) -> None:
    agree(example, host_half())


def test_hosts_find_a_sites_driver_in_its_collection() -> None:
    program = (
        "from ansible_collections.stead.cloud.plugins.module_utils.host.net.drivers import DEFAULT, DRIVERS\n"
        "print(DEFAULT, *DRIVERS)"
    )
    folders = [str(ROOT / "collections"), str(EXAMPLE / "collections")]
    words = [sys.executable, "-c", program]
    environment = {"PYTHONPATH": ":".join(folders)}
    found = subprocess.run(words, capture_output=True, text=True, check=True, env=environment).stdout.split()
    assert found[0] == network.DEFAULT
    assert set(found) == {*(one.name for one in host_drivers.BUILT_IN), "openvswitch"}


def test_the_table_has_a_row_for_every_type_of_the_spec() -> None:
    assert set(get_args(get_args(get_type_hints(Network, include_extras=True)["type"])[0])) == set(TYPES)


def test_nobody_else_asks_for_a_driver_by_its_name() -> None:
    """Only its own files, the two lists of drivers, and what is made from them."""
    lists = {"src/stead/drivers/network/__init__.py", f"{HOST}/drivers.py", *files(tasks())}
    for name in all_of_them():
        own = (f"src/stead/drivers/network/{name}", f"{HOST}/{name}")
        found = {
            str(path.relative_to(ROOT))
            for folder in ("src", "collections")
            for path in (ROOT / folder).rglob("*.py")
            if re.search(rf"(?<![a-z]){name}(?![a-z])", path.read_text())
        }
        assert {one for one in found - lists if not one.startswith(own)} == set()


def want_of(kind: str) -> dict[str, Any]:
    number = {"vlan": {"vlan": 7}}.get(kind, {"vni": 10_000})
    wire = {"device": "eth1", "physical": "external"} if kind in ("vlan", "flat") else {}
    return {"type": kind, "driver": network.DEFAULT, "uuid": UUID, "mtu": 1450, **number, **wire}


@pytest.mark.parametrize("kind", [*TYPES, "moebius"])
def test_hosts_make_the_types_that_the_table_says_and_refuse_the_rest(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module, name in ((conntrack, "ensure"), (dhcp, "remove"), (forwarding, "ensure")):
        monkeypatch.setattr(module, name, lambda *_words: None)
    now: Any = SimpleNamespace(links=lambda: {"eth1": {"ifname": "eth1"}}, entries=lambda _kind: [])
    work = Work("c1", check=True, now=now)
    if kind in TYPES and of(network.DEFAULT, TYPES[kind]).can:
        host_drivers.NETWORKS.ensure(want_of(kind), work)
        assert work.done
    else:
        with pytest.raises(Failed, match="STEAD-E201"):
            host_drivers.NETWORKS.ensure(want_of(kind), work)


def test_a_driver_that_a_host_has_no_code_for_is_refused() -> None:
    with pytest.raises(Failed, match="STEAD-E200: There is no code here for driver moebius"):
        host_drivers.NETWORKS.ensure({"driver": "moebius"}, Work("c1", check=True))


def test_what_a_driver_does_not_do_is_refused_with_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host_drivers, "DRIVERS", {**host_drivers.DRIVERS, "openvswitch": host_half()})
    with pytest.raises(Failed, match="STEAD-E201: Networks with driver openvswitch have no routers"):
        host_drivers.ROUTERS.ensure({"driver": "openvswitch"}, Work("c1", check=True))


def test_a_group_with_members_of_two_drivers_is_made_by_both_and_goes_from_who_has_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said: list[str] = []

    def part(name: str) -> Any:
        return SimpleNamespace(
            ensure=lambda _want, _work: said.append(f"{name} makes"),
            remove=lambda _have, _work: said.append(f"{name} removes"),
        )

    mine = {one: host_half()._replace(name=one, security_groups=part(one)) for one in ("a", "b", "c")}
    monkeypatch.setattr(host_drivers, "DRIVERS", mine)
    work = Work("c1", check=True)
    host_drivers.SECURITY_GROUPS.ensure({"drivers": ["a", "b"]}, work, {"drivers": ["b", "c"]})
    assert said == ["c removes", "a makes", "b makes"]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    found = Bench(tmp_path / ".stead")
    yield found
    found.close()


@pytest.mark.parametrize("kind", TYPES)
def test_simulated_hosts_take_and_refuse_the_same(kind: str, bench: Bench) -> None:
    address = Address("acme", "networks", "app")
    bench.hosts = {name: replace(host, physical_networks={"external": "eth1"}) for name, host in bench.hosts.items()}
    applied = bench.apply(plan_of([step(address, "compute-1", want=Want.of(Body.of(want_of(kind))))], [keep(address)]))
    found = of(network.DEFAULT, TYPES[kind])
    assert bool(applied.done) is found.can
    assert applied.done or applied.failed[0].why == found.text


Settle = Callable[[dict[str, Any]], tuple[Blueprint, list[str]]]
LAB = {"driver": "openvswitch", "type": "flat", "physical": "lab", "port_security": False,
       "subnets": {"v4": {"cidr": "192.0.2.0/24", "dhcp": False}}}  # fmt: skip
POOL = StoragePool("default", "dir", 1 << 40)
MACHINE = {"boot": ["network"], "flavor": {"vcpus": 1, "memory": "1GiB", "disk": "1GiB"}}


@pytest.fixture
def settled(tmp_path: Path) -> Settle:
    def made(sections: dict[str, Any]) -> tuple[Blueprint, list[str]]:
        path = tmp_path / "stead.yml"
        path.write_text(yaml.safe_dump({"stead": 1, "projects": {"acme": sections}}))
        spec, found = load([path], kinds(), root=tmp_path)
        assert not found
        desired, found = resolve(spec, key=b"key")
        hosts = {
            name: Host(name=name, roles=frozenset({"compute", "network"}), traits=traits, vcpus=8, memory=1 << 40,
                       physical_networks={"lab": f"br-{name}"}, pools={"default": POOL})
            for name, traits in (("c1", frozenset[str]()), ("c2", frozenset({"overlay"})))
        }  # fmt: skip
        blueprint = (
            settle(desired, Recorded(), Observed(hosts=hosts), kinds=kinds(), key=b"key")[0] if not found else None
        )
        return blueprint, [f"{one.code} {one.detail}" for one in found]  # type: ignore[return-value]

    return made


def test_the_example_says_what_hosts_should_have(example: NetworkDriver, settled: Settle) -> None:
    del example
    made, found = settled(
        {"networks": {"lab": LAB}, "instances": {"web": {**MACHINE, "networks": ["lab"], "host": "c2"}}}
    )
    assert not found
    (want,) = made.resources[Address("acme", "networks", "lab")].wants.values()
    assert want.fields()["bridge"] == "br-c2"
    assert not {"forwarding", "peers", "device"} & set(want.fields())
    web = next(iter(made.resources[Address("acme", "instances", "web")].wants.values())).fields()
    assert web["nics"]["lab"]["driver"] == "openvswitch"


def test_a_type_that_another_driver_makes_says_so(example: NetworkDriver, settled: Settle) -> None:
    del example
    geneve = {"type": "geneve", "subnets": {"v4": {"cidr": "10.0.0.0/24"}}}
    _made, found = settled({"networks": {"app": geneve}})
    (one,) = found
    assert one.startswith("STEAD-N046 The driver linuxbridge makes no networks of type geneve. Use `type: vxlan`. Or")
    assert one.endswith("Or write `driver: ovn or overlay`, which makes them.")


def test_a_driver_takes_its_part_of_the_mtu_and_chooses_among_hosts(example: NetworkDriver, settled: Settle) -> None:
    del example
    app = {**LAB, "driver": "overlay", "type": "geneve"}
    del app["physical"]
    made, found = settled({"networks": {"app": app}, "instances": {"web": {**MACHINE, "networks": ["app"]}}})
    assert not found
    web = made.resources[Address("acme", "instances", "web")]
    assert web.host == "c2"
    assert web.wants["c2"].fields()["nics"]["app"]["mtu"] == 1442


@pytest.mark.parametrize("case", yaml.safe_load(CASES.read_text())["cases"], ids=lambda case: case["case"])
def test_what_a_driver_cannot_do_is_refused_where_it_is_asked_for(
    case: dict[str, Any], example: NetworkDriver, settled: Settle
) -> None:
    del example
    given = case["project"]
    networks = {**given.get("networks", {}), "lab": {**LAB, **given.get("networks", {}).get("lab", {})}}
    machines = {name: {**MACHINE, **one} for name, one in given.get("instances", {}).items()}
    _made, found = settled({**given, "networks": networks, **({"instances": machines} if machines else {})})
    code, text = case["found"]
    assert any(one.startswith(code) and text in one for one in found), found
