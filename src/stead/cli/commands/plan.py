"""Show what an apply would do, and why, without doing it.

  stead plan                                  what would change
  stead plan -o today.plan                    and save it, for `stead apply today.plan`
  stead plan --format markdown                as a comment on a pull request
  stead plan --target acme/instances/web      only this and what it needs
  stead plan --replace 'acme/instances/web[2]'
  stead plan --max-disruption network         fail when a step would reboot something
  stead plan --detailed-exitcode              for CI: 0 nothing to do, 2 changes or something waits, 1 errors
  stead plan --confirm-dead compute-1         this host is dead: what would be started elsewhere
  stead plan --as ada                         for CI: fail when ada may not make this change
  stead plan --refresh-only                   record what the hosts have as what was applied
  stead plan --save-view site.view            and save a view of the site for the next line
  stead plan --untrusted site.view            a stranger's change: runs none of its code, asks no host, needs no key

exit status: 0, or 2 with --detailed-exitcode when there are changes or something waits; 1 when there is no plan, or it
disturbs too much
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from stead.cli.common import options as shared
from stead.plan.render import FORMATS

if TYPE_CHECKING:
    from stead.cli.common.planning import Ready
    from stead.cli.common.request import PlanningRequest, Printing
    from stead.cli.common.workspace import Workspace
    from stead.core.diagnostics import Diagnostic
    from stead.core.effect import Disruption

CHANGES = 2


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-o", "--out", metavar="FILE", help="write the plan to a file, for `stead apply FILE`")
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--destroy", action="store_true", help="plan to destroy everything")
    mode.add_argument(
        "--refresh-only", action="store_true", help="change no host; record what the hosts have as what was applied"
    )
    mode.add_argument(
        "--untrusted",
        metavar="VIEW",
        help="plan an unreviewed change with this view of the site, without hosts, store, keys or Ansible",
    )
    parser.add_argument(
        "--save-view",
        metavar="FILE",
        help="write a view of the site to this file, for --untrusted",
    )
    shared.limit(parser, None)
    shared.acting(parser)
    shared.exitcode(parser, "there are changes, or something waits for a host")
    shared.replacing(parser)
    shared.dead(parser)
    shared.selection(parser)
    shared.inputs(parser)
    shared.output(parser, formats=FORMATS)
    parser.add_argument("--title", default="Plan", help="heading of Markdown and HTML (default: Plan)")


def run(options: argparse.Namespace) -> int:
    workspace, printing = shared.workspace_of(options), shared.printing_of(options)
    request, most = shared.planning_of(options, destroy=options.destroy), shared.limit_of(options)
    if options.untrusted:
        from stead.cli.common import bounded

        _writes_nothing(options.out, options.save_view)
        _knows_nobody(options.acting)
        if not bounded.is_within():
            return bounded.run(options.typed)
        status = of_strangers(workspace, request, Path(options.untrusted), printing, most)
    else:
        from stead.cli.common.acting import not_permitted
        from stead.cli.common.planning import make, too_much

        ready = make(workspace, request)
        refused = [*too_much(ready.plan, most), *not_permitted(options.acting or "", ready.plan, ready.loaded)]
        status = _shown(ready, printing, refused, out=options.out, view=options.save_view)
    return 0 if status == CHANGES and not options.detailed_exitcode else status


def _shown(
    ready: Ready, printing: Printing, refused: Sequence[Diagnostic], *, out: str | None, view: str | None
) -> int:
    from stead.cli.common.planning import show

    if out is not None and not refused:  # first: where it cannot be written, that is the answer
        from stead.plan.file import save
        from stead.store.sealing import signing_key

        save(ready.plan, Path(out), signing_key())
    if view is not None:
        _save_view(ready, Path(view))
    show(ready.plan, printing, [*ready.warnings, *refused], files=ready.loaded.inputs.desired.files)
    if refused:
        return 1
    if out is not None:
        from shlex import quote

        told(printing, f"The plan is in {out}. `stead apply {quote(out)}` does exactly this.")
    return CHANGES if not ready.plan.empty or ready.plan.waiting else 0


def _save_view(ready: Ready, path: Path) -> None:
    import time

    from stead.cli.common.strangers import beside
    from stead.store.view import View, save

    sources, root = ready.workspace.inventories, ready.workspace.root
    inputs, documents = ready.loaded.inputs, ready.loaded.store.documents()
    view = View(
        recorded=inputs.recorded,
        observed=inputs.observed,
        at=time.time(),
        documents={name: one.content for name, one in documents.items()},
        beside=beside(sources, inputs.desired, root),
        inventories=tuple(str(one.relative_to(root)) for one in sources if one.is_relative_to(root)),
    )
    save(view, path)


def _writes_nothing(*files: str | None) -> None:
    from stead.cli.common.workspace import BAD_OPTION
    from stead.core.diagnostics import Refused

    if any(one is not None for one in files):
        text = "--untrusted writes no plan file. Review the change, then plan without --untrusted and apply that plan."
        raise Refused(BAD_OPTION.at(None, text))


def _knows_nobody(user: str | None) -> None:
    from stead.cli.common.workspace import BAD_OPTION
    from stead.core.diagnostics import Refused

    if user:
        text = "--as: a view does not say what was applied last. Use it in the job that plans with the store."
        raise Refused(BAD_OPTION.at(None, text))


def of_strangers(
    workspace: Workspace, request: PlanningRequest, view: Path, printing: Printing, most: Disruption | None
) -> int:
    from stead.cli.common.planning import make_blind, show, too_much
    from stead.store.model import moment

    plan, found, blind = make_blind(workspace, request, view)
    refused = too_much(plan, most)
    show(plan, printing, [*found, *refused], beside=blind.unshown)
    if refused:
        return 1
    told(printing, f"Based on the site's state at {moment(blind.at)}. Secrets are not compared, and no host was asked.")
    return 0 if plan.empty else CHANGES


def told(printing: Printing, text: str) -> None:
    """A remark for people: not into the result, which may go to a program."""
    import sys

    if not printing.quiet:
        print(text, file=sys.stderr)
