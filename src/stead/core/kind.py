"""The interface between a kind of resource and the engine. The engine calls these functions and knows no kind by name.

A kind is a package `stead.kinds.<name>` whose `KIND` is a `Kind`. Adding one edits nothing that exists.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

from stead.core.address import Address
from stead.core.diagnostics import Diagnostic
from stead.core.effect import IN_PLACE, PARTS, UNNAMED, Data, Effect, effect_named
from stead.core.fields import Expression, Secret
from stead.core.metered import MeterWord
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
    EITHER = "either"  # resources of the site are shared with its projects


class QuotaWord(NamedTuple):
    """Something that the quota of a project may limit."""

    help: str  # as the help of a field
    size: bool = False  # bytes, written with a unit
    example: int | str | None = None


class Contribution(NamedTuple):
    """A fact that a resource gives to a resource that it refers to: an instance gives its port to its network."""

    to: Address
    what: str  # "port", "user", "interface"
    fact: Mapping[str, Any]


class Unmanaged(NamedTuple):
    """A resource on a host that is no longer managed: neither the spec nor the record has it."""

    address: Address
    host: str
    fields: Mapping[str, Any]  # of its want, as the host keeps it


class Retained(NamedTuple):
    """What an unmanaged resource needs, so that it continues to work."""

    contributions: tuple[Contribution, ...] = ()  # the same as if it were managed
    taken: tuple[tuple[str, str], ...] = ()  # (space, value) of the leases that it has
    amounts: Mapping[str, int] = MappingProxyType({})  # of its host


class Member(NamedTuple):
    """One member of a block, with its choices made."""

    address: Address
    leases: Mapping[str, str]
    host: str  # empty for a resource that is not on a single host


class Reach(NamedTuple):
    """An effect of a resource outside its own project. In a project file, it needs the site's grant."""

    grant: str  # a field of Grants
    value: Any  # what the grant must contain
    path: str  # where in the block it is requested
    why: str  # the effect on others: "an address of networks/public is pinned"


class PinnedAddress(NamedTuple):
    """An address that a user requested in a network. It is given to no other resource."""

    network: Address
    address: str
    path: str  # where in the block it is written
    shared: bool = False  # an allowed address: several interfaces may use it beside their own


class HostNeeds(NamedTuple):
    """What a want takes of its host, and what must exist before."""

    amounts: tuple[tuple[str, str, int], ...] = ()  # (host that keeps the pool, or "" for its own; name; amount)
    beside: tuple[str, ...] = ()  # addresses of resources on the same host
    anywhere: tuple[tuple[str, str], ...] = ()  # (address, UUID) on any host
    physical: str = ""  # physical network that the host has to have
    unable: str = ""  # why no host of this version can make it


class World(Protocol):
    """All choices, from which kinds make wants. Read only."""

    @property
    def desired(self) -> Desired: ...
    @property
    def hosts(self) -> Mapping[str, Host]: ...
    def member(self, address: Address) -> Member: ...
    def contributions(self, to: Address, what: str) -> Sequence[Mapping[str, Any]]: ...
    def render(self, value: str | Expression | Secret, member: Member) -> str | Mapping[str, str]:
        """Evaluate a late expression for a member. A secret comes out sealed, as {"$secret": id}."""


class PermittedPerson(NamedTuple):
    """What somebody is let do by what is recorded."""

    name: str
    role: str
    project: str  # empty: the site
    off: bool = False  # may nothing, whatever else is said


class SavedDisk(NamedTuple):
    serial: str  # its serial number in a guest
    size: int


def _none(*_: object) -> tuple[()]:
    return ()


