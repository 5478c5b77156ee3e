"""Suspend instances: their memory is written to a disk of their host, and they are off until `stead resume`.

  stead suspend acme/instances/db

The plan is shown, and you are asked. Its processes go on where they were, also after a reboot of the host. A change of
its hardware, disks or interfaces loses the memory: the plan says `disturbs: reboot`, and the instance boots when it is
resumed.

exit status: 0 done; 1 refused, or a step failed; 3 not agreed to; 130 stopped by Ctrl-C
"""

from __future__ import annotations

import argparse

from stead.cli.common import options as shared
from stead.cli.common import power


def arguments(parser: argparse.ArgumentParser) -> None:
    power.arguments(parser)


def run(options: argparse.Namespace) -> int:
    return power.change(shared.applying_of(options), tuple(options.address), "suspended")
