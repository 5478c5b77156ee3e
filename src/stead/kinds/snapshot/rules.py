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
    if model.freeze and volume is not None and volume.model.pool in shared_pools(hosts):
        server = shared_pools(hosts)[volume.model.pool][0].name
        text = (
            f"Pool {volume.model.pool} is served by {server}, which takes the snapshot and has no guests to ask. Set "
            "freeze: false, and stop the instance or have it write everything out before."
        )
        yield UNASKED.at(block.place("freeze"), text)
