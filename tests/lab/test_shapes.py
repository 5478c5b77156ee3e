"""Every shape that a guest can have, on a real host: libvirt takes it, it runs, and is what was asked for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from driving import Driven, prepare, tiny
from leftovers import differences, listing

from stead.lab.site import Lab
from stead.lab.sizes import parse

pytestmark = pytest.mark.lab

SHAPED = {"vcpus": 4, "max_vcpus": 8, "memory": "128MiB", "max_memory": "256MiB", "disk": "1GiB", "swap": "64MiB"}
SHAPED |= {
    "ephemeral": "1GiB",
    "iops": 500,
    "throughput": "50MiB",
    "topology": {"sockets": 2, "cores": 2, "threads": 2},
}
SHAPES: dict[str, dict[str, Any]] = {
    "old": {"machine": "pc", "disk": {"bus": "ide"}, "watchdog": "poweroff"},
    "newer": {"disk": {"bus": "sata", "cache": "writethrough"}, "graphics": "spice"},
    "other": {"disk": {"bus": "scsi", "cache": "unsafe"}, "graphics": "none", "agent": False},
    "shaped": {"flavor": SHAPED},
    "wired": {"boot": ["network", "disk"], "watchdog": "pause", "cpu": "Nehalem"},
    "laden": {"volumes": [{"volume": "one", "device": "vdf", "cache": "directsync"}, {"volume": "two", "mode": "ro"}]},
}
MODELS = dict(zip(SHAPES, ("e1000", "e1000e", "rtl8139", "virtio", "virtio", "virtio"), strict=True))
EVERY = {"image": "tiny", "stop_timeout": "1s", "flavor": {"vcpus": 1, "memory": "128MiB", "disk": "1GiB"}}


def spec(instances: dict[str, dict[str, Any]]) -> str:
    project = {
        "networks": {"bare": {}},
        "volumes": {"one": {"size": "1GiB"}, "two": {"size": "1GiB", "qos": {"iops": 100}}},
        "instances": {name: {**EVERY, **shape} for name, shape in instances.items()},
    }
    return yaml.safe_dump({"stead": 1, "images": {"tiny": {"source": str(tiny())}}, "projects": {"acme": project}})


@pytest.fixture(scope="module")
def lab(make_lab: Callable[..., Lab]) -> Lab:
    found = make_lab("h", parse({"hosts": {"controller": 1, "compute": {"count": 1, "cpus": 16}}}, "shapes"))
    prepare(found)
    return found


def test_every_shape_runs_and_is_what_was_asked_for(lab: Lab, tmp_path: Path) -> None:
    site = Driven(lab, tmp_path)
    site.write("stead: 1\n")
    site.stead("plan")  # looking at a host for the first time leaves what was proven there
    before = listing(lab)
    wired = {
        name: {**shape, "networks": [{"network": "bare", "model": MODELS[name]}]} for name, shape in SHAPES.items()
    }
    site.write(spec(wired))
    site.apply()
    assert sorted(site.run("compute-1", "virsh list --name").split()) == sorted(f"acme.{name}" for name in SHAPES)
    assert ":59" not in site.run("compute-1", "ss -Hltn"), "a graphical console is at a port"
    assert "+unix:/" in site.run("compute-1", "virsh domdisplay acme.old")
    site.assert_nothing_to_do()
    site.write("stead: 1\n")
    site.destroy()
    assert differences(before, listing(lab)) == []


@pytest.mark.parametrize(
    ("lacks", "shape"),
    [
        ("tpm", {"tpm": True}),
        ("bandwidth", {"networks": [{"network": "bare", "bandwidth": 10}]}),
    ],
)
def test_what_a_host_cannot_is_refused_by_the_plan(lab: Lab, tmp_path: Path, lacks: str, shape: dict[str, Any]) -> None:
    """No swtpm is installed, and this kernel has no fair queues."""
    site = Driven(lab, tmp_path)
    site.write(spec({"web": shape}))
    said = site.stead("plan", status=1)
    assert "STEAD-P001" in said.text
    assert f"feature={lacks}" in said.text
