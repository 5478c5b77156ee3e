"""Every field of every kind that this machine can, on real hosts: made, nothing to do after, and gone again."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from driving import Driven, certificate, prepare, tiny
from leftovers import differences, listing

from stead.lab.site import Lab
from stead.lab.sizes import parse

pytestmark = pytest.mark.lab

EVERYTHING = Path(__file__).parents[1] / "unit" / "kinds" / "everything.yml"
# What no host of a lab has: hardware, 802.1Q and fair queues in the kernel, a TPM, KVM.
FLAVOR = {"memory": "128MiB", "max_memory": "256MiB", "disk": "1GiB", "ephemeral": "1GiB", "swap": "64MiB"}
SMALL = {"vcpus": 1, "memory": "128MiB", "disk": "1GiB"}
FOUND = "/var/lib/stead/pools/default/old.qcow2"  # what a volume takes over
LACKING = ("bandwidth", "hugepages", "devices", "reserve", "traits", "forbidden_traits", "preferred_traits")


def spec(rescue: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(EVERYTHING.read_text(encoding="utf-8"))
    image, flavor, acme = found["images"]["debian-12"], found["flavors"]["all"], found["projects"]["acme"]
    for name in ("checksum", "min_disk", "min_memory", "size", "traits"):
        del image[name]
    image["source"], found["images"]["rescue"] = str(tiny()), {"source": str(rescue)}
    flavor.update(FLAVOR)
    for name in LACKING:
        flavor.pop(name, None)
    del found["networks"]["san"]
    del acme["volumes"]["back"]  # from a backup that nobody made
    del found["object_stores"], acme["buckets"]  # hosts of this lab have no Swift
    every, web, db, lone = (acme["instances"][name] for name in ("all", "web", "db", "lone"))
    every.update({"disk": {"size": "2GiB", "bus": "virtio", "cache": "none"}, "cpu": "maximum", "hypervisor": "qemu"})
    for name in ("traits", "forbidden_traits", "preferred_traits", "wait"):  # UEFI finds no system that could be ready
        del every[name]
    for one in (every, web, db, lone):
        one["stop_timeout"] = "2s"  # what waits for UEFI to find a system does not hear that it is to end
    web["networks"].pop()
    del web["networks"][1]["bandwidth"]
    web["flavor"], db["flavor"], lone["flavor"] = SMALL, {**SMALL, "disk": "0GiB"}, SMALL
    for one in (web, lone):
        one["firmware"] = "bios"
    db.update({"tpm": False, "zone": "default"})
    acme["load_balancers"]["front"]["listeners"]["web"]["certificate"] = certificate(rescue.parent, "front")
    acme["snapshots"]["tuesday"]["freeze"] = False  # the tiny guest has no agent that could be asked
    for name, size in (("pgdata", 2), ("limited", 1), ("root", 1), ("local", 1), ("shared", 1), ("twin", 3)):
        acme["volumes"][name]["size"] = f"{size}GiB"
    return found


@pytest.fixture(scope="module")
def lab(make_lab: Callable[..., Lab]) -> Lab:
    hosts = {"controller": 1, "compute": {"count": 2, "cpus": 16}, "network": 1}
    hosts["storage"] = {"pools": {"fast": {"type": "nfs", "path": "/srv/fast", "size": "20GiB"}}}
    found = make_lab("e", parse({"hosts": hosts}, "everything"))
    prepare(found)
    return found


def test_every_field_of_every_kind(lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "disc").mkdir()
    (tmp_path / "disc" / "readme").write_text("rescue")
    rescue = tmp_path / "rescue.iso"
    subprocess.run(["xorriso", "-as", "mkisofs", "-quiet", "-o", rescue, tmp_path / "disc"], check=True)
    site = Driven(lab, tmp_path)
    site.write("stead: 1\n")
    site.stead("plan")  # looking at a host for the first time leaves what was proven there
    before = listing(lab)
    lab.run("compute-1", ["qemu-img", "create", "-q", "-f", "qcow2", FOUND, "5G"])
    site.write(yaml.safe_dump(spec(rescue), sort_keys=False))
    site.apply()
    site.assert_nothing_to_do()
    site.write("stead: 1\n")
    site.destroy()
    assert differences(before, listing(lab)) == []
