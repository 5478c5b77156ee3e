"""A program that speaks WebSocket: what stands behind the URL of a console, without a browser."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    RejectConnection,
    Request,
    TextMessage,
)


class SocketClient:
    def __init__(self, url: str, *, origin: str = "") -> None:
        at = urlsplit(url)
        self._link = socket.create_connection((at.hostname or "", at.port or 80), timeout=20)
        self._protocol = WSConnection(ConnectionType.CLIENT)
        headers = [(b"Origin", origin.encode())] if origin else []
        self._send(Request(host=at.netloc, target=f"{at.path}/ws", extra_headers=headers))
        self.heard, self.code = b"", 0
        first = self._next()
        self.refused = first.status_code if isinstance(first, RejectConnection) else 0
        assert self.refused or isinstance(first, AcceptConnection), first

    def _send(self, event: Event) -> None:
        self._link.sendall(self._protocol.send(event))

    def _next(self) -> Event:
        while True:
            for event in self._protocol.events():
                return event
            self._protocol.receive_data(self._link.recv(4096) or None)

    def type(self, said: bytes) -> None:
        self._send(BytesMessage(data=said))

    def hear(self, wanted: bytes) -> bytes:
        """All that was heard, when this is in it."""
        while wanted not in self.heard:
            event = self._next()
            assert isinstance(event, BytesMessage), event
            self.heard += bytes(event.data)
        return self.heard

    def closed(self) -> int:
        """The code with which it is closed."""
        while True:
            event = self._next()
            if isinstance(event, CloseConnection):
                return int(event.code)
            assert isinstance(event, BytesMessage | TextMessage), event

    def close(self) -> None:
        self._link.close()
