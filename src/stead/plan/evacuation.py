"""The plan that starts elsewhere what a dead host had, and nothing else. Pure: `evacuate` proves that it is dead.

What the spec asks for beyond that must not stand in the way: instances that are new in it take no room, and its checks
and outputs are those of the next apply.
"""

from __future__ import annotations

from stead.core.address import Address
from stead.core.diagnostics import Diagnostic, has_errors
from stead.core.effect import Disruption
from stead.core.value import replace
from stead.core.want import canonical
from stead.plan.build import Selection, digest_of
from stead.plan.planner import Inputs, Planned, Wishes, make_plan

Found = tuple[Planned, list[Address], list[Diagnostic]]


def plan_evacuation(inputs: Inputs, host: str, *, lossy: bool) -> Found:
    """And what is left out since its data would be lost, which is never implied: `lossy` consents to that."""
    planned, left, found = _planned(_without_new(inputs), host, lossy=lossy)
    if planned.plan is None or has_errors(found):  # what is there may speak of what is new
        planned, left, found = _planned(inputs, host, lossy=lossy)
    if planned.plan is not None:
        plan = replace(planned.plan, outputs=inputs.recorded.outputs, new_outputs=False)
        planned = replace(planned, plan=replace(plan, digest=digest_of(plan)))
    return planned, left, found


def _without_new(inputs: Inputs) -> Inputs:
    desired, kinds = inputs.desired, inputs.kinds
    known = {one.block for one in (*inputs.recorded.resources, *desired.moved.values())}
    new = {
        one for one in desired.blocks if kinds[one.kind].mobile and one.members and one.members[0].block not in known
    }
    needed = {ref.block for one in desired.blocks if one not in new for ref in (*one.refs, *one.settings.depends_on)}
    new = {one for one in new if one.members[0].block not in needed}
    desired = replace(
        desired,
        blocks=tuple(one for one in desired.blocks if one not in new),
        by_address={address: one for address, one in desired.by_address.items() if one not in new},
        outputs=(),
        checks=(),
    )
    return replace(inputs, desired=desired)


def _planned(inputs: Inputs, host: str, *, lossy: bool) -> Found:
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
