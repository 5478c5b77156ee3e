"""What a kind of resource is to the engine. The engine calls these functions and knows no kind by name.

A kind is a package `stead.kinds.<name>` whose `KIND` is a `Kind`. Adding one edits nothing that exists.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

from stead.core.address import Address
from stead.core.diagnostics import Diagnostic
from stead.core.effect import UNNAMED, Data, Effect, effect_named
from stead.core.fields import Expression, Secret
from stead.core.named import NamedTuple
from stead.core.needs import Demand, Need
from stead.core.value import field, value
from stead.core.want import Want

if TYPE_CHECKING:
    from stead.core.observed import Host
    from stead.language.desired import Block, Desired


class Scope(StrEnum):
    SITE = "site"
    PROJECT = "project"
    EITHER = "either"  # a site's own are shared with its projects


class QuotaWord(NamedTuple):
    """Something that the quota of a project may limit."""

    help: str  # as the help of a field
    size: bool = False  # bytes, written with a unit
    example: int | str | None = None


class Contribution(NamedTuple):
    """A fact that a resource adds to one that it refers to: an instance's port to its network, say."""

    to: Address
    what: str  # "port", "user", "interface"
    fact: Mapping[str, Any]


class Unmanaged(NamedTuple):
    """Something on a host that is managed no longer: neither the spec nor the record has it."""

    address: Address
    host: str
    fields: Mapping[str, Any]  # of its want, as the host keeps it


class Retained(NamedTuple):
    """What that needs, so that it goes on as it was."""

    contributions: tuple[Contribution, ...] = ()  # as if it were managed
    taken: tuple[tuple[str, str], ...] = ()  # (space, value) of the leases that it has
    amounts: Mapping[str, int] = MappingProxyType({})  # of its host


class Member(NamedTuple):
    """One of a block, with its choices made."""

    address: Address
    leases: Mapping[str, str]
    host: str  # empty for what lives on no single host


class Reach(NamedTuple):
    """What a resource does beyond its own project: in a project file it needs the site's grant for it."""

    grant: str  # a field of Grants
    value: Any  # what that must have
    path: str  # where in the block it is asked for
    why: str  # what it does to others: "an address of networks/public is pinned"


class PinnedAddress(NamedTuple):
    """An address that a user has asked for in a network: nobody else is given it."""

    network: Address
    address: str
    path: str  # where in the block it is written
    shared: bool = False  # used by interfaces beside their own, maybe by several


class HostNeeds(NamedTuple):
    """What a want takes of its host, and what has to be there before."""

    amounts: tuple[tuple[str, str, int], ...] = ()  # (host that keeps the pool, or "" for its own; name; amount)
    beside: tuple[str, ...] = ()  # addresses of what is on the same host
    anywhere: tuple[tuple[str, str], ...] = ()  # (address, UUID) on whichever host
    physical: str = ""  # physical network that the host has to have
    unable: str = ""  # why no host of this version can make it


class World(Protocol):
    """All choices, for the kinds to make wants from. Reading only."""

    @property
    def desired(self) -> Desired: ...
    @property
    def hosts(self) -> Mapping[str, Host]: ...
    def member(self, address: Address) -> Member: ...
    def contributions(self, to: Address, what: str) -> Sequence[Mapping[str, Any]]: ...
    def render(self, value: str | Expression | Secret, member: Member) -> str | Mapping[str, str]:
        """Evaluate a late expression for a member. A secret comes out sealed, as {"$secret": id}."""


def _none(*_: object) -> tuple[()]:
    return ()


def _no(*_: object) -> None:
    """No demand, no opinion, nothing held."""


def _no_amounts(*_: object) -> Mapping[str, int]:
    return {}


def _no_extent(*_: object) -> int:
    return 0


def _no_word(*_: object) -> str:
    return ""


def _retains_nothing(*_: object) -> Retained:
    return Retained()


def _needs_nothing(*_: object) -> HostNeeds:
    return HostNeeds()


def _all_that_it_is(*_: object) -> Data:
    return Data.HERE


def _as_named(named: Effect, *_: object) -> Effect:
    return named


def _as_they_were(leases: Mapping[str, str], *_: object) -> Mapping[str, str]:
    return leases


def _leases(_block: Block, member: Member, _world: World) -> Mapping[str, Any]:
    return dict(member.leases)


