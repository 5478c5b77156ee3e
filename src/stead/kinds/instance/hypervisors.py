"""What an instance takes of its hypervisor: whether there is one of that name, and whether it has all that is asked."""

from __future__ import annotations

from collections.abc import Iterator

from stead.core.diagnostics import Code, Diagnostic
from stead.core.driver import Feature
from stead.drivers.hypervisor import CPU, DEVICES, HUGEPAGES, TOPOLOGY, asked, by_hypervisor, lacks, of, unknown
from stead.kinds.instance.model import Instance
from stead.kinds.shared.sizing import Flavor
from stead.language.desired import Block

NO_HYPERVISOR = Code("STEAD-I045", "there is no such hypervisor")
CANNOT = Code("STEAD-I046", "the hypervisor cannot do this")
# A feature is called as the field that asks for it, but for these.
_FIELDS = {"uefi": "firmware", "secure_boot": "firmware", "network_boot": "boot"}
_OF_FLAVOR = frozenset({TOPOLOGY, HUGEPAGES, DEVICES})


def features(model: Instance, flavor: Flavor, firmware: str | None) -> Iterator[Feature]:
    """`firmware` is that of its image."""
    found = {
        "boot": model.boot,
        "cdrom": model.cdrom,
        "devices": flavor.devices,
        "firmware": model.firmware or firmware or "bios",
        "hugepages": flavor.hugepages,
        "topology": flavor.topology,
        "tpm": model.tpm,
        "watchdog": model.watchdog,
    }
    yield from asked(found)
    if model.cpu is not None:
        yield CPU


def forbidden(model: Instance, flavor: Flavor, firmware: str | None) -> Iterator[str]:
    """Traits of hosts none of whose hypervisors can do what is asked."""
    return (lacks(one) for one in features(model, flavor, firmware))


def check(block: Block, flavor: Flavor, firmware: str | None) -> Iterator[Diagnostic]:
    model: Instance = block.model
    if model.hypervisor is not None and model.hypervisor not in by_hypervisor():
        yield NO_HYPERVISOR.at(block.place("hypervisor"), unknown(model.hypervisor))
        return
    for feature in features(model, flavor, firmware):
        found = [of(name, feature) for name in ([model.hypervisor] if model.hypervisor else by_hypervisor())]
        if not any(one.can for one in found):
            yield CANNOT.at(block.place(_place(feature, model)), found[0].text)


def _place(feature: Feature, model: Instance) -> str:
    field = _FIELDS.get(feature.name, feature.name)
    if feature not in _OF_FLAVOR:
        return field
    return f"flavor.{field}" if isinstance(model.flavor, Flavor) else "flavor"
