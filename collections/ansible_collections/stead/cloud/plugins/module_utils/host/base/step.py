"""What host code is given: a step of the plan, or an entry of the ledger where there is no plan.

A want has the form of its kind (`wire/<kind>.py` says which); here it is what it is on the wire, a mapping.
"""

from __future__ import annotations

from typing import Any, Dict, List, Optional, TypedDict

Want = Dict[str, Any]


class Origin(TypedDict):
    """The store that a run writes from."""

    site: str
    serial: int
    token: str


class Step(TypedDict, total=False):
    number: int
    address: str
    kind: str  # its plural, as in addresses
    action: str
    uuid: str
    digest: str  # of the want
    want: Any  # of the kind's own form; nothing for what should not be there
    have: Any  # the same, of what is there
    after: List[int]  # numbers of the steps that it waits for
    to: str  # the host that it moves to
    came_from: str  # the host that it moves from, for the one that gets it
    secrets: List[str]  # that its want refers to
    record: Any  # what the store has of the resource
    origin: Optional[Origin]
    underlay: str  # address of this host between hosts
    upload: str  # where the controller's file lies on this host
    kept: Any  # what the controller said of an image
    held: bool  # restoring: it may be on another host by now
    start: bool  # restoring: what runs by itself is started


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
    going_to: str  # a move of it was begun: that host may have it
