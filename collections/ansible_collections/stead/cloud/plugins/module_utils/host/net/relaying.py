"""From standard input and output to a port of an instance, in the network's own namespace: SSH's ProxyCommand.

`relay NETWORK ADDRESS PORT`, where NETWORK is a UUID. It goes nowhere but into a network's namespace, so that this
program alone may be allowed to somebody who is not root.
"""

from __future__ import annotations

import ipaddress
import os
import socket
import sys
import uuid
from typing import Sequence, Tuple

from ..base.errors import Failed
from ..base.pumping import pump
from . import drivers

PATIENCE = 10  # seconds to open the connection
USAGE = "usage: relay NETWORK ADDRESS PORT"


def main(arguments: Sequence[str]) -> int:
    try:
        if len(arguments) == 3:
            network, address, port = str(uuid.UUID(arguments[0])), *_target(arguments[1:])
            namespace = drivers.inside(network)
            inside = ["ip", "netns", "exec", namespace, sys.argv[0], address, str(port)]
            os.execvp(inside[0], inside)  # noqa: S606 - no shell is what is wanted
        address, port = _target(arguments)
    except Failed as error:
        sys.stderr.write("{0}\n".format(error))
        return 1
    except ValueError as error:
        sys.stderr.write("{0}: {1}\n".format(USAGE, error))
        return 2
    try:
        with socket.create_connection((address, port), PATIENCE) as connection:
            connection.settimeout(None)
            pump(connection)
    except OSError as error:
        sys.stderr.write("{0} port {1}: {2}\n".format(address, port, error.strerror or error))
        return 1
    return 0


def _target(words: Sequence[str]) -> Tuple[str, int]:
    address, port = words
    return str(ipaddress.ip_address(address)), int(port)
