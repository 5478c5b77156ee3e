"""Plan the live migrations that empty a host, before it is switched off or removed.

  stead drain compute-3 -o empty.plan && stead apply empty.plan

Set `stead_maintenance: true` for the host in the inventory as well, so that nothing new is placed on it.

exit status: 0 when everything finds another host, 1 when something must stay
"""

from __future__ import annotations

import argparse

from stead.cli.common import migration_plan
from stead.cli.common import options as shared


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("host", help="name of the host in the inventory")
    parser.set_defaults(title="Drain")
    migration_plan.arguments(parser)


def run(options: argparse.Namespace) -> int:
    asked = {"drain": options.host}
    blueprint = migration_plan.offer(shared.workspace_of(options), asked, shared.printing_of(options), options.out)
    stuck = blueprint.rebalance is not None and (blueprint.rebalance.stuck or blueprint.placement.unplaced)
    return 1 if stuck else 0
