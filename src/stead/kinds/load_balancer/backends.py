"""Who answers behind a listener: which instances are meant, and at which of their addresses they are reached."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from stead.core.address import Address
from stead.core.named import NamedTuple
from stead.kinds.load_balancer.model import Backend, LoadBalancer
from stead.kinds.load_balancer.needs import slots
from stead.kinds.shared import network_names
from stead.kinds.shared.interfaces import own_slots, with_port
from stead.kinds.shared.memoize_last import memoize_last
from stead.kinds.shared.routing import ways
from stead.kinds.shared.subnets import Net, network_block
from stead.language.desired import Block, Desired


class BackendInstance(NamedTuple):
    """An instance, and which of its leases is the address that it is reached at; "" where it is not."""

    instance: Address
    lease: str


def meant(backend: Backend, block: Block, desired: Desired) -> Iterator[BackendInstance]:
    """The instances that a member of a listener of this load balancer stands for."""
    for instances, addresses in _named(backend, block, desired):
        lease = _lease(instances, block, desired)
        yield from (BackendInstance(one, lease) for one in addresses)


def _named(backend: Backend, block: Block, desired: Desired) -> Iterator[tuple[Block, tuple[Address, ...]]]:
    if backend.labels:
        wanted = backend.labels.items()
        for one in by_project(desired).get(block.project, ()):
            if wanted <= one.settings.labels.items():
                yield one, one.members
    if backend.instance is not None:
        yield from _of_name(backend.instance, desired)


def _of_name(target: Address, desired: Desired) -> Iterator[tuple[Block, tuple[Address, ...]]]:
    """One instance, or all members of a definition, which may be several blocks."""
    found = desired.get(target)
    if found is not None and (target.key is not None or found.members == (target,)):
        yield found, (target,)
        return
    for one in by_project(desired).get(target.project, ()):
        if one.members and one.members[0].block == target:
            yield one, one.members


def _by_project(desired: Desired) -> Mapping[str, list[Block]]:
    found: dict[str, list[Block]] = {}
    for block in desired.of_kind("instances"):
        found.setdefault(block.project, []).append(block)
    return found


by_project = memoize_last(_by_project)
"""Definitions of instances."""


def _lease(instances: Block, block: Block, desired: Desired) -> str:
    """Of the first interface in the load balancer's own network, or else in one that its gateway joins with it."""
    nics = instances.model.networks
    keyed = zip(nics, network_names.keys([nic.network for nic in nics], instances.project), strict=True)
    near = sorted(keyed, key=lambda pair: pair[0].network != block.model.network)
    for nic, key in near:
        network = network_block(nic.network, desired)
        found = own_slots(with_port(nic, desired), network, desired) if network is not None else ()
        for slot in found:
            if not slot.net.slaac and _leads(block, nic.network, slot.net, desired):
                return f"nics.{key}.v{slot.net.version}"
    return ""


def _leads(block: Block, network: Address, net: Net, desired: Desired) -> bool:
    model: LoadBalancer = block.model
    if network == model.network:
        return any(slot.net.version == net.version for slot in slots(block, desired))
    own = [slot.net for slot in slots(block, desired) if slot.net.version == net.version]
    known = ways(desired)
    gateways = {way.router for way in known.get(model.network, ()) for one in own if way.is_gateway(one)}
    return any(way.router in gateways and way.reaches(net) for way in known.get(network, ()))
