"""Open the serial console of an instance over SSH to its host, or its screen. Ctrl-] closes the console.

  stead console acme/instances/web
  stead console 'acme/instances/web[0]' -i inventory.yml
  stead console acme/instances/web --screen      its screen, for a VNC viewer on this machine, until Ctrl-C

exit status: 0; 1 when there is no such instance, or it has no screen; otherwise that of ssh
"""

from __future__ import annotations

import argparse
import os
import socket
import subprocess
import tempfile
from collections.abc import Mapping
from typing import Any

from stead.cli.commands.hosts import real_inventory
from stead.cli.commands.show import named
from stead.cli.common import options as shared
from stead.cli.common.consoles import NO_CONSOLE, SENT_BY_USERS, driver_of, screen
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
    parser.add_argument("--screen", action="store_true", help="a UNIX socket that shows its screen, for a VNC viewer")
    shared.inputs(parser)


def run(options: argparse.Namespace) -> int:
    record, told, driver = guest_of(shared.workspace_of(options), options.address)
    if options.screen:
        return show(record, told)
    words = ssh(record.host, told, [*driver.console(record.leases["uuid"])], options=TERMINAL)
    try:
        os.execvp(words[0], words)  # noqa: S606 - the terminal is ssh's from here on
    except OSError as error:
        raise Refused(NO_CONSOLE.at(None, f"{words[0]}: {error.strerror}.")) from error


def show(record: Record, told: Mapping[str, Any]) -> int:
    """Each viewer that comes is given a connection of its own. The socket is in a folder that others cannot enter."""
    command = screen(record)
    if not command:
        why = "Its `graphics` is not vnc, or its hypervisor has no screen."
        raise Refused(NO_CONSOLE.at(None, f"{record.address} has no screen that VNC shows. {why}"))
    words = ssh(record.host, told, command, options=SENT_BY_USERS)
    with tempfile.TemporaryDirectory(prefix="stead-") as folder, socket.socket(socket.AF_UNIX) as door:
        path = f"{folder}/screen"
        door.bind(path)
        door.listen()
        print(f"The screen of {record.address} is at {path} until Ctrl-C. Open it with a VNC viewer:", flush=True)
        print(f"  vncviewer {path}", flush=True)
        viewers = []
        try:
            while True:
                with door.accept()[0] as viewer:
                    viewers.append(subprocess.Popen(words, stdin=viewer.fileno(), stdout=viewer.fileno()))
        except KeyboardInterrupt:
            return 0
        finally:
            for one in viewers:
                one.terminate()


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
