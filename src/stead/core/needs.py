"""What a resource asks to have chosen for it: values that are its own (leases), and a host."""

from __future__ import annotations

from collections.abc import Mapping

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
    shared: frozenset[int] = frozenset()  # that several may use beside their own: given to nobody who has not got it


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
    """Something to be chosen and kept: a lease. Values are unique within a space."""

    key: str  # what the resource calls it: "nics.0.mac"
    space: str  # "mac", "vni", "acme/networks/app/v4"
    pool: Pool
    fixed: str | None = None  # the user chose it; with `count`, only ever for a single one


class Demand(NamedTuple):
    """What a member of the block asks of the host it lands on. Amounts are integers; memory and disk in bytes."""

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
    copies: Source | None = None  # it can be made only where that is
    alone: bool = False  # of a volume: one uses it at a time
    priority: int = 0  # who comes first when its host is dead, and there is no room for all


class Source(NamedTuple):
    volume: Address
    served: bool  # to other hosts too, where its pool is shared; a snapshot is not


class GroupRule(NamedTuple):
    name: str  # unique in the project; a block's own group is its address
    over: str = "hosts"  # or "zones"
    hard: bool = True
    limit: int | None = None  # 1 on a host, as even as the zones allow in a zone
