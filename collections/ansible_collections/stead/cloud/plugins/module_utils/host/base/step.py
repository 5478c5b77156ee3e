"""What host code gets: a step of the plan, or a step made from an entry of the ledger.

A want has the form of its kind (see `wire/<kind>.py`); here it is a plain mapping.
"""

from __future__ import annotations

from typing import Any, Dict, List, Optional, TypedDict

Want = Dict[str, Any]


class Origin(TypedDict):
    """The store of a run."""

    site: str
    serial: int
    token: str


class HostStep(TypedDict, total=False):
    number: int
    address: str
    kind: str  # its plural, as in addresses
    action: str
    uuid: str
    digest: str  # of the want
    want: Any  # in the form of the kind; empty if the resource should not exist
    have: Any  # the same for what exists
    after: List[int]  # numbers of the steps that it waits for
    to: str  # the host that it moves to
    came_from: str  # the host that it moves from, for the one that gets it
    way: Any  # of a move: how its disks get from host to host, where nobody uses them (`storage/disk_moves.py`)
    digests: Any  # of what came: what its disks had where they come from, by their names
    secrets: List[str]  # that its want refers to
    record: Any  # what the store has of the resource
    origin: Optional[Origin]
    underlay: str  # address of this host between hosts
    upload: str  # path of the uploaded file on this host
    kept: Any  # what the controller reported of an image
    held: bool  # restoring: it may be on another host now
    start: bool  # restoring: services and guests are started too


class Entry(TypedDict, total=False):
    """What the ledger has of a resource."""

    version: int
    address: str
    uuid: str
    kind: str
    digest: str
    want: Any
    site: str
    serial: int
    record: Any
    applied_at: str
    awaited: bool
    came_from: str  # of what is begun: a guest that is there all the same has moved here
    digests: Any  # of what is begun and came: what its disks have here, by their names
    going_to: str  # a move of it was begun: that host may have it
    left: Any  # its want in the pool that it came from, which is still to be cleared
