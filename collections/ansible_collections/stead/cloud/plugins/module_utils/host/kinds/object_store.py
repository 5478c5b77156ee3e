"""Object stores, each by its driver: all hosts of a store have the same want."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..base.kind import HostKind, Seen
from ..base.step import HostStep
from ..base.work import Work
from ..object.drivers import named

if TYPE_CHECKING:
    from ..observe.looking import Look


def ensure(step: HostStep, work: Work) -> None:
    named(step["want"]["driver"]).stores.ensure(step["want"], work)


def remove(step: HostStep, work: Work) -> None:
    have = step.get("have")
    if have is not None:
        named(have["driver"]).stores.remove(have, work)


def restore(step: HostStep, work: Work) -> None:
    """Who was called dead may be in no ring of the others any more: what clients gave him, nobody else would have."""
    if not step["held"]:
        named(step["want"]["driver"]).stores.restore(step["want"], work)


def seen(step: HostStep, look: Look) -> Seen:
    want = step["want"]
    if not named(want["driver"]).stores.is_there(want, look.now):
        return None
    return look.differing(ensure, step)


KIND = HostKind(ensure=ensure, remove=remove, seen=seen, restore=restore, asks_first=True)
