"""tgtd's management socket, for the one thing that must not be on a command line: the secret of an account.

`tgtadm` sends the same, and takes it as an argument, which every user of the host may read. The form of a request is
that of tgt 1.0.85 (usr/tgtadm.h); it has no version of its own, so whoever sends one looks at what became of it.
"""

from __future__ import annotations

import socket
import struct

from ..base.errors import Failed, FailureCode

REFUSED = FailureCode("STEAD-E134", "tgtd does not take a volume's account")

SOCKET = "/var/run/tgtd/socket.0"
SECONDS = 10
# mode, op, driver, length, target, session, unit, connection, host, device type, direction, pack, force
_REQUEST = struct.Struct("=II64sIiQQIIIIII")
_ANSWER = struct.Struct("=II")  # error, length
_ACCOUNT = 7  # the mode
_NEW, _DELETE, _BIND = 0, 1, 3
_INCOMING = 0  # whoever logs in proves who it is
_NO_USER = 15


def add(user: str, secret: str) -> None:
    _tell(_NEW, 0, "user={0},password={1}".format(user, secret))


def bind(target: int, user: str) -> None:
    _tell(_BIND, target, "user={0}".format(user))


def remove(user: str) -> None:
    """From all targets. It may be there or not."""
    _tell(_DELETE, 0, "user={0}".format(user), fine=_NO_USER)


def _tell(operation: int, target: int, text: str, fine: int = 0) -> None:
    body = text.encode() + b"\0"
    length = _REQUEST.size + len(body)
    head = _REQUEST.pack(_ACCOUNT, operation, b"iscsi", length, target, 0, 0, 0, 0, 0, _INCOMING, 0, 0)
    try:
        status = _ask(head + body)
    except OSError as error:
        said = "It does not answer at {0}: {1}.".format(SOCKET, error.strerror or error)
        raise Failed(REFUSED, said + " Look at `systemctl status stead-iscsi`, and apply again.") from None
    if status not in (0, fine):
        text = "It answers with error {0} of its tgtadm_error.h. Stead knows tgt 1.0.85: install that, and apply again."
        raise Failed(REFUSED, text.format(status))


def _ask(request: bytes) -> int:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as channel:
        channel.settimeout(SECONDS)
        channel.connect(SOCKET)
        channel.sendall(request)
        answer = b""
        while len(answer) < _ANSWER.size:
            more = channel.recv(_ANSWER.size - len(answer))
            if not more:
                raise OSError(0, "it closed the connection")
            answer += more
    return int(_ANSWER.unpack(answer)[0])