def _no(*_: object) -> None:
    """No demand, no rule, nothing held."""


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
    """Functions take a block and work for all its members, so that shared values are made once."""

    name: str  # "instance"
    plural: str  # "instances": the word in the document and in addresses
    scope: Scope
    model: type[Any]  # the frozen dataclass of its fields
    help: str
    realise: Callable[[Block, Sequence[Member], World], Iterator[Mapping[str, Want]]]
    """Per member, in order: what each host should have. Host "" means recorded only: no host has any of it."""
    wire: str = ""
    """The module with its comparison; left out, that of the kind's name in Stead's own collection."""
    wiring: str = ""
    """The module whose `wired` says, in words of `core.wiring`, what packets meet at one: (its wants on its hosts)."""
    highlights: tuple[str, ...] = ()
    """Fields of a new one that are shown without `--verbose`: dotted; `*` is every key, a trailing `.` the keys
    themselves, a trailing `#` how many there are. Left out, its first plain fields are."""
    drawn: bool = False  # part of a drawing of the topology
    guest: bool = False  # runs on its host: has processors, a state and a console
    balances: bool = False  # spreads connections over others: its hosts know which of those answer
    counted: bool = False  # may have count and for_each
    saved: Callable[[Mapping[str, Any]], SavedDisk | None] = _no
    """The disk of its own that a backup holds, by its want; None if it has none."""
    stateful: bool = False  # destroying one loses data
    holds: Callable[[Mapping[str, Any]], Data] = _all_that_it_is
    """Where a stateful resource with this want has its data."""
    irreplaceable: bool = False  # if its host loses it, it is made anew without its data
    passes: bool = False  # can become another project's as it is, where the people of both say so
    mobile: bool = False  # can move to another host without being made anew
    carried: bool = False  # moves with its data where the spec wants it elsewhere, while nobody uses it
    locates: tuple[str, ...] = ()
    """Fields of a want that say where others are, by pattern: a change of only these is made once those have moved."""
    stays: Callable[[Mapping[str, Any], Mapping[str, Any], Host, Host], str] = _no_word
    """Why a mobile or carried one cannot move from host to host, or within one: (have, want, from, to). Empty if it
    can. Before it is known what it is to be there, `want` is `have`."""
    pace: Callable[[Mapping[str, Any]], str] = _no_word
    """How a migration of a mobile one goes, by its want, in words. Empty where it is not limited."""
    lends: bool = False  # others borrow its leases, so it chooses before them
    single: bool = False  # may exist on only one host at a time
    adopts: Callable[[Block], str] = _no_word
    """What of its host, that no Stead made, it is to be: a UUID, the name of a file. Empty of what is made."""
    found: Callable[[Mapping[str, Any], Mapping[str, Any]], tuple[Mapping[str, Any], tuple[str, ...]]] | None = None
    """How that is now, where hosts tell: (want, what the host says of it) -> its fields in words of the want, and why
    it cannot be what the spec says. None of a kind of which only the step itself can see."""
    home_role: str = ""  # for resources on several hosts: hosts of this role get it before others
    check: Callable[[Block, Desired], Iterable[Diagnostic]] = _none
    """Semantic rules that need no choice. They may read other blocks through `desired`."""
    fits: Callable[[Block, Desired, Mapping[str, Host]], Iterable[Diagnostic]] = _none
    """What none of these hosts can make."""
    reaches: Callable[[Block, Desired], Iterable[Reach]] = _none
    """Its effects outside its project, in addition to its `Granted` fields. Other blocks may be missing or wrong."""
    implicit_refs: Callable[[Block, Desired], Iterable[Address]] = _none
    """Resources that must exist first though no field names them: a floating IP's router. They count as references."""
    needs: Callable[[Block, Desired], Sequence[Need]] = _none
    demand: Callable[[Block, Desired], Demand | None] = _no
    contribute: Callable[[Block, Sequence[Member], World], Iterable[Contribution]] = _none
    retained: Callable[[Unmanaged, Desired], Retained] = _retains_nothing
    """What an unmanaged resource on a host needs and has."""
    pins: Callable[[Block], Iterable[PinnedAddress]] = _none
    """Addresses that a user requested, by network."""
    leads: Callable[[Block, Desired], Iterable[tuple[Address, Any]]] = _none
    """Ways out of networks: (network, `kinds.shared.routing.RouterPath`)."""
    extent: Callable[[Block], int | Address] = _no_extent
    """Size of its disk in bytes, or the resource that it copies, which has the size. 0 if the size is unknown."""
    host_needs: Callable[[Mapping[str, Any]], HostNeeds] = _needs_nothing
    """What a resource with this want takes of its host. Reads the shared body, or with `own_needs` the whole want."""
    own_needs: bool = False
    quota: Mapping[str, QuotaWord] = field(default_factory=dict)
    """What of it the quota of a project may limit. Where its plural is a word, each member counts as one."""
    usage: Callable[[Block, Desired], Mapping[str, int]] = _no_amounts
    """What one member takes of the other words: {"vcpus": 4, ...}."""
    meters: Mapping[str, MeterWord] = field(default_factory=dict)
    """What of it is metered over time, by the part of the names of `metered` before a colon."""
    metered: Callable[[Mapping[str, Any], Sequence[Address]], Mapping[str, int]] = _no_amounts
    """What one takes while it is there: (want, what it refers to). A name may have a detail: "volumes:fast"."""
    lets: Callable[[Address, Mapping[str, Any]], Iterable[PermittedPerson]] = _none
    """Whom what is recorded of a resource lets do something."""
    facts: Callable[[Block, Member, World], Mapping[str, Any]] = _leases
    """What expressions see of a member: `instances.web[0].address`."""
    credentials: (
        Callable[[Block, Desired, Callable[[Address], Mapping[str, Any]]], Mapping[str, Secret | str]] | None
    ) = None
    """What somebody needs to use it, for a person who may read the spec: (block, desired, the want of a resource as it
    was last applied). None if it has no credentials."""
    seen: Mapping[str, str] = field(default_factory=dict)
    """What each of these facts is, for people; of a flavor, its fields are left out."""
    awaited: Callable[[Block], str] = _no_word
    """What must be true before a step that starts it is done, in a word: "ssh"."""
    effects: Mapping[str, Effect] = field(default_factory=dict)
    """Per field of a want, by the names of `core.effect`: what changing it takes. Every field is named."""
    parts: tuple[str, ...] = ()
    """What a host may find altered of one though no want has a field of this name; it makes that anew in place."""
    effect_of: Callable[[Effect, str, Any, Any, Mapping[str, Any], Mapping[str, Any]], Effect] = _as_named
    """The effect of a change if it depends on the values: (named effect, field, old, new, want, have)."""
    renamed: Callable[[Mapping[str, str], Address, Mapping[Address, Address]], Mapping[str, str]] = _as_they_were
    """Leases with new keys after `moved`, for keys that contain the name of another resource."""
    identity: tuple[str, ...] = ()
    """Fields of the model whose change makes it another resource, which replaces it under a new UUID."""
    grow_only: Callable[[Block, Desired], Mapping[str, int]] = _no_amounts
    """What can grow in place and can never shrink: a smaller one is another resource, as for `identity`."""
    rebuild: Callable[[Mapping[str, Any]], Effect] | None = None
    """What it takes to make anew, under the same name, something that was made only at its creation: (have)."""
    reverted: Callable[[Mapping[str, Any], Address, Mapping[str, Any], int], Mapping[str, Any]] | None = None
    """What one has to be to become again as a snapshot of it is: (want, snapshot, its fields, serial of the store)."""
    leaves: Callable[[Mapping[str, Any], Mapping[str, Any]], Iterable[Address]] | None = None
    """Whom it used and uses no more: those of them that go, go after its change, on all their hosts. (have, want); an
    empty want is of one that goes itself."""
    detached: Callable[[Mapping[str, Any], frozenset[str]], tuple[Mapping[str, Any], Effect] | None] = _no
    """What is left of a want, and what that takes, when it lets go of those with these UUIDs and addresses: others come
    for them, and it has to let go before the old ones go. None: it holds none of them."""
    field_map: Mapping[str, str] = field(default_factory=dict)
    """Field of a want -> field of the model, if the names differ. Diagnostics and diffs use it."""
    words: Mapping[str, str] = field(default_factory=dict)
    """Field of a want -> words for users, if the field has no name in the spec: `forwarding.*.at` -> "host of {}"."""

    @property
    def wire_module(self) -> str:
        return self.wire or f"ansible_collections.stead.cloud.plugins.module_utils.wire.{self.name}"

    def counts(self, block: Block, desired: Desired) -> Mapping[str, int]:
        """What one member takes of its project's quota: {"instances": 1, "vcpus": 4, ...}."""
        return {**({self.plural: 1} if self.plural in self.quota else {}), **self.usage(block, desired)}

    @property
    def moves(self) -> bool:
        """Whether it may come to be on another host and stay what it is."""
        return self.mobile or self.carried

    def loses(self, have: Want | None) -> bool:
        """Whether destroying it on a host loses data."""
        return self.stateful and (have is None or self.holds(have.fields()) is not Data.NONE)

    def stranded(self, want: Want) -> bool:
        """Whether only its host has the data of a resource with this want."""
        return self.stateful and self.holds(want.fields()) is Data.HERE

    def effect(self, field: str, old: Any, new: Any, want: Mapping[str, Any], have: Mapping[str, Any]) -> Effect:
        """What it takes to change one field from `old` to `new`, considering the whole want and have."""
        if field.partition(".")[0] in (PARTS, *self.parts):
            return IN_PLACE
        named = effect_named(self.effects, field)
        return UNNAMED if named is None else self.effect_of(named, field, old, new, want, have)
