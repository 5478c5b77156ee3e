"""Network drivers: what each can do, what it asks of hosts, and what hosts should have of its networks.

Kinds ask here, by the name that a network's `driver` has. They say what a network, router or group is; which hosts have
what of it, and what only this driver needs beside, the driver says. Who names no driver has the first built-in one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from stead.core.driver import Capabilities, Capability, DriverScope, Feature, able, capability
from stead.core.effect import Effect
from stead.core.named import NamedTuple
from stead.core.observed import Host
from stead.core.value import field, value
from stead.core.want import Want
from stead.drivers import drivers

FAMILY = "network"
DEFAULT = "linuxbridge"

TYPES: Mapping[str, Feature] = {
    one: Feature(one, f"networks of type {one}") for one in ("vxlan", "flat", "vlan", "geneve", "gre")
}
DHCP = Feature("dhcp", "DHCP and DNS")
DHCP_HA = Feature("dhcp_ha", "DHCP and DNS on two hosts")
IPV6 = Feature("ipv6", "IPv6 subnets")
SECURITY_GROUPS = Feature("security_groups", "security groups", ("security_groups",))
PORT_SECURITY = Feature("port_security", "port security")
ROUTERS = Feature("routers", "routers", ("routers",))
ROUTERS_WIRED = Feature("routers_wired", "routers in flat and VLAN networks")
ROUTERS_OUT = Feature("routers_out", "ways out of routers")
ROUTERS_OUT_TUNNELS = Feature("routers_out_tunnels", "ways out by networks of tunnels")
ROUTERS_HA = Feature("routers_ha", "routers on two hosts")
UPLINKS = Feature("uplinks", "routers behind the address of their host (`uplink: host`)")
FORWARDS = Feature("forwards", "port forwards")
FLOATING_IPS = Feature("floating_ips", "floating IPs", ("floating_ips",))
DISTRIBUTED = Feature("distributed", "floating IPs on the guest's own host")
LOAD_BALANCERS = Feature("load_balancers", "load balancers", ("load_balancers",))
LOAD_BALANCERS_HA = Feature("load_balancers_ha", "load balancers on two hosts")
LOOKOUTS = Feature("lookouts", "waiting for guests through the network", ("lookouts",))
_OF_ROUTERS = (
    ROUTERS,
    ROUTERS_WIRED,
    ROUTERS_OUT,
    ROUTERS_OUT_TUNNELS,
    ROUTERS_HA,
    UPLINKS,
    FORWARDS,
    FLOATING_IPS,
    DISTRIBUTED,
)
_OF_BALANCERS = (LOAD_BALANCERS, LOAD_BALANCERS_HA)
FEATURES = (
    *TYPES.values(),
    DHCP,
    DHCP_HA,
    IPV6,
    SECURITY_GROUPS,
    PORT_SECURITY,
    *_OF_ROUTERS,
    *_OF_BALANCERS,
    LOOKOUTS,
)

Ports = Sequence[Mapping[str, Any]]  # what instances and routers tell a network of their interfaces in it


class Layout(NamedTuple):
    """A network with all choices made, without what only its driver needs."""

    fields: Mapping[str, Any]  # of its want, whoever makes it
    service: Mapping[str, Any] | None  # what its DHCP and DNS server tells; nothing where it has none
    host: str  # that serves it
    ports: Ports
    hosts: Mapping[str, Host]
    second: Mapping[str, Mapping[str, Any]]  # what the same on a second host tells, by that host; or nothing


Wants = Mapping[str, Want]  # by host; host "" is for what is only recorded


def where_asked(hosts: Sequence[str], _all: Mapping[str, Host]) -> Sequence[str]:
    return hosts


def on_its_own(_chosen: str, _physical: str, _all: Mapping[str, Host]) -> Sequence[str]:
    return ()


def nothing_against(_hosts: Mapping[str, Host]) -> str:
    return ""


@value
class NetworkDriver:
    name: str
    help: str
    scope: DriverScope
    capabilities: Capabilities
    overhead: Mapping[str, int]
    """Bytes of an underlay's packet that it takes, by type of network: those that it makes."""
    realise: Callable[[Layout], Wants]
    """What hosts should have of a network."""
    unfit: Callable[[Mapping[str, Host]], str] = nothing_against
    """Why these hosts together cannot have its networks. Empty where they can."""
    on_hosts: Callable[[Sequence[str], Mapping[str, Host]], Sequence[str]] = where_asked
    """Which hosts get the want of a router, floating IP or group: (where it runs or has members, all hosts)."""
    leads_out: Callable[[str, str, Mapping[str, Host]], Sequence[str]] = on_its_own
    """Which hosts lead a router out, the chosen one before those that take over: (the chosen one, if it is known;
    physical network; all hosts). Empty where the router is on the chosen one, and nowhere else."""
    takes_over: int = 0
    """How many hosts have to lead out, so that another takes over when the first dies."""
    locates: tuple[str, ...] = ()
    """Fields of its wants that say where the ports of a network are, by pattern."""
    effects: Mapping[str, Effect] = field(default_factory=dict)
    """What it takes to change a field that only its wants of networks have, and every such field; as of a kind."""
    parts: tuple[str, ...] = ()
    """What a host may find altered of a network though no want has a field of this name; as of a kind."""
    field_map: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)
    kernel: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What a host's kernel must have, by its role: `stead doctor` looks."""
    required: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Traits that hosts of its networks must have, by type of network."""
    forbidden: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Traits that they must not have."""


@cache
def all_of_them() -> Mapping[str, NetworkDriver]:
    return drivers(FAMILY, NetworkDriver)


def named(name: str) -> NetworkDriver:
    """One that was not refused: a spec with another name never comes so far."""
    return all_of_them()[name]


def mark(name: str) -> dict[str, Any]:
    """What a want says of its driver. One that says nothing is for the first: older ones do not."""
    return {} if name == DEFAULT else {"driver": name}


def mark_all(names: Sequence[str]) -> dict[str, Any]:
    """The same of one that may have several."""
    return {} if list(names) == [DEFAULT] else {"drivers": list(names)}


def traits(host: Host) -> frozenset[str]:
    """What it is prepared for beside the first driver."""
    return frozenset(f"{FAMILY}:{name}" for name in host.network_drivers)


def of(driver: str, feature: Feature) -> Capability:
    return capability(all_of_them().get(driver), feature, driver)


def who_can(feature: Feature) -> tuple[str, ...]:
    return able(all_of_them().values(), feature)


def refusal(want: Mapping[str, Any]) -> str:
    """Why no host makes a network with this want; empty where hosts do."""
    driver, kind = str(want.get("driver", DEFAULT)), str(want.get("type", "vxlan"))
    feature = TYPES.get(kind) or Feature(kind, f"networks of type {kind}")
    found = of(driver, feature)
    return "" if found.can else found.text
