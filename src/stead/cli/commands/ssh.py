"""Log in to an instance with SSH, or run a command there.

  stead ssh acme/instances/web
  stead ssh 'acme/instances/web[0]' --user debian -- uptime

An instance with a floating IP, or in a network of the site's machines, is reached directly. Others are reached
through the host of their network. Keys of instances are kept in .stead/known_hosts, by UUID.

exit status: that of ssh; 1 when there is no such instance
"""

from __future__ import annotations

import argparse

from stead.cli.common import options as shared
from stead.cli.common import reaching

RUNS_A_COMMAND = True  # after `--`


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("address", metavar="ADDRESS", help="an instance")
    reaching.arguments(parser)


def run(options: argparse.Namespace) -> int:
    found = reaching.reach(shared.workspace_of(options), options, options.address)
    reaching.become(["ssh", *found.options, "--", found.address, *options.after])
