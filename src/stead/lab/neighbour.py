"""The neighbour's web server: tells whoever asks which address they came from, which is how a test proves a NAT.

Run as `python -m stead.lab.neighbour` inside the neighbour's namespace. It knows nothing of labs.
"""

from __future__ import annotations

import socket
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

SERVING = "/root/serving"  # is there once somebody may ask


class Echo(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = f"{self.client_address[0].removeprefix('::ffff:')}\n".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Nobody reads it."""


class Server(ThreadingHTTPServer):
    address_family = socket.AF_INET6  # takes IPv4 too

    def server_bind(self) -> None:
        """Without the base class's look-up of its own name, which waits for a name server that is not there."""
        self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_name, self.server_port = "neighbour", self.server_address[1]


if __name__ == "__main__":
    server = Server(("::", 80), Echo)
    Path(SERVING).touch()
    server.serve_forever()
