"""Show what differs, field by field: a change (the spec differs from the last apply) or drift (a host does).

  stead diff
  stead diff --project acme
  stead diff --detailed-exitcode    0 nothing differs, 2 something does, 1 errors

`stead plan` shows the steps for it, their order, and what they disturb.

exit status: 0, or 2 with --detailed-exitcode when something differs; 1 on errors
"""

from __future__ import annotations

import argparse
import json

from stead.cli.common import options as shared

DIFFERS = 2


def arguments(parser: argparse.ArgumentParser) -> None:
    shared.exitcode(parser, "something differs")
    shared.replacing(parser)
    shared.selection(parser)
    shared.inputs(parser)
    shared.output(parser)


def run(options: argparse.Namespace) -> int:
    from stead.cli.common import differences
    from stead.cli.common.console_output import complain
    from stead.cli.common.planning import make

    ready = make(shared.workspace_of(options), shared.planning_of(options))
    selected = {(step.address, step.host) for step in ready.plan.steps}
    changes = [one for one in ready.diff.changes if (one.address, one.host) in selected]
    if options.json:
        print(json.dumps(differences.data(changes, ready.diff.notes), indent=1, ensure_ascii=False))
    elif not options.quiet:
        told = list(differences.lines(differences.as_plan(changes, ready.plan), verbose=options.verbose))
        print("\n".join(told) or "Nothing differs.")
        complain(ready.warnings)
    return DIFFERS if options.detailed_exitcode and changes else 0
