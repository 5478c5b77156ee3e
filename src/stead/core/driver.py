"""What a driver is to everybody else: a name, a scope, and what it can do, as data.

A driver says how a kind is realised. It is two files of one name. The controller's half is the module
`stead.drivers.<family>.<name>`, pure, whose `DRIVER` is a value of its family's type. The host's half does it. What it
can do is written in the controller's half and nowhere else: support matrices, the spec's checks, traits of hosts,
simulated hosts and contract tests are all made from it. The host's half has an operation for each, or it has not; a
test compares the two.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Protocol

from stead.core.diagnostics import Code
from stead.core.named import NamedTuple

BAD_DRIVER = Code("STEAD-H040", "a driver of the site cannot be used")


class DriverScope(StrEnum):
    """Who keeps what the driver makes."""

    HOST = "host"  # one host, which is chosen; the others reach it there, or not at all
    CLUSTER = "cluster"  # no host: servers of its own, which hosts reach


class Proven(StrEnum):
    """Where a test has done it with real hosts."""

    LAB = "lab"
    VM_LAB = "VM lab"  # hosts that are virtual machines, with a kernel of their own
    NOT_HERE = "not here"


class Feature(NamedTuple):
    """A row of the matrix of a family."""

    name: str  # "root_disks"
    words: str  # "root disks"
    operations: tuple[str, ...] = ()  # of the host's half: it has one of them where the driver can, and else none


class Capability(NamedTuple):
    """What one driver says of one feature."""

    can: bool
    text: str = ""  # where it can: what is to be known of it; where it cannot: that, and what to do instead
    tested: Proven = Proven.NOT_HERE


Capabilities = Mapping[str, Capability]  # by the name of the feature


class Driver(Protocol):
    """What every driver says, of whatever family."""

    @property
    def name(self) -> str: ...
    @property
    def help(self) -> str: ...
    @property
    def scope(self) -> DriverScope: ...
    @property
    def capabilities(self) -> Capabilities: ...


def yes(tested: Proven, text: str = "") -> Capability:
    return Capability(can=True, text=text, tested=tested)


def no(text: str) -> Capability:
    return Capability(can=False, text=text)


def capability(driver: Driver | None, feature: Feature, name: str) -> Capability:
    """Of the driver with this name, if there is one. What nobody has written down, nobody has code for."""
    found = driver.capabilities.get(feature.name) if driver is not None else None
    return found or no(f"This version has no code for {feature.words} with {name}.")


def able(drivers: Iterable[Driver], feature: Feature) -> tuple[str, ...]:
    return tuple(one.name for one in drivers if capability(one, feature, one.name).can)
