"""Plan live migrations that even hosts out. Each must gain more than it costs, and fits when its turn comes.

What has the policy `pack` is brought together instead, and hosts are emptied.

  stead rebalance --moves 10
  stead rebalance --moves 10 -o even.plan && stead apply even.plan

exit status: 0, also when no move gains enough
"""

from __future__ import annotations

import argparse

from stead.cli.common import migration_plan
from stead.cli.common import options as shared

MOVES = 10


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--moves", type=shared.number(0), default=MOVES, metavar="K", help=f"maximum number of moves (default: {MOVES})"
    )
    parser.add_argument(
        "--minimum-gain",
        type=shared.number(0),
        default=1000,
        metavar="N",
        help="least gain of a move, in thousandths of a full host",
    )
    parser.set_defaults(title="Rebalance")
    migration_plan.arguments(parser)


def run(options: argparse.Namespace) -> int:
    asked = {"rebalance": [options.moves, options.minimum_gain]}
    migration_plan.offer(shared.workspace_of(options), asked, shared.printing_of(options), options.out)
    return 0
