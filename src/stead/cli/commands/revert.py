"""Put a volume or an instance back to one of its snapshots. What was written to it after the snapshot is lost.

  stead revert acme/volumes/pgdata acme/snapshots/monday
  stead revert acme/instances/db acme/snapshots/before-upgrade

The plan is shown, and you are asked. It stays the same one, with its UUID, addresses and sizes. Its snapshots stay.
If a running instance uses the volume, the plan is refused: stop the instance first (`stead stop`). An instance is
stopped, gets back all disks of the snapshot that it still has, and boots.

exit status: 0 done; 1 refused, or a step failed; 3 not agreed to; 130 stopped by Ctrl-C
"""

from __future__ import annotations

import argparse
from functools import partial

from stead.cli.common import options as shared
from stead.cli.common.power import only_power
from stead.core.effect import Action


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("address", metavar="ADDRESS", help="a volume or an instance")
    parser.add_argument("snapshot", metavar="SNAPSHOT", help="a snapshot of it")
    shared.applying(parser)
    shared.inputs(parser)
    shared.output(parser)


def run(options: argparse.Namespace) -> int:
    from stead.cli.common.applying import plan_and_apply
    from stead.cli.common.request import PlanningRequest

    asked = PlanningRequest(target=(options.address,), revert=(options.address, options.snapshot))
    check = partial(only_power, (options.address,), actions=(Action.REBUILD,))
    return plan_and_apply(shared.applying_of(options), asked, check)
