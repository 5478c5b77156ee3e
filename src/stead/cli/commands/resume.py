"""Let paused or suspended instances go on where they were.

  stead resume acme/instances/db

The plan is shown, and you are asked. It is `stead start`, but refuses instances that are off.

exit status: 0 done; 1 refused, or a step failed; 3 not agreed to; 130 stopped by Ctrl-C
"""

from __future__ import annotations

import argparse

from stead.cli.common import options as shared
from stead.cli.common import power


def arguments(parser: argparse.ArgumentParser) -> None:
    power.arguments(parser)


def run(options: argparse.Namespace) -> int:
    return power.resume(shared.applying_of(options), tuple(options.address))
