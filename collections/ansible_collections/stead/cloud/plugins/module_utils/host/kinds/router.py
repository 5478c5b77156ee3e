"""Routers, each by the driver of its networks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..base.kind import Seen
from ..base.step import HostStep
from ..base.work import Work

if TYPE_CHECKING:
    from ..observe.looking import Look

from ..base.kind import HostKind
from ..net.drivers import ROUTERS

OF_FLOATING_IPS = ("address", "forwarded", "inside", "router")


def ensure(step: HostStep, work: Work) -> None:
    ROUTERS.ensure(step["want"], work, step.get("have"))


def remove(step: HostStep, work: Work) -> None:
    ROUTERS.remove(step.get("have") or {"uuid": step["uuid"]}, work)


def restore(step: HostStep, work: Work) -> None:
    ROUTERS.restore(step["want"], step["held"], work)


def seen(step: HostStep, look: Look) -> Seen:
    found = ROUTERS.seen(step, look)
    # Of a floating IP its own step tells.
    return found and {name: value for name, value in found.items() if name not in OF_FLOATING_IPS}


KIND = HostKind(ensure=ensure, remove=remove, seen=seen, restore=restore, asks_first=True)
