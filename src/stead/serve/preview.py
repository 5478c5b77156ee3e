"""What a request would do, told before it is made: the same edit, planned in the same way, and not saved.

A project's people learn what happens to what is theirs. Hosts and reasons are the operators' business.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from typing import Any

from stead.core.address import Address
from stead.language.spec.exported import exported
from stead.plan.model import Step, clears
from stead.plan.render.values import shown
from stead.serve.edits import NO_SECTION
from stead.serve.promises import is_of, said_of
from stead.serve.quotas import COMPUTE, NETWORK, VOLUME, limits, used
from stead.serve.routes import Call, PreviewedEdit
from stead.serve.world import CloudState, ResourceStatus

PREVIEW = "x-stead-preview"


def preview_of(call: Call, found: PreviewedEdit) -> dict[str, Any]:
    before, after, plan, project = found.before, found.after, found.plan, found.project
    changed = _changed(found)
    mine = [step for step in plan.steps if step.host and is_of(step.address, project)]
    return {
        "steps": [_step(call, found, step) for step in mine if not _waits(found, step.address, changed)],
        "resources": [_resource(call, found, one) for one in plan.keeps if one in changed],
        "quota": dict(_quota(call, before, after, project)),
        "yaml": written(call, project, before, after),
    }


def _changed(found: PreviewedEdit) -> frozenset[Address]:
    """What the request itself makes, changes or ends."""
    before, after = (world.documents[found.project].content for world in (found.before, found.after))
    there = {*found.before.desired.by_address, *found.after.desired.by_address}
    return frozenset(one for one in there if is_of(one, found.project) and said_of(before, one) != said_of(after, one))


def _waits(found: PreviewedEdit, address: Address, changed: frozenset[Address]) -> bool:
    """It was asked for before, and is made in any case."""
    known = address in found.before.desired.by_address and address in found.after.desired.by_address
    return known and address not in changed and found.before.thing(address).state is ResourceStatus.BUILDING


def _named(found: PreviewedEdit, address: Address) -> str:
    world = found.after if address in found.after.desired.by_address else found.before
    return world.thing(address).name if address in world.desired.by_address else address.label


def _step(call: Call, found: PreviewedEdit, step: Step) -> dict[str, Any]:
    told: dict[str, Any] = {
        "kind": step.address.kind,
        "name": _named(found, step.address),
        "action": "clear" if clears(step) else str(step.action),
        "disturbs": str(step.disturbs),
        "loses": step.loses,
        "changes": [one.name for one in step.changes],
    }
    if call.caller.admin:
        told["host"] = step.host
        told["changes"] = [f"{one.name}: {shown(one.old)} → {shown(one.new)}" for one in step.changes]
    return told


def _resource(call: Call, found: PreviewedEdit, address: Address) -> dict[str, Any]:
    keep = found.plan.keeps[address]
    told = {
        "kind": address.kind,
        "name": _named(found, address),
        "gone": not keep.leases,
        "addresses": sorted(filter(_is_ip, keep.leases.values())),
    }
    return {**told, "host": keep.host, "reason": keep.reason} if call.caller.admin else told


def _is_ip(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _quota(call: Call, before: CloudState, after: CloudState, project: str) -> Iterator[tuple[str, Mapping[str, int]]]:
    """What changes of it."""
    for table in (COMPUTE, NETWORK, VOLUME):
        most = limits(after, project, table)
        now, then = (used(call, world, project, table) for world in (before, after))
        for name in table:
            if now[name] != then[name]:
                yield name, {"now": now[name], "then": then[name], "limit": most[name]}


def written(call: Call, project: str, before: CloudState, after: CloudState) -> str:
    """The entries that are new or changed, as a project's file has them."""
    sections: dict[str, Any] = {}
    for kind, entries in after.documents[project].content.items():
        old = before.documents[project].content.get(kind, NO_SECTION)
        new = (
            {key: one for key, one in entries.items() if old.get(key) != one} if kind in call.cloud.means.kinds else {}
        )
        if new:
            sections[kind] = new
    text = exported(project, sections) if sections else ""
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith(("#", "stead: ")))
