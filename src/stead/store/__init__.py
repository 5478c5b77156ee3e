"""Where recorded state, leases, runs and their journals live. Says what a store must do; `sqlite` and `postgres` do it.

Reading needs no lock and is never blocked. Everything that writes what is recorded needs the lock and
proves in the same transaction that it still has it, so that an owner who slept through its time-to-live cannot write
over its successor.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, Self

from stead.core.address import Address
from stead.core.metered import Metered
from stead.core.recorded import Record, Recorded
from stead.store.codes import BAD_LOCATION, refuse
from stead.store.database import Database
from stead.store.model import (
    Audited,
    Document,
    Event,
    Holder,
    JournalEntry,
    Lineage,
    LockRequest,
    Outcome,
    Review,
    ReviewEvent,
    ReviewState,
    RunInfo,
    Start,
    Version,
    Writes,
)

__all__ = [
    "DocumentWriter",
    "Hold",
    "Reader",
    "ReviewWriter",
    "Store",
    "StorePlace",
    "Writer",
    "file_at",
    "open_store",
    "place_at",
]

DEFAULT = "state.db"
POSTGRES = ("postgresql://", "postgres://")
# Makes an empty store in one place, lets it be filled, and says where it is.
StorePlace = Callable[[Callable[[Database], None]], str]


class Reader(Protocol):
    @property
    def site(self) -> str: ...
    def serial(self) -> int: ...
    def recorded(self) -> Recorded:
        """Everything, in one consistent reading."""

    def record(self, address: Address) -> Record | None: ...
    def outputs(self) -> Mapping[str, Any]: ...
    def runs(self, limit: int = 50) -> Sequence[RunInfo]:
        """The latest first."""

    def pulse(self) -> tuple[int, ...]:
        """Another one whenever a run or a review goes on."""

    def outcomes(self) -> Mapping[Outcome, int]:
        """How many runs ended so."""

    def run(self, number: int) -> RunInfo | None: ...
    def journal(self, run: int) -> Sequence[JournalEntry]: ...
    def history(self, address: Address) -> Sequence[Event]:
        """The oldest first; follows the address through its renames."""

    def events(self, since: float, project: str | None = None) -> Sequence[Event]:
        """What ended or was done by hand since then, the oldest first; in one project, or in all."""

    def metered(self, project: str | None = None) -> Sequence[Metered]:
        """What resources took over time, the oldest first; of one project, or of all."""

    def metered_since(self) -> float | None:
        """When the store began to remember all of it. 0: ever since there is anything; None: it has not begun."""

    def plan(self, digest: str) -> bytes | None: ...
    def holder(self) -> Holder | None: ...
    def documents(self) -> Mapping[str, Document]:
        """The latest of every project that belongs to the API."""

    def documents_serial(self) -> int:
        """Grows with every version of any document."""

    def document(self, project: str, revision: int) -> Document | None:
        """One version; None where there is none, or it is too old for its contents to be kept."""

    def versions(self, project: str, limit: int = 50) -> Sequence[Version]:
        """The latest first."""

    def identities(self) -> Mapping[tuple[str, str], Mapping[str, Any]]:
        """What `stead serve` knows of people, by kind and id: users, roles, credentials."""

    def audited(self, limit: int = 50) -> Sequence[Audited]: ...
    def reviews(self, limit: int = 50) -> Sequence[Review]:
        """Plans that were submitted for review, the latest first."""

    def review(self, number: int) -> Review | None: ...
    def reviewed_plan(self, number: int) -> bytes | None:
        """Its file; None where it is no longer kept."""

    def close(self) -> None: ...


class Hold(Protocol):
    """The lock, held. Leaving the context gives it back."""

    @property
    def token(self) -> str: ...
    @property
    def lost(self) -> bool: ...
    def __enter__(self) -> Self: ...
    def __exit__(self, *_: object) -> None: ...


class Writer(Protocol):
    def lock(self, claim: LockRequest) -> Hold:
        """Refuses, naming the holder, when another holds it."""

    def unlock(self, who: str) -> Holder:
        """Takes the lock from its holder, by a person's word. What the holder writes from then on is refused."""

    def start(self, hold: Hold, start: Start, writes: Writes) -> int:
        """Begins a run: its row, its plan and the leases it reserves in one transaction. Returns its number."""

    def write(self, hold: Hold, run: int, writes: Writes) -> None: ...
    def finish(self, hold: Hold, run: int, outcome: Outcome, writes: Writes) -> None: ...
    def edit(self, hold: Hold, who: str, what: str, writes: Writes) -> None:
        """A person changes the state by hand. `what` goes into the history of every address."""

    def begin_metering(self, hold: Hold, metered: Sequence[Metered]) -> None:
        """A store of an older version learns what there is now."""

    def restore(self, hold: Hold, who: str, lineage: Lineage, writes: Writes, directory: Path) -> None:
        """What hosts remember goes in, all or none; this store is that of their site from then on."""

    def encrypt(self, hold: Hold, key: str) -> None:
        """Seals what a store without a key has held in the open. It is opened with this key from then on."""

    def move(self, hold: Hold, place: StorePlace, directory: Path) -> str:
        """All of it into another database, where nothing is yet; this one is closed for good. Returns where it is."""

    def copy(self, place: StorePlace) -> None:
        """All of it, as it is at one moment, to where nothing is yet. Sealed values stay sealed."""


class DocumentWriter(Protocol):
    """Writes of `stead serve`, which an apply does not wait for, nor they for it."""

    def save_document(self, *changed: Document) -> None:
        """All of them or none. Refused where the revision of one does not follow the latest."""

    def write_identities(self, changed: Mapping[tuple[str, str], Mapping[str, Any] | None]) -> None: ...
    def audit(self, entries: Sequence[Audited]) -> None: ...


class ReviewWriter(Protocol):
    """Writes of those who review plans. What is recorded stays the same, so no plan goes out of date by them."""

    def submit_review(self, review: Review, content: bytes) -> int:
        """Returns its number; the one that is given counts for nothing."""

    def add_review_event(self, number: int, event: ReviewEvent, after: Collection[ReviewState]) -> None:
        """Refused where the state is none of those in which this may be done."""


class Store(Reader, Writer, DocumentWriter, ReviewWriter, Protocol):
    pass


def file_at(location: str) -> Path:
    """An address of another database is no name for a file."""
    if "://" in location:
        refuse(BAD_LOCATION, f"{location.partition('://')[0]}://… is not known. Give a file, or postgresql://… .")
    return Path(location.removeprefix("sqlite:"))


def open_store(location: str, *, directory: Path, key: str = "", create: bool = False) -> Store:
    """The store at `location`: empty for the default, a path, or a postgresql:// address.

    `directory` (`.stead`) holds the marker that tells a store that was lost from one that never was. A store that
    does not exist is made when `create` says so, and is refused otherwise.
    """
    if location.startswith(POSTGRES):
        from stead.store.postgres import open_postgres

        return open_postgres(location, directory=directory, key=key, create=create)
    from stead.store.sqlite import open_sqlite

    path = file_at(location) if location else directory / DEFAULT
    return open_sqlite(path, directory=directory, key=key, create=create)


def place_at(location: str) -> StorePlace:
    """Where a store can go: a path or a postgresql:// address, where none is yet."""
    if location.startswith(POSTGRES):
        from stead.store.postgres import receive

        return lambda fill: receive(location, fill)
    from stead.store.sqlite import receive as receive_file

    path = file_at(location)
    return lambda fill: receive_file(path, fill)
