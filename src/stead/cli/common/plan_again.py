"""A plan that was made earlier is made again from the same inputs, and only what comes of that is carried out."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stead.cli.common.applying import Secrets
    from stead.cli.common.loading import Loaded
    from stead.core.effect import Disruption
    from stead.plan.model import Plan
    from stead.plan.planner import Inputs


def must_be_allowed(plan: Plan, most: Disruption | None) -> bool:
    """Refuses what would lose data; False where a step disturbs more than it may, which was told."""
    from stead.cli.common.approval import refuse_loss
    from stead.cli.common.console_output import complain
    from stead.cli.common.planning import too_much

    refused = too_much(plan, most)
    if refused:
        complain(refused)
        return False
    refuse_loss(plan, most)
    return True


def same_plan(plan: Plan, loaded: Loaded, name: str) -> tuple[Plan, Secrets]:
    """The plan that these inputs give, with its secrets, which no file holds. It is done only if it is the one that was
    reviewed, to the letter: a file can be written by anyone.
    """
    from stead import __version__
    from stead.plan.model import Made
    from stead.run.apply import check_fresh

    inputs = loaded.inputs
    now = Made(
        spec=inputs.desired.digest,
        recorded=inputs.recorded.serial,
        observed=inputs.observed.digest,
        stead=__version__,
        inventory=inputs.inventory,
    )
    check_fresh(plan, now, loaded.store)
    return _made_again(plan, inputs, name)


def _made_again(plan: Plan, inputs: Inputs, name: str) -> tuple[Plan, Secrets]:
    from stead.cli.common.bounded import while_planned
    from stead.cli.common.selection import wishes_again
    from stead.core.diagnostics import Refused, has_errors
    from stead.plan.file import difference
    from stead.plan.planner import make_plan
    from stead.run.apply import FORGED, STALE

    with while_planned(bool(inputs.desired.owned)):
        planned, found = make_plan(inputs, wishes_again(plan.made.asked, inputs))
    if planned.plan is None or planned.blueprint is None or has_errors(found):
        raise Refused(*found)
    now = {hook.playbook: hook.digest for hook in planned.plan.hooks}
    if changed := sorted({one.playbook for one in plan.hooks if now.get(one.playbook, one.digest) != one.digest}):
        text = (
            f"Playbooks of hooks have changed since: {', '.join(changed)}. Nothing was done. Plan again and read them."
        )
        raise Refused(STALE.at(None, text))
    if where := difference(plan, planned.plan):
        text = (
            f"{name} says that it was made from this spec and these hosts, but they give another plan. The "
            f"first difference is {where}. The file was changed, or the free capacity of a host. Nothing was "
            "done. Plan again."
        )
        raise Refused(FORGED.at(None, text))
    return planned.plan, planned.blueprint.secrets
