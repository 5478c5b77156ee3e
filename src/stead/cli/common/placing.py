"""What the commands about placement have in common: the question that a plan asks, and its answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stead.core.diagnostics import Code, Refused
from stead.core.value import value

if TYPE_CHECKING:
    from stead.blueprint.demands import PlacementRequest
    from stead.blueprint.placement import Placement, Problem
    from stead.cli.common.loading import Loaded
    from stead.cli.common.workspace import Workspace

NOT_PLACED = Code("STEAD-C054", "this is not placed on hosts")


@value
class Placed:
    """A question and its answer, also where something has no host: that is when people ask."""

    loaded: Loaded
    question: PlacementRequest
    placement: Placement

    @classmethod
    def of(cls, workspace: Workspace) -> Placed:
        from stead.blueprint.demands import question
        from stead.blueprint.placement import place
        from stead.blueprint.silence import listen
        from stead.blueprint.unmanaged import unmanaged_totals, with_less_room
        from stead.cli.common.loading import load

        loaded = load(workspace)
        inputs = loaded.inputs
        heard, _silence, _wrong = listen(inputs.observed, inputs.recorded)
        left = unmanaged_totals(inputs.desired, inputs.recorded, heard, inputs.kinds)
        observed = with_less_room(heard, left)
        asked = question(inputs.desired, inputs.kinds, observed, inputs.recorded.resources, inputs.plugins)
        return cls(loaded=loaded, question=asked, placement=place(asked.problem))

    @property
    def problem(self) -> Problem:
        return self.question.problem


def request_of(placed: Placed, text: str) -> str:
    """Placement's name for an address. Refuses what is not placed, with the nearest that is."""
    from stead.blueprint.demands import ROOT
    from stead.language.reading import nearest

    members = placed.question.members
    if text in members:
        root = f"{text}{ROOT}"  # in a shared pool it takes room elsewhere, and that may be what is missing
        return root if any(root in one.members for one in placed.placement.unplaced) else text
    for request in placed.problem.requests:
        for member, volumes in request.carries.items():
            if text in volumes:
                return member
    counted = [name for name in members if name.startswith(f"{text}[")]
    hint = f" It has {len(counted)} members: say {counted[0]}." if counted else nearest(text, members)
    raise Refused(
        NOT_PLACED.at(None, f"{text!r} is not placed on a host. Instances, volumes, networks and routers are.{hint}")
    )
