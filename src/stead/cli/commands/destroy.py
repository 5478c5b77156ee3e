"""Destroy everything that is recorded, or the part that you select.

  stead destroy                                  plan, show, ask, carry out
  stead destroy --target acme/instances/web      this, and what needs it
  stead destroy --auto-approve --max-disruption data-loss

If something selected is protected, nothing is destroyed. Data is lost only with your consent, as with `stead apply`.

exit status: 0 done; 1 refused or failed; 3 not agreed to; 130 stopped by Ctrl-C
"""

from __future__ import annotations

import argparse

from stead.cli.common import options as shared
from stead.cli.common.applying import plan_and_apply


def arguments(parser: argparse.ArgumentParser) -> None:
    shared.applying(parser)
    shared.selection(parser)
    shared.inputs(parser)
    shared.output(parser)


def run(options: argparse.Namespace) -> int:
    return plan_and_apply(shared.applying_of(options), shared.planning_of(options, destroy=True))
