"""The state that a person gave to a resource by a command, whatever the spec says.

It is kept as a lease: hosts remember it, `recover` finds it there, and no file of a project can write it. It lasts
until another command gives the state that the spec has.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from stead.core.named import NamedTuple

STATE = "state"  # the lease, and the field of a want that it decides
SHELVED = "shelved"  # stopped, and taking no room but that of its disks; also a field of a want
STATES = ("running", "stopped", "paused", "suspended", SHELVED)
GIVEN = frozenset({STATE, SHELVED})  # fields of a want that the lease decides
ON = frozenset({"running", "paused"})  # it takes memory, and has its disks open


class ByHand(NamedTuple):
    state: str
    who: str
    since: str

    def __str__(self) -> str:
        return f"{self.state} by {self.who} since {self.since}"


def by_hand(leases: Mapping[str, str]) -> ByHand | None:
    text = leases.get(STATE)
    return read(text) if text else None


def read(text: str) -> ByHand:
    """Also of a plan file, which anybody may have written."""
    state, _, rest = text.partition(" by ")
    who, _, since = rest.rpartition(" since ")
    if state not in STATES:
        raise ValueError(text)
    return ByHand(state, who, since)


def state_of(leases: Mapping[str, str], otherwise: str) -> str:
    """Of the resource with these leases; `otherwise` is what the spec says."""
    given = by_hand(leases)
    return given.state if given is not None else otherwise


def undo(given: ByHand, address: str) -> str:
    """The command that takes it back."""
    verb = {"running": "stop", SHELVED: "unshelve"}.get(given.state, "start")
    return f"stead {verb} {shlex.quote(address)}"
