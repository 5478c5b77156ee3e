"""Carry out a plan file exactly as it is, or make a new plan and carry it out when you approve it.

  stead apply                          plan, show, ask, carry out
  stead apply --auto-approve           without asking, for CI
  stead apply today.plan               exactly what `stead plan -o today.plan` showed; refused when it is out of date,
                                       or when spec, store and hosts give another plan now
  stead apply --reviewed 12            exactly the plan that was approved in review 12 (`stead review`)
  stead apply --rebuild ADDRESS        with a new root disk for this instance; what its disk holds is lost
  stead apply --max-disruption reboot  refuse what would rebuild something or lose data
  stead apply --confirm-dead compute-1  this host is dead: start elsewhere what it ran
  stead apply --as ada                 refused if ada may not make this change (for CI)
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
from stead.cli.common.applying import carry_out, plan_and_apply

if TYPE_CHECKING:
    from stead.cli.common.request import ApplyRequest, PlanningRequest


def arguments(parser: argparse.ArgumentParser) -> None:
    what = parser.add_mutually_exclusive_group()
    what.add_argument("file", nargs="?", metavar="FILE", help="plan file (default: make a new plan)")
    what.add_argument(
        "--reviewed", type=shared.number(1, 10**15), metavar="REVIEW", help="the plan that was approved in this review"
    )
    shared.applying(parser)
    shared.acting(parser)
    shared.replacing(parser)
    shared.dead(parser)
    shared.selection(parser)
    shared.inputs(parser)
    shared.output(parser)


def run(options: argparse.Namespace) -> int:
    asked, request = shared.applying_of(options), shared.planning_of(options)
    if not options.file and not options.reviewed:
        return plan_and_apply(asked, request)
    _no_selection(request)
    if options.reviewed:
        _not_as(asked)
        from stead.cli.common.reviews import apply_reviewed

        return apply_reviewed(asked, options.reviewed)
    return apply_file(asked, Path(options.file))


def apply_file(asked: ApplyRequest, path: Path) -> int:
    """The file was reviewed, so nothing is asked; but what data may be lost is said here, not there."""
    from stead.cli.common.acting import not_permitted
    from stead.cli.common.loading import load
    from stead.cli.common.plan_again import must_be_allowed, same_plan
    from stead.core.diagnostics import Refused
    from stead.plan.file import load as read
    from stead.store.sealing import signing_key

    plan = read(path, signing_key())
    if not must_be_allowed(plan, asked.most):
        return 1
    loaded = load(asked.workspace)
    again, secrets = same_plan(plan, loaded, str(path))
    if denied := not_permitted(asked.acting, again, loaded):
        raise Refused(*denied)
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


def _not_as(asked: ApplyRequest) -> None:
    from stead.cli.common.workspace import BAD_OPTION
    from stead.core.diagnostics import Refused

    if asked.acting:
        text = "--as: a review says who submitted and who approved. Use `stead plan --as USER` before you submit it."
        raise Refused(BAD_OPTION.at(None, text))
