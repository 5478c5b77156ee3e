"""What differs, as values: a change is one resource on one host that is not as it should be."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from stead.blueprint.model import Reason, Settled
from stead.core.address import Address
from stead.core.effect import Action, Disruption
from stead.core.kind import Kind
from stead.core.named import NamedTuple
from stead.core.observed import NOBODY_SILENT, Have, HostRecords, Observed
from stead.core.recorded import Record
from stead.core.value import field, value
from stead.core.want import Want

NOT_NEEDED = "not-needed-here"  # of a step that only clears a host of what goes on elsewhere
WAITS = "waits"  # the code of a note: something is to be done, and cannot be before a host answers or is dead


class FieldChange(NamedTuple):
    """One field that differs. `drift` when the host differs from what was applied, not the spec from it. Where both
    do, `was` is what was applied.
    """

    field: str  # "memory", "nics.0.addresses"
    old: Any
    new: Any
    drift: bool = False
    words: str = ""  # the field, in the user's words
    was: Any = None

    @property
    def name(self) -> str:
        return self.words or self.field


class Note(NamedTuple):
    """Something the reader of a plan should know that is no step: drift that is ignored, a host that is silent."""

    code: str
    text: str
    address: str = ""
    host: str = ""


class Change(NamedTuple):
    """One resource on one host is not as it should be."""

    address: Address
    host: str
    action: Action
    want: Want | None
    have: Want | None
    disturbs: Disruption
    reasons: tuple[Reason, ...]
    changes: tuple[FieldChange, ...] = ()
    uuid: str = ""
    to: str = ""
    frees: frozenset[Address] = frozenset()  # what it lets go of, for them to be made anew
    pause: int = 0  # seconds that apply waits before it, after what came before of the same definition


@value
class Diff:
    changes: tuple[Change, ...]
    notes: tuple[Note, ...] = ()
    unchanged: int = 0
    renames: Mapping[Address, Address] = field(default_factory=dict)  # from -> to
    silence: HostRecords = NOBODY_SILENT
    of_spec: bool = True  # or of what was recorded alone: then the spec has no say in what is recorded next


class Asked(NamedTuple):
    """What is done with a resource whatever it is to be: let go of, given a new root disk, or restarted.

    Of those of `power`, nothing is done but what concerns their state, whatever else differs.
    """

    forget: frozenset[Address] = frozenset()
    rebuild: frozenset[Address] = frozenset()
    reboot: frozenset[Address] = frozenset()
    power: frozenset[Address] = frozenset()
    reverts: Mapping[Address, Address] = MappingProxyType({})  # what goes back -> to which snapshot

    def flags(self, address: Address) -> dict[str, bool]:
        """As a subject has them."""
        return {name: address in getattr(self, name) for name in ("rebuild", "reboot", "power")}


AS_THE_SPEC_SAYS = Asked()


class RevertSource(NamedTuple):
    """A snapshot, as its host has it."""

    address: Address
    fields: Mapping[str, Any]
    serial: int  # of the store, when that was asked


@value
class Subject:
    """One resource, from its three sides. A side is None where it does not exist."""

    address: Address
    kind: Kind
    record: Record | None
    haves: Mapping[str, Have]
    settled: Settled | None
    rebuild: bool = False  # somebody asked for it
    reboot: bool = False  # the same
    power: bool = False  # the same, of its state
    snapshot: RevertSource | None = None  # that it goes back to


def is_down(host: str, observed: Observed) -> bool:
    """A host that left the inventory cannot be reached either; what it holds waits for a person's word."""
    if not host:
        return False
    known = observed.hosts.get(host)
    return known is None or not known.state.answers


def may_run(host: str, observed: Observed) -> bool:
    """Whether it may be running what it was given, with nobody to ask."""
    known = observed.hosts.get(host)
    return bool(host) and (known is None or known.state.may_run)


def loses(kind: Kind, want: Want | None, have: Have | None) -> bool:
    """Whether destroying what a host has, or had of this want, loses data. Of what was begun and never seen, none."""
    return kind.loses(want) and not (have is not None and have.begun and not have.there)
