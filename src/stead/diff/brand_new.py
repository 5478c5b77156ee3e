"""Resources that neither the store nor any host has."""

from __future__ import annotations

from collections.abc import Iterator

from stead.blueprint.leases import UUID
from stead.blueprint.model import Reason, Settled
from stead.blueprint.silence import telling
from stead.core.effect import Action, Disruption
from stead.core.kind import Kind
from stead.core.observed import HostStatus, Observed
from stead.diff.adopting import adopts
from stead.diff.model import WAITS, Change, Note

NEW = (Reason("new", "the spec has it, the host does not"),)
RECORDED_NEW = (Reason("new", "the spec has it, the store does not"),)


def brand_new(
    settled: Settled, observed: Observed, silent: frozenset[str], notes: list[Note], kind: Kind
) -> Iterator[Change]:
    """What neither the store nor any host has: the plain case, and on a first apply every one."""
    address, uuid, wants = settled.address, settled.leases[UUID], settled.wants
    if kind.adopts(settled.block) and settled.host not in silent:
        yield adopts(settled)
        return
    for host in sorted(wants) if len(wants) > 1 else wants:
        if host in silent:
            notes.append(waits_for(settled, host, observed))
            continue
        placed = host and host == settled.host and settled.placed.code
        reasons = (settled.placed,) if placed else NEW if host else RECORDED_NEW
        yield Change(address, host, Action.CREATE, wants[host], None, Disruption.NONE, reasons, (), uuid)


def waits_for(settled: Settled, host: str, observed: Observed) -> Note:
    there = observed.hosts[host]
    todo = "" if there.state is HostStatus.DEAD else f": {telling(there)}"
    return Note(WAITS, f"{settled.address} waits for {host}{todo}.", str(settled.address), host)
