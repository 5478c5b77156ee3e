"""Where a router stands in each network, and what it asks to be chosen for that.

Interfaces are known by the name of their network, so that joining another one changes nothing of those before it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stead.core.address import Address
from stead.core.named import NamedTuple
from stead.core.needs import Borrowed, Demand, Macs, Need, Numbers, Standby
from stead.drivers.network import DEFAULT, ROUTERS_HA
from stead.kinds.router.model import Router
from stead.kinds.shared import network_drivers, two_hosts
from stead.kinds.shared.interfaces import asked
from stead.kinds.shared.network_names import short
from stead.kinds.shared.several import as_tuple
from stead.kinds.shared.subnets import AddressSlot, Net, address_slots, as_router, need, nets_of, network_block
from stead.language.desired import Block, Desired

UPLINK = Need("uplink", "uplink", Numbers(0, 4095))
"""Which link between a router and its host it is: see `uplink`."""


class Joined(NamedTuple):
    """An interface of the router."""

    key: str
    network: Address
    block: Block  # of the network
    stands: tuple[AddressSlot, ...]
    asked: tuple[str, ...]  # addresses that the user wrote
    port: Address | None = None

    @property
    def mac(self) -> str:
        return f"{self.key}.mac"

    def lease(self, net: Net) -> str:
        return f"{self.key}.{net.name}"


def inner(block: Block, desired: Desired) -> Iterator[Joined]:
    """Its interfaces in the networks it joins: in every subnet that has a gateway, as that gateway."""
    model: Router = block.model
    for joined in model.networks:
        network = network_block(joined.network, desired)
        if network is None:
            continue
        said = asked(joined, desired)
        own = tuple(as_router(nets_of(network, desired), said))
        key = f"interfaces.{short(joined.network, block.project)}"
        yield Joined(key, joined.network, network, own, said, joined.port)


def outer(block: Block, desired: Desired) -> Joined | None:
    """Its interface in the external network: one address of each family."""
    model: Router = block.model
    if model.external is None:
        return None
    network = network_block(model.external.network, desired)
    if network is None:
        return None
    said = as_tuple(model.external.address)
    own = address_slots(nets_of(network, desired), said)
    return Joined("external", model.external.network, network, own, said)


def interfaces(block: Block, desired: Desired) -> list[Joined]:
    out = outer(block, desired)
    return [*inner(block, desired), *([out] if out is not None else ())]


def needs(block: Block, desired: Desired) -> Sequence[Need]:
    found = []
    for joined in interfaces(block, desired):
        found.append(_need(joined, joined.mac, "mac") or Need(joined.mac, "mac", Macs()))
        for stand in joined.stands:
            lease = joined.lease(stand.net)
            borrowed = _need(joined, lease, f"v{stand.net.version}") if stand.fixed in joined.asked else None
            found.append(borrowed or need(lease, joined.network, stand))
    if standby(block, desired) is not Standby.NONE:
        found.append(two_hosts.need(desired))
    if block.model.uplink is not None:
        found.append(UPLINK)
    return found


def standby(block: Block, desired: Desired) -> Standby:
    """None behind a host: another one has another address."""
    model: Router = block.model
    if model.uplink is not None:
        return Standby.NONE
    if any(network_drivers.has_no_host(one.block.model) for one in interfaces(block, desired)):
        return Standby.NONE  # its driver has others take over
    return two_hosts.wish(model.ha, driver_of(interfaces(block, desired)), ROUTERS_HA)


def _need(joined: Joined, key: str, of_port: str) -> Need | None:
    return Need(key, "", Borrowed(joined.port, of_port)) if joined.port is not None else None


def driver_of(joined: Sequence[Joined]) -> str:
    """All its networks have the same: it could not join those of two."""
    return next((one.block.model.driver for one in joined), DEFAULT)


def demand(block: Block, desired: Desired) -> Demand | None:
    model: Router = block.model
    networks = [joined.block.model for joined in interfaces(block, desired)]
    if model.external is None and any(map(network_drivers.has_no_host, networks)):
        return None
    return network_drivers.demand(networks, model.host, standby(block, desired))


def usage(block: Block, _desired: Desired) -> dict[str, int]:
    model: Router = block.model
    return {"ports": sum(one.port is None for one in model.networks) + (model.external is not None)}
