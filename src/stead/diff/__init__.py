"""Recorded, observed and blueprint compared, address by address and host by host.

Says what differs and what it takes; puts nothing in order. Change (the blueprint is not what was recorded) is told
apart from drift (a host is not what was recorded). The comparison of fields itself is the kind's wire module, the
same that the host uses.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from stead.blueprint.leases import UUID
from stead.blueprint.model import Blueprint, Settled
from stead.core.address import order
from stead.core.kind import Kind
from stead.core.observed import Have, Observed
from stead.core.recorded import Record, Recorded
from stead.diff.brand_new import brand_new
from stead.diff.detach import detach
from stead.diff.drift import drift, silent
from stead.diff.grouped import by_block, held
from stead.diff.identity import SAME, Identities, StaleName
from stead.diff.model import AS_THE_SPEC_SAYS, Asked, Change, Diff, Note, Subject
from stead.diff.power import of_power
from stead.diff.present import compare_present
from stead.diff.removed import NotDestroyed, compare_removed, counts_of
from stead.diff.renamed import renamed
from stead.diff.revert import reverting, source_of
from stead.diff.strangers import sift, spared
from stead.diff.waiting import Waiting, proven
from stead.diff.wording import Holders, worded

__all__ = ["Asked", "Change", "Diff", "compare", "drift"]


def compare(
    recorded: Recorded,
    observed: Observed,
    blueprint: Blueprint,
    *,
    kinds: Mapping[str, Kind],
    asked: Asked = AS_THE_SPEC_SAYS,
    names: Identities = SAME,
) -> Diff:
    """`recorded` and `observed` go by their new names already; `names` says which were others."""
    changes: list[Change] = []
    notes: list[Note] = [*silent(observed), *_cut_short(recorded, observed), *held(blueprint)]
    unchanged = 0
    records, haves, resources = recorded.resources, observed.haves, blueprint.resources
    counts = counts_of(recorded, blueprint)
    quiet = frozenset(host.name for host in observed.hosts.values() if not host.state.answers)
    anew = asked.rebuild | asked.power | asked.reverts.keys()
    formerly, untold = {new: old for old, new in names.renames.items()}, names.stale_names
    for address in sorted(records.keys() | haves.keys() | resources.keys(), key=order):
        record, settled, found = records.get(address), resources.get(address), haves.get(address, {})
        told = address not in formerly and address not in untold and address not in anew
        if told and settled is not None and record is not None and _same(settled, record, found):
            unchanged += 1
            continue
        if settled is not None and record is None and not found:
            changes += brand_new(settled, observed, quiet, notes, kinds[address.kind])
            continue
        strange: Mapping[str, str] = {}
        if (owner := settled or record) is not None:
            uuid = owner.leases.get(UUID, "")
            found, strange = sift(found, record, uuid, recorded.site, {address, formerly.get(address, address)})
        subject = Subject(
            address=address,
            kind=kinds[address.kind],
            record=record,
            haves=found,
            settled=of_power(settled, found) if settled is not None and address in asked.power else settled,
            **asked.flags(address),
            snapshot=source_of(asked.reverts.get(address), haves, recorded.serial),
        )
        if settled is None:
            gone = compare_removed(subject, observed, counts, NotDestroyed(asked.forget, blueprint.used), notes)
            changes += spared(gone, address, record, strange, notes)
            continue
        before = len(changes)
        changes += spared(
            reverting(subject, compare_present(subject, observed, notes)), address, record, strange, notes
        )
        if (old := formerly.get(address)) is not None:
            changes += renamed(subject, StaleName(old, frozenset(settled.wants)), observed, changes[before:])
        elif address in untold:
            changes += renamed(subject, untold[address], observed, changes[before:])
        unchanged += len(changes) == before
    changes += detach(changes, records, kinds, blueprint.takes_over)
    changes = list(proven(changes, Waiting(recorded, observed, blueprint, kinds), notes))
    holders = Holders(recorded, blueprint)
    changes = worded(changes, kinds, holders)
    return Diff(
        changes=tuple(changes), notes=tuple(by_block(notes, kinds, holders)), unchanged=unchanged, renames=names.renames
    )


def _same(settled: Settled, record: Record, haves: Mapping[str, Have]) -> bool:
    """The quick answer for nearly everything: digests agree on all three sides."""
    wants, applied = settled.wants, record.wants
    if len(wants) != len(applied) or len(haves) > len(wants):
        return False
    for host, want in wants.items():
        before = applied.get(host)
        if before is None or before.digest != want.digest:
            return False
        have = haves.get(host)
        if host and (have is None or have.begun or have.lost or have.awaited or have.want.digest != want.digest):
            return False
    return record.host == settled.host


def _cut_short(recorded: Recorded, observed: Observed) -> Iterator[Note]:
    """What became of the steps that a killed run had begun."""
    for one in recorded.in_flight:
        there = one.host in observed.haves.get(one.address, {})
        found = "it is there" if there else "it is not there"
        text = f"Run {one.run} was cut short during {one.action} of {one.address} on {one.host}: {found}."
        yield Note("cut-short", text, str(one.address), one.host)
