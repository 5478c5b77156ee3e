"""What a size must be to make sense, whether it is a flavor's or written in an instance."""

from __future__ import annotations

from collections.abc import Iterator

from stead.core.diagnostics import Code, Diagnostic
from stead.kinds.shared.sizing import Flavor
from stead.language.desired import Block

TOPOLOGY = Code("STEAD-I030", "the CPU topology does not match the number of vCPUs")
MAXIMUM = Code("STEAD-I031", "a maximum is lower than the initial value")
HUGEPAGES = Code("STEAD-I032", "the memory is not a multiple of the huge page size")
TRAITS = Code("STEAD-I033", "a trait is both required and forbidden")

_PAGES = {"2MiB": 2 << 20, "1GiB": 1 << 30}


def sizing(block: Block, flavor: Flavor, stem: str) -> Iterator[Diagnostic]:
    """`stem` is where the record stands in the block: "" or "flavor."."""
    shape = flavor.topology
    vcpus = flavor.max_vcpus or flavor.vcpus
    if shape is not None and shape.sockets * shape.cores * shape.threads != vcpus:
        product = f"{shape.sockets} x {shape.cores} x {shape.threads} = {shape.sockets * shape.cores * shape.threads}"
        which = "max_vcpus" if flavor.max_vcpus else "vcpus"
        text = f"{product}, and `{which}` is {vcpus}. Sockets, cores and threads multiplied must give that number."
        yield TOPOLOGY.at(block.place(f"{stem}topology"), text)
    for field in ("vcpus", "memory"):
        most = getattr(flavor, f"max_{field}")
        if most is not None and most < getattr(flavor, field):
            text = f"The initial value is above the maximum. Raise `max_{field}` or lower `{field}`."
            yield MAXIMUM.at(block.place(f"{stem}max_{field}"), text)
    if flavor.hugepages is not None and flavor.memory % _PAGES[flavor.hugepages]:
        text = f"The memory must be a multiple of {flavor.hugepages}. Round it up, or use smaller pages."
        yield HUGEPAGES.at(block.place(f"{stem}hugepages"), text)
    both = set(flavor.traits) & set(flavor.forbidden_traits)
    if both:
        text = f"No host both has and lacks {', '.join(sorted(both))}. Remove it from one of the lists."
        yield TRAITS.at(block.place(f"{stem}forbidden_traits"), text)
