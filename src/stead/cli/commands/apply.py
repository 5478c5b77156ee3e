"""Carry out a plan file exactly as it is, or make a new plan and carry it out when you approve it.

  stead apply                          plan, show, ask, carry out
  stead apply --auto-approve           without asking, for CI
  stead apply today.plan               exactly what `stead plan -o today.plan` showed; refused when it is out of date,
                                       or when spec, store and hosts give another plan now
  stead apply --rebuild ADDRESS        with a new root disk for this instance; what its disk holds is lost
  stead apply --max-disruption reboot  refuse what would rebuild something or lose data
  stead apply --confirm-dead compute-1  this host is dead: start elsewhere what it ran
  stead apply --parallel 5             at most five hosts at once

Data is lost only with your consent: by --max-disruption data-loss, or by typing the name of what is lost.
Ctrl-C lets running steps finish and begins no others; a second Ctrl-C stops at once. `stead apply` then continues.

exit status: 0 done; 1 refused, or some steps failed or were skipped; 3 not agreed to; 130 stopped by Ctrl-C
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from stead.cli.common import options as shared
from stead.cli.common.applying import Secrets, carry_out, plan_and_apply

if TYPE_CHECKING:
    from stead.cli.common.request import ApplyRequest, PlanningRequest
    from stead.plan.model import Plan
    from stead.plan.planner import Inputs


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", nargs="?", metavar="FILE", help="plan file (default: make a new plan)")
    shared.applying(parser)
    shared.replacing(parser)
    shared.dead(parser)
    shared.selection(parser)
    shared.inputs(parser)
    shared.output(parser)


def run(options: argparse.Namespace) -> int:
    asked, request = shared.applying_of(options), shared.planning_of(options)
    if not options.file:
        return plan_and_apply(asked, request)
    _no_selection(request)
    return apply_file(asked, Path(options.file))


def apply_file(asked: ApplyRequest, path: Path) -> int:
    """The file was reviewed, so nothing is asked; but what data may be lost is said here, not there."""
    from stead import __version__
    from stead.cli.common.approval import refuse_loss
    from stead.cli.common.console_output import complain
    from stead.cli.common.loading import load
    from stead.cli.common.planning import too_much
    from stead.plan.file import load as read
    from stead.plan.model import Made
    from stead.run.apply import check_fresh
    from stead.store.sealing import signing_key

    plan = read(path, signing_key())
    refused = too_much(plan, asked.most)
    if refused:
        complain(refused)
        return 1
    refuse_loss(plan, asked.most)
    loaded = load(asked.workspace)
    inputs = loaded.inputs
    now = Made(
        spec=inputs.desired.digest,
        recorded=inputs.recorded.serial,
        observed=inputs.observed.digest,
        stead=__version__,
        inventory=inputs.inventory,
    )
    check_fresh(plan, now, loaded.store)
    again, secrets = _made_again(plan, inputs, path)
    return carry_out(asked, again, loaded, secrets)


def _no_selection(request: PlanningRequest) -> None:
    from stead.cli.common.workspace import BAD_OPTION
    from stead.core.diagnostics import Refused

    if given := [f"--{name.replace('_', '-')}" for name in request.given]:
        text = (
            f"{', '.join(given)}: a plan file is applied as it is. Select resources when you plan, with "
            "`stead plan -o FILE`."
        )
        raise Refused(BAD_OPTION.at(None, text))


def _made_again(plan: Plan, inputs: Inputs, path: Path) -> tuple[Plan, Secrets]:
    """The plan that these inputs give, with its secrets, which no file holds. It is done only if it is the one that was
    reviewed, to the letter: a file can be written by anyone.
    """
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
            f"{path} says that it was made from this spec and these hosts, but they give another plan. The "
            f"first difference is {where}. The file was changed, or the free capacity of a host. Nothing was "
            "done. Plan again."
        )
        raise Refused(FORGED.at(None, text))
    return planned.plan, planned.blueprint.secrets
