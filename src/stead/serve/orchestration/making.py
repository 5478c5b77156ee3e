"""One edit for all of a stack, also where its text has addresses that only the plan chooses."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from stead.heat.entries import DocumentEntry, valued
from stead.language.expressions import BoundExceeded
from stead.serve.edits import Edit, OfAddress
from stead.serve.faults import bad
from stead.serve.orchestration.facts import facts
from stead.serve.routes import Call
from stead.serve.world import CloudState

Editing = Callable[[Sequence[DocumentEntry]], Edit]


def make(call: Call, what: str, entries: Sequence[DocumentEntry], editing: Editing, loses: OfAddress) -> None:
    """Planned once to learn what is chosen, and then with it. The worker plans nothing in between."""
    if not any(one.waits for one in entries):
        call.edit(what, editing(entries), loses=loses)
        return
    with call.cloud.planning():
        first = editing(without_late(entries))
        _, world, _ = call.cloud.preview(call.project, call.who, first, loses=loses)
        known = filled(world, call.project, entries)
        world = call.edit(what, editing(known), loses=loses)
        now = filled(world, call.project, entries)  # who waited before this request may have taken an address
        if now != known:
            call.edit(what, editing(now), loses=loses)


def without_late(entries: Sequence[DocumentEntry]) -> list[DocumentEntry]:
    return [one._replace(fields={**one.fields, "cloud_init": None}) if one.waits else one for one in entries]


def filled(world: CloudState, project: str, entries: Sequence[DocumentEntry]) -> list[DocumentEntry]:
    scope = {"project": project, **facts(world, project, entries)}
    try:
        return [one._replace(fields=valued(one.fields, {**scope, "index": one.number})) for one in entries]
    except BoundExceeded as why:
        raise bad(f"A value of the template cannot be worked out: {why}") from why
