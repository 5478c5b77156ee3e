"""What goes back to a snapshot of it, because somebody asked for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from stead.blueprint.leases import UUID
from stead.blueprint.model import Reason
from stead.core.address import Address
from stead.core.effect import Action, Disruption
from stead.core.observed import Have
from stead.core.want import Body, Want
from stead.diff.model import Change, RevertSource, Subject

REVERTED = "revert-asked"


def source_of(address: Address | None, haves: Mapping[Address, Mapping[str, Have]], serial: int) -> RevertSource | None:
    there = list(haves.get(address, {}).values()) if address is not None else []
    return RevertSource(address, there[0].want.fields(), serial) if address is not None and there else None


def reverting(subject: Subject, found: Iterable[Change]) -> Iterator[Change]:
    """Where something else differs, that alone: it is applied first."""
    others, settled, source, make = list(found), subject.settled, subject.snapshot, subject.kind.reverted
    yield from others
    have = subject.haves.get(settled.host) if settled is not None else None
    if others or settled is None or have is None or source is None or make is None:
        return
    fields = make(settled.wants[settled.host].fields(), source.address, source.fields, source.serial)
    yield Change(
        settled.address,
        settled.host,
        Action.REBUILD,
        Want.of(Body.of(fields)),
        have.want,
        Disruption.DATA_LOSS,
        (Reason(REVERTED, f"you asked for it: it goes back to {source.address}"),),
        uuid=settled.leases[UUID],
    )
