"""Stop instances: they shut down, and stay off until `stead start`, whatever the spec says.

  stead stop acme/instances/db
  stead stop acme/instances/web 'acme/instances/worker[2]'     a definition: all its members

The plan is shown, and you are asked. An instance that does not shut down within its `stop_timeout` is switched off.

exit status: 0 done; 1 refused, or a step failed; 3 not agreed to; 130 stopped by Ctrl-C
"""

from __future__ import annotations

import argparse

from stead.cli.common import options as shared
from stead.cli.common import power


def arguments(parser: argparse.ArgumentParser) -> None:
    power.arguments(parser)


def run(options: argparse.Namespace) -> int:
    return power.change(shared.applying_of(options), tuple(options.address), "stopped")
