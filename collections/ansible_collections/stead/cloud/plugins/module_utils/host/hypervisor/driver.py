"""What a hypervisor is to the rest of the host code.

The host's half of a driver is a module in this package with a `DRIVER`, listed in `drivers`. It does what a want says
and makes no choice. `Guest` is what each can do; what only some can is a protocol of its own (`Adjusts`, `Copies`,
`Asks`, `Grows`, `Pauses`, `Suspends`, `Shows`): a driver has the operation or has not, and who asks for one that it has
not is refused with a code. A test compares what the controller's half claims with what is here.
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Protocol, Set, Tuple, Type, Union, runtime_checkable

from ..base.errors import Failed, FailureCode
from ..base.sessions import Sessions
from ..base.step import HostStep, Want
from ..base.work import Work
from ..net.driver import Plug

LACKS = FailureCode("STEAD-E300", "the hypervisor cannot do it")
NO_SCREEN = FailureCode("STEAD-E320", "there is no screen to show")
Json = Dict[str, Any]
# How each interface, by what the want calls it, is put into its network.
Plugs = Mapping[str, Plug]


class Guest(Protocol):
    """One that is defined on this host, whether it runs or not."""

    @property
    def uuid(self) -> str: ...
    @property
    def name(self) -> str: ...
    def is_on(self) -> bool: ...

    def digest(self) -> str:
        """Of the want that it was made from, as it says itself; empty of one that is not Stead's."""

    def start(self, work: Work) -> None:
        """One that is paused, suspended or asleep goes on."""

    def stop(self, patience: int, work: Work) -> None:
        """It is asked, and switched off when it had its time. Memory that was kept of it is discarded."""

    def undefine(self, work: Work) -> None: ...

    def files(self) -> Set[str]:
        """What it has open, or will have when it starts."""

    def device_of(self, uuid: str, path: str) -> Optional[str]:
        """What it calls this volume; nothing where it does not have it."""


@runtime_checkable
class Adjusts(Protocol):
    """Its devices, limits and sizes change while it runs."""

    def adjust(self, step: HostStep, plugs: Plugs, work: Work) -> None: ...


@runtime_checkable
class Grows(Protocol):
    """A disk of it grows while it runs."""

    def grow(self, disk: str, size: int, work: Work) -> None:
        """`disk` is a path, or what the guest calls the disk."""


@runtime_checkable
class Copies(Protocol):
    """Disks of it are copied as of one moment, while it runs."""

    def copy(self, paths: Mapping[str, str], freeze: Optional[bool]) -> bool:
        """By the name of each disk, where its copy goes. With `freeze`, its file systems have to write everything out
        before; None asks them where an agent answers. Whether they did."""

    def abandon(self, path: str) -> None:
        """A copy that may still be written there ends now."""


@runtime_checkable
class Asks(Protocol):
    """An agent in it answers."""

    def ask(self, command: str, arguments: Optional[Json], patience: int) -> Union[Json, str]:
        """The answer, or why there is none."""


@runtime_checkable
class Pauses(Protocol):
    """It stops where it is, in memory, and goes on from there."""

    def pause(self, work: Work) -> None:
        """One that is off is started, and stops before its first instruction."""


@runtime_checkable
class Suspends(Protocol):
    """Its memory is kept on a disk of the host while it is off."""

    def suspend(self, work: Work) -> None:
        """One that is off stays so."""

    def is_suspended(self) -> bool: ...


@runtime_checkable
class Shows(Protocol):
    """It has a screen, which is looked at by VNC."""

    def screen(self) -> int:
        """A connection to it: the number of an open socket, which is the caller's to close."""


class DiskUse(NamedTuple):
    """Of one disk since its guest was started."""

    name: str
    reads: int
    read_bytes: int
    read_seconds: float
    writes: int
    written_bytes: int
    write_seconds: float
    flushes: int
    flush_seconds: float
    size: int
    allocated: int


class LinkUse(NamedTuple):
    """Of one interface since its guest was started, as the guest sees it."""

    name: str
    received_bytes: int
    received: int
    receive_errors: int
    receive_drops: int
    sent_bytes: int
    sent: int
    send_errors: int
    send_drops: int


class GuestUse(NamedTuple):
    """What a guest that is on has used since it was started, and what it has now."""

    address: str
    project: str
    uuid: str
    flavor: str
    vcpus: int
    cpu: float  # seconds of processors
    steal: float  # seconds in which it was ready and did not run
    memory: Mapping[str, int]  # bytes, by libvirt's names
    disks: Tuple[DiskUse, ...]
    links: Tuple[LinkUse, ...]


