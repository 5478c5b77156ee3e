"""The interface of a storage driver on a host: operations, some of which a driver may lack.

An operation that it lacks is None, and using it is refused (`drivers`). The controller's half declares what a driver
can do, and a test compares both halves. The host that keeps a pool makes and changes disks. A host that uses a disk
asks where it is (`source`). For a pool that no host keeps, every host does both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Mapping, NamedTuple, Optional, Protocol, Tuple, TypedDict

from ..base.readings import Readings
from ..base.work import Work

Pool = Mapping[str, Any]  # as a want has it: name, type, path; of one that others reach also host and server


class PoolRoom(TypedDict):
    """Of a pool, in bytes. Nothing of either where it is not."""

    size: int
    free: int


class Content(NamedTuple):
    """What qemu-img reads or writes."""

    path: str  # as it calls it here
    format: str
    objects: Tuple[str, ...] = ()  # what it is told before, for one that takes a secret to open


class DiskSource(NamedTuple):
    """How a disk is opened on this host: a file, a device, or what QEMU's own client asks a server for."""

    path: str  # what qemu-img calls it
    device: bool = False  # a block device
    protocol: str = ""  # of QEMU's own client; the rest is for that
    name: str = ""
    server: str = ""
    port: int = 0
    objects: Tuple[str, ...] = ()  # what qemu-img is told before
    user: str = ""  # who logs in to the server
    secret: str = ""  # UUID of what libvirt keeps of that
    secret_type: str = ""  # what libvirt calls its sort, where that is not the protocol
    kept: bool = False  # its owner stays who it is: a server takes everybody for the same


class StoredDisk(Protocol):
    """One disk on the host that keeps it. Under its own name a disk is whole, whenever a run was killed."""

    path: str  # what qemu-img calls it here
    format: str

    def exists(self) -> bool: ...
    def size(self) -> int: ...

    def rounded(self, size: int) -> int:
        """What a size becomes here."""

    def blank(self, size: int, work: Work) -> None:
        """An empty one."""

    def fill(self, source: Content, size: int, work: Work, steady: bool = False) -> None:
        """One with what is in `source`, at least that large: import, too. `steady` where others may write to the
        source meanwhile: then it fails instead."""

    def grow(self, size: int, work: Work) -> None:
        """While nobody on this host has it open."""

    def clone(self, other: Any, work: Work) -> None:
        """`other`, in the same sort of pool, as this is at one moment, though it is written to."""

    def export(self, target: Content, work: Work) -> None:
        """What is in it, as a file. Nobody may be writing to it: it is a snapshot, or its guest is off."""

    def remove(self, work: Work) -> None:
        """It and all that is on it."""


@dataclass(frozen=True)
class Serving:
    """How a host serves its pool to others, and how they use it."""

    protocol: str  # as QEMU calls it
    port: int
    units: Tuple[str, ...]  # how the names of its servers' units begin
    client: Tuple[str, ...]  # a program of the kernel's client, for hosts whose QEMU has none of its own
    require: Callable[[Pool], None]  # fails where nothing on this host can serve the pool
    start: Callable[[Pool, Work], None]  # what was set up here, and somebody stopped
    offer: Callable[[Pool, str, StoredDisk, int, Work, bool], None]  # uuid, size, whether it has just grown
    withdraw: Callable[[Pool, str, Work], None]
    offers: Callable[[Pool, str, Readings], bool]  # whether others reach it now
    restore: Callable[[Pool, str, StoredDisk, int, Work], None]  # what a boot forgets
    reach: Callable[[Pool, str, Work], None]  # before a guest of this host uses it
    leave: Callable[[Pool, str, Work], None]  # after the last guest of this host has let go of it
    # Where it takes more than an address to use a volume: that is made before the volume is, and handed to the hosts
    # that are to use it. The flag says that no other host does.
    guard: Optional[Callable[[Pool, str, Work], None]] = None
    hand: Optional[Callable[[Pool, str, bool, Work], str]] = None


@dataclass(frozen=True)
class HostStorageDriver:
    """The host's half of a storage driver."""

    name: str
    formats: Tuple[str, ...]  # of its disks; the first is for those that say none
    disk: Callable[[Pool, str, str], StoredDisk]  # (pool, name, format), on the host that keeps it
    source: Callable[[Pool, str, str], DiskSource]  # the same, on any host that uses it
    place: Callable[[Pool], str]  # where the pool is, in the inventory's words: a directory, a volume group
    there: Callable[[Pool], bool]
    room: Callable[[Pool], PoolRoom]
    require: Callable[[Pool], None]  # fails where this host cannot keep such a pool
    prepare: Callable[[Pool, Work], None]  # makes what a pool needs, where that can be made
    cluster: bool = False  # no host keeps it: each does all of it
    discard: Optional[Callable[[Pool, Work], None]] = None  # removes a pool in which nothing is
    root: Optional[Callable[[StoredDisk, str, int, Work], None]] = (
        None  # a guest's own disk, that begins as an image is
    )
    snapshot: Optional[Callable[[Pool, str], StoredDisk]] = None  # where the copy of a volume lies: (pool, uuid)
    held: bool = False  # whoever uses a disk holds it: it is copied and grown through its guest's hypervisor alone
    serving: Optional[Serving] = None
    reach: Optional[Callable[[Pool, Work], None]] = None  # of a cluster's: before a guest of this host uses a disk
