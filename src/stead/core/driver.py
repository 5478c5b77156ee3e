"""What other code knows of a driver: a name, a scope, and its features, as data.

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
    """What keeps the resources that the driver makes."""

    HOST = "host"  # one chosen host; other hosts reach the resource there, or not at all
    CLUSTER = "cluster"  # no host, but separate servers that hosts can reach


class Proven(StrEnum):
    """Where this was tested with real hosts."""

    LAB = "lab"
    VM_LAB = "VM lab"  # hosts that are virtual machines, with a kernel of their own
    NOT_HERE = "not here"


class Feature(NamedTuple):
    """A row of the matrix of a family."""

    name: str  # "root_disks"
    words: str  # "root disks"
    operations: tuple[str, ...] = ()  # of the host's half, which has one of them if the driver can do this, else none


class Capability(NamedTuple):
    """What one driver says of one feature."""

    can: bool
    text: str = ""  # if it can: a note; if it cannot: the reason, and what to do instead
    tested: Proven = Proven.NOT_HERE


Capabilities = Mapping[str, Capability]  # by the name of the feature


class Driver(Protocol):
    """What drivers of all families declare."""

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
    """Of the driver with this name, if it exists. A feature that is not declared is not supported."""
    found = driver.capabilities.get(feature.name) if driver is not None else None
    return found or no(f"This version has no code for {feature.words} with {name}.")


def able(drivers: Iterable[Driver], feature: Feature) -> tuple[str, ...]:
    return tuple(one.name for one in drivers if capability(one, feature, one.name).can)
