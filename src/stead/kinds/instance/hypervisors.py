"""What an instance takes of its hypervisor: whether there is one of that name, and whether it has all that is asked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from stead.core.diagnostics import Code, Diagnostic
from stead.core.driver import Feature
from stead.drivers.hypervisor import (
    AGENT,
    BANDWIDTH,
    CPU,
    DEVICES,
    DISK_IMAGES,
    DISK_LIMITS,
    EXTRA_DISKS,
    HUGEPAGES,
    ROOTFS,
    TOPOLOGY,
    asked,
    by_hypervisor,
    capable,
    lacks,
    of,
    unknown,
)
from stead.kinds.instance.model import Instance
from stead.kinds.shared import images, watched
from stead.kinds.shared.sizing import Flavor
from stead.language.desired import Block

NO_HYPERVISOR = Code("STEAD-I045", "there is no such hypervisor")
CANNOT = Code("STEAD-I046", "the hypervisor cannot do this")
# A feature is called as the field that asks for it, but for these.
_FIELDS = {
    "uefi": "firmware",
    "secure_boot": "firmware",
    "network_boot": "boot",
    AGENT.name: "wait",
    DISK_IMAGES.name: "image",
    ROOTFS.name: "image",
}
_OF_FLAVOR = {
    TOPOLOGY: "topology",
    HUGEPAGES: "hugepages",
    DEVICES: "devices",
    EXTRA_DISKS: "",
    DISK_LIMITS: "",
    BANDWIDTH: "",
}


def features(model: Instance, flavor: Flavor, image: Any) -> tuple[Feature, ...]:
    found = {
        "boot": model.boot,
        "cdrom": model.cdrom,
        "devices": flavor.devices,
        "firmware": model.firmware or (image.firmware if image is not None else None) or "bios",
        "hugepages": flavor.hugepages,
        "seed": {"ignition": model.ignition},
        "image": {"rootfs": image is not None and images.is_rootfs(image)} if model.boot_volume is None else None,
        "nics": {at: {"bandwidth": one.bandwidth or flavor.bandwidth} for at, one in enumerate(model.networks)},
        "root": {
            "ephemeral": flavor.ephemeral,
            "iops": flavor.iops,
            "swap": flavor.swap,
            "throughput": flavor.throughput,
            "volume": model.boot_volume,
        },
        "state": model.state,
        "topology": flavor.topology,
        "tpm": model.tpm,
        "volumes": model.volumes,
        "watchdog": model.watchdog,
    }
    told = model.wait is not None and model.wait.for_ not in watched.THROUGH_NETWORK
    return (*asked(found), *((CPU,) if model.cpu is not None else ()), *((AGENT,) if told else ()))


def forbidden(model: Instance, flavor: Flavor, image: Any) -> Iterator[str]:
    """Traits of hosts none of whose hypervisors can do what is asked."""
    return (lacks(one) for one in features(model, flavor, image))


def check(block: Block, flavor: Flavor, image: Any) -> Iterator[Diagnostic]:
    model: Instance = block.model
    if model.hypervisor is not None and model.hypervisor not in by_hypervisor():
        yield NO_HYPERVISOR.at(block.place("hypervisor"), unknown(model.hypervisor))
        return
    candidates = [model.hypervisor] if model.hypervisor else [*by_hypervisor()]
    wanted = features(model, flavor, image)
    refused = [one for one in wanted if not any(of(name, one).can for name in candidates)]
    if not refused and not set(candidates).intersection(capable(wanted)):
        # Each by one of them, but all by none: what the image needs is what the others are without.
        best = capable(wanted[:1])[0]
        refused, candidates = [one for one in wanted if not of(best, one).can], [best]
    for feature in refused:
        yield CANNOT.at(block.place(_place(feature, model)), of(candidates[0], feature).text)


def _place(feature: Feature, model: Instance) -> str:
    if feature not in _OF_FLAVOR:
        return _FIELDS.get(feature.name, feature.name)
    return f"flavor.{_OF_FLAVOR[feature]}".rstrip(".") if isinstance(model.flavor, Flavor) else "flavor"
