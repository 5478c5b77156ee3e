"""What a packet can meet, in words that no kind is named in: kinds say it of their wants, `tracing` follows packets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from ipaddress import ip_interface
from typing import Any

from stead.core.named import NamedTuple

ANYWHERE = {4: "0.0.0.0/0", 6: "::/0"}


class RouteWiring(NamedTuple):
    to: str  # CIDR
    via: str


class PlugWiring(NamedTuple):
    """An interface of something that packets come from and go to."""

    network: str  # address of it
    addresses: Sequence[str]
    nets: Sequence[str] = ()  # CIDRs that it reaches without a gateway
    routes: Sequence[RouteWiring] = ()
    mtu: int = 0
    guarded: bool = True  # it sends and is sent only what these allow:
    groups: Sequence[str] = ()  # security groups
    allowed: Sequence[str] = ()  # addresses, or networks of them, that it may use beside its own
    off: str = ""  # why nothing is there to answer
    speaks_from: Sequence[str] = ()  # where that is not `addresses`
    listens: Sequence[tuple[str, int]] | None = None  # protocol and port; None: nobody knows


class LegWiring(NamedTuple):
    """An interface of a router."""

    network: str
    addresses: Sequence[str]  # with lengths of prefixes
    mtu: int
    out: bool = False  # its way out


class HostUplink(NamedTuple):
    """A way out behind the address of a host."""

    closed: Sequence[str]  # never reached
    open: Sequence[str]  # reached though they are private
    name_servers: Sequence[str]


class RouterWiring(NamedTuple):
    legs: Sequence[LegWiring]
    gateways: Sequence[str] = ()
    routes: Sequence[RouteWiring] = ()
    hidden: Sequence[str] = ()  # CIDRs that leave with its own address
    forwards: Mapping[str, str] = {}  # "tcp/8080" -> "10.0.0.3:80"
    uplink: HostUplink | None = None


class TranslationWiring(NamedTuple):
    """An address outside that leads to one inside."""

    network: str
    outside: str
    inside: str = ""
    router: str = ""  # that translates; empty, nobody does
    forwards: Mapping[str, str] = {}


class RulesWiring(NamedTuple):
    """What a security group allows."""

    group: str
    rules: Sequence[Mapping[str, Any]]  # as in its want
    sets: Mapping[str, Sequence[str]]  # group -> addresses of its members
    stateful: bool = True


class NetworkWiring(NamedTuple):
    nets: Sequence[str]  # CIDRs
    mtu: int
    type: str
    gateways: Sequence[str] = ()
    servers: Sequence[str] = ()  # of DHCP and DNS
    physical: str = ""


Wiring = PlugWiring | RouterWiring | TranslationWiring | RulesWiring | NetworkWiring


def version(address: str) -> int:
    return 6 if ":" in address else 4


def network_of(sized: str) -> str:
    """Of an address with the length of its prefix."""
    return str(ip_interface(sized).network)


def wired_routes(written: Iterable[Mapping[str, str]]) -> list[RouteWiring]:
    """As they stand in wants."""
    return [RouteWiring(one["to"], one["via"]) for one in written]
