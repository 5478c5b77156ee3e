"""Let shelved instances run again: where they were, or on another host if that has no room.

  stead unshelve acme/instances/db

The plan is shown, and you are asked. It is `stead start`, but refuses instances that are not shelved. What goes to
another host is there as the spec says, also with changes that were not applied yet.

exit status: 0 done; 1 refused, or a step failed; 3 not agreed to; 130 stopped by Ctrl-C
"""

from __future__ import annotations

import argparse

from stead.cli.common import options as shared
from stead.cli.common import power


def arguments(parser: argparse.ArgumentParser) -> None:
    power.arguments(parser)


def run(options: argparse.Namespace) -> int:
    return power.unshelve(shared.applying_of(options), tuple(options.address))
