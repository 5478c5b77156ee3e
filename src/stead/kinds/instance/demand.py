"""What an instance asks of the host it lands on, and what it takes of its project's quota."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from stead.core.address import Address
from stead.core.by_hand import SHELVED
from stead.core.kind import HostNeeds
from stead.core.needs import Demand, GroupRule
from stead.drivers import hypervisor
from stead.drivers.storage import ROOT_DISKS, lacks, refusal
from stead.kinds.instance import hypervisors
from stead.kinds.instance.model import Instance, Spread, Together
from stead.kinds.shared import network_drivers, storage
from stead.kinds.shared.several import as_tuple
from stead.kinds.shared.sizing import Flavor, flavor_of, root_pool
from stead.language.desired import Block, Desired

PAGES = {"2MiB": 2 << 20, "1GiB": 1 << 30}


def root_size(model: Instance, flavor: Flavor) -> int:
    """Bytes of the root disk that comes and goes with the instance; a boot volume is none."""
    if model.boot_volume is not None:
        return 0
    return model.disk.size if model.disk is not None and model.disk.size is not None else flavor.disk


def disk_space(model: Instance, flavor: Flavor) -> int:
    return root_size(model, flavor) + flavor.swap + flavor.ephemeral


def volumes(model: Instance) -> tuple[Address, ...]:
    boot = (model.boot_volume,) if model.boot_volume is not None else ()
    return (*boot, *(one.volume for one in model.volumes))


def demand(block: Block, desired: Desired) -> Demand | None:
    model: Instance = block.model
    flavor = flavor_of(model, desired)
    if flavor is None:
        return None
    image = desired.get(model.image) if model.image is not None else None
    traits = image.model.traits if image is not None else ()
    owner = desired.get(Address("", "projects", block.project))
    networks = _networks(model, desired)
    carried = [found for one in volumes(model) if (found := desired.get(one)) is not None]
    return Demand(
        role="compute",
        amounts=_amounts(model, flavor),
        required=frozenset((*flavor.traits, *model.traits, *traits)) | network_drivers.required(networks),
        forbidden=frozenset((*flavor.forbidden_traits, *model.forbidden_traits))
        | network_drivers.forbidden(networks)
        | frozenset(_beyond(model, flavor, image.model if image is not None else None)),
        preferred=frozenset((*flavor.preferred_traits, *model.preferred_traits)),
        zones=frozenset(as_tuple(model.zone)),
        host=model.host,
        pools=frozenset(one.model.pool for one in carried),
        physical_networks=_physical(model, desired),
        hypervisor=model.hypervisor or "",
        architecture=model.architecture or (image.model.architecture if image is not None else None) or "",
        priority=model.priority,
        policy=model.policy or (owner.model.policy if owner is not None else None) or "",
        spread=tuple(_group(one, block, one.limit) for one in as_tuple(model.spread)),
        together=tuple(_group(one, block, None) for one in as_tuple(model.together)),
        beside=tuple(
            one.members[0] if one.members[0].key is None else address for address, one in _named(model, desired)
        ),
    )


def _beyond(model: Instance, flavor: Flavor, image: Any) -> Iterator[str]:
    """What not every host can: those that were asked, and cannot, say so by a trait."""
    yield from hypervisors.forbidden(model, flavor, image)
    if flavor.bandwidth or any(nic.bandwidth for nic in model.networks):
        yield "without:bandwidth"
    if disk_space(model, flavor):
        yield lacks(ROOT_DISKS, root_pool(model, flavor))


def _named(model: Instance, desired: Desired) -> list[tuple[Address, Block]]:
    return [(address, block) for address in volumes(model) if (block := desired.get(address)) is not None]


def of_flavor(flavor: Flavor) -> Demand:
    """What an instance asks for that says nothing but its flavor: for counting how many more there is room for."""
    model = Instance(flavor=flavor)
    return Demand(
        role="compute",
        amounts=_amounts(model, flavor),
        required=frozenset(flavor.traits),
        forbidden=frozenset((*flavor.forbidden_traits, *_beyond(model, flavor, None))),
    )


def _amounts(model: Instance, flavor: Flavor) -> Mapping[str, int]:
    """Limits such as `iops` are no amounts: they bind the instance, and take nothing of the host."""
    space = disk_space(model, flavor)
    disks = {f"disk:{root_pool(model, flavor)}": space} if space else {}
    if model.state == SHELVED:
        return disks
    amounts = {"vcpus": flavor.vcpus, "memory": flavor.memory, **disks}
    if flavor.hugepages is not None:
        amounts[f"hugepages:{flavor.hugepages}"] = -(-flavor.memory // PAGES[flavor.hugepages])
    for name, count in flavor.devices.items():
        amounts[f"device:{name}"] = count
    amounts.update(flavor.reserve)
    return amounts


def _physical(model: Instance, desired: Desired) -> frozenset[str]:
    """Physical networks that the host must be on. Tunnels go everywhere."""
    found = set()
    for nic in model.networks:
        block = desired.get(nic.network)
        if block is not None and block.model.physical and block.model.type in network_drivers.WIRES:
            found.add(block.model.physical)
    return frozenset(found)


def _networks(model: Instance, desired: Desired) -> list[Any]:
    found = (desired.get(nic.network) for nic in model.networks)
    return [block.model for block in found if block is not None]


def _group(rule: Spread | Together, block: Block, limit: int | None) -> GroupRule:
    name = f"{block.project}/{rule.group}" if rule.group else str(block.members[0].block)
    return GroupRule(name, rule.over, rule.hard, limit)


def usage(block: Block, desired: Desired) -> dict[str, int]:
    model: Instance = block.model
    flavor = flavor_of(model, desired)
    if flavor is None:
        return {}
    return {
        "vcpus": flavor.vcpus,
        "memory": flavor.memory,
        "storage": disk_space(model, flavor),
        "ports": sum(nic.port is None for nic in model.networks),
    }


def host_needs(fields: Mapping[str, Any]) -> HostNeeds:
    root = fields.get("root", {})
    size = sum(int(root.get(one, 0)) for one in ("size", "swap", "ephemeral"))
    own = root.get("swap") or root.get("ephemeral") or (root.get("size") and "volume" not in root)
    networks = tuple(str(nic["network"]) for nic in fields.get("nics", {}).values() if "network" in nic)
    images = tuple(one["address"] for one in (fields.get("image"), fields.get("cdrom")) if one)
    return HostNeeds(
        amounts=(
            *((("", one, int(fields.get(one, 0))) for one in ("vcpus", "memory")) if SHELVED not in fields else ()),
            *storage.taken(root.get("pool"), size),
        ),
        beside=networks + images,
        anywhere=tuple((address, one.get("uuid", "")) for address, one in fields.get("volumes", {}).items()),
        unable=hypervisor.refusal(fields) or (refusal(root.get("pool"), ROOT_DISKS) if own else ""),
    )
