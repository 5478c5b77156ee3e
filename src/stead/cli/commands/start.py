"""Start instances that are off, paused or suspended. What `stead stop` stopped is as the spec says again.

  stead start acme/instances/db
  stead start acme/instances/web 'acme/instances/worker[2]'    a definition: all its members

The plan is shown, and you are asked. If the spec has `state: stopped`, the instance runs until `stead stop`.

exit status: 0 done; 1 refused, or a step failed; 3 not agreed to; 130 stopped by Ctrl-C
"""

from __future__ import annotations

import argparse

from stead.cli.common import options as shared
from stead.cli.common import power


def arguments(parser: argparse.ArgumentParser) -> None:
    power.arguments(parser)


def run(options: argparse.Namespace) -> int:
    return power.change(shared.applying_of(options), tuple(options.address), "running")
