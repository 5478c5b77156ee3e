"""What hosts have of a project: the security group of those instances that name none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..base.kind import Seen
from ..base.step import HostStep
from ..base.work import Work

if TYPE_CHECKING:
    from ..observe.looking import Look

from ..base.kind import HostKind
from ..net.drivers import SECURITY_GROUPS


def ensure(step: HostStep, work: Work) -> None:
    group = step["want"].get("default_group")
    if group:
        SECURITY_GROUPS.ensure(group, work, (step.get("have") or {}).get("default_group"))


def remove(step: HostStep, work: Work) -> None:
    group = (step.get("have") or {}).get("default_group")
    if group:
        SECURITY_GROUPS.remove(group, work)


def seen(step: HostStep, look: Look) -> Seen:
    """Its record stays whatever happens to the group that hosts have of it."""
    group = step["want"].get("default_group")
    differs = SECURITY_GROUPS.seen({"want": group}, look) if group else {}
    if differs is None:
        return {"default_group": None}
    return {"default_group": dict(group, **differs)} if differs else {}


def restore(step: HostStep, work: Work) -> None:
    group = step["want"].get("default_group")
    if group:
        SECURITY_GROUPS.restore(group, False, work)


KIND = HostKind(ensure=ensure, remove=remove, seen=seen, restore=restore)
