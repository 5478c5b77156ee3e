"""What the drivers of networks say to those who use them: what cannot be had there, and which hosts it takes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from stead.core.diagnostics import Code, Diagnostic, Place
from stead.core.driver import DriverScope, Feature
from stead.drivers.network import NetworkDriver, all_of_them, of

CANNOT = Code("STEAD-N047", "the network's driver cannot do this")


class NetworkShape(Protocol):
    """The model of a network."""

    @property
    def type(self) -> str: ...
    @property
    def driver(self) -> str: ...


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


def required(networks: Iterable[NetworkShape]) -> frozenset[str]:
    """Traits that hosts of these networks must have."""
    return frozenset().union(*(driver.required.get(one.type, frozenset()) for one, driver in _known(networks)))


def forbidden(networks: Iterable[NetworkShape]) -> frozenset[str]:
    return frozenset().union(*(driver.forbidden.get(one.type, frozenset()) for one, driver in _known(networks)))


def _known(networks: Iterable[NetworkShape]) -> Iterator[tuple[NetworkShape, NetworkDriver]]:
    found = all_of_them()
    yield from ((one, found[one.driver]) for one in networks if one.driver in found)
