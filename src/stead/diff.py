"""Recorded, observed and blueprint compared, address by address and host by host.

Says what differs and what it takes; puts nothing in order. Change (the blueprint is not what was recorded) is told
apart from drift (a host is not what was recorded). The comparison of fields itself is the kind's wire module, the
same that the host uses.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType
from typing import Any, NamedTuple

from stead.address import Address, order
from stead.blueprint.leases import IDENTITY, UUID
from stead.blueprint.model import Blueprint, Reason, Settled
from stead.kind import IN_PLACE, Action, Disruption, Effect, Kind
from stead.observed import Have, Observed, State
from stead.plan.model import FieldChange, Note
from stead.recorded import Record, Recorded
from stead.want import Want

Compare = Callable[[Mapping[str, Any], Mapping[str, Any]], Iterable[tuple[str, Any, Any]]]

# What it takes, mildest first: the strongest of a resource's fields decides.
_STRENGTH = {
    action: strength
    for strength, action in enumerate((Action.UPDATE, Action.MIGRATE, Action.REBOOT, Action.REBUILD, Action.REPLACE))
}


class Change(NamedTuple):
    """One resource on one host is not as it should be."""

    address: Address
    host: str
    action: Action
    want: Want | None
    have: Want | None
    disturbs: Disruption
    reasons: tuple[Reason, ...]
    changes: tuple[FieldChange, ...] = ()
    uuid: str = ""
    to: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Diff:
    changes: tuple[Change, ...]
    notes: tuple[Note, ...] = ()
    unchanged: int = 0
    renames: Mapping[Address, Address] = field(default_factory=dict)  # from -> to


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One resource, from its three sides. A side is None where it does not exist."""

    address: Address
    kind: Kind
    record: Record | None
    haves: Mapping[str, Have]
    settled: Settled | None


def compare(
    recorded: Recorded,
    observed: Observed,
    blueprint: Blueprint,
    *,
    kinds: Mapping[str, Kind],
    forget: frozenset[Address] = frozenset(),
    renames: Mapping[Address, Address] = MappingProxyType({}),
) -> Diff:
    """`recorded` and `observed` go by their new names already; `renames` says which were others."""
    changes: list[Change] = []
    notes: list[Note] = [*_silent(observed), *_cut_short(recorded, observed)]
    unchanged = 0
    records, haves, resources = recorded.resources, observed.haves, blueprint.resources
    counts = _counts(blueprint)
    formerly = {new: old for old, new in renames.items()}
    for address in sorted(records.keys() | haves.keys() | resources.keys(), key=order):
        record, settled, found = records.get(address), resources.get(address), haves.get(address, {})
        if settled is not None and record is not None and _same(settled, record, found) and address not in formerly:
            unchanged += 1
            continue
        subject = Subject(address=address, kind=kinds[address.kind], record=record, haves=found, settled=settled)
        if settled is None:
            changes += _leaving(subject, observed, counts, forget, notes)
            continue
        before = len(changes)
        changes += _staying(subject, observed, notes)
        if (old := formerly.get(address)) is not None and len(changes) == before:
            changes += _renamed(subject, old, observed)
        unchanged += len(changes) == before
    return Diff(changes=tuple(changes), notes=tuple(notes), unchanged=unchanged, renames=renames)


def _renamed(subject: Subject, old: Address, observed: Observed) -> Iterator[Change]:
    """Hosts keep the address beside what they hold, so a new name is written there too."""
    settled = subject.settled
    if settled is None:
        return
    reason = Reason("moved", f"it was {old}")
    changes = (FieldChange("address", str(old), str(settled.address)),)
    uuid = settled.leases[UUID]
    for host, want in sorted(settled.wants.items()):
        if not _is_down(host, observed):
            have = subject.haves[host].want if host in subject.haves else None
            yield Change(settled.address, host, Action.UPDATE, want, have, Disruption.NONE, (reason,), changes, uuid)


def _same(settled: Settled, record: Record, haves: Mapping[str, Have]) -> bool:
    """The quick answer for nearly everything: digests agree on all three sides."""
    wants, applied = settled.wants, record.wants
    if len(wants) != len(applied) or len(haves) > len(wants):
        return False
    for host, want in wants.items():
        before = applied.get(host)
        if before is None or before.digest != want.digest:
            return False
        if host and ((have := haves.get(host)) is None or have.want.digest != want.digest):
            return False
    return record.host == settled.host


def _silent(observed: Observed) -> Iterator[Note]:
    for host in observed.hosts.values():
        if host.state is State.DOWN:
            text = f"{host.name} does not answer{f' ({host.why})' if host.why else ''}: its steps wait, nobody else's."
            yield Note("host-silent", text, host=host.name)


