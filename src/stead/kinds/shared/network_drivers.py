"""What the drivers of networks say to those who use them: what cannot be had there, and which hosts it takes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Protocol

from stead.core.diagnostics import Code, Diagnostic, Place
from stead.core.driver import DriverScope, Feature
from stead.core.needs import Demand, Standby
from stead.drivers.network import NetworkDriver, all_of_them, of

WIRES = frozenset({"vlan", "flat"})
CANNOT = Code("STEAD-N047", "the network's driver cannot do this")


class NetworkShape(Protocol):
    """The model of a network."""

    @property
    def type(self) -> str: ...
    @property
    def driver(self) -> str: ...
    @property
    def physical(self) -> str | None: ...


def cannot(network: NetworkShape, features: Iterable[Feature], place: Place | None) -> Iterator[Diagnostic]:
    """Of a driver that there is none of, the network itself tells."""
    for feature in features if network.driver in all_of_them() else ():
        found = of(network.driver, feature)
        if not found.can:
            yield CANNOT.at(place, found.text)


def has_no_host(network: NetworkShape) -> bool:
    """Whether no host is chosen for what serves it, nor for its routers."""
    driver = all_of_them().get(network.driver)
    return driver is not None and driver.scope is DriverScope.CLUSTER


def demand(networks: Collection[NetworkShape], host: str, standby: Standby) -> Demand:
    """Of what serves these networks or joins them, on a network host."""
    return Demand(
        role="network",
        amounts={"services": 1},
        host=host,
        physical_networks=frozenset(one.physical for one in networks if one.type in WIRES and one.physical),
        required=required(networks),
        forbidden=forbidden(networks),
        standby=standby,
    )


def required(networks: Iterable[NetworkShape]) -> frozenset[str]:
    """Traits that hosts of these networks must have."""
    return frozenset().union(*(driver.required.get(one.type, frozenset()) for one, driver in _known(networks)))


def forbidden(networks: Iterable[NetworkShape]) -> frozenset[str]:
    return frozenset().union(*(driver.forbidden.get(one.type, frozenset()) for one, driver in _known(networks)))


def _known(networks: Iterable[NetworkShape]) -> Iterator[tuple[NetworkShape, NetworkDriver]]:
    found = all_of_them()
    yield from ((one, found[one.driver]) for one in networks if one.driver in found)
