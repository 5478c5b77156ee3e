"""The size of an instance: a record that a flavor is, and that an instance may write inline."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from stead.core.address import Address
from stead.core.fields import (
    INVENTORY,
    Example,
    Granted,
    Size,
    Text,
    Whole,
)
from stead.core.value import field, value
from stead.language.desired import Desired

MACHINE = Text(pattern=r"[A-Za-z0-9._-]*", what="a machine type such as q35", longest=64)
TRAIT = Text(pattern=r"[a-z0-9][a-z0-9._-]*", what="a trait: lower case letters, digits, '.', '_' and '-'", longest=64)


@value
class Topology:
    """How the virtual CPUs look to the guest. What is left out is 1; the product is the number of vCPUs."""

    sockets: Annotated[int, Whole(least=1, most=64), "CPU sockets that the guest sees"] = 1
    cores: Annotated[int, Whole(least=1, most=512), "Cores in each socket"] = 1
    threads: Annotated[int, Whole(least=1, most=8), "Threads of each core"] = 1


@value
class Flavor:
    """What an instance gets of its host."""

    vcpus: Annotated[int, Whole(least=1, most=512), "Virtual CPUs", Example(2)]
    memory: Annotated[int, Size(least=16 << 20), "Memory of the guest", Example("4GiB")]
    max_vcpus: Annotated[
        int | None,
        Whole(least=1, most=512),
        "Up to so many virtual CPUs are added while it runs; changing this takes a reboot",
        Example(8),
    ] = None
    max_memory: Annotated[
        int | None,
        Size(least=16 << 20),
        "Up to so much memory is given and taken while it runs; changing this takes a reboot",
        Example("16GiB"),
    ] = None
    disk: Annotated[
        int,
        Size(least=0),
        "Size of the root disk. Without one (0GiB) an instance needs a boot volume",
        Example("20GiB"),
    ] = 0
    pool: Annotated[str, INVENTORY, Granted("pools"), "Storage pool of the root disk", Example("fast")] = "default"
    swap: Annotated[int, Size(least=0), "Size of an extra disk, formatted as swap", Example("1GiB")] = 0
    ephemeral: Annotated[
        int, Size(least=0), "Size of an extra blank disk that lives and dies with the root disk", Example("50GiB")
    ] = 0
    iops: Annotated[
        int | None, Whole(least=1), "Input and output operations a second of the root disk, at most", Example(500)
    ] = None
    throughput: Annotated[
        int | None, Size(), "Bytes a second of the root disk, at most; written as a size", Example("200MiB")
    ] = None
    bandwidth: Annotated[int | None, Whole(least=1), "Mbit/s of each network interface, at most", Example(1000)] = None
    hugepages: Annotated[
        Literal["2MiB", "1GiB"] | None, Granted("devices", "hugepages:"), "Back the memory with huge pages of this size"
    ] = None
    devices: Annotated[
        Mapping[Annotated[str, INVENTORY], Annotated[int, Whole(least=1)]],
        Granted("devices"),
        "Devices of the host that the instance gets, by the name the inventory gives them",
        Example({"gpu-a100": 1}),
    ] = field(default_factory=dict)
    reserve: Annotated[
        Mapping[Annotated[str, INVENTORY], Annotated[int, Whole(least=1)]],
        Granted("reserve"),
        "Anything else that the inventory counts of a host, and how much of it the instance takes",
        Example({"iops:fast": 500, "bandwidth:external": 100}),
    ] = field(default_factory=dict)
    topology: Annotated[Topology | None, "Sockets, cores and threads, for guests that care"] = None
    traits: Annotated[tuple[Annotated[str, TRAIT], ...], "Traits that the host must have", Example(["ssd"])] = ()
    forbidden_traits: Annotated[tuple[Annotated[str, TRAIT], ...], "Traits that the host must not have"] = ()
    preferred_traits: Annotated[tuple[Annotated[str, TRAIT], ...], "Traits that make a host the better choice"] = ()
    description: Annotated[str, Text(lines=True), "For people"] = ""


def flavor_of(instance: Any, desired: Desired) -> Flavor | None:
    """Of an instance's model. None when the name leads nowhere, which the language has reported."""
    written: Flavor | Address = instance.flavor
    if isinstance(written, Flavor):
        return written
    block = desired.get(written)
    found: Flavor | None = block.model if block is not None else None
    return found


def root_pool(instance: Any, flavor: Flavor) -> str:
    """Of the root disk that comes and goes with an instance."""
    return (instance.disk.pool if instance.disk is not None else None) or flavor.pool