def _cut_short(recorded: Recorded, observed: Observed) -> Iterator[Note]:
    """What became of the steps that a killed run had begun."""
    for one in recorded.in_flight:
        there = one.host in observed.haves.get(one.address, {})
        found = "it is there" if there else "it is not there"
        text = f"Run {one.run} was cut short during {one.action} of {one.address} on {one.host}: {found}."
        yield Note("cut-short", text, str(one.address), one.host)


def _counts(blueprint: Blueprint) -> dict[Address, int]:
    counts: dict[Address, int] = {}
    for settled in blueprint.resources.values():
        counts[settled.address.block] = len(settled.block.members)
    return counts


def _leaving(
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
        if _is_down(host, observed):
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


def _staying(subject: Subject, observed: Observed, notes: list[Note]) -> Iterator[Change]:
    settled, record = subject.settled, subject.record
    assert settled is not None  # noqa: S101 - the caller's branch
    if record is not None and record.leases.get(UUID) and record.leases[UUID] != settled.leases[UUID]:
        yield from _replaced(subject, settled, observed, notes, _why_replaced(settled, record))
        return
    moved_from = _moved_from(subject, settled, observed)
    for host in sorted(_hosts(subject, settled)):
        if _is_down(host, observed):
            if (want := settled.wants.get(host)) and (record is None or record.wants.get(host) != want):
                notes.append(Note("waits", f"{settled.address} waits for {host}.", str(settled.address), host))
            continue
        if moved_from and host == moved_from:
            yield _migration(subject, settled, host)
        elif not (moved_from and host == settled.host):
            yield from _on_host(subject, settled, host, observed, notes)


def _hosts(subject: Subject, settled: Settled) -> set[str]:
    applied = subject.record.wants.keys() if subject.record else set()
    return {*settled.wants, *applied, *subject.haves}


def _moved_from(subject: Subject, settled: Settled, observed: Observed) -> str:
    """The host that a mobile resource leaves alive. Empty when it stays, or is nowhere to be moved from."""
    if not subject.kind.mobile or settled.host in subject.haves:
        return ""
    return next((host for host in sorted(subject.haves) if not _is_down(host, observed)), "")


def _migration(subject: Subject, settled: Settled, host: str) -> Change:
    have = subject.haves[host].want
    want = settled.wants[settled.host]
    changes, _ = _fields(subject, settled, want, have, subject.record.wants.get(host) if subject.record else None)
    return Change(
        settled.address,
        host,
        Action.MIGRATE,
        want,
        have,
        Disruption.MIGRATE,
        (settled.placed,),
        changes,
        settled.leases[UUID],
        settled.host,
    )


def _on_host(subject: Subject, settled: Settled, host: str, observed: Observed, notes: list[Note]) -> Iterator[Change]:
    want, have = settled.wants.get(host), subject.haves.get(host)
    applied = subject.record.wants.get(host) if subject.record else None
    uuid = settled.leases[UUID]
    if want is None:
        there = have.want if have else applied
        if there is not None:
            reason = Reason("not-needed-here", f"nothing on {host} uses it any more")
            yield Change(settled.address, host, Action.DESTROY, None, there, Disruption.NONE, (reason,), uuid=uuid)
        return
    if host == "":
        yield from _recorded_only(subject, settled, want, applied)
        return
    if have is None:
        yield Change(
            settled.address,
            host,
            Action.CREATE,
            want,
            None,
            Disruption.NONE,
            (_why_made(settled, applied, host),),
            uuid=uuid,
        )
        return
    changes, effect = _fields(subject, settled, want, have.want, applied)
    if not changes:
        return
    if effect.action is Action.REPLACE:
        reason = _why_fields(changes)
        yield from _replaced(subject, settled, observed, notes, reason, changes)
        return
    yield Change(
        settled.address, host, effect.action, want, have.want, effect.disturbs, (_why_fields(changes),), changes, uuid
    )


def _recorded_only(subject: Subject, settled: Settled, want: Want, applied: Want | None) -> Iterator[Change]:
    if applied is None:
        reason = Reason("new", "the spec has it, the store does not")
        yield Change(
            settled.address, "", Action.CREATE, want, None, Disruption.NONE, (reason,), uuid=settled.leases[UUID]
        )
    elif applied.digest != want.digest:
        changes, _ = _fields(subject, settled, want, applied, applied)
        yield Change(
            settled.address,
            "",
            Action.UPDATE,
            want,
            applied,
            Disruption.NONE,
            (_why_fields(changes),),
            changes,
            settled.leases[UUID],
        )


def _fields(
    subject: Subject, settled: Settled, want: Want, have: Want, applied: Want | None
) -> tuple[tuple[FieldChange, ...], Effect]:
    """The fields that differ, and the strongest effect that any of them takes."""
    wanted, there = want.fields(), have.fields()
    before = applied.fields() if applied is not None else None
    ignored = settled.block.settings.ignore
    changes: list[FieldChange] = []
    strongest = IN_PLACE
    differences = _compare(subject.kind.name)(wanted, there)
    # A host that agrees with what was applied has not drifted, whatever the spec says now.
    agreed = before is not None and {field for field, _, _ in _compare(subject.kind.name)(before, there)}
    for field, old, new in differences:
        head = field.partition(".")[0]
        if head in ignored or subject.kind.places.get(head, head) in ignored:
            continue
        changes.append(FieldChange(field, old, new, drift=agreed is not False and field in agreed))
        effect = subject.kind.effects.get(field) or subject.kind.effects.get(head, IN_PLACE)
        if _STRENGTH[effect.action] > _STRENGTH[strongest.action] or (
            effect.action is strongest.action and effect.disturbs.rank > strongest.disturbs.rank
        ):
            strongest = effect
    return tuple(changes), strongest


def _replaced(
    subject: Subject,
    settled: Settled,
    observed: Observed,
    notes: list[Note],
    reason: Reason,
    changes: tuple[FieldChange, ...] = (),
) -> Iterator[Change]:
    """Two changes a host: the old goes, the new comes. Which is first is the plan's business."""
    record = subject.record
    applied = record.wants if record else {}
    old = record.leases.get(UUID, "") if record else settled.leases[UUID]
    loss = Disruption.DATA_LOSS if subject.kind.stateful else Disruption.REBUILD
    for host in sorted({*applied, *subject.haves}):
        if _is_down(host, observed):
            notes.append(Note("waits", f"the old {settled.address} stays on {host} until it answers.", host=host))
            continue
        have = subject.haves.get(host)
        there = have.want if have else applied[host]
        yield Change(
            settled.address, host, Action.DESTROY, None, there, loss if host else Disruption.NONE, (reason,), uuid=old
        )
    for host, want in sorted(settled.wants.items()):
        if not _is_down(host, observed):
            yield Change(
                settled.address,
                host,
                Action.CREATE,
                want,
                None,
                Disruption.NONE,
                (reason,),
                changes,
                settled.leases[UUID],
            )


def _why_replaced(settled: Settled, record: Record) -> Reason:
    if record.leases.get(IDENTITY) == settled.leases[IDENTITY]:
        return Reason("replace-asked", "you asked for it with --replace")
    return Reason("another-resource", "a field changed that cannot change in place, so it is made anew")


def _why_made(settled: Settled, applied: Want | None, host: str) -> Reason:
    if applied is not None:
        return Reason("lost", f"it was on {host} and is not there any more")
    if settled.host == host and settled.placed.code:
        return settled.placed
    return Reason("new", "the spec has it, the host does not")


def _why_fields(changes: tuple[FieldChange, ...]) -> Reason:
    drifted = sorted({change.field for change in changes if change.drift})
    if len(drifted) == len({change.field for change in changes}):
        return Reason("drift", f"{', '.join(drifted)} changed on the host, not in the spec")
    changed = sorted({change.field for change in changes if not change.drift})
    return Reason("changed", f"{', '.join(changed)} changed in the spec")


def _is_down(host: str, observed: Observed) -> bool:
    """A host that left the inventory cannot be reached either; what it holds waits for a person's word."""
    if not host:
        return False
    known = observed.hosts.get(host)
    return known is None or known.state is State.DOWN


@cache
def _compare(kind: str) -> Compare:
    module = importlib.import_module(f"ansible_collections.stead.cloud.plugins.module_utils.wire.{kind}")
    compare: Compare = module.compare
    return compare


def drift(recorded: Recorded, observed: Observed, *, kinds: Mapping[str, Kind]) -> Diff:
    """Recorded against observed alone: what `--refresh-only` would take for the truth."""
    changes: list[Change] = []
    reason = Reason("accepted", "the host has it so")
    for address, record in sorted(recorded.resources.items(), key=lambda item: order(item[0])):
        haves = observed.haves.get(address, {})
        for host, applied in sorted(record.wants.items()):
            have = haves.get(host)
            if not host or _is_down(host, observed) or (have and have.want.digest == applied.digest):
                continue
            there = have.want if have else None
            differences = _compare(kinds[address.kind].name)(applied.fields(), there.fields()) if there else ()
            fields = tuple(FieldChange(name, new, old, drift=True) for name, old, new in differences)
            if there is None or fields:
                uuid = record.leases.get(UUID, "")
                changes.append(
                    Change(address, host, Action.ACCEPT, there, applied, Disruption.NONE, (reason,), fields, uuid)
                )
    return Diff(changes=tuple(changes), notes=tuple(_silent(observed)))
