"""Networks, each by its driver. Which hosts, numbers and entries there are stands in the want."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..base.kind import Seen
from ..base.step import HostStep
from ..base.work import Work

if TYPE_CHECKING:
    from ..observe.looking import Look

from ..base.kind import HostKind
from ..net import drivers
from ..net.drivers import NETWORKS


def ensure(step: HostStep, work: Work) -> None:
    NETWORKS.ensure(step["want"], work, step.get("have"))


def expect(step: HostStep, work: Work) -> None:
    if step.get("have"):
        drivers.expect(step["want"], step["have"], work)


def remove(step: HostStep, work: Work) -> None:
    NETWORKS.remove(step.get("have") or {"uuid": step["uuid"]}, work)


def restore(step: HostStep, work: Work) -> None:
    NETWORKS.restore(step["want"], step["held"], work)


def seen(step: HostStep, look: Look) -> Seen:
    return NETWORKS.seen(step, look)


KIND = HostKind(ensure=ensure, remove=remove, seen=seen, restore=restore, expect=expect, asks_first=True)
