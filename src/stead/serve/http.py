"""Runs the application with uvicorn, and the worker beside it; stops both gracefully."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Sequence

import uvicorn

from stead.core.diagnostics import Code, Refused
from stead.core.value import value
from stead.serve.cloud import Cloud
from stead.serve.identity.people import People
from stead.serve.portal.application import application
from stead.serve.portal.live import LiveStreams
from stead.serve.routes import Service
from stead.serve.worker import Worker

NOT_LISTENING = Code("STEAD-C085", "this address cannot be listened on")
BAD_CERTIFICATE = Code("STEAD-C086", "the certificate or its key cannot be used")
KEEP_ALIVE = 15  # seconds that an idle connection stays
HEADERS_LARGEST = 32 << 10
MESSAGE_LARGEST = 64 << 10  # bytes, of a WebSocket
AT_ONCE = 200  # connections; more are told to come again
ANYWHERE = "::"
GRACE = 30  # seconds that requests have to end


@value
class Listening:
    host: str
    port: int
    url: str = ""  # as clients see it; empty: as they ask for it
    behind_proxy: bool = False  # on this machine, which says where requests come from
    certificate: str | None = None  # files
    key: str | None = None


class NotifyingServer(uvicorn.Server):
    """Tells systemd when it listens, so that a unit that has started answers; and open pages that it ends."""

    def __init__(self, config: uvicorn.Config, live: LiveStreams) -> None:
        super().__init__(config)
        self._live = live

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._live.close()
        await super().shutdown(sockets)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            notify("READY=1")


def listening(host: str, port: int) -> socket.socket:
    """On `::` for IPv4 as well, where asyncio would listen for IPv6 alone; and where there is no IPv6, without it."""
    if host != ANYWHERE:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    if socket.has_dualstack_ipv6():
        return socket.create_server((host, port), family=socket.AF_INET6, dualstack_ipv6=True)
    return socket.create_server(("0.0.0.0", port))  # noqa: S104 - what was asked for


def notify(state: str) -> None:
    """sd_notify(3), where a service manager waits for it."""
    if path := os.environ.get("NOTIFY_SOCKET"):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as link:
            link.connect("\0" + path[1:] if path.startswith("@") else path)
            link.sendall(state.encode())


def serve(cloud: Cloud, people: People, worker: Worker, services: Sequence[Service], at: Listening) -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    live = LiveStreams(cloud)
    config = uvicorn.Config(
        application(cloud, people, services, url=at.url, live=live),
        ssl_certfile=at.certificate,
        ssl_keyfile=at.key,
        timeout_keep_alive=KEEP_ALIVE,
        limit_concurrency=AT_ONCE,
        timeout_graceful_shutdown=GRACE,
        ws_max_size=MESSAGE_LARGEST,
        h11_max_incomplete_event_size=HEADERS_LARGEST,
        server_header=False,
        access_log=False,
        proxy_headers=at.behind_proxy,
        forwarded_allow_ips=["127.0.0.1", "::1", "::ffff:127.0.0.1"],
        log_config=None,
    )
    load(config)
    with bound(at) as link:
        worker.start()
        try:
            NotifyingServer(config, live).run([link])
        finally:
            worker.stop()


def load(config: uvicorn.Config) -> None:
    """Of all that it loads, only certificate and key are files."""
    try:
        config.load()
    except OSError as error:  # what is wrong inside a file is one, too
        files = ", ".join(str(one) for one in (config.ssl_certfile, config.ssl_keyfile) if one)
        text = f"{files}: {error.strerror or error}. Name files in PEM that belong together."
        raise Refused(BAD_CERTIFICATE.at(None, text)) from error


def bound(at: Listening) -> socket.socket:
    try:
        return listening(at.host, at.port)
    except OSError as error:
        why = str(error.strerror or error).partition(" (")[0]
        text = f"{at.host}, port {at.port}: {why}. Stop what listens there, or use --listen with another address."
        raise Refused(NOT_LISTENING.at(None, text)) from error
