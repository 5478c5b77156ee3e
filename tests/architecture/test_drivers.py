"""What holds of every family of drivers: how they are found, and that nobody else asks for one by its name."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from stead.core.diagnostics import Refused
from stead.core.driver import Capability, DriverScope, Feature, Proven, able, capability, no, yes
from stead.core.value import value
from stead.drivers import SHARED, drivers
from stead.kinds import tasks
from stead.language.module_files import files

ROOT = Path(__file__).parents[2]
HOST_CODE = "collections/ansible_collections/stead/cloud/plugins/module_utils"

GROWS = Feature("grows", "toys that grow")
TOYS = """
from stead.core.driver import DriverScope
import test_drivers_types as types

TRAIN = types.Toy(name="train", help="A train.", scope=DriverScope.CLUSTER, capabilities={})
"""


@value
class Toy:
    name: str
    help: str
    scope: DriverScope
    capabilities: Mapping[str, Capability]


Announce = Callable[[str], None]


@pytest.fixture
def announce(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Announce]:
    """Puts a distribution on the path the way pip leaves it: a module, and a `dist-info` that announces it."""

    def put(entries: str) -> None:
        (tmp_path / "toys.py").write_text(TOYS)
        info = tmp_path / "toys-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: toys\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[stead.drivers.toys]\n{entries}\n")

    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(sys.modules, "test_drivers_types", sys.modules[__name__])
    yield put
    sys.modules.pop("toys", None)


def test_a_driver_comes_by_entry_point(announce: Announce) -> None:
    announce("train = toys:TRAIN")
    assert [one.scope for one in drivers("toys", Toy).values()] == [DriverScope.CLUSTER]


@pytest.mark.parametrize(
    "entries",
    ["ship = toys:TRAIN", "train = toys:NONE", "train = toys:DriverScope"],
    ids=["another's name", "not there", "not a driver"],
)
def test_what_is_no_driver_is_refused_with_its_name(announce: Announce, entries: str) -> None:
    announce(entries)
    with pytest.raises(Refused, match=r"STEAD-H040 stead\.drivers\.toys: '(ship|train)'"):
        drivers("toys", Toy)


def test_what_nobody_has_written_down_no_driver_can() -> None:
    toy = Toy(name="train", help="A train.", scope=DriverScope.HOST, capabilities={"grows": yes(Proven.LAB)})
    other = Toy(name="ship", help="A ship.", scope=DriverScope.HOST, capabilities={})
    assert able([toy, other], GROWS) == ("train",)
    assert capability(other, GROWS, "ship") == no("This version has no code for toys that grow with ship.")
    assert not capability(None, GROWS, "plane").can


# family -> where the two halves of its drivers are. A family adds its line.
FOLDERS = {
    "hypervisor": ("src/stead/drivers/hypervisor", HOST_CODE + "/host/hypervisor"),
    "network": ("src/stead/drivers/network", HOST_CODE + "/host/net"),
    "object": ("src/stead/drivers/object", HOST_CODE + "/host/object"),
    "storage": ("src/stead/drivers/storage", HOST_CODE + "/host/storage"),
}
# Where a name may stand beside that, and why.
ALLOWED = {
    HOST_CODE + "/wire/parts.py",  # the driver of a pool that does not say its type
    HOST_CODE + "/host/observe/kernel.py",  # file systems and modules of the kernel
    "src/stead/drivers/network/__init__.py",  # the driver of a network that does not say one
    # QEMU without KVM is one of the hypervisors that the driver of the same name has
    "src/stead/kinds/instance/model.py",
    "src/stead/kinds/instance/task.py",
    HOST_CODE + "/host/hypervisor/domains/probe.py",
    HOST_CODE + "/host/hypervisor/domains/device_xml.py",  # libvirt's name of how QEMU reads a disk
    *files(tasks()),  # made from the tables of the drivers
}


@pytest.mark.parametrize("family", sorted(FOLDERS))
def test_nobody_but_a_driver_says_its_name(family: str) -> None:
    """What differs between drivers is asked of them. A name is a text of its own: of sentences nobody asks it."""
    names = {path.stem.replace("_", "-") for path in (ROOT / FOLDERS[family][0]).glob("[a-z]*.py")} - {SHARED}
    own = [f"{folder}/{name.replace('-', '_')}" for folder in FOLDERS[family] for name in names]
    found = [
        f"{where}:{node.lineno} says {node.value!r}"
        for tree in ("src/stead", "collections/ansible_collections/stead/cloud/plugins")
        for path in sorted((ROOT / tree).rglob("*.py"))
        for where in [str(path.relative_to(ROOT))]
        if where not in ALLOWED
        and not where.startswith(tuple(f"{one}{end}" for one in own for end in (".py", "_", "/")))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and node.value in names
    ]
    assert names
    assert found == []
