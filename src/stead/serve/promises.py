"""What a document says besides its contents: when each was made and changed, by whom, and what is promised of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stead.core.address import Address
from stead.core.named import NamedTuple
from stead.language.desired import Desired
from stead.plan.model import Plan
from stead.serve.edits import Content
from stead.serve.world import CloudState
from stead.store.model import Document


class PlannedEdit(NamedTuple):
    plan: Plan
    desired: Desired
    world: CloudState
    now: float
    by: str


def about_of(before: Document, after: Document, told: PlannedEdit) -> dict[str, Mapping[str, Any]]:
    """When each was made and changed, and by whom; and what is promised that no run has recorded yet."""
    found = dict[str, Mapping[str, Any]]()
    for block in told.desired.blocks:
        for address in block.members if is_of(block.members[0], before.project) else ():
            old = before.about.get(str(address), {})
            about = {"created": told.now, "by": told.by, **{name: one for name, one in old.items() if name != "kept"}}
            if said_of(after.content, address) != said_of(before.content, address):
                about["updated"] = told.now
            kept = _promised(address, old, told)
            found[str(address)] = {**about, "kept": kept} if kept else about
    return found


def _promised(address: Address, old: Mapping[str, Any], told: PlannedEdit) -> Mapping[str, Any] | None:
    """Until a run has recorded all of it: what is there already can get more, such as a router its address outside,
    and a port another address.
    """
    if address in told.plan.renames.values():
        return None  # what it has is recorded, under the name that it had
    keep, made = told.plan.keeps.get(address), told.world.made.get(address)
    promised: Mapping[str, Any] | None = old.get("kept")
    there: Mapping[str, str] = made.leases if made is not None else {}
    if keep is not None and keep.leases:
        after = [*map(str, keep.after)]
        instead = {name: there[name] for name, one in keep.leases.items() if there.get(name, one) != one}
        promised = {"leases": dict(keep.leases), "host": keep.host, "after": after, "reason": keep.reason}
        promised |= {"instead": instead} if instead else {}
    if promised is None or made is None:
        return promised
    waits = any(there.get(name) == one for name, one in promised.get("instead", {}).items())
    return promised if waits or not promised["leases"].keys() <= there.keys() else None


def said_of(content: Content, address: Address) -> Any:
    return content.get(address.kind, {}).get(address.name) if address.project else content.get("project")


def is_of(address: Address, project: str) -> bool:
    return address.project == project or (address.kind == "projects" and address.name == project)
