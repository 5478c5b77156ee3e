"""Shelve instances: they shut down, keep their disks, and take no room on their host until `stead unshelve`.

  stead shelve acme/instances/db

The plan is shown, and you are asked. Its processors and its memory are free for others, so its host may have no room
when it is to run again. Then it moves to another host with its disks, if it can; else nothing is done. It keeps its
addresses, and its quota.

exit status: 0 done; 1 refused, or a step failed; 3 not agreed to; 130 stopped by Ctrl-C
"""

from __future__ import annotations

import argparse

from stead.cli.common import options as shared
from stead.cli.common import power
from stead.core.by_hand import SHELVED


def arguments(parser: argparse.ArgumentParser) -> None:
    power.arguments(parser)


def run(options: argparse.Namespace) -> int:
    return power.change(shared.applying_of(options), tuple(options.address), SHELVED)
