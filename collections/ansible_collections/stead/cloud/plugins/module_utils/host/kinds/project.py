"""What hosts have of a project: the security group of those instances that name none."""

from __future__ import annotations

from . import security_group


def ensure(step, work):
    group = step["want"].get("default_group")
    if group:
        security_group.ensure_group(group, work)


def remove(step, work):
    want = step.get("have") or {}
    if "default_group" in want:
        security_group.remove_group(want["default_group"], work)


def seen(step, look):
    """Its record stays whatever happens to the group that hosts have of it."""
    group = step["want"].get("default_group")
    differs = security_group.seen({"want": group}, look) if group else {}
    if differs is None:
        return {"default_group": None}
    return {"default_group": dict(group, **differs)} if differs else {}


def restore(step, work):
    if "default_group" in step["want"]:
        security_group.restore({"want": step["want"]["default_group"]}, work)
