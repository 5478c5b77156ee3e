"""Routers, each by the driver of its networks."""

from __future__ import annotations

from ..base.kind import HostKind
from ..net.drivers import ROUTERS

OF_FLOATING_IPS = ("address", "inside", "router")


def ensure(step, work):
    ROUTERS.ensure(step["want"], work, step.get("have"))


def remove(step, work):
    ROUTERS.remove(step.get("have") or {"uuid": step["uuid"]}, work)


def restore(step, work):
    ROUTERS.restore(step["want"], step["held"], work)


def seen(step, look):
    found = ROUTERS.seen(step, look)
    # Of a floating IP its own step tells.
    return found and {name: value for name, value in found.items() if name not in OF_FLOATING_IPS}


KIND = HostKind(ensure=ensure, remove=remove, seen=seen, restore=restore, asks_first=True)
