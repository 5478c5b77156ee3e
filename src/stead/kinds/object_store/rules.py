"""What is wrong with an object store: its driver, its hosts, and others in its place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from stead.core.diagnostics import Code, Diagnostic, Severity
from stead.core.observed import Host
from stead.drivers.object import all_of_them, hosts_of, lost
from stead.kinds.object_store.model import ObjectStore
from stead.language.desired import Block, Desired

NO_DRIVER = Code("STEAD-V050", "there is no such driver of object stores")
SAME_HOSTS = Code("STEAD-V051", "two object stores would be on the same hosts")
NO_HOST = Code("STEAD-V052", "no host is prepared for the object store")
FEW_HOSTS = Code("STEAD-V053", "the object store has fewer hosts than copies", Severity.WARNING)
DEVICE_TWICE = Code("STEAD-V059", "an object store has the same device twice")
FEW_DEVICES = Code("STEAD-V054", "the object store has fewer devices than copies")


def check(block: Block, desired: Desired) -> Iterator[Diagnostic]:
    model: ObjectStore = block.model
    if model.driver not in all_of_them():
        text = f"There is no driver {model.driver}. Choose {', '.join(all_of_them())}."
        yield NO_DRIVER.at(block.place("driver"), text)
    for again in sorted({one for one in model.devices if model.devices.count(one) > 1}):
        text = f"{again} is one directory, and keeps one copy of an object. Remove it, or name another."
        yield DEVICE_TWICE.at(block.place("devices"), text)
    for other in desired.of_kind("object_stores"):
        if other is block:
            return
        if other.model.driver == model.driver and _meet(model, other.model):
            text = (
                f"object_stores/{other.name} is made by {model.driver} too, and a host can be in one of them. Give "
                "each its own `zones`."
            )
            yield SAME_HOSTS.at(block.place("zones"), text)


def _meet(one: ObjectStore, other: ObjectStore) -> bool:
    return not one.zones or not other.zones or bool({*one.zones} & {*other.zones})


def fits(block: Block, _desired: Desired, hosts: Mapping[str, Host]) -> Iterator[Diagnostic]:
    model: ObjectStore = block.model
    if model.driver not in all_of_them():
        return
    found = hosts_of(model.driver, model.zones, hosts)
    if not found:
        where = f" in zone {' or '.join(model.zones)}" if model.zones else ""
        text = (
            f"No host{where} has {model.driver} in `stead_object_drivers`. Write "
            f"`stead_object_drivers: [{model.driver}]` for the storage hosts that are to keep objects, and run "
            "`stead bootstrap`."
        )
        yield NO_HOST.at(block.place("driver"), text)
    elif left := lost(model.driver, model.zones, hosts):
        yield from _told_of_lost(block, len(found), " and ".join(host.name for host in left))
    elif len(found) * len(model.devices) < model.replicas:
        text = (
            f"{model.replicas} copies cannot be kept apart: hosts: {len(found)}; devices of each: "
            f"{len(model.devices)}. Add hosts or devices, or set fewer `replicas`."
        )
        yield FEW_DEVICES.at(block.place("replicas"), text)
    elif len(found) < model.replicas:
        text = (
            f"{model.replicas} copies are on {len(found)} host{'s' if len(found) > 1 else ''}, so a host that dies "
            "takes several of one object with it. Add hosts, or set fewer `replicas`."
        )
        yield FEW_HOSTS.at(block.place("replicas"), text)


def _told_of_lost(block: Block, found: int, names: str) -> Iterator[Diagnostic]:
    """Its objects have fewer copies then, and that is no reason to refuse a plan of the whole site."""
    model: ObjectStore = block.model
    copies = min(model.replicas, found * len(model.devices))
    if found < model.replicas:
        text = (
            f"Without {names}, each object has {copies} cop{'y' if copies == 1 else 'ies'} on {found} "
            f"host{'s' if found > 1 else ''} in place of {model.replicas}. Bring a host back, or add one."
        )
        yield FEW_HOSTS.at(block.place("replicas"), text)
