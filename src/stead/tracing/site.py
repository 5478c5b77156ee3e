"""What wants say of the wiring of a whole site, at hand by what a packet asks for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib import import_module
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING

from stead.core.address import Address
from stead.core.named import NamedTuple
from stead.core.wiring import (
    LegWiring,
    NetworkWiring,
    PlugWiring,
    RouterWiring,
    RulesWiring,
    TranslationWiring,
)

if TYPE_CHECKING:
    from stead.core.kind import Kind
    from stead.core.want import Want


class PlugAt(NamedTuple):
    owner: Address
    hosts: Sequence[str]
    wiring: PlugWiring


class RouterAt(NamedTuple):
    owner: Address
    hosts: Sequence[str]
    wiring: RouterWiring

    def leg_in(self, network: str) -> LegWiring | None:
        return next((one for one in self.wiring.legs if one.network == network), None)


class Translating(NamedTuple):
    owner: Address
    wiring: TranslationWiring


class WiredSite:
    def __init__(self, wants: Mapping[Address, Mapping[str, Want]], kinds: Mapping[str, Kind]) -> None:
        self.plugs: dict[Address, list[PlugAt]] = defaultdict(list)
        self.routers: dict[str, RouterAt] = {}
        self.translations: list[Translating] = []
        self.rules: dict[str, RulesWiring] = {}
        self.networks: dict[str, NetworkWiring] = {}
        self._in_network: dict[str, list[PlugAt]] = defaultdict(list)
        for address, by_host in wants.items():
            if by_host and (module := kinds[address.kind].wiring):
                fields = [want.fields() for want in by_host.values()]
                for one in import_module(module).wired(fields):
                    self._add(address, sorted(filter(None, by_host)), one)

    def _add(self, owner: Address, hosts: Sequence[str], wiring: object) -> None:
        match wiring:
            case PlugWiring():
                self.plugs[owner].append(PlugAt(owner, hosts, wiring))
                self._in_network[wiring.network].append(self.plugs[owner][-1])
            case RouterWiring() if hosts:  # one that is disabled is nowhere
                self.routers[str(owner)] = RouterAt(owner, hosts, wiring)
            case TranslationWiring():
                self.translations.append(Translating(owner, wiring))
            case RulesWiring():
                self.rules[wiring.group] = wiring
            case NetworkWiring():
                self.networks[str(owner)] = wiring

    def plug_at(self, network: str, address: str) -> PlugAt | None:
        """Its own address goes before one that it may take."""
        there = self._in_network[network]
        own = (one for one in there if address in (*one.wiring.addresses, *one.wiring.speaks_from))
        may = (one for one in there if any(is_in(address, allowed) for allowed in one.wiring.allowed))
        return next(own, None) or next(may, None)

    def router_at(self, network: str, address: str) -> RouterAt | None:
        """Floating IPs are answered for by their routers."""
        for router in self.routers.values():
            leg = router.leg_in(network)
            if leg is not None and address in {one.partition("/")[0] for one in leg.addresses}:
                return router
        for one in self.translations:
            if (network, address) == (one.wiring.network, one.wiring.outside):
                return self.routers.get(one.wiring.router)
        return None

    def of_router(self, router: RouterAt) -> Iterator[Translating]:
        return (one for one in self.translations if one.wiring.router == str(router.owner))

    def physical_with(self, address: str) -> str:
        """The network of the world outside that an address is in."""
        found = (name for name, one in self.networks.items() if one.physical and in_any(address, one.nets))
        return next(found, "")

    def owner_of(self, address: str, project: str) -> Address | None:
        """Whose it is in a project: others may have the same."""
        owners = (owner for owner in self.plugs if owner.project == project and address in self.addresses_of(owner))
        return next(owners, None)

    def addresses_of(self, owner: Address) -> list[str]:
        """At which it is reached."""
        own = [address for one in self.plugs.get(owner, ()) for address in one.wiring.addresses]
        translated = [one.wiring.outside for one in self.translations if one.owner == owner]
        router = self.routers.get(str(owner))
        legs = sorted(router.wiring.legs, key=lambda leg: not leg.out) if router is not None else ()
        return [*own, *translated, *(one.partition("/")[0] for leg in legs for one in leg.addresses)]


@cache
def net(cidr: str) -> IPv4Network | IPv6Network:
    return ip_network(cidr, strict=False)


def is_in(address: str, cidr: str) -> bool:
    return ip_address(address) in net(cidr)


def in_any(address: str, cidrs: Sequence[str]) -> bool:
    return any(is_in(address, one) for one in cidrs)
