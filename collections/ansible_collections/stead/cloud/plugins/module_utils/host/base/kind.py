"""What a kind is on a host: functions that get a step, that of the ledger where there is no plan.

A kind is a file `host/kinds/<name>.py` whose `KIND` is a `HostKind`; `host/kinds/table.py` lists them. The batch, the
boot and observing call them and know no kind by name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, Dict, List, NamedTuple, Optional

from .step import Step

if TYPE_CHECKING:
    from ..observe.looking import Look
    from .work import Work

Act = Callable[[Step, "Work"], None]
Seen = Optional[Dict[str, Any]]
Told = Dict[str, Any]  # an entry of the ledger, and what is said of it


def nothing(_step: Step, _work: Work) -> None:
    """Of what lies on disks a boot forgets nothing."""


def never(_want: Any) -> bool:
    return False


def no_more(_entries: List[Told], _look: Look) -> None:
    """The ledger and `seen` say it all."""


class HostKind(NamedTuple):
    ensure: Act
    """Makes what should be, of whatever is there."""
    remove: Act
    """Takes away what should not be; of whom `have` says nothing, whatever is usually there."""
    seen: Callable[[Step, "Look"], Seen]
    """What a host has otherwise than the want says: nothing (None) where it is gone. Where it can be, it is what
    `ensure` would do, so that what is written and what is compared cannot differ."""
    restore: Act
    """What a boot forgets. A step that is `held` may be on another host by now."""
    guard: Act = nothing
    """What has to be there before anything of any kind is restored: what keeps guests from each other."""
    asks_first: bool = False
    """Something of it is on one host at a time: after a boot that begins when others have said that it is not there."""
    awaited: Callable[[Any], bool] = never
    """Whether one with this want is done only when its guest is ready."""
    report: Callable[[List[Told], "Look"], None] = no_more
    """Adds to the entries what a host says of them beside, and those that the ledger does not know."""
    receive: Optional[Act] = None
    """Makes all that it needs here before it comes from another host; nothing where hosts do not move it."""
    expect: Act = nothing
    """Before others move, of whom its want says where they are: from now on they are found where they turn up."""
