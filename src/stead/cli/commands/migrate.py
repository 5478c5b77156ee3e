"""Move an instance to another host. One that runs keeps running, and its connections stay open (live migration);
one that is stopped takes along what is on its disks.

  stead migrate acme/instances/web            to the best host for it
  stead migrate 'acme/instances/web[0]' --to compute-2
  stead migrate acme/instances/web -o move.plan && stead apply move.plan

The plan is shown before you approve it. Ctrl-C cancels the move: the instance stays where it was. If the spec has
`host:` for the instance, change that instead.

exit status: 0 done; 1 refused, it cannot move, or a step failed; 3 not agreed to; 130 stopped by Ctrl-C
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from stead.cli.common import migration_plan
from stead.cli.common import options as shared
from stead.core.diagnostics import Code, Refused

if TYPE_CHECKING:
    from stead.blueprint.model import Blueprint

NOT_MOVED = Code("STEAD-C056", "the instance cannot be moved")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("address", metavar="ADDRESS", help="an instance")
    parser.add_argument("--to", default="", metavar="HOST", help="the host (default: the best for it)")
    shared.applying(parser)
    parser.set_defaults(title="Migration")
    migration_plan.arguments(parser)


def run(options: argparse.Namespace) -> int:
    asked = shared.applying_of(options)
    made = migration_plan.make(asked.workspace, {"migrate": [options.address, options.to]})
    if not made.plan.steps:
        raise Refused(NOT_MOVED.at(None, _why(made.blueprint, options.address, options.to), address=options.address))
    return migration_plan.move(asked, made, options.out)


def _why(blueprint: Blueprint, address: str, to: str) -> str:
    from stead.core.address import parse
    from stead.kinds import kinds

    at, known = blueprint.placement.assignment.get(address), parse(address)
    if at is None or known is None or not kinds()[known.kind].mobile:
        return f"{address} is not the address of an instance on a host. `stead show` lists them."
    if at == to:
        return f"{address} is on {at} already."
    done, unplaced = blueprint.rebalance, blueprint.placement.unplaced
    told = [one.text for one in unplaced if address in one.members]
    told += [one.text for one in done.stuck if one.member == address] if done is not None else []
    where = f"to {to}" if to else "to another host"
    return f"{address} stays on {at}: it cannot move {where}: {'; '.join(told) or 'its host is fixed'}."
