"""From the XML of a domain to a spec, and from that to a plan that takes it over as it is: no host is needed for it."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import yaml

sys.path.insert(0, str(Path(__file__).parent.parent.parent / "properties"))

from hypothesis import given
from hypothesis import strategies as st
from sites import KEY, desired, planned

from ansible_collections.stead.cloud.plugins.module_utils.host.hypervisor.domains.description import described
from stead.adoption.strangers import Strangers, of_file, of_hosts
from stead.adoption.translate import KEPT, LACKS, LEFT_OUT, Drafted, translated
from stead.blueprint.dry_run import applied
from stead.cli import main
from stead.core.address import Address
from stead.core.diagnostics import Diagnostic
from stead.core.effect import Action
from stead.core.observed import Host, Observed, StoragePool
from stead.core.recorded import Recorded
from stead.core.value import replace
from stead.heat.spec import text
from stead.kinds import kinds
from stead.plan.planner import Inputs, make_plan

HOST, IMAGES, GIB = "hv-1", "/var/lib/libvirt/images", 1 << 30
UUID = "4dea22b3-1d52-d8f3-2516-782e98ab3fa0"
MAC = "52:54:00:11:22:33"
EMPTY = Recorded(site="a-site")
PARTS = {
    "name": "web",
    "uuid": UUID,
    "top": "",
    "cpu": "<cpu mode='host-passthrough'/>",
    "disk": "<disk type='file' device='disk'><driver name='qemu' type='qcow2'/>"
    f"<source file='{IMAGES}/web.qcow2'/><target dev='vda' bus='virtio'/></disk>",
    "nic": f"<interface type='bridge'><mac address='{MAC}'/><source bridge='br0'/><model type='virtio'/></interface>",
    "devices": "",
}


def xml(**parts: str) -> str:
    told = {**PARTS, **parts}
    return (
        f"<domain type='kvm'><name>{told['name']}</name><uuid>{told['uuid']}</uuid>{told['top']}"
        "<memory unit='GiB'>1</memory><currentMemory unit='GiB'>1</currentMemory><vcpu>2</vcpu>"
        "<os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type><boot dev='hd'/></os><features><acpi/></features>"
        f"{told['cpu']}<devices>{told['disk']}{told['nic']}<graphics type='vnc'/>{told['devices']}</devices></domain>"
    )


def facts(domain: str, **more: Any) -> dict[str, Any]:
    """What a host says of it."""
    found = {**described(ET.fromstring(domain)), "state": "running", "autostart": True, **more}  # noqa: S314 - its own
    for disk in found["disks"]:
        disk.update({"size": 10 * GIB, "room": 40 * GIB} if disk["type"] == "file" else {})
    return found


def hosts() -> dict[str, Host]:
    pools = {
        "default": StoragePool("default", "dir", 100 * GIB, "/var/lib/stead/pools/default"),
        "images": StoragePool("images", "dir", 100 * GIB, IMAGES),
    }
    found = Host(
        name=HOST,
        roles=frozenset({"compute", "network", "controller"}),
        vcpus=8,
        memory=32 * GIB,
        pools=pools,
        physical_networks={"lan": "br0"},
        underlay="192.0.2.1",
    )
    return {HOST: found}


def drafted(*domains: dict[str, Any], known: dict[str, Host] | None = None) -> Drafted:
    strangers = of_hosts({HOST: {"domains": list(domains), "networks": {}}})
    return translated(strangers, hosts() if known is None else known, "shop")


def spec_of(*domains: dict[str, Any]) -> dict[str, Any]:
    return read(text(drafted(*domains).draft, "a test"))


def read(spec: str) -> dict[str, Any]:
    """To another reader of YAML, a MAC address may be a number of seconds."""
    found: dict[str, Any] = yaml.safe_load(re.sub(r"mac: ([0-9a-f:]+)", r'mac: "\1"', spec))
    return found


def observed(*domains: dict[str, Any]) -> Observed:
    return Observed(hosts=hosts(), strangers={HOST: {one["uuid"]: one for one in domains}}, digest="observed")


def codes(spec: dict[str, Any], seen: Observed) -> list[str]:
    _, found = make_plan(Inputs(desired=desired(spec), recorded=EMPTY, observed=seen, kinds=kinds(), key=KEY))
    return [one.code for one in found]


def test_a_domain_is_adopted_as_it_is_and_then_nothing_is_to_be_done() -> None:
    told = facts(xml())
    spec = desired(spec_of(told))
    made = planned(spec, EMPTY, observed(told))
    assert made.plan is not None
    assert made.blueprint is not None
    actions = {str(step.address): (step.action, str(step.disturbs)) for step in made.plan.steps if step.host}
    assert actions["shop/instances/web"] == (Action.ADOPT, "none")
    assert actions["shop/volumes/web-vda"] == (Action.ADOPT, "none")
    (instance,) = (step for step in made.plan.steps if str(step.address) == "shop/instances/web")
    assert instance.uuid == UUID
    want = instance.want
    assert want is not None
    assert want.fields()["ports"]["site:lan"]["mac"] == MAC
    assert want.fields()["root"]["volume"]["pool"]["file"] == "web.qcow2"
    recorded, there = applied(made.blueprint, EMPTY, observed())
    read = {Address(*one): record for one, record in recorded.resources.items()}  # as a store gives them back
    again = planned(spec, replace(recorded, resources=read), there).plan
    assert again is not None
    assert again.steps == ()


def test_what_differs_is_adopted_as_it_is_and_changed_by_the_next_plan() -> None:
    told = facts(xml())
    changed = spec_of(told)
    changed["projects"]["shop"]["instances"]["web"]["flavor"]["vcpus"] = 4
    made = planned(desired(changed), EMPTY, observed(told))
    assert made.plan is not None
    (step,) = (one for one in made.plan.steps if str(one.address) == "shop/instances/web")
    assert step.want is not None
    assert (step.want.fields()["vcpus"], step.want.fields()["max_vcpus"]) == (2, 2)
    assert any(note.code == "adopted-otherwise" and "vcpus 2" in note.text for note in made.plan.notes)


@pytest.mark.parametrize(
    ("domain", "why"),
    [
        (xml(nic=""), f"it has no interface {MAC}"),
        (xml(disk=PARTS["disk"].replace("web.q", "other.q")), "it does not have disk"),
        (xml(nic=PARTS["nic"].replace("virtio", "e1000")), "is of model e1000"),
    ],
)
def test_another_thing_than_the_spec_says_is_refused(domain: str, why: str) -> None:
    spec = desired(spec_of(facts(xml())))
    inputs = Inputs(desired=spec, recorded=EMPTY, observed=observed(facts(domain)), kinds=kinds(), key=KEY)
    made, found = make_plan(inputs)
    assert made.plan is None
    assert [one.code for one in found] == ["STEAD-D013"]
    assert why in found[0].detail


def test_what_is_not_there_is_not_adopted() -> None:
    told = facts(xml())
    assert codes(spec_of(told), observed()) == ["STEAD-D012"]
    twice = observed(told)
    twice = replace(twice, strangers={**twice.strangers, "hv-2": twice.strangers[HOST]})
    assert codes(spec_of(told), twice) == ["STEAD-D013"]


def test_two_instances_cannot_be_one_domain() -> None:
    told = facts(xml())
    spec = spec_of(told)
    shop = spec["projects"]["shop"]
    shop["volumes"]["other-vda"] = {**shop["volumes"]["web-vda"], "file": "other.qcow2"}
    shop["instances"]["other"] = {**shop["instances"]["web"], "boot_volume": "other-vda", "networks": []}
    assert "STEAD-R020" in codes(spec, observed(told))


def _left_out(*domains: dict[str, Any]) -> str:
    made = drafted(*domains)
    assert made.left_out
    assert {one.code for one in made.found} <= {"STEAD-K012", "STEAD-K014"}
    return " ".join(one.detail for one in made.found if one.code == LEFT_OUT.id)


LABEL = (
    "<metadata><stead:instance xmlns:stead='https://stead.cloud/xmlns/1' address='acme/instances/web' site='theirs'/>"
    "</metadata>"
)


@pytest.mark.parametrize(
    ("domain", "why"),
    [
        (xml(top=LABEL), "Stead's own: it is 'acme/instances/web' of site 'theirs'"),
        (xml(disk=""), "has no disk"),
        (xml(disk=PARTS["disk"].replace("'file'", "'block'").replace("file=", "dev=")), "of type 'block'"),
        (xml(disk=PARTS["disk"].replace("'qcow2'", "'vmdk'")), "its format is 'vmdk'"),
        (xml(disk=PARTS["disk"].replace("web.qcow2", "../../../etc/shadow")), "has characters"),
        (xml(disk=PARTS["disk"].replace("web.qcow2", "a: {{ 1 }}.qcow2")), "has characters"),
        (xml(nic=PARTS["nic"].replace("'bridge'", "'direct'")), "of type 'direct'"),
        (xml(nic=PARTS["nic"].replace("virtio", "ne2k_pci")), "its model is 'ne2k_pci'"),
        (xml(uuid="not-a-uuid"), "has no UUID that can be kept"),
    ],
)
def test_what_would_have_to_be_guessed_is_left_out(domain: str, why: str) -> None:
    assert why in _left_out(facts(domain))


def test_one_uuid_on_two_hosts_is_nobodys() -> None:
    told = {name: {"domains": [facts(xml())], "networks": {}} for name in (HOST, "hv-2")}
    made = translated(of_hosts(told), hosts(), "shop")
    assert {one.detail.split(". ")[0] for one in made.found if one.code == LEFT_OUT.id} == {
        f"UUID {UUID} is that of hv-1/web, hv-2/web"
    }


def test_what_stays_without_a_word_is_told_by_its_path() -> None:
    more = (
        "<hostdev mode='subsystem' type='pci'/><disk type='file' device='cdrom'><target dev='sda' bus='sata'/></disk>"
    )
    made = drafted(facts(xml(devices=more, top="<cputune><shares>512</shares></cputune>", cpu="<cpu mode='x y'/>")))
    assert KEPT.id == "STEAD-K013"
    told = " ".join(one.detail for one in made.found if one.code == KEPT.id)
    for path in ("devices/hostdev", "devices/disk[sda]", "cputune", "cpu: it is 'x y'"):
        assert path in told
    found = read(text(made.draft, "a test"))["projects"]["shop"]["instances"]["web"]
    assert found["ignore"] == ["cpu"]
    assert "cpu" not in found


def test_what_the_inventory_lacks_is_told() -> None:
    bare = {HOST: replace(hosts()[HOST], pools={}, physical_networks={})}
    made = drafted(facts(xml()), known=bare)
    told = " ".join(one.detail for one in made.found if one.code == LACKS.id)
    assert "stead_physical_networks: {br0: br0}" in told
    assert f"stead_pools: {{images: {{path: {IMAGES}, size: 40GiB}}}}" in told


@given(name=st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=40))
def test_no_name_of_a_domain_becomes_anything_but_a_name(name: str) -> None:
    told = facts(xml())
    told["name"] = name
    told["unsaid"] = {f"devices/{name}": name}
    spec = spec_of(told)
    assert list(spec) == ["stead", "networks", "projects"]
    assert list(spec["projects"]) == ["shop"]
    (entry,) = spec["projects"]["shop"]["instances"].values()
    assert entry["domain"] == UUID
    assert len(desired(spec).blocks) == 4


def test_a_file_that_is_no_definition_is_refused() -> None:
    declares = "<!DOCTYPE domain [<!ENTITY a 'b'>]>" + xml()
    for data in (b"<domain", b"<network/>", b"<domain/>", declares.encode(), declares.encode("utf-16")):
        found: list[Diagnostic] = []
        assert of_file(data, "web.xml", HOST, found) is None
        assert [one.code for one in found] == ["STEAD-K011"]


def test_a_file_alone_makes_a_spec(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "web.xml").write_text(xml(), encoding="utf-8")
    assert main(["import", "libvirt", "--xml", str(tmp_path / "web.xml"), "--host", HOST]) == 0
    said = capsys.readouterr()
    found = read(said.out)["projects"]["imported"]
    assert found["instances"]["web"]["domain"] == UUID
    assert "Write the size of volume web-vda" in said.out
    assert main(["import", "libvirt", "nobody", "--xml", str(tmp_path / "web.xml")]) == 1
    assert "STEAD-K015" in capsys.readouterr().err


def test_nothing_is_made_of_nothing() -> None:
    made = translated(Strangers(domains=(), networks={}), {}, "shop")
    assert not made.found
