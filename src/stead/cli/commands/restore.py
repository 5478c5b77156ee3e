"""Bring home what `stead drain` moved away from a host, and let the host get new resources again.

  stead restore compute-3
  stead restore compute-3 -o home.plan && stead apply home.plan

The plan is shown, and you are asked. What still exists and fits moves home while it runs; what cannot is named, with
the reason, and may come with the next `stead restore`.

exit status: 0 when everything comes home; 1 refused, a step failed, or something stays away; 3 not agreed to;
130 stopped by Ctrl-C
"""

from __future__ import annotations

import argparse

from stead.cli.common import migration_plan
from stead.cli.common import options as shared
from stead.cli.common.rearranging import displaced
from stead.core.diagnostics import Code, Refused

NOT_DRAINED = Code("STEAD-C057", "the host is not drained")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("host", metavar="HOST", help="name of the host in the inventory")
    shared.applying(parser)
    parser.set_defaults(title="Restore")
    migration_plan.arguments(parser)


def run(options: argparse.Namespace) -> int:
    asked, host = shared.applying_of(options), options.host
    made = migration_plan.make(asked.workspace, {"restore": host}, whole=False)
    recorded = made.loaded.inputs.recorded
    if not made.plan.silence.restored and not displaced(recorded, host):
        text = (
            f"{host} was not drained, or everything that was moved away for it is back. `stead hosts` shows its state."
        )
        raise Refused(NOT_DRAINED.at(None, text, address=host))
    return migration_plan.move(asked, made, options.out) or int(made.held)
