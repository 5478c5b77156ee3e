"""Runs the application with uvicorn, and the worker beside it; stops both gracefully."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import uvicorn

from stead.core.value import value
from stead.serve.app import ApiServer
from stead.serve.cloud import Cloud
from stead.serve.identity.people import People
from stead.serve.routes import Service
from stead.serve.worker import Worker

KEEP_ALIVE = 15  # seconds that an idle connection stays
HEADERS_LARGEST = 32 << 10
AT_ONCE = 200  # connections; more are told to come again
GRACE = 30  # seconds that requests have to end


@value
class Listening:
    host: str
    port: int
    url: str = ""  # as clients see it; empty: as they ask for it
    behind_proxy: bool = False  # on this machine, which says where requests come from
    certificate: str | None = None  # files
    key: str | None = None


def serve(cloud: Cloud, people: People, worker: Worker, services: Sequence[Service], at: Listening) -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    config = uvicorn.Config(
        ApiServer(cloud, people, services, url=at.url).app(),
        host=at.host,
        port=at.port,
        ssl_certfile=at.certificate,
        ssl_keyfile=at.key,
        timeout_keep_alive=KEEP_ALIVE,
        limit_concurrency=AT_ONCE,
        timeout_graceful_shutdown=GRACE,
        h11_max_incomplete_event_size=HEADERS_LARGEST,
        server_header=False,
        access_log=False,
        proxy_headers=at.behind_proxy,
        forwarded_allow_ips=["127.0.0.1", "::1"],
        log_config=None,
    )
    worker.start()
    try:
        uvicorn.Server(config).run()
    finally:
        worker.stop()
