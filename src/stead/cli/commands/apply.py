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
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from stead.cli.common import options as shared
from stead.core.effect import Disruption
from stead.core.value import replace

if TYPE_CHECKING:
    from stead.cli.common.loading import Loaded
    from stead.cli.common.planning import Ready
    from stead.cli.common.request import ApplyRequest, PlanningRequest
    from stead.core.diagnostics import Diagnostic
    from stead.plan.model import Plan
    from stead.plan.planner import Inputs

Check = Callable[["Ready"], Iterable["Diagnostic"]]
Secrets = Mapping[tuple[str, str], str]  # (project, id) -> plain text
NO_PROOFS: Mapping[str, str] = MappingProxyType({})
NO = 3
# Without a person's word: all but the loss of data.
USUAL = Disruption.REBUILD


def _fits(_ready: Ready) -> Iterable[Diagnostic]:
    return ()


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", nargs="?", metavar="FILE", help="plan file (default: make a new plan)")
    common(parser)
    shared.replacing(parser)
    shared.dead(parser)
    shared.selection(parser)
    shared.inputs(parser)
    shared.output(parser)


def common(parser: argparse.ArgumentParser) -> None:
    """Of `apply` and `destroy`."""
    parser.add_argument("--auto-approve", action="store_true", help="do not ask")
    parser.add_argument(
        "--parallel", type=shared.number(0), default=0, metavar="N", help="hosts at once (default: the runner's)"
    )
    parser.add_argument("--reason", default="", help="the reason, for the history")
    shared.limit(parser, None)


def run(options: argparse.Namespace) -> int:
    asked, request = shared.applying_of(options), shared.planning_of(options)
    if not options.file:
        return plan_and_apply(asked, request)
    _no_selection(request)
    return apply_file(asked, Path(options.file))


def plan_and_apply(asked: ApplyRequest, request: PlanningRequest, check: Check = _fits) -> int:
    """`check` refuses a plan that has more than was asked for."""
    from stead.cli.common.approval import NOBODY, approved, refuse_loss
    from stead.cli.common.console_output import complain
    from stead.cli.common.planning import make, show, too_much
    from stead.core.diagnostics import Refused

    printing = asked.printing
    ready = make(asked.workspace, request)
    refused = [*too_much(ready.plan, asked.most), *check(ready)]
    if not printing.json:
        asking = not asked.auto_approve and not ready.plan.empty  # nobody agrees to what was not shown
        show(ready.plan, replace(printing, quiet=printing.quiet and not asking), [*ready.warnings, *refused])
    elif refused:
        complain(refused)
    if refused:
        return 1
    if not ready.plan.empty:
        if printing.json and not asked.auto_approve:
            raise Refused(NOBODY.at(None, "With --json, no plan is shown for approval. Use --auto-approve."))
        if asked.auto_approve:
            refuse_loss(ready.plan, asked.most)
        elif not approved(ready.plan, asked.most):
            print("Nothing was done.", file=sys.stderr)
            return NO
    return carry_out(asked, ready.plan, ready.loaded, ready.blueprint.secrets)


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


def carry_out(
    asked: ApplyRequest, plan: Plan, loaded: Loaded, secrets: Secrets, proofs: Mapping[str, str] = NO_PROOFS
) -> int:
    import gc

    from stead.cli.common.progress import exit_status, progress, report
    from stead.cli.common.workspace import key_to_keep
    from stead.plan.file import to_bytes
    from stead.plan.render.values import safe
    from stead.run.apply import apply
    from stead.run.documents import documents_to_tell
    from stead.run.model import Options

    gc.freeze()  # what planning left is walked no more; an apply of hours makes garbage of its own
    gc.enable()
    settings = Options(
        who=who(),
        reason=safe(asked.reason),
        parallel=asked.parallel,
        secrets=secrets,
        site_key=key_to_keep(asked.workspace),
        root=asked.workspace.root,
        documents=documents_to_tell(plan, loaded.inputs, loaded.store.documents()),
        proofs=proofs,
        content=b"" if plan.empty else to_bytes(plan),
    )
    with progress(plan, asked.printing) as on_event:
        made = apply(plan, loaded.store, loaded.runner, now=plan.made, options=settings, on_event=on_event)
    report(plan, made, asked.printing)
    return exit_status(made)


def who() -> str:
    """For the history and the lock. In CI the one who pushed, where the CI says so."""
    from stead.plan.render.values import safe

    for variable in ("STEAD_WHO", "GITHUB_ACTOR", "GITLAB_USER_LOGIN", "USER", "LOGNAME"):
        if name := os.environ.get(variable):
            return safe(name)
    import pwd  # a shell without a login, such as a unit's

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"
