"""Resources that the spec no longer has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from stead.address import Address
from stead.blueprint.leases import UUID
from stead.blueprint.model import Blueprint, Reason
from stead.diff.model import Change, Subject, is_down
from stead.kind import Action, Disruption
from stead.observed import Observed
from stead.plan.model import Note


def counts_of(blueprint: Blueprint) -> dict[Address, int]:
    counts: dict[Address, int] = {}
    for settled in blueprint.resources.values():
        counts[settled.address.block] = len(settled.block.members)
    return counts


def leaving(
    subject: Subject,
    observed: Observed,
    counts: Mapping[Address, int],
    forget: frozenset[Address],
    notes: list[Note],
) -> Iterator[Change]:
    """The spec no longer has it. What Stead never recorded is not Stead's to destroy."""
    address, record = subject.address, subject.record
    if record is None:
        where = ", ".join(sorted(subject.haves))
        notes.append(
            Note("orphan", f"{address} is on {where}, but neither the spec nor the store knows it.", str(address))
        )
        return
    if address in forget or address.block in forget:
        yield Change(address, "", Action.FORGET, None, None, Disruption.NONE, (Reason("forget", "forget names it"),))
        return
    reason = _why_leaving(address, counts)
    loss = Disruption.DATA_LOSS if subject.kind.stateful else Disruption.NONE
    for host in sorted(record.wants.keys() | subject.haves.keys()):
        if is_down(host, observed):
            notes.append(Note("waits", f"{address} cannot be destroyed while {host} is silent.", str(address), host))
            continue
        have = subject.haves.get(host)
        there = have.want if have else record.wants.get(host)
        yield Change(address, host, Action.DESTROY, None, there, loss, (reason,), uuid=record.leases.get(UUID, ""))
    if not record.wants and not subject.haves:
        yield Change(address, "", Action.DESTROY, None, None, Disruption.NONE, (reason,))


def _why_leaving(address: Address, counts: Mapping[Address, int]) -> Reason:
    left = counts.get(address.block)
    if left is None:
        return Reason("gone-from-spec", "the spec no longer has it")
    if isinstance(address.key, int):
        return Reason("count-fell", f"count went down to {left}")
    return Reason("key-gone", f"for_each no longer has {address.key!r}")
