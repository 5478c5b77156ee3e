"""Security groups, by each driver of which an interface on this host is in them."""

from __future__ import annotations

from ..base.kind import HostKind
from ..net.drivers import SECURITY_GROUPS


def ensure(step, work):
    SECURITY_GROUPS.ensure(step["want"], work, step.get("have"))


def remove(step, work):
    SECURITY_GROUPS.remove(step.get("have") or {"uuid": step["uuid"]}, work)


def restore(step, work):
    SECURITY_GROUPS.restore(step["want"], step["held"], work)


def seen(step, look):
    return SECURITY_GROUPS.seen(step, look)


KIND = HostKind(ensure=ensure, remove=remove, seen=seen, restore=restore)
