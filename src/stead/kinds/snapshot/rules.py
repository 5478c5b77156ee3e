"""What can be seen to be wrong with a snapshot, before any host is asked for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from stead.desired import Block, Desired
from stead.diagnostics import Code, Diagnostic
from stead.kinds.snapshot.model import Snapshot
from stead.kinds.storage import shared_pools
from stead.observed import Host

UNASKED = Code("STEAD-V007", "no guest can be asked to freeze this")


def fits(block: Block, desired: Desired, hosts: Mapping[str, Host]) -> Iterator[Diagnostic]:
    model: Snapshot = block.model
    volume = desired.get(model.volume)
    served = shared_pools(hosts).get(volume.model.pool) if volume is not None else None
    if model.freeze and served is not None:
        server, pool = served
        text = (
            f"Pool {pool.name} is served by {server.name}, which takes the snapshot and has no guests to ask. Set "
            "freeze: false, and stop the instance or have it write everything out before."
        )
        yield UNASKED.at(block.place("freeze"), text)
