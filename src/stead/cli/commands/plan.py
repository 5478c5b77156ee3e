"""Show what an apply would do, and why, without doing it.

  stead plan                                  what would change
  stead plan -o today.plan                    and keep it, for `stead apply today.plan`
  stead plan --format markdown                as a comment on a pull request
  stead plan --target acme/instances/web      only this and what it needs
  stead plan --replace 'acme/instances/web[2]'
  stead plan --max-disruption network         fail when something would be rebooted
  stead plan --detailed-exitcode              for CI: 0 nothing to do, 2 changes or something waits, 1 errors
  stead plan --confirm-dead compute-1         this host is off for good: what would be started elsewhere
  stead plan --refresh-only                   take what the hosts have for what was applied
  stead plan --save-view site.view            and keep what the site is and has, for the next line
  stead plan --untrusted site.view            a stranger's change: nothing of it is run, no host asked, no key needed

exit status: 0, or 2 with --detailed-exitcode when there are changes or something waits; 1 when there is no plan, or it
disturbs too much
"""

from __future__ import annotations

import argparse
from pathlib import Path

from stead.cli.common import options as shared
from stead.plan.render import FORMATS

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
    shared.exitcode(parser, "there are changes, or something waits for a host")
    shared.replacing(parser)
    shared.dead(parser)
    shared.selection(parser)
    shared.inputs(parser)
    shared.output(parser, formats=FORMATS)
    parser.add_argument("--title", default="Plan", help="heading of Markdown and HTML (default: Plan)")


def run(options: argparse.Namespace) -> int:
    from stead.cli.common.planning import make, show, too_much

    if options.untrusted:
        return of_strangers(options)
    ready = make(options, destroy=options.destroy)
    refused = too_much(ready.plan, options.max_disruption)
    if options.out is not None and not refused:  # first: where it cannot be written, that is the answer
        from stead.plan.file import save
        from stead.store.sealing import signing_key

        save(ready.plan, Path(options.out), signing_key())
    if options.save_view is not None:
        import time

        from stead.cli.common.strangers import beside
        from stead.store.view import View
        from stead.store.view import save as save_view

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
        save_view(view, Path(options.save_view))
    files = ready.loaded.inputs.desired.files
    show(ready.plan, options, [*ready.warnings, *refused], title=options.title, files=files)
    if refused:
        return 1
    if options.out is not None:
        from shlex import quote

        told(options, f"The plan is in {options.out}. `stead apply {quote(options.out)}` does exactly this.")
    waits = not ready.plan.empty or bool(ready.plan.waiting)
    return CHANGES if options.detailed_exitcode and waits else 0


def of_strangers(options: argparse.Namespace) -> int:
    from stead.cli.common import bounded
    from stead.cli.common.planning import make_blind, show, too_much
    from stead.cli.common.workspace import BAD_OPTION
    from stead.core.diagnostics import Refused
    from stead.store.model import moment

    if options.out is not None or options.save_view is not None:
        text = "--untrusted writes no plan file. Review the change, then plan without --untrusted and apply that plan."
        raise Refused(BAD_OPTION.at(None, text))
    if not bounded.is_within():
        return bounded.run(options.typed)
    plan, found, blind = make_blind(options, Path(options.untrusted))
    refused = too_much(plan, options.max_disruption)
    show(plan, options, [*found, *refused], title=options.title, beside=blind.unshown)
    if refused:
        return 1
    told(options, f"Based on the site's state at {moment(blind.at)}. Secrets are not compared, and no host was asked.")
    return CHANGES if options.detailed_exitcode and not plan.empty else 0


def told(options: argparse.Namespace, text: str) -> None:
    """A remark for people: not into the result, which may go to a program."""
    import sys

    if not options.quiet:
        print(text, file=sys.stderr)
