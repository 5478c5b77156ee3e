"""Open the serial console of an instance over SSH to its host. Ctrl-] closes it.

  stead console acme/instances/web
  stead console 'acme/instances/web[0]' -i inventory.yml

exit status: 0; 1 when there is no such instance; otherwise that of ssh
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from typing import Any

from stead.cli.commands.hosts import real_inventory
from stead.cli.commands.show import named
from stead.cli.common import options as shared
from stead.cli.common.consoles import NO_CONSOLE, driver_of
from stead.cli.common.workspace import Workspace, open_state
from stead.core.diagnostics import Refused
from stead.core.recorded import Record
from stead.drivers.hypervisor import HypervisorDriver
from stead.kinds import kinds
from stead.site.ssh import ssh

# Two of them: also where what types is a program. What opens it wants a terminal.
TERMINAL = ("-t", "-t")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("address", metavar="ADDRESS", help="an instance")
    shared.inputs(parser)


def run(options: argparse.Namespace) -> int:
    record, told, driver = guest_of(shared.workspace_of(options), options.address)
    words = ssh(record.host, told, [*driver.console(record.leases["uuid"])], options=TERMINAL)
    try:
        os.execvp(words[0], words)  # noqa: S606 - the terminal is ssh's from here on
    except OSError as error:
        raise Refused(NO_CONSOLE.at(None, f"{words[0]}: {error.strerror}.")) from error


def guest_of(workspace: Workspace, address: str) -> tuple[Record, Mapping[str, Any], HypervisorDriver]:
    """One instance, the connection of its host, and its driver."""
    first, *others = named(address, open_state(workspace).recorded().resources)
    if others:
        raise Refused(
            NO_CONSOLE.at(None, f"{address} has {1 + len(others)} members. Name one of them, such as {first.address}.")
        )
    if not kinds()[first.address.kind].guest or not first.host:
        raise Refused(
            NO_CONSOLE.at(None, f"{first.address} is not an instance on a host. Only instances have a console.")
        )
    told = real_inventory(workspace).connections.get(first.host)
    if told is None:
        raise Refused(NO_CONSOLE.at(None, f"{first.address} is on {first.host}, which the inventory does not have."))
    driver = driver_of(first)
    if driver is None:
        raise Refused(NO_CONSOLE.at(None, f"{first.address}: there is no code for its hypervisor here."))
    return first, told, driver
