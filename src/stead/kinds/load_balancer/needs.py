"""What a load balancer asks to be chosen: its addresses, its MAC, and what each of its two hosts has of its own.

Both hosts check backends and speak to them, so each has an address there beside the one that clients know.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stead.core.needs import Demand, Macs, Need, Standby
from stead.drivers.network import LOAD_BALANCERS_HA
from stead.kinds.load_balancer.model import LoadBalancer
from stead.kinds.shared import network_drivers, two_hosts
from stead.kinds.shared.several import as_tuple
from stead.kinds.shared.subnets import AddressSlot, address_slots, need, nets_of, network_block
from stead.language.desired import Block, Desired

MAC = "mac"
HOSTS = ("first", "second")


def slots(block: Block, desired: Desired) -> tuple[AddressSlot, ...]:
    """Where it answers: one address of each family."""
    model: LoadBalancer = block.model
    network = network_block(model.network, desired)
    return address_slots(nets_of(network, desired), as_tuple(model.address)) if network is not None else ()


def lease(slot: AddressSlot) -> str:
    return f"v{slot.net.version}"


def own(slot: AddressSlot, at: int) -> str:
    """Of the address of its first or second host, from which it speaks to backends."""
    return f"{HOSTS[at]}.v{slot.net.version}"


def needs(block: Block, desired: Desired) -> Sequence[Need]:
    found = slots(block, desired)
    leased = [need(lease(slot), block.model.network, slot) for slot in found]
    paired = _of_two(block, found, desired) if standby(block, desired) is not Standby.NONE else ()
    return [Need(MAC, "mac", Macs()), *leased, *paired]


def _of_two(block: Block, found: Sequence[AddressSlot], desired: Desired) -> Iterator[Need]:
    yield two_hosts.need(desired)
    for at in range(len(HOSTS)):
        for slot in found:
            asked = need(own(slot, at), block.model.network, AddressSlot(slot.net, None))
            yield asked._replace(second=True, optional=block.model.ha is not True)


def standby(block: Block, desired: Desired) -> Standby:
    model: LoadBalancer = block.model
    network = network_block(model.network, desired)
    return Standby.NONE if network is None else two_hosts.wish(model.ha, network.model.driver, LOAD_BALANCERS_HA)


def demand(block: Block, desired: Desired) -> Demand | None:
    model: LoadBalancer = block.model
    network = network_block(model.network, desired)
    if network is None or not model.enabled or network_drivers.has_no_host(network.model):
        return None
    return network_drivers.demand([network.model], model.host, standby(block, desired))


def usage(_block: Block, _desired: Desired) -> dict[str, int]:
    return {"ports": 1}
