"""Security groups, by each driver of which an interface on this host is in them."""

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
    SECURITY_GROUPS.ensure(step["want"], work, step.get("have"))


def remove(step: HostStep, work: Work) -> None:
    SECURITY_GROUPS.remove(step.get("have") or {"uuid": step["uuid"]}, work)


def restore(step: HostStep, work: Work) -> None:
    SECURITY_GROUPS.restore(step["want"], step["held"], work)


def seen(step: HostStep, look: Look) -> Seen:
    return SECURITY_GROUPS.seen(step, look)


KIND = HostKind(ensure=ensure, remove=remove, seen=seen, restore=restore)
