"""Load balancers, each by the driver of its network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..base.kind import Seen
from ..base.step import HostStep
from ..base.work import Work

if TYPE_CHECKING:
    from ..observe.looking import Look

from ..base.kind import HostKind
from ..net.drivers import LOAD_BALANCERS


def ensure(step: HostStep, work: Work) -> None:
    LOAD_BALANCERS.ensure(step["want"], work, step.get("have"))


def remove(step: HostStep, work: Work) -> None:
    LOAD_BALANCERS.remove(step.get("have") or {"uuid": step["uuid"]}, work)


def restore(step: HostStep, work: Work) -> None:
    LOAD_BALANCERS.restore(step["want"], step["held"], work)


def seen(step: HostStep, look: Look) -> Seen:
    return LOAD_BALANCERS.seen(step, look)


KIND = HostKind(ensure=ensure, remove=remove, seen=seen, restore=restore, asks_first=True)
