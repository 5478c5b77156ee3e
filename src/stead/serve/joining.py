"""Edits that wait for the same project become one version and one plan, where that can be done.

What is refused together is tried one by one, so that nobody is refused for what somebody else asked.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from stead.core.address import Address
from stead.serve.edits import Content, Edit, OfAddress, Who
from stead.serve.faults import Fault

if TYPE_CHECKING:
    from stead.serve.world import CloudState

MOST = 100  # edits of one version: its plan is what they all wait for


class WaitingEdit:
    """A request's edit, and later what became of it."""

    def __init__(self, project: str, who: Who, reason: str, edit: Edit, loses: OfAddress) -> None:
        self.project, self.who, self.reason, self.edit, self.loses = project, who, reason, edit, loses
        self.state: CloudState | None = None
        self.error: Exception | None = None

    def answer(self) -> CloudState:
        if self.error is not None:
            raise self.error
        if self.state is None:
            raise RuntimeError("the edit was not carried out")
        return self.state


def joined(waiting: deque[WaitingEdit]) -> Iterator[list[WaitingEdit]]:
    """In the order in which they came: those of one project and one person that follow each other."""
    while waiting:
        some = [waiting.popleft()]
        while waiting and len(some) < MOST and (waiting[0].project, waiting[0].who) == (some[0].project, some[0].who):
            some.append(waiting.popleft())
        yield some


def carry_out(some: Sequence[WaitingEdit], do: Callable[[WaitingEdit], CloudState]) -> None:
    if len(some) > 1:
        together = _one_of(some)
        with contextlib.suppress(Exception):  # each is told its own, below
            together.state = do(together)
        if together.state is not None:
            for one in some:
                one.state = together.state
            return
    for one in some:
        one.error = None
        try:
            one.state = do(one)
        except Exception as error:  # noqa: BLE001 - of the request that it belongs to
            one.error = error


def _one_of(some: Sequence[WaitingEdit]) -> WaitingEdit:
    """Whose edit cannot be made any more is told so, and the others go on."""
    first = some[0]

    def edit(content: Content) -> Content:
        for one in some:
            one.error = None
            try:
                content = one.edit(content)
            except Fault as fault:
                one.error = fault
        return content

    def loses(address: Address) -> bool:
        return any(one.error is None and one.loses(address) for one in some)

    reasons = list(dict.fromkeys(one.reason for one in some))
    more = f", and {len(reasons) - 3} more" if len(reasons) > 3 else ""
    return WaitingEdit(first.project, first.who, ", ".join(reasons[:3]) + more, edit, loses)
