"""What a plan has to choose for a resource: values of its own (leases), and a host."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from stead.core.address import Address
from stead.core.named import NamedTuple


class Numbers(NamedTuple):
    """A pool of whole numbers, ends included."""

    first: int
    last: int


class Addresses(NamedTuple):
    """A pool of IP addresses, as numbers, ends included."""

    version: int
    first: int
    last: int
    taken: frozenset[int] = frozenset()  # gateway, DHCP server: never given out
    shared: frozenset[int] = frozenset()  # allowed addresses of several interfaces: not given out again


class Macs(NamedTuple):
    prefix: str = "52:54"


class Uuids(NamedTuple):
    pass


class Names(NamedTuple):
    """What each member is called, or what is fixed. Members of a project may be called alike, projects not."""

    beside: str = ""  # another lease of it that shows that it was there, of a record from before names were leases


class Borrowed(NamedTuple):
    """The value is another resource's lease, and goes on being that when the borrower is gone."""

    lender: Address
    key: str


Pool = Numbers | Addresses | Macs | Uuids | Names | Borrowed


class Need(NamedTuple):
    """A value to be chosen and kept: a lease. Values are unique within a space."""

    key: str  # its name in the resource: "nics.0.mac"
    space: str  # "mac", "vni", "acme/networks/app/v4"
    pool: Pool
    fixed: str | None = None  # the user's choice; with `count`, only for a single member
    second: bool = False  # asked for only by what is on two hosts
    optional: bool = False  # left out where nothing is free


STANDBY = "standby"  # the lease that names the second host of what is on two; empty while no other host fits


class Standby(StrEnum):
    """Whether a member is to be on a second host, which takes over from the first."""

    NONE = "none"
    IF_POSSIBLE = "if possible"
    ALWAYS = "always"


class Demand(NamedTuple):
    """What a member of the block needs of its host. Amounts are integers; memory and disk are in bytes."""

    role: str  # "compute", "storage", "network"
    amounts: Mapping[str, int]  # "vcpus", "memory", "disk:fast", "services"
    required: frozenset[str] = frozenset()
    forbidden: frozenset[str] = frozenset()
    preferred: frozenset[str] = frozenset()
    zones: frozenset[str] = frozenset()
    host: str = ""
    pools: frozenset[str] = frozenset()  # the host must reach all of them
    physical_networks: frozenset[str] = frozenset()
    hypervisor: str = ""
    architecture: str = ""
    policy: str = ""
    spread: tuple[GroupRule, ...] = ()
    together: tuple[GroupRule, ...] = ()
    beside: tuple[Address, ...] = ()  # must share the host with these (a volume in a local pool)
    copies: Source | None = None  # its source: it can be made only where the source is
    alone: bool = False  # for a volume: only one instance uses it at a time
    priority: int = 0  # if its host is dead and there is no room for all, the highest comes first
    standby: Standby = Standby.NONE


class Source(NamedTuple):
    volume: Address
    served: bool  # also to other hosts, if its pool is shared; snapshots are not served


class GroupRule(NamedTuple):
    name: str  # unique in the project; a block's own group is its address
    over: str = "hosts"  # or "zones"
    hard: bool = True
    limit: int | None = None  # 1 on a host, as even as the zones allow in a zone
