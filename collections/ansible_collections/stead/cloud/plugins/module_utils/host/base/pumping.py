"""Between standard input and output and a connection: what programs do that SSH starts to reach something here."""

from __future__ import annotations

import os
import socket
import sys
import threading

CHUNK = 65536


def pump(connection: socket.socket) -> None:
    """Until the other side ends; when this one ends first, the other is told so and may finish."""
    threading.Thread(target=_send, args=(connection,), daemon=True).start()
    while True:
        data = connection.recv(CHUNK)
        if not data:
            return
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()


def _send(connection: socket.socket) -> None:
    while True:
        data = os.read(sys.stdin.fileno(), CHUNK)
        if not data:
            connection.shutdown(socket.SHUT_WR)
            return
        connection.sendall(data)
