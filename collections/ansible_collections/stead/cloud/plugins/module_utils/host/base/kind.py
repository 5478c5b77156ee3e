"""The interface of a kind on a host: functions that get a step, of a plan or made from the ledger.

A kind is a file `host/kinds/<name>.py` whose `KIND` is a `HostKind`; `host/kinds/table.py` lists them. The batch, the
boot and the observation call them and know no kind by name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, Dict, List, NamedTuple, Optional

from .step import HostStep

if TYPE_CHECKING:
    from ..observe.looking import Look
    from ..storage.driver import StoredDisk
    from .work import Work

Act = Callable[[HostStep, "Work"], None]
Seen = Optional[Dict[str, Any]]
Told = Dict[str, Any]  # an entry of the ledger, with what was observed


def nothing(_step: HostStep, _work: Work) -> None:
    """A boot does not lose what is on disks."""


def never(_want: Any) -> bool:
    return False


def no_disk(_want: Any) -> Optional[StoredDisk]:
    """It has none."""


def no_more(_entries: List[Told], _look: Look) -> None:
    """Ledger and `seen` are enough."""


class HostKind(NamedTuple):
    ensure: Act
    """Makes the want, whatever exists now."""
    remove: Act
    """Removes the resource. Without `have`, removes everything that one usually has."""
    seen: Callable[[HostStep, "Look"], Seen]
    """How the host differs from the want; None if the resource is gone. If possible, this is what `ensure` would do,
    so that the comparison cannot differ from what is written."""
    restore: Act
    """Restores what a boot loses. A step that is `held` may be on another host now."""
    guard: Act = nothing
    """Makes what must exist before any kind is restored: rules that separate guests."""
    adopt: Optional[Act] = None
    """Takes over what nobody's Stead made: compares it with the want, and touches nothing but its label. None if a kind
    is always made."""
    asks_first: bool = False
    """It may be on only one host at a time. After a boot, other hosts must first say that they do not have it."""
    awaited: Callable[[Any], bool] = never
    """Whether its step is done only when the guest is ready."""
    report: Callable[[List[Told], "Look"], None] = no_more
    """Adds observations to the entries, and entries that the ledger does not have."""
    receive: Optional[Act] = None
    """Makes all that it needs here before it comes from another host; None if hosts cannot move this kind."""
    send: Act = nothing
    """Makes ready what the host takes that gets it. It counts as this host's until that host has it."""
    stay: Act = nothing
    """Takes that back: it did not move."""
    saved: Callable[[Any], Optional[StoredDisk]] = no_disk
    """The disk of its own that a backup holds, by its want."""
    expect: Act = nothing
    """Called before other resources move whose place the want has: from now on they are found where they arrive."""
