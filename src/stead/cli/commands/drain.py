"""Empty a host, before it is switched off or removed: all that can move goes to other hosts, running or stopped.

  stead drain compute-3
  stead drain compute-3 -o empty.plan && stead apply empty.plan

The plan is shown, and you are asked. From then on the host gets nothing new, until `stead restore compute-3` brings
home what was moved away. What cannot move is named, with the reason.

exit status: 0 when everything finds another host; 1 refused, a step failed, or something must stay; 3 not agreed to;
130 stopped by Ctrl-C
"""

from __future__ import annotations

import argparse

from stead.cli.common import migration_plan
from stead.cli.common import options as shared


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("host", metavar="HOST", help="name of the host in the inventory")
    shared.applying(parser)
    parser.set_defaults(title="Drain")
    migration_plan.arguments(parser)


def run(options: argparse.Namespace) -> int:
    asked = shared.applying_of(options)
    made = migration_plan.make(asked.workspace, {"drain": options.host}, whole=False)
    return migration_plan.move(asked, made, options.out) or int(made.held)
