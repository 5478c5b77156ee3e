"""Buckets, each by the driver of its store. No host keeps them: one of the store's hosts makes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..base.kind import HostKind, Seen, nothing
from ..base.step import HostStep
from ..base.work import Work
from ..object import drivers

if TYPE_CHECKING:
    from ..observe.looking import Look


def ensure(step: HostStep, work: Work) -> None:
    drivers.buckets(step["want"]["store"]["driver"]).ensure(step["want"], work)


def remove(step: HostStep, work: Work) -> None:
    have = step.get("have")
    if have is not None:
        drivers.buckets(have["store"]["driver"]).remove(have, work)


def seen(step: HostStep, look: Look) -> Seen:
    want = step["want"]
    if not drivers.buckets(want["store"]["driver"]).is_there(want, look.now):
        return None
    return look.differing(ensure, step)


KIND = HostKind(ensure=ensure, remove=remove, seen=seen, restore=nothing)
