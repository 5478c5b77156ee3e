"""Asks hosts what their guests use, all at the same time. Only a moment counts, so nothing is kept."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from stead.core.named import NamedTuple
from stead.site.ssh import ssh

PROGRAM = "/usr/lib/stead/metrics"
# Nobody is there to type a password, and a host whose power was cut is given up on.
ALONE = ("-T", "-o", "BatchMode=yes", "-o", "ConnectTimeout=8", "-o", "ServerAliveInterval=3")
PATIENCE = 20  # seconds beyond those that are measured
AT_ONCE = 32


class Rates(NamedTuple):
    """What a guest used in each second of the time that was measured."""

    host: str
    uuid: str
    vcpus: int
    cpu: float  # processors
    steal: float
    wait: float
    memory: int
    memory_used: int
    reads: float
    read_bytes: float
    writes: float
    written_bytes: float
    received_bytes: float
    sent_bytes: float
    drops: float


def measure(
    connections: Mapping[str, Mapping[str, Any]], hosts: Iterable[str], seconds: float
) -> tuple[list[Rates], dict[str, str]]:
    """And host -> why it does not say."""
    found: list[Rates] = []
    silent: dict[str, str] = {}

    def ask(host: str) -> None:
        told = connections.get(host)
        if told is None:
            silent[host] = "the inventory does not have it"
            return
        try:
            found.extend(_asked(host, told, seconds))
        except (OSError, subprocess.TimeoutExpired) as error:
            silent[host] = f"it does not answer ({type(error).__name__})"
        except _Wrong as error:
            silent[host] = str(error)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(ask, sorted(set(hosts))))
    return found, silent


class _Wrong(Exception):  # noqa: N818 - never leaves here
    """What a host said, and should not have."""


def _asked(host: str, told: Mapping[str, Any], seconds: float) -> list[Rates]:
    words = ssh(host, told, [PROGRAM, "rates", str(seconds)], options=ALONE)
    done = subprocess.run(words, capture_output=True, check=False, timeout=seconds + PATIENCE, stdin=subprocess.DEVNULL)
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip()[-300:]
        hint = " Run `stead bootstrap` on it." if "not found" in said or "No such file" in said else ""
        raise _Wrong(f"{said or f'status {done.returncode}'}.{hint}")
    try:
        return [_rates(host, one) for one in json.loads(done.stdout)["guests"]]
    except (ValueError, KeyError, TypeError) as error:
        raise _Wrong("its answer cannot be read: it has another version of Stead") from error


def _rates(host: str, one: Mapping[str, Any]) -> Rates:
    disk, network, memory = one["disk"], one["network"], one["memory"]
    return Rates(
        host=host,
        uuid=str(one["uuid"]),
        vcpus=int(one["vcpus"]),
        **{name: float(one[name]) for name in ("cpu", "steal", "wait")},
        memory=int(memory["size"]),
        memory_used=int(memory["used"]),
        **{name: float(disk[name]) for name in ("reads", "read_bytes", "writes", "written_bytes")},
        **{name: float(network[name]) for name in ("received_bytes", "sent_bytes")},
        drops=float(network["receive_drops"]) + float(network["send_drops"]),
    )
