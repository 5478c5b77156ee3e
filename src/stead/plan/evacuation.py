"""The plan that starts elsewhere what a dead host had, and nothing else. Pure: `evacuate` proves that it is dead."""

from __future__ import annotations

from stead.core.address import Address
from stead.core.diagnostics import Diagnostic, has_errors
from stead.core.kind import Disruption
from stead.core.value import replace
from stead.core.want import canonical
from stead.plan.build import Selection
from stead.plan.planner import Inputs, Planned, Wishes, make_plan


def plan_evacuation(inputs: Inputs, host: str, *, lossy: bool) -> tuple[Planned, list[Address], list[Diagnostic]]:
    """And what is left out since its data would be lost, which is never implied: `lossy` consents to that."""
    wishes = Wishes(dead=frozenset({host}), asked=canonical({"evacuate": host}))
    whole, found = make_plan(inputs, wishes)
    if whole.plan is None or whole.diff is None or has_errors(found):
        return whole, [], found
    renames, resources = whole.diff.renames, inputs.recorded.resources
    had = {renames.get(one, one) for one, record in resources.items() if host in (record.host, *record.wants)}
    planned, found = make_plan(inputs, replace(wishes, selection=Selection(wanted=had.__contains__)))
    steps = planned.plan.steps if planned.plan is not None else ()
    left = list(dict.fromkeys(one.address for one in steps if one.disturbs is Disruption.DATA_LOSS and not lossy))
    if left:
        selection = Selection(wanted=had.__contains__, unwanted=frozenset(left).__contains__)
        planned, found = make_plan(inputs, replace(wishes, selection=selection))
    return planned, left, found