@value
class Kind:
    """Functions take a block and do the work for all its members, so that what they share is made once."""

    name: str  # "instance"
    plural: str  # "instances": the word in the document and in addresses
    scope: Scope
    model: type[Any]  # the frozen dataclass of its fields
    help: str
    realise: Callable[[Block, Sequence[Member], World], Iterator[Mapping[str, Want]]]
    """Per member, in order: what each host should have. Host "" means recorded only: no host has any of it."""
    wire: str = ""
    """The module with its comparison; left out, that of the kind's name in Stead's own collection."""
    highlights: tuple[str, ...] = ()
    """Fields of a new one that are shown without `--verbose`: dotted; `*` is every key, a trailing `.` the keys
    themselves, a trailing `#` how many there are. Left out, its first plain fields are."""
    drawn: bool = False  # part of a drawing of the topology
    guest: bool = False  # runs on its host: has processors, a state and a console
    counted: bool = False  # may have count and for_each
    stateful: bool = False  # destroying one loses data
    holds: Callable[[Mapping[str, Any]], Data] = _all_that_it_is
    """What a stateful one with this want has of its own."""
    irreplaceable: bool = False  # one that its host has lost is made anew without what it held
    mobile: bool = False  # may change host without being made anew
    locates: tuple[str, ...] = ()
    """Fields of a want that say where others are, by pattern: a change of only these is made once those have moved."""
    stays: Callable[[Mapping[str, Any], Host, Host], str] = _no_word
    """Why a mobile one cannot move between two hosts: (have, from, to). Empty where it can."""
    lends: bool = False  # others borrow its leases, so it chooses before them
    single: bool = False  # on one host at a time: two would both be it
    home_role: str = ""  # of what lives on no single host: hosts of this role have it before others
    check: Callable[[Block, Desired], Iterable[Diagnostic]] = _none
    """Semantic rules that need no choice. May look at other blocks through `desired`."""
    fits: Callable[[Block, Desired, Mapping[str, Host]], Iterable[Diagnostic]] = _none
    """What these hosts cannot make, whichever is chosen."""
    reaches: Callable[[Block, Desired], Iterable[Reach]] = _none
    """What it does beyond its project, beside its `Granted` fields. Other blocks may be missing or wrong."""
    implicit_refs: Callable[[Block, Desired], Iterable[Address]] = _none
    """What must be there first though no field names it: a floating IP's router. Counts as a reference from then on."""
    needs: Callable[[Block, Desired], Sequence[Need]] = _none
    demand: Callable[[Block, Desired], Demand | None] = _no
    contribute: Callable[[Block, Sequence[Member], World], Iterable[Contribution]] = _none
    retained: Callable[[Unmanaged, Desired], Retained] = _retains_nothing
    """What one that stays on a host unmanaged needs and has."""
    pins: Callable[[Block], Iterable[PinnedAddress]] = _none
    """Addresses that a user has asked for, by network."""
    leads: Callable[[Block, Desired], Iterable[tuple[Address, Any]]] = _none
    """Ways out of networks: (network, `kinds.shared.routing.RouterPath`)."""
    extent: Callable[[Block], int | Address] = _no_extent
    """Bytes of the disk that it is, or what it is a copy of, which says. 0 where nobody says."""
    host_needs: Callable[[Mapping[str, Any]], HostNeeds] = _needs_nothing
    """What one with this want takes of its host. Read from what members share, or with `own_needs` from all of it."""
    own_needs: bool = False
    quota: Mapping[str, QuotaWord] = field(default_factory=dict)
    """What of it the quota of a project may limit. Where its plural is a word, each member counts as one."""
    usage: Callable[[Block, Desired], Mapping[str, int]] = _no_amounts
    """What one member takes of the other words: {"vcpus": 4, ...}."""
    facts: Callable[[Block, Member, World], Mapping[str, Any]] = _leases
    """What expressions see of a member: `instances.web[0].address`."""
    awaited: Callable[[Block], str] = _no_word
    """What has to be before a step that starts one is done, in a word: "ssh"."""
    effects: Mapping[str, Effect] = field(default_factory=dict)
    """Per field of a want, by the names of `core.effect`: what changing it takes. Every field is named."""
    effect_of: Callable[[Effect, str, Any, Any, Mapping[str, Any], Mapping[str, Any]], Effect] = _as_named
    """What a change takes where the values say more than the name: (as named, field, old, new, want, have)."""
    renamed: Callable[[Mapping[str, str], Address, Mapping[Address, Address]], Mapping[str, str]] = _as_they_were
    """Leases as they are called once others have new names (`moved`): of keys that have the name of another in them."""
    identity: tuple[str, ...] = ()
    """Fields of the model that make it another resource when they change, so that it is replaced under a new UUID."""
    grow_only: Callable[[Block, Desired], Mapping[str, int]] = _no_amounts
    """What may grow in place and can never shrink: a smaller one is another resource, as with `identity`."""
    rebuild: Callable[[Mapping[str, Any]], Effect] | None = None
    """What it takes to make anew, under the same name, what was made from its want when it was created: (have)."""
    detached: Callable[[Mapping[str, Any], frozenset[str]], tuple[Mapping[str, Any], Effect] | None] = _no
    """What is left of a want, and what that takes, when it lets go of those with these UUIDs and addresses: others come
    for them, and it has to let go before the old ones go. None: it holds none of them."""
    field_map: Mapping[str, str] = field(default_factory=dict)
    """Field of a want -> field of the model, where the words differ; diagnostics and diffs point there."""
    words: Mapping[str, str] = field(default_factory=dict)
    """Field of a want -> what a user calls it, where no user knows its name: `forwarding.*.at` -> "host of {}"."""

    @property
    def wire_module(self) -> str:
        return self.wire or f"ansible_collections.stead.cloud.plugins.module_utils.wire.{self.name}"

    def counts(self, block: Block, desired: Desired) -> Mapping[str, int]:
        """What one member takes of its project's quota: {"instances": 1, "vcpus": 4, ...}."""
        return {**({self.plural: 1} if self.plural in self.quota else {}), **self.usage(block, desired)}

    def loses(self, have: Want | None) -> bool:
        """Whether destroying what a host has of it loses data."""
        return self.stateful and (have is None or self.holds(have.fields()) is not Data.NONE)

    def stranded(self, want: Want) -> bool:
        """Whether its host alone has data of one with this want."""
        return self.stateful and self.holds(want.fields()) is Data.HERE

    def effect(self, field: str, old: Any, new: Any, want: Mapping[str, Any], have: Mapping[str, Any]) -> Effect:
        """What it takes to bring one field from `old` to `new`, all of the want and all that is there considered."""
        named = effect_named(self.effects, field)
        return UNNAMED if named is None else self.effect_of(named, field, old, new, want, have)
