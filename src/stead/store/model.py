"""The values that go in and out of a store, beside those of `recorded`. They know no database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from stead.core.address import Address, parse
from stead.core.metered import Metered
from stead.core.named import NamedTuple
from stead.core.recorded import KnownHost, Promise, Record
from stead.core.value import field, value
from stead.core.want import Want


class Outcome(StrEnum):
    """How a run ended."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"  # some steps failed; what did not depend on them was done
    STOPPED = "stopped"  # by a person, between steps
    KILLED = "killed"  # nobody said how it ended


class StepState(StrEnum):
    BEGAN = "began"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"  # what it waits for failed, or the run was stopped
    CUT = "cut"  # its run was killed; a later run has looked at what became of it


class Began(NamedTuple):
    """A step's intent, written before anything is done."""

    step: int
    address: Address
    host: str
    action: str


class Ended(NamedTuple):
    step: int
    state: StepState
    error: str = ""


class Skipped(NamedTuple):
    """A step that never began, and why."""

    step: int
    address: Address
    host: str
    action: str
    why: str


class JournalEntry(NamedTuple):
    """One line of the journal, as it is read back."""

    run: int
    step: int
    address: str
    host: str
    action: str
    state: StepState
    began: float
    ended: float | None
    error: str


class RunInfo(NamedTuple):
    id: int
    who: str
    reason: str
    plan: str  # its digest
    started: float
    ended: float | None
    outcome: Outcome
    steps: int  # of the plan
    done: int
    failed: int
    skipped: int


class Event(NamedTuple):
    """One thing that happened to an address."""

    at: float
    who: str
    what: str  # "create", "moved", "removed from state"
    address: str
    host: str
    run: int  # 0 when a person did it by hand
    state: str
    detail: str


@value
class Document:
    """What the API's people have asked for in one project, in one version. Empty contents: the project is gone."""

    project: str
    revision: int
    who: str
    reason: str
    content: Mapping[str, Any] = field(default_factory=dict)  # sections as in a file
    about: Mapping[str, Any] = field(default_factory=dict)  # of each resource: when, by whom, what is kept for it
    at: float = 0.0  # the store's clock says, when it is saved


def reserved(documents: Iterable[Document]) -> dict[Address, Promise]:
    """What requests were promised before any run has begun with it: ids, addresses, hosts."""
    found: dict[Address, Promise] = {}
    for document in documents:
        for name, about in document.about.items():
            kept = about.get("kept")
            address = parse(name) if kept else None
            if address is not None:
                after = tuple(one for text in kept["after"] if (one := parse(text)) is not None)
                record = Record(
                    address=address, leases=kept["leases"], host=kept["host"], after=after, reason=kept["reason"]
                )
                found[address] = Promise(record, kept.get("instead", {}))
    return found


class Version(NamedTuple):
    """One version of a document, without it."""

    revision: int
    at: float
    who: str
    reason: str


class Audited(NamedTuple):
    """One request to the API that changed something, or was refused."""

    at: float
    who: str
    project: str
    what: str  # method and path
    source: str  # address of the client
    status: int
    request: str  # its id


class ReviewState(StrEnum):
    """What was last done with a plan that was submitted for review."""

    WAITING = "waiting"  # for somebody to approve or refuse it
    APPROVED = "approved"
    REFUSED = "refused"
    ASKED = "asked"  # for: `stead serve` applies it next
    APPLYING = "applying"
    ENDED = "ended"  # its apply; the reason says how


class ReviewEvent(NamedTuple):
    """What somebody did with a plan that is reviewed."""

    state: ReviewState  # of the review from then on
    who: str
    user: str = ""  # id of the user who logged in; empty on a command line, which says who one is and proves nothing
    source: str = ""  # address of the client, or the machine of the command line
    reason: str = ""
    checksum: str = ""  # of the file that was looked at
    at: float = 0.0  # the store's clock says, when it is saved


@value
class Review:
    """A plan that was submitted for review, without its file. The first event is its submission."""

    id: int
    plan: str  # its digest
    recorded: int  # serial of the store that it was made from
    steps: int
    checksum: str  # of its file
    events: tuple[ReviewEvent, ...] = ()
    now: float = 0.0  # by the store's clock, when this was read

    @property
    def state(self) -> ReviewState:
        return self.events[-1].state

    @property
    def submitted(self) -> ReviewEvent:
        return self.events[0]

    @property
    def approval(self) -> ReviewEvent | None:
        return next((one for one in self.events if one.state is ReviewState.APPROVED), None)


class LockRequest(NamedTuple):
    """Who wants the lock, and why."""

    owner: str
    reason: str
    lives: float = 60.0  # seconds without a heartbeat after which the owner counts as dead


class Holder(NamedTuple):
    """Who holds the lock."""

    owner: str
    host: str
    pid: int
    since: float
    reason: str
    beat: float  # when it was last heard of
    lives: float
    token: str
    alive: bool  # by the store's own clock


class Start(NamedTuple):
    who: str
    reason: str
    plan: str  # digest
    steps: int
    content: bytes = b""  # the plan as a file


@value
class Writes:
    """What one transaction changes, in this order."""

    renamed: Mapping[Address, Address] = field(default_factory=dict)
    records: Sequence[Record] = ()  # all of them but their wants
    wants: Sequence[tuple[Address, str, Want | None]] = ()  # None: no longer there
    gone: Sequence[Address] = ()
    began: Sequence[Began] = ()
    ended: Sequence[Ended] = ()
    skipped: Sequence[Skipped] = ()
    outputs: Mapping[str, Any] | None = None
    hosts: Mapping[str, KnownHost | None] = field(default_factory=dict)  # None: forgotten
    metered: Sequence[Metered] = ()  # what differs from before is remembered

    def __bool__(self) -> bool:
        return bool(
            self.renamed
            or self.records
            or self.wants
            or self.gone
            or self.began
            or self.ended
            or self.skipped
            or self.outputs is not None
            or self.hosts
            or self.metered
        )


@value
class Lineage:
    """What a store that is rebuilt from hosts takes over from the one that was lost."""

    site: str
    serial: int
    tokens: frozenset[str]  # of the runs that hosts know of
    unheard: frozenset[str]  # hosts that have not said what they have
    documents: Sequence[Document] = ()  # of projects of the API, as hosts kept them


def moment(at: float) -> str:
    """As people and machines both read it."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
