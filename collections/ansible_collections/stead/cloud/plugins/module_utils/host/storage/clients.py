"""What hosts need to use pools that others serve: QEMU's own clients, else the kernel's, and a server that answers.

QEMU speaks NFS and iSCSI by itself, and that is taken where it does: nothing is mounted, nothing is logged in, a
domain's definition is the same on every host, and a server that is away holds up its guests and not the host. A QEMU
without them (Red Hat's) has the kernel's clients, which is told from what QEMU itself says.
"""

from __future__ import annotations

import socket
import time
from typing import Dict, Sequence

from ..base import commands
from ..base.errors import Failed

PATIENCE = 3  # seconds
AGAIN = 0.1
_spoken: Dict[str, bool] = {}


def by_qemu(protocol: str) -> bool:
    """Whether this host's QEMU has a client for the protocol. One that has complains of the empty address only."""
    if protocol not in _spoken:
        _status, out, said = commands.attempt(["qemu-img", "info", protocol + ":"])
        _spoken[protocol] = "Unknown protocol" not in out + said
    return _spoken[protocol]


def speaks(protocol: str, program: Sequence[str]) -> bool:
    """Whether QEMU, or the kernel with the program, can use what is served by the protocol."""
    try:
        if by_qemu(protocol):
            return True
    except Failed:  # there is no qemu-img
        pass
    try:
        return commands.attempt(program)[0] == 0
    except Failed:
        return False


def silent(server: str, port: int) -> str:
    """Why nobody answers there; empty when somebody does. Who was started a moment ago does not listen yet."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            socket.create_connection((server, port), PATIENCE).close()
        except OSError as error:
            if time.monotonic() < until:
                time.sleep(AGAIN)
                continue
            return error.strerror or str(error)
        return ""


def url_host(server: str) -> str:
    return "[{0}]".format(server) if ":" in server else server
