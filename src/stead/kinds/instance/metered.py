"""What an instance takes over time: as long as it is there, and besides as long as it is on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from stead.core.address import Address
from stead.core.by_hand import ON, SHELVED
from stead.core.metered import MeterWord

FLAVORS = "flavors"
NO_FLAVOR = "custom"  # sizes that are written in the instance itself
METERS = {
    "instances": MeterWord("Instances, by flavor"),
    "running": MeterWord("Instances that are on, by flavor"),
    "vcpus": MeterWord("Virtual CPUs of all instances that are not shelved"),
    "running_vcpus": MeterWord("Virtual CPUs of instances that are on"),
    "memory": MeterWord("Memory of all instances that are not shelved", size=True),
    "running_memory": MeterWord("Memory of instances that are on", size=True),
    "disks": MeterWord("Disks that belong to instances, by pool", size=True),
}


def metered(fields: Mapping[str, Any], refers: Sequence[Address]) -> dict[str, int]:
    flavor, vcpus, memory = _flavor(refers), int(fields.get("vcpus", 0)), int(fields.get("memory", 0))
    found = {f"instances:{flavor}": 1, **_disks(fields.get("root") or {})}
    if SHELVED not in fields:
        found |= {"vcpus": vcpus, "memory": memory}
    if fields.get("state", "running") in ON:
        found |= {f"running:{flavor}": 1, "running_vcpus": vcpus, "running_memory": memory}
    return found


def _flavor(refers: Sequence[Address]) -> str:
    """With its project, if that has defined it: the price of the site's `small` is not that of a tenant's `small`."""
    for one in refers:
        if one.kind == FLAVORS:
            return f"{one.project}/{one.label}" if one.project else one.label
    return NO_FLAVOR


def _disks(root: Mapping[str, Any]) -> dict[str, int]:
    size = sum(int(root.get(name) or 0) for name in ("size", "swap", "ephemeral"))
    return {f"disks:{root['pool']['name']}": size} if size else {}