@runtime_checkable
class Measures(Protocol):
    """A hypervisor that tells what its guests use, all at once."""

    def uses(self) -> List[GuestUse]: ...


@runtime_checkable
class TellsStrangers(Protocol):
    """A hypervisor that tells of guests that are not Stead's all that taking them over needs."""

    def strangers(self) -> Json: ...


class SeenGuest(Protocol):
    """One as it was when it was looked at."""

    @property
    def name(self) -> str: ...
    @property
    def state(self) -> str: ...

    @property
    def moving(self) -> bool:
        """Paused in the middle of a move: where another host has it and runs it, that is where it is."""

    def label(self) -> Dict[str, str]:
        """Address, UUID and digest that it carries; nothing of one that is not Stead's."""

    def told(self) -> Json:
        """The ledger's entry of it as it has it itself."""

    def fields(self, want: Want) -> Json:
        """Fields of a want as they are. `want` is the ledger's, or empty where that knows nothing of it."""

    def amounts(self) -> Json:
        """What it takes of its host."""


@runtime_checkable
class IsDescribed(Protocol):
    """One that is not Stead's can be told in words of an instance."""

    def described(self) -> Json: ...


@runtime_checkable
class Adopts(Protocol):
    """A guest that nobody's Stead made can be taken over while it runs."""

    def adopt(self, step: HostStep, work: Work) -> None:
        """Refuses one that is not as the want says; writes on it whose it is, and nothing else."""


class Hypervisor(Protocol):
    """One of this host's, while a call lasts."""

    def find(self, uuid: str) -> Optional[Guest]: ...
    def guests(self) -> List[Guest]: ...

    def check(self, want: Want) -> None:
        """Refuses what it cannot make, before anything is changed."""

    def define(self, step: HostStep, plugs: Plugs, work: Work) -> Optional[Guest]:
        """Makes it, or changes what it will be at its next start. Nothing in check mode, where it is not there."""

    def seen(self) -> Dict[str, SeenGuest]:
        """By UUID. Asked in bulk: a host with a hundred guests is looked at in a moment."""

    def versions(self) -> Dict[str, str]:
        """Of its programs."""


class HostDriver(Protocol):
    """The host's half of a driver."""

    @property
    def runs(self) -> Tuple[str, ...]:
        """What the `hypervisor` of an instance may be."""

    @property
    def guest(self) -> Type[Any]:
        """The class of its guests: the operations that it has are what the driver can do."""

    def is_here(self) -> bool:
        """Whether this host has it, so that it should answer."""

    def open(self, sessions: Sessions) -> Hypervisor: ...

    def console_log(self, uuid: str) -> str:
        """Where what a guest writes on its console is kept."""

    def trials(self) -> Dict[str, str]:
        """Why what it runs does not work here; empty where a guest did run. Nothing of what is not installed."""

    def depends_on(self) -> List[Any]:
        """What the outcome of its trials depends on."""

    def hardware(self) -> Json:
        """What guests can have here because of the programs that are installed; and whether there are `certificates`
        for moving them encrypted."""


def adjusts(guest: Guest) -> Adjusts:
    if isinstance(guest, Adjusts):
        return guest
    raise _lacks(guest, "changes while it runs")


def grows(guest: Guest) -> Grows:
    if isinstance(guest, Grows):
        return guest
    raise _lacks(guest, "disks that grow while it runs")


def copies(guest: Guest) -> Copies:
    if isinstance(guest, Copies):
        return guest
    raise _lacks(guest, "copies of disks in use")


def asks(guest: Guest) -> Asks:
    if isinstance(guest, Asks):
        return guest
    raise _lacks(guest, "an agent")


def adopts(guest: Guest) -> Adopts:
    if isinstance(guest, Adopts):
        return guest
    raise _lacks(guest, "guests that others made")


def pauses(guest: Guest) -> Pauses:
    if isinstance(guest, Pauses):
        return guest
    raise _lacks(guest, "a pause")


def suspends(guest: Guest) -> Suspends:
    if isinstance(guest, Suspends):
        return guest
    raise _lacks(guest, "memory that is kept while it is off")


def shows(guest: Guest) -> Shows:
    if isinstance(guest, Shows):
        return guest
    raise _lacks(guest, "a screen")


def _lacks(guest: Guest, what: str) -> Failed:
    text = "The hypervisor of {0} has no operation for {1}. Stop the guest, or leave that out of the spec."
    return Failed(LACKS, text.format(guest.name, what))
