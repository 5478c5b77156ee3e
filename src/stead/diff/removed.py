"""Resources that the spec no longer has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from stead.blueprint.leases import UUID
from stead.blueprint.model import Blueprint, Reason
from stead.core.address import Address
from stead.core.effect import Action, Disruption
from stead.core.named import NamedTuple
from stead.core.observed import Observed
from stead.core.recorded import Recorded
from stead.diff.model import WAITS, Change, Note, Subject, is_down, loses

Counts = Mapping[Address, tuple[int, int]]  # by block: members recorded, members now
UNCOUNTED = -1  # in the place of members now: it is one, without a number


class NotDestroyed(NamedTuple):
    """What is not destroyed though the spec has it no longer."""

    forget: frozenset[Address]
    used: Mapping[Address, Address]  # by what is managed no longer: what -> one that uses it


def counts_of(recorded: Recorded, blueprint: Blueprint) -> Counts:
    before = Counter(address.block for address in recorded.resources)
    now = Counter(address.block for address in blueprint.resources)
    return {
        block: (before[block], UNCOUNTED if block in blueprint.resources else count) for block, count in now.items()
    }


def compare_removed(
    subject: Subject,
    observed: Observed,
    counts: Counts,
    kept: NotDestroyed,
    notes: list[Note],
) -> Iterator[Change]:
    """The spec no longer has it. What Stead never recorded is not Stead's to destroy."""
    address, record = subject.address, subject.record
    if record is None:
        where = ", ".join(sorted(subject.haves))
        text = f"{address} is on {where} and no longer managed; what it depends on is kept."
        notes.append(Note("orphan", text, str(address)))
        return
    if address in kept.forget or address.block in kept.forget:
        yield Change(address, "", Action.FORGET, None, None, Disruption.NONE, (Reason("forget", "forget names it"),))
        return
    if (user := kept.used.get(address) or kept.used.get(address.block)) is not None:
        notes.append(Note("in-use", f"{address} stays: {user}, which is no longer managed, uses it.", str(address)))
        return
    reason = _why_leaving(address, counts)
    for host in sorted(record.wants.keys() | subject.haves.keys()):
        if is_down(host, observed):
            notes.append(Note(WAITS, f"{address} cannot be destroyed while {host} is silent.", str(address), host))
            continue
        have = subject.haves.get(host)
        there = have.want if have else record.wants.get(host)
        uuid = have.uuid if have and have.uuid else record.leases.get(UUID, "")
        loss = Disruption.DATA_LOSS if loses(subject.kind, there, have) else Disruption.NONE
        yield Change(address, host, Action.DESTROY, None, there, loss, (reason,), uuid=uuid)
    if not record.wants and not subject.haves:
        yield Change(address, "", Action.DESTROY, None, None, Disruption.NONE, (reason,))


def _why_leaving(address: Address, counts: Counts) -> Reason:
    if address.block not in counts:
        return Reason("gone-from-spec", "the spec no longer has it")
    before, now = counts[address.block]
    if address.key is None:
        return Reason("counted-now", f"{address} has members now; `moved` makes it one of them")
    if now == UNCOUNTED:
        return Reason("counted-no-more", f"{address.block} has no members any more; `moved` makes one of them it")
    if isinstance(address.key, int):
        return Reason("count-fell", f"count went from {before} to {now}")
    return Reason("key-gone", f"for_each no longer has {address.key!r}")
