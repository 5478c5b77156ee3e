"""Networks, each by its driver. Which hosts, numbers and entries there are stands in the want."""

from __future__ import annotations

from ..base.kind import HostKind
from ..net.drivers import NETWORKS


def ensure(step, work):
    NETWORKS.ensure(step["want"], work, step.get("have"))


def remove(step, work):
    NETWORKS.remove(step.get("have") or {"uuid": step["uuid"]}, work)


def restore(step, work):
    NETWORKS.restore(step["want"], step["held"], work)


def seen(step, look):
    return NETWORKS.seen(step, look)


KIND = HostKind(ensure=ensure, remove=remove, seen=seen, restore=restore, asks_first=True)
