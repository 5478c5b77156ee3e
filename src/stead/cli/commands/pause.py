"""Pause instances: they stand still, and keep their memory and what they opened, until `stead resume`.

  stead pause acme/instances/db

The plan is shown, and you are asked. A paused instance answers nobody, and its connections may time out. If its host
loses power, its memory is lost, and it boots when it is resumed. `stead suspend` keeps the memory on a disk.

exit status: 0 done; 1 refused, or a step failed; 3 not agreed to; 130 stopped by Ctrl-C
"""

from __future__ import annotations

import argparse

from stead.cli.common import options as shared
from stead.cli.common import power


def arguments(parser: argparse.ArgumentParser) -> None:
    power.arguments(parser)


def run(options: argparse.Namespace) -> int:
    return power.change(shared.applying_of(options), tuple(options.address), "paused")
