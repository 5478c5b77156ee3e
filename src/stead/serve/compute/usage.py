"""Nova's usage of projects: what `openstack usage list` and `usage show` print. Computed from the store's history.

A project sees its own; an admin sees every project's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

from stead.core.metered import Metered
from stead.core.named import NamedTuple
from stead.serve.compute.servers import V
from stead.serve.faults import bad, not_found
from stead.serve.listing import limit_of
from stead.serve.routes import AccessPolicy, ApiReply, ApiRoute, Call
from stead.usage.intervals import moment_of
from stead.usage.spans import HOUR, MeterSpan, spans

KIND = "instances"
FOUR_WEEKS = 28 * 24 * HOUR
MIB, GIB = 1 << 20, 1 << 30
U = f"{V}/os-simple-tenant-usage"


class ServerUse(NamedTuple):
    """What one server was in the interval: stretches in which it did not change, in order."""

    project: str
    uuid: str
    spans: Sequence[MeterSpan]  # those that reach into the interval
    first: float  # when it began to be
    last: MeterSpan  # of all, also after the interval


class UsageInterval(NamedTuple):
    begin: float
    end: float
    now: float

    def hours(self, span: MeterSpan) -> float:
        return span.within(self.begin, self.end) / HOUR


def list_usage(call: Call) -> ApiReply:
    asked = _asked(call)
    shown, more = _page(call, _servers(_history(call, None), asked))
    # Several pages may have a part of the same project each: clients add them up, as they do with Nova's.
    by_project = sorted(shown, key=lambda one: one.project)
    found = [_of_project(call, name, list(some), asked) for name, some in groupby(by_project, lambda one: one.project)]
    if not call.flag("detailed"):
        for one in found:
            del one["server_usages"]
    return ApiReply(body={"tenant_usages": found, **_links(call, "tenant_usages", shown, more=more)})


def show_usage(call: Call) -> ApiReply:
    project = _project(call)
    asked = _asked(call)
    shown, more = _page(call, _servers(_history(call, project), asked))
    found: dict[str, Any] = _of_project(call, project, shown, asked) if shown else {}
    return ApiReply(body={"tenant_usage": found, **_links(call, "tenant_usage", shown, more=more)})


def _project(call: Call) -> str:
    """Whether another project exists is not told either."""
    project = call.world.project(call.path["id"])
    if not call.caller.admin and (project is None or project != call.caller.project):
        raise not_found("Project", call.path["id"])
    return project or ""


def _history(call: Call, project: str | None) -> Sequence[Metered]:
    store = call.cloud.means.open_store()  # of its own: others may be in the middle of a transaction
    try:
        return store.metered(project)
    finally:
        store.close()


def _asked(call: Call) -> UsageInterval:
    now = call.cloud.clock()
    end = _moment(call, "end", now)
    begin = _moment(call, "start", end - FOUR_WEEKS)
    if begin >= end:
        raise bad("Invalid start time. The start time cannot occur after the end time.")
    return UsageInterval(begin, end, now)


def _moment(call: Call, name: str, otherwise: float) -> float:
    text = call.asked(name)
    try:
        return moment_of(text) if text else otherwise
    except ValueError as error:
        raise bad(f"{name} is no time: write it as 2026-11-30T12:00:00.") from error


def _servers(history: Iterable[Metered], asked: UsageInterval) -> list[ServerUse]:
    """In the order of their beginning, so that pages stay the same when others come."""
    lives: dict[str, list[MeterSpan]] = {}
    for span in spans((one for one in history if one.address.kind == KIND), asked.now):
        lives.setdefault(span.uuid, []).append(span)
    found = []
    for uuid, some in lives.items():
        life = sorted(some, key=lambda one: one.begin)
        if within := [one for one in life if asked.hours(one)]:
            found.append(ServerUse(life[-1].address.project, uuid, within, life[0].begin, life[-1]))
    return sorted(found, key=lambda one: (one.first, one.uuid))


def _page(call: Call, servers: list[ServerUse]) -> tuple[list[ServerUse], bool]:
    start = 0
    if marker := call.asked("marker"):
        start = 1 + next((at for at, one in enumerate(servers) if one.uuid == marker), -1)
        if not start:
            raise bad(f"marker {marker[:80]} could not be found.")
    most = limit_of(call) if call.asked("limit") else len(servers)
    return servers[start : start + most], len(servers) > start + most


def _links(call: Call, name: str, shown: Sequence[ServerUse], *, more: bool) -> dict[str, Any]:
    if not more or not shown:
        return {}
    rest = [(key, text) for key, text in call.query if key != "marker"]
    place = f"/{call.path['id']}" if "id" in call.path else ""
    href = f"{call.root}{U}{place}?{urlencode([*rest, ('marker', shown[-1].uuid)])}"
    return {f"{name}_links": [{"rel": "next", "href": href}]}


def _of_project(call: Call, project: str, servers: Sequence[ServerUse], asked: UsageInterval) -> dict[str, Any]:
    def total(name: str) -> float:
        """Exact also where a server was resized in between."""
        return sum(_amount(span.amounts, name) * asked.hours(span) for one in servers for span in one.spans)

    return {
        "tenant_id": call.world.project_id(project),
        "start": _written(asked.begin),
        "stop": _written(asked.end),
        "total_hours": total(KIND),
        "total_vcpus_usage": total("vcpus"),
        "total_memory_mb_usage": total("memory") / MIB,
        "total_local_gb_usage": total("disks") / GIB,
        "server_usages": [_of_server(call, one, asked) for one in servers],
    }


def _of_server(call: Call, one: ServerUse, asked: UsageInterval) -> dict[str, Any]:
    latest = one.spans[-1]
    end = one.last.end
    return {
        "instance_id": one.uuid,
        "name": _name(call, latest),
        "tenant_id": call.world.project_id(one.project),
        "flavor": _flavor(latest.amounts),
        "vcpus": _amount(latest.amounts, "vcpus"),
        "memory_mb": _amount(latest.amounts, "memory") // MIB,
        "local_gb": -(-_amount(latest.amounts, "disks") // GIB),
        "hours": sum(asked.hours(span) for span in one.spans),
        "started_at": _written(one.first),
        "ended_at": None if one.last.lasts else _written(end),
        "uptime": int(end - one.first),
        "state": _state(one.last),
    }


def _name(call: Call, span: MeterSpan) -> str:
    """As its owner wrote it, while it is there."""
    world = call.world
    return world.thing(span.address).name if span.address in world.desired.by_address else span.address.label


def _state(span: MeterSpan) -> str:
    if not span.lasts:
        return "terminated"
    return "active" if _amount(span.amounts, "running") else "stopped"


def _flavor(amounts: Mapping[str, int]) -> str:
    return next((name.partition(":")[2] for name in amounts if name.startswith(f"{KIND}:")), "")


def _amount(amounts: Mapping[str, int], meter: str) -> int:
    return sum(amount for name, amount in amounts.items() if name.partition(":")[0] == meter)


def _written(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")


ROUTES = (
    ApiRoute("GET", U, AccessPolicy.ADMIN, list_usage),
    ApiRoute("GET", f"{U}/{{id}}", AccessPolicy.READER, show_usage),
)
