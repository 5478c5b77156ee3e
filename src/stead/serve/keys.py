"""Keys of what the API makes: never a client's words, in the order in which they were made, and never one twice."""

from __future__ import annotations

import os
import time

PREFIXES = {
    "instances": "vm",
    "volumes": "vol",
    "snapshots": "snap",
    "networks": "net",
    "routers": "rt",
    "security_groups": "sg",
    "floating_ips": "fip",
    "images": "img",
    "keypairs": "key",
    "subnets": "sub",
    "ports": "port",
    "serve_subnet_pools": "pool",
    "server_groups": "grp",
}


def fresh() -> str:
    return f"{time.time_ns() // 1_000_000:x}{os.urandom(6).hex()}"  # one request makes a hundred in a millisecond


def new_key(kind: str) -> str:
    return f"{PREFIXES[kind]}-{fresh()}"
