"""What a network driver is to the rest of the host code: how it makes networks and all that is in them or between them.

Nothing outside a driver's own files asks which driver it is. What it has no operation for is None here, and its table
of capabilities on the controller says so too.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Protocol, Sequence, Tuple

from ..base.errors import FailureCode
from ..base.readings import Readings
from ..base.step import Want
from ..base.work import Work

UNKNOWN = FailureCode("STEAD-E200", "this host has no such network driver")
UNABLE = FailureCode("STEAD-E201", "the network's driver cannot do this")
NO_DEVICE = FailureCode("STEAD-E204", "the physical network's device cannot be used")
NO_WAY_OUT = FailureCode("STEAD-E209", "the floating IP's router has no external network on this host")
NO_RULE = FailureCode("STEAD-E211", "the host cannot filter by this rule")

Nic = Dict[str, Any]  # of an instance's want: what its members' interfaces have in common
Port = Dict[str, Any]  # of an instance's want: MAC and addresses of one interface


class Resource(Protocol):
    """One kind of resource by one driver."""

    def ensure(self, want: Want, work: Work) -> None:
        """Makes the want, whatever exists now."""

    def remove(self, have: Want, work: Work) -> None:
        """`have` may be no more than the UUID, of what a host has lost from its ledger."""

    def is_there(self, want: Want, now: Readings) -> bool:
        """Whether anything of it can be seen; what of it is otherwise, `ensure` in check mode tells."""

    def restore(self, want: Want, held: bool, work: Work) -> None:
        """What a boot forgets. What is held may be on another host by now: what is there once is not made here."""


class Plug(NamedTuple):
    """How a hypervisor puts an interface into its network."""

    bridge: str
    device: str  # the host's end
    filter: str = ""  # of libvirt's, by its name
    virtualport: Optional[Tuple[str, Mapping[str, str]]] = None  # what a switch is told: a type, and its parameters
    offload: bool = True  # the guest may leave checksums to who takes its packets


class GuestPorts(Protocol):
    """Interfaces of instances."""

    def plug(self, nic: Nic, port: Port, work: Work) -> Plug: ...

    def ensure(self, nic: Nic, port: Port, work: Work) -> None:
        """What filters it, before it is plugged."""

    def remove(self, mac: str, work: Work) -> None: ...

    def restore(self, mac: str, work: Work) -> None: ...


class Lookout(NamedTuple):
    """A place in a network of this host's, from which it looks whether a guest is ready."""

    mac: str
    mtu: int
    addresses: Sequence[str]  # with their lengths


class LookoutPlaces(Protocol):
    def ensure(self, uuid: str, place: Lookout, work: Work) -> str:
        """The namespace that it is in."""

    def remove(self, uuid: str, work: Work) -> None:
        """Also one that a killed run left."""


class HostNetworkDriver(NamedTuple):
    name: str
    types: Sequence[str]  # of networks
    networks: Resource
    security_groups: Optional[Resource]
    routers: Optional[Resource]
    floating_ips: Optional[Resource]
    ports: GuestPorts
    lookouts: Optional[LookoutPlaces]
    inside: Optional[Callable[[str], str]]
    """The namespace from which instances in a network, by its UUID, are reached."""
    strays: Callable[[Mapping[str, Sequence[Mapping[str, Any]]], Mapping[str, Any]], List[str]]
    """Links of its own that belong to nothing in the ledger: (entries by kind, links)."""
    expect: Optional[Callable[[Want, Want, Work], None]] = None
    """Guests of a network are about to move: (want, have). From now on each is found where it turns up."""
    prepare: Optional[Callable[[Mapping[str, Any], Work], None]] = None
    """What a role lays down beside packages: (what the role gives it)."""
    load_balancers: Optional[Resource] = None
