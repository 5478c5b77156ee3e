"""What can be seen to be wrong with a snapshot, before any host is asked for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from stead.core.diagnostics import Code, Diagnostic
from stead.core.observed import Host
from stead.kinds.snapshot.model import Snapshot
from stead.language.desired import Block, Desired
from stead.site.abilities import FREEZE, why_nowhere_in

UNASKED = Code("STEAD-V007", "no guest can be asked to freeze this")


def fits(block: Block, desired: Desired, hosts: Mapping[str, Host]) -> Iterator[Diagnostic]:
    model: Snapshot = block.model
    volume = desired.get(model.volume)
    if volume is None or not model.freeze:
        return
    why, types = why_nowhere_in(FREEZE, volume.model.pool, hosts)
    if why:
        yield UNASKED.at(block.place("freeze"), f"Pool {volume.model.pool} is of type {types}. {why}")
