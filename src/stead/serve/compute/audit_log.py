"""Nova's log of audits that tell billing what is used. There are none: usage is computed from the store's history."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from stead.serve.compute.hosts import computes
from stead.serve.compute.servers import V
from stead.serve.faults import bad
from stead.serve.routes import AccessPolicy, ApiReply, ApiRoute, Call
from stead.usage.intervals import moment_of


def list_log(call: Call) -> ApiReply:
    return ApiReply(body={"instance_usage_audit_logs": _log(call, call.cloud.clock())})


def show_log(call: Call) -> ApiReply:
    text = call.path["before"]
    try:
        before = moment_of(text.replace(" ", "T"))
    except ValueError as error:
        raise bad(f"Invalid timestamp for date {text[:40]}") from error
    return ApiReply(body={"instance_usage_audit_log": _log(call, before)})


def _log(call: Call, before: float) -> dict[str, Any]:
    """Of the month before, as Nova has it where no audits are made."""
    end = datetime.fromtimestamp(before, UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    begin = (end - timedelta(days=1)).replace(day=1)
    names = [one.name for one in computes(call)]
    return {
        "log": {},
        "hosts_not_run": names,
        "num_hosts": len(names),
        "num_hosts_done": 0,
        "num_hosts_not_run": len(names),
        "num_hosts_running": 0,
        "overall_status": f"0 of {len(names)} hosts done. 0 errors.",
        "period_beginning": f"{begin:%Y-%m-%d %H:%M:%S}",
        "period_ending": f"{end:%Y-%m-%d %H:%M:%S}",
        "total_errors": 0,
        "total_instances": 0,
    }


L = f"{V}/os-instance_usage_audit_log"
ROUTES = (
    ApiRoute("GET", L, AccessPolicy.ADMIN, list_log),
    ApiRoute("GET", f"{L}/{{before}}", AccessPolicy.ADMIN, show_log),
)
