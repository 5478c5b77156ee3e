"""Random sites for the laws: specs as text, hosts as values."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import yaml
from hypothesis import strategies as st

from stead.core.observed import Host, Observed, StoragePool
from stead.core.recorded import Recorded
from stead.kinds import kinds
from stead.language.desired import Desired, resolve
from stead.language.spec import load
from stead.plan.planner import Inputs, Planned, Wishes, make_plan

GIB = 1 << 30
KEY = b"key"


def host(number: int, size: int) -> Host:
    return Host(
        name=f"compute-{number}",
        roles=frozenset({"compute"}),
        zone=f"z{number % 2}",
        vcpus=size,
        memory=size * 4 * GIB,
        pools={"default": StoragePool("default", "dir", size * 100 * GIB, "/pool")},
        underlay=f"192.0.2.{number + 1}",
    )


def hosts(sizes: list[int]) -> dict[str, Host]:
    every = [host(number, size) for number, size in enumerate(sizes)]
    others = [
        Host(name="network-1", roles=frozenset({"network"}), underlay="192.0.2.250"),
        Host(name="controller-1", roles=frozenset({"controller"}), underlay="192.0.2.251"),
    ]
    return {one.name: one for one in [*every, *others]}


@st.composite
def instances(draw: st.DrawFn) -> dict[str, Any]:
    block: dict[str, Any] = {
        "flavor": draw(st.sampled_from(["small", "large"])),
        "image": "debian",
        "networks": draw(st.sampled_from([["app"], ["db"], ["app", "db"]])),
    }
    if draw(st.booleans()):
        block["count"] = draw(st.integers(0, 4))
    if draw(st.booleans()):
        block["spread"] = {"over": "hosts", "hard": False}
    return block


@st.composite
def specs(draw: st.DrawFn) -> dict[str, Any]:
    projects: dict[str, Any] = {}
    for name in draw(st.lists(st.sampled_from(["acme", "bolt", "core"]), min_size=1, max_size=3, unique=True)):
        names = draw(st.lists(st.sampled_from(["web", "api", "job", "db"]), max_size=4, unique=True))
        projects[name] = {
            "networks": {net: {"subnets": {"v4": {"cidr": "10.20.0.0/24"}}} for net in ("app", "db")},
            "volumes": {"data": {"size": "10GiB"}} if draw(st.booleans()) else {},
            "instances": {one: draw(instances()) for one in names},
        }
        projects[name]["networks"]["db"]["subnets"]["v4"]["cidr"] = "10.21.0.0/24"
    return {
        "stead": 1,
        "images": {"debian": {"source": "/d.qcow2"}},
        "flavors": {
            "small": {"vcpus": 1, "memory": "2GiB", "disk": "10GiB"},
            "large": {"vcpus": 4, "memory": "8GiB", "disk": "40GiB"},
        },
        "projects": projects,
    }


def desired(spec: dict[str, Any]) -> Desired:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "stead.yml"
        path.write_text(yaml.safe_dump(spec, sort_keys=False))
        loaded, found = load([path], kinds(), root=Path(folder))
    settled, more = resolve(loaded, key=KEY)
    assert [*found, *more] == []
    return settled


def planned(spec: Desired, recorded: Recorded, observed: Observed, wishes: Wishes | None = None) -> Planned:
    inputs = Inputs(desired=spec, recorded=recorded, observed=observed, kinds=kinds(), key=KEY)
    made, found = make_plan(inputs, wishes or Wishes())
    assert found == [], [one.detail for one in found]
    return made
