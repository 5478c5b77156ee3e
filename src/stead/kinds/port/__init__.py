"""An address and a MAC of a network that outlive the instance that uses them.

No host has any of it: the interface of the instance that uses the port is made with what the port was given.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from stead.core.diagnostics import Code, Diagnostic
from stead.core.effect import IN_PLACE
from stead.core.kind import Kind, Member, PinnedAddress, Reach, Scope, World
from stead.core.needs import Macs, Need
from stead.kinds.port.model import Port
from stead.kinds.shared import interfaces
from stead.kinds.shared.counted import PORTS
from stead.kinds.shared.record_only import effects_of, recorded_only
from stead.kinds.shared.several import as_tuple
from stead.kinds.shared.subnets import AddressSlot, need, network_block
from stead.language.desired import Block, Desired

ONE_FOR_MANY = Code("STEAD-N049", "several ports cannot share this value")
ADDRESSES = ("v4", "v6")


def check(block: Block, desired: Desired) -> Iterator[Diagnostic]:
    model: Port = block.model
    yield from interfaces.check(block, "", model, model.security_groups, desired)
    for name, said in (("address", ", ".join(as_tuple(model.address))), ("mac", model.mac)):
        if said and len(block.members) > 1:
            text = f"{len(block.members)} ports would all have {said}. Remove it, and each gets its own."
            yield ONE_FOR_MANY.at(block.place(name), text)


def reaches(block: Block, desired: Desired) -> Iterator[Reach]:
    return interfaces.reaches(block, "", block.model, desired)


def pins(block: Block) -> Iterator[PinnedAddress]:
    model: Port = block.model
    for address in as_tuple(model.address):
        yield PinnedAddress(model.network, address, "address")
    for one in model.allowed_addresses:
        yield PinnedAddress(model.network, one.address, "allowed_addresses", shared=True)


def slots(block: Block, desired: Desired) -> tuple[AddressSlot, ...]:
    """The subnets in which it has an address of its own: others a guest makes from the MAC."""
    model: Port = block.model
    network = network_block(model.network, desired)
    found = interfaces.own_slots(model, network, desired) if network is not None else ()
    return tuple(slot for slot in found if not slot.net.slaac or slot.fixed)


def needs(block: Block, desired: Desired) -> Sequence[Need]:
    model: Port = block.model
    leased = [need(f"v{slot.net.version}", model.network, slot) for slot in slots(block, desired)]
    return [Need("mac", "mac", Macs(), model.mac), *leased]


def _addresses(leases: Mapping[str, str]) -> list[str]:
    return [leases[key] for key in ADDRESSES if key in leases]


def usage(_block: Block, _desired: Desired) -> Mapping[str, int]:
    return {"ports": 1}


def facts(_block: Block, member: Member, _world: World) -> Mapping[str, Any]:
    addresses = _addresses(member.leases)
    return {
        "name": member.address.label,
        "uuid": member.leases["uuid"],
        "mac": member.leases["mac"],
        "address": addresses[0] if addresses else "",
        "addresses": addresses,
    }


KIND = Kind(
    name="port",
    plural="ports",
    scope=Scope.PROJECT,
    model=Port,
    help="An address and a MAC of a network that outlive the instance that uses them.",
    highlights=("v4", "v6", "mac", "network"),
    counted=True,
    lends=True,
    identity=("network",),
    pins=pins,
    reaches=reaches,
    check=check,
    needs=needs,
    realise=recorded_only,
    quota={"ports": PORTS},
    usage=usage,
    facts=facts,
    seen={
        "name": "its name; of a member with the index or key: `web-0`",
        "uuid": "its UUID",
        "mac": "its MAC address",
        "address": "its first address",
        "addresses": "all its addresses",
    },
    words={"v4": "IPv4 address", "v6": "IPv6 address"},
    effects={**effects_of(Port), **dict.fromkeys(ADDRESSES, IN_PLACE)},
)
