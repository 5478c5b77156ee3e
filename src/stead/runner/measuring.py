"""Asks hosts what guests use and who answers behind load balancers, all at the same time.

Only a moment counts, so nothing is kept.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

from stead.core.named import NamedTuple
from stead.site.ssh import ssh

T = TypeVar("T")

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


class BackendState(NamedTuple):
    """A member of a load balancer, as one of its hosts has found it."""

    host: str
    uuid: str  # of the load balancer
    listener: str
    member: str
    state: str
    since: int  # seconds
    sessions: int
    total: int
    bytes_in: int
    bytes_out: int
    check: str


Connections = Mapping[str, Mapping[str, Any]]
Silent = dict[str, str]  # host -> why it does not say


def measure(connections: Connections, hosts: Iterable[str], seconds: float) -> tuple[list[Rates], Silent]:
    def ask(host: str, told: Mapping[str, Any]) -> list[Rates]:
        return _asked(host, told, ("rates", str(seconds)), seconds, partial(_all_rates, host))

    return _gathered(connections, hosts, ask)


def backends(connections: Connections, uuids: Mapping[str, Sequence[str]]) -> tuple[list[BackendState], Silent]:
    """Of the load balancers with these UUIDs, by the host that has them."""

    def ask(host: str, told: Mapping[str, Any]) -> list[BackendState]:
        found: list[BackendState] = []
        for uuid in uuids[host]:
            found += _asked(host, told, ("backends", uuid), 0, partial(_all_backends, host, uuid))
        return found

    return _gathered(connections, uuids, ask)


def _gathered(
    connections: Connections, hosts: Iterable[str], ask: Callable[[str, Mapping[str, Any]], list[T]]
) -> tuple[list[T], Silent]:
    found: list[T] = []
    silent: Silent = {}

    def gather(host: str) -> None:
        told = connections.get(host)
        if told is None:
            silent[host] = "the inventory does not have it"
            return
        try:
            found.extend(ask(host, told))
        except (OSError, subprocess.TimeoutExpired) as error:
            silent[host] = f"it does not answer ({type(error).__name__})"
        except _Wrong as error:
            silent[host] = str(error)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(gather, sorted(set(hosts))))
    return found, silent


class _Wrong(Exception):  # noqa: N818 - never leaves here
    """What a host said, and should not have."""


def _asked(
    host: str, told: Mapping[str, Any], words: Sequence[str], takes: float, read: Callable[[Any], list[T]]
) -> list[T]:
    argv = ssh(host, told, [PROGRAM, *words], options=ALONE)
    done = subprocess.run(argv, capture_output=True, check=False, timeout=takes + PATIENCE, stdin=subprocess.DEVNULL)
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip()[-300:]
        hint = " Run `stead bootstrap` on it." if "not found" in said or "No such file" in said else ""
        raise _Wrong(f"{said or f'status {done.returncode}'}.{hint}")
    try:
        return read(json.loads(done.stdout))
    except (ValueError, KeyError, TypeError) as error:
        raise _Wrong("its answer cannot be read: it has another version of Stead") from error


def _all_rates(host: str, said: Any) -> list[Rates]:
    return [_rates(host, one) for one in said["guests"]]


def _all_backends(host: str, uuid: str, said: Any) -> list[BackendState]:
    return [_backend(host, uuid, one) for one in said["backends"]]


def _backend(host: str, uuid: str, one: Mapping[str, Any]) -> BackendState:
    return BackendState(
        host=host,
        uuid=uuid,
        listener=str(one["listener"]),
        member=str(one["member"]),
        state=str(one["state"]),
        since=int(one["since"]),
        sessions=int(one["sessions"]),
        total=int(one["total"]),
        bytes_in=int(one["bytes_in"]),
        bytes_out=int(one["bytes_out"]),
        check=str(one["check"]),
    )


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
