"""From standard input and output to the screen of a guest, by VNC: `screen UUID`.

The guest is handed one end of a pair of sockets. So no port of this host is open for it, and nobody needs a password
that another user of the host could read.
"""

from __future__ import annotations

import socket
import sys
import uuid
from typing import Sequence

from ..base.errors import Failed
from ..base.pumping import pump
from ..base.sessions import Sessions
from . import drivers
from .driver import NO_SCREEN, shows

USAGE = "usage: screen UUID"


def main(arguments: Sequence[str]) -> int:
    try:
        (guest,) = map(str, map(uuid.UUID, arguments))
    except ValueError as error:
        sys.stderr.write("{0}: {1}\n".format(USAGE, error))
        return 2
    try:
        connection = _screen_of(guest)
    except Failed as error:
        sys.stderr.write("{0}\n".format(error))
        return 1
    with connection:
        pump(connection)
    return 0


def _screen_of(uuid: str) -> socket.socket:
    sessions = Sessions()
    try:
        guest = drivers.find(uuid, sessions)
        if guest is None:
            raise Failed(NO_SCREEN, "This host has no guest {0}.".format(uuid))
        if not guest.is_on():
            raise Failed(NO_SCREEN, "{0} is off. Start it first.".format(guest.name))
        return socket.socket(fileno=shows(guest).screen())
    finally:
        sessions.close()
