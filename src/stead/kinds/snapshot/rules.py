"""What can be seen to be wrong with a snapshot, before any host is asked for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from stead.core.diagnostics import Code, Diagnostic
from stead.core.observed import Host
from stead.drivers.storage import FREEZE, why_nowhere
from stead.kinds.snapshot.model import Snapshot
from stead.language.desired import Block, Desired

UNASKED = Code("STEAD-V007", "this volume cannot be frozen for a snapshot")


def fits(block: Block, desired: Desired, hosts: Mapping[str, Host]) -> Iterator[Diagnostic]:
    model: Snapshot = block.model
    volume = desired.get(model.volume)
    if volume is None or not model.freeze:
        return
    if why := why_nowhere(FREEZE, volume.model.pool, hosts):
        yield UNASKED.at(block.place("freeze"), why)
