"""Resources that the blueprint has: made, changed, moved or replaced, host by host."""

from __future__ import annotations

from collections.abc import Iterator

from stead.blueprint.claims import changed_in
from stead.blueprint.leases import IDENTITY, UUID
from stead.blueprint.model import Reason, Settled
from stead.blueprint.silence import EVACUATED, telling
from stead.core.effect import Action, Disruption, Effect
from stead.core.needs import STANDBY
from stead.core.observed import Have, Observed
from stead.core.recorded import Record
from stead.core.want import Want
from stead.diff.adopting import adopts
from stead.diff.brand_new import waits_for
from stead.diff.fields import ANEW, Differing, comparison, field_changes, left_alone
from stead.diff.grouped import agreed, waiting
from stead.diff.model import NOT_NEEDED, WAITS, Change, FieldChange, Note, Subject, is_down, loses, may_run
from stead.diff.moving import disturbed, of_the_way
from stead.diff.wording import identity_changes, unknown, why

FOUND_SO = (Reason("found-so", "the host already has it, but it was not recorded"),)
UNLISTED = (Reason("ledger-lost", "the host has it, but its ledger does not"),)
MOVED_HERE = (Reason("found-so", "it was moved here by hand"),)
REBUILD_ASKED = (Reason("rebuild-asked", "you asked for it with --rebuild"),)
POWER_ASKED = (Reason("power-asked", "you asked for it"),)
EMPTY = Reason("lost", "its host no longer has it: restore it there, or it is created again without its data")
NOT_READY = (Reason("not-ready", "it was not ready when the last run waited for it; this run waits again"),)


def compare_present(subject: Subject, observed: Observed, notes: list[Note]) -> Iterator[Change]:
    settled, record = subject.settled, subject.record
    assert settled is not None  # noqa: S101 - the caller's branch
    if record is not None and record.leases.get(UUID) and record.leases[UUID] != settled.leases[UUID]:
        causes = identity_changes(record.leases.get(IDENTITY, "{}"), settled.leases[IDENTITY])
        yield from _replaced(subject, settled, observed, notes, _why_replaced(settled, record, observed), causes)
        return
    if settled.placed.code == WAITS:
        notes.append(Note(WAITS, f"{settled.address} {settled.placed.text}.", str(settled.address), settled.host))
    if subject.kind.single and (told := _may_run_elsewhere(subject, settled, observed)):
        notes.append(Note(WAITS, told, str(settled.address)))
        return
    moved_from = _moved_from(subject, settled, observed)
    for host in sorted(_hosts(subject, settled)):
        if is_down(host, observed):
            if (want := settled.wants.get(host)) and (record is None or record.wants.get(host) != want):
                notes.append(waits_for(settled, host, observed))
            continue
        if moved_from and host == moved_from:
            yield _migration(subject, settled, host, observed)
        elif not (moved_from and host == settled.host):
            yield from _on_host(subject, settled, host, observed, notes)


def _both(record: Record | None) -> tuple[str, ...]:
    """The hosts of what is on two: it may run on either while the other is silent."""
    second = record.leases.get(STANDBY, "") if record is not None else ""
    return (record.host, second) if record is not None and second else ()


def _may_run_elsewhere(subject: Subject, settled: Settled, observed: Observed) -> str:
    """A host that does not answer may have it, and another would get it, or has it too. Never two writers."""
    applied = subject.record.wants if subject.record else {}
    silent = [host for host in sorted(applied) if may_run(host, observed)]
    others = sorted({*settled.wants, *subject.haves} - {"", *silent, *_both(subject.record)})
    if not silent or not others:
        return ""
    text = f"{settled.address} waits: {silent[0]} may still run it, so nothing is done on {', '.join(others)}"
    there = observed.hosts.get(silent[0])
    return f"{text}: {telling(there)}." if there is not None else f"{text}."


def _hosts(subject: Subject, settled: Settled) -> set[str]:
    applied = subject.record.wants.keys() if subject.record else set()
    return {*settled.wants, *applied, *subject.haves}


def _moved_from(subject: Subject, settled: Settled, observed: Observed) -> str:
    """The host that a resource leaves as it is. Empty when it stays, or is nowhere to be moved from."""
    there = [host for host, have in sorted(subject.haves.items()) if not have.begun]
    if not subject.kind.moves or settled.host in there:
        return ""
    return next((host for host in there if not is_down(host, observed)), "")


def _migration(subject: Subject, settled: Settled, host: str, observed: Observed) -> Change:
    have = subject.haves[host].want
    want = settled.wants[settled.host]
    changes, effect, _, _, unnamed = field_changes(
        subject.kind, settled, want, have, subject.record.wants.get(host) if subject.record else None
    )
    return Change(
        settled.address,
        host,
        Action.MIGRATE,
        left_alone(subject.kind, settled, want, have),
        have,
        disturbed(subject.kind, effect),
        (settled.placed, *unknown(unnamed), *of_the_way(subject.kind, want, observed.hosts, host, settled.host)),
        changes,
        settled.leases[UUID],
        settled.host,
    )


def _on_host(subject: Subject, settled: Settled, host: str, observed: Observed, notes: list[Note]) -> Iterator[Change]:
    want, have = settled.wants.get(host), subject.haves.get(host)
    applied = subject.record.wants.get(host) if subject.record else None
    uuid = settled.leases[UUID]
    if want is None:
        yield from _left(subject, settled, host, applied)
        return
    if host == "":
        yield from _recorded_only(subject, settled, want, applied)
        return
    if have is None:
        yield _made(subject, settled, host, want, applied)
        return
    if have.uuid and have.uuid != uuid:
        yield from _predecessor(subject, settled, host, want, have)
        return
    changes, effect, later, same, unnamed = _differing(subject, settled, want, have.want, applied)
    if later:
        notes.append(waiting(subject, host, later))
    if same and applied is not None and have.made_from == applied.digest:  # not by a step whose end nobody heard of
        notes.append(agreed(subject, host, same))
    if not changes and effect.action not in (Action.REBOOT, Action.REBUILD):
        yield from _alike(subject, settled, host, want, have)
        return
    reasons = POWER_ASKED if subject.power else why(changes) or REBUILD_ASKED
    if effect.action is Action.REPLACE:
        yield from _replaced(subject, settled, observed, notes, (*reasons, *unknown(unnamed))[-1], changes)
        return
    if effect.action not in ANEW:  # what is made anew is made as the spec says
        want = left_alone(subject.kind, settled, want, have.want)
    reasons += NOT_READY if have.awaited else ()
    yield Change(settled.address, host, effect.action, want, have.want, effect.disturbs, reasons, changes, uuid)


def _made(subject: Subject, settled: Settled, host: str, want: Want, applied: Want | None) -> Change:
    if applied is None and host == settled.host and subject.kind.adopts(settled.block):
        return adopts(settled)
    reason = _why_made(subject, settled, applied, host)
    lost = reason is EMPTY or (reason.code == EVACUATED and _left_data(subject, host))
    loss = Disruption.DATA_LOSS if lost else Disruption.NONE
    return Change(settled.address, host, Action.CREATE, want, None, loss, (reason,), uuid=settled.leases[UUID])


def _moved_by_hand(subject: Subject, host: str) -> bool:
    record = subject.record
    return subject.kind.moves and record is not None and record.host not in ("", host, *subject.haves)


def _differing(subject: Subject, settled: Settled, want: Want, have: Want, applied: Want | None) -> Differing:
    found = field_changes(subject.kind, settled, want, have, applied)
    if subject.rebuild and subject.kind.rebuild is not None and found.effect.action not in ANEW:
        return Differing((*found.changes, *found.later), subject.kind.rebuild(have.fields()))
    if subject.reboot and found.effect.action not in ANEW:
        return found._replace(effect=Effect(Action.REBOOT, Disruption.REBOOT))
    return found


def _alike(subject: Subject, settled: Settled, host: str, want: Want, have: Have) -> Iterator[Change]:
    """No field differs. Somebody may still have to hear of it: its host, or the store."""
    uuid, applied = settled.leases[UUID], subject.record.wants.get(host) if subject.record else None
    if have.begun:
        reason = Reason("unfinished", f"a run began to create it on {host} and did not finish")
        yield Change(settled.address, host, Action.CREATE, want, None, Disruption.NONE, (reason,), uuid=uuid)
        return
    there = left_alone(subject.kind, settled, want, have.want)
    if have.lost:
        yield Change(settled.address, host, Action.REGISTER, there, have.want, Disruption.NONE, UNLISTED, uuid=uuid)
    elif have.awaited:
        yield Change(settled.address, host, Action.UPDATE, there, have.want, Disruption.NONE, NOT_READY, uuid=uuid)
    elif applied is None or (applied.digest != want.digest and _drifted(subject, applied, have.want)):
        reasons = MOVED_HERE if _moved_by_hand(subject, host) else FOUND_SO
        yield Change(settled.address, host, Action.ACCEPT, there, have.want, Disruption.NONE, reasons, uuid=uuid)


def _left_data(subject: Subject, host: str) -> bool:
    """Whether data of it is on a host that it leaves without being asked."""
    applied = subject.record.wants if subject.record else {}
    return any(subject.kind.stranded(want) for other, want in applied.items() if other not in ("", host))


def _drifted(subject: Subject, applied: Want, have: Want) -> bool:
    return applied.digest != have.digest and bool(comparison(subject.kind.wire_module)(applied.fields(), have.fields()))


def _left(subject: Subject, settled: Settled, host: str, applied: Want | None) -> Iterator[Change]:
    """It is on a host that should not have it any more."""
    have, uuid = subject.haves.get(host), settled.leases[UUID]
    there = have.want if have else applied
    if there is None:
        return
    text = f"nothing on {host} uses it" if host else "it is on hosts now, and no longer only recorded"
    if have is None and subject.kind.moves and settled.host in subject.haves:
        text = f"it was moved to {settled.host} by hand; its remains here are removed"
    reason, loss = Reason(NOT_NEEDED, text), Disruption.NONE
    if have is not None and loses(subject.kind, have.want, have):
        reason, loss = _elsewhere(settled, host), Disruption.DATA_LOSS
    old = have.uuid if have and have.uuid else uuid
    yield Change(settled.address, host, Action.DESTROY, None, there, loss, (reason,), uuid=old)


def _predecessor(subject: Subject, settled: Settled, host: str, want: Want, have: Have) -> Iterator[Change]:
    """A run was killed after it recorded the successor and before the one that it replaces was gone."""
    reason = Reason("replacement-unfinished", f"{host} still has the resource that it replaces")
    loss = Disruption.DATA_LOSS if loses(subject.kind, have.want, have) else Disruption.REBUILD
    yield Change(settled.address, host, Action.DESTROY, None, have.want, loss, (reason,), uuid=have.uuid)
    uuid = settled.leases[UUID]
    yield Change(settled.address, host, Action.CREATE, want, None, Disruption.NONE, (reason,), uuid=uuid)


def _recorded_only(subject: Subject, settled: Settled, want: Want, applied: Want | None) -> Iterator[Change]:
    if applied is None:
        reason = Reason("new", "the spec has it, the store does not")
        yield Change(
            settled.address, "", Action.CREATE, want, None, Disruption.NONE, (reason,), uuid=settled.leases[UUID]
        )
    elif applied.digest != want.digest:
        changes, *_ = field_changes(subject.kind, settled, want, applied, applied)
        yield Change(
            settled.address,
            "",
            Action.UPDATE,
            want,
            applied,
            Disruption.NONE,
            why(changes),
            changes,
            settled.leases[UUID],
        )


def _replaced(
    subject: Subject,
    settled: Settled,
    observed: Observed,
    notes: list[Note],
    reason: Reason,
    changes: tuple[FieldChange, ...] = (),
) -> Iterator[Change]:
    """Two changes a host: the old goes, the new comes. Which is first is the plan's business. What a dead host has is
    lost once the new one is made.
    """
    record = subject.record
    applied = record.wants if record else {}
    old = record.leases.get(UUID, "") if record else settled.leases[UUID]
    lost = Disruption.NONE
    for host in sorted({*applied, *subject.haves}):
        if is_down(host, observed) and host not in settled.wants and not may_run(host, observed):
            lost = Disruption.DATA_LOSS if subject.kind.loses(applied.get(host)) else lost
            continue
        if is_down(host, observed):
            text = f"the old {settled.address} stays on {host} until it answers."
            notes.append(Note(WAITS, text, str(settled.address), host))
            continue
        have = subject.haves.get(host)
        there = have.want if have else applied[host]
        loss = Disruption.DATA_LOSS if loses(subject.kind, there, have) else Disruption.REBUILD
        loss = loss if host else Disruption.NONE
        yield Change(settled.address, host, Action.DESTROY, None, there, loss, (reason,), uuid=old)
    for host, want in sorted(settled.wants.items()):
        if not is_down(host, observed):
            yield Change(
                settled.address,
                host,
                Action.CREATE,
                want,
                None,
                lost if host == settled.host else Disruption.NONE,
                (reason,),
                changes,
                settled.leases[UUID],
            )


def _why_replaced(settled: Settled, record: Record, observed: Observed) -> Reason:
    changed = changed_in(record.leases.get(IDENTITY, "{}"), settled.leases[IDENTITY])
    if record.host != settled.host and is_down(record.host, observed) and not may_run(record.host, observed):
        text = f"{record.host} was declared dead: it is created again elsewhere, without its data"
        return Reason(EVACUATED, text)
    if not changed and record.host not in ("", settled.host):
        return _elsewhere(settled, record.host)
    if not changed:
        return Reason("replace-asked", "you asked for it with --replace")
    return Reason("another-resource", f"{', '.join(changed)} cannot change in place, so the resource is replaced")


def _elsewhere(settled: Settled, host: str) -> Reason:
    now = ", ".join(one for one in sorted(settled.wants) if one)
    return Reason("another-host", f"it moves to {now}, and its data on {host} cannot be moved there")


def _why_made(subject: Subject, settled: Settled, applied: Want | None, host: str) -> Reason:
    if applied is not None and subject.kind.irreplaceable:
        return EMPTY
    if applied is not None:
        return Reason("lost", f"it was on {host} and is no longer there")
    if settled.host == host and settled.placed.code:
        return settled.placed
    return Reason("new", "the spec has it, the host does not")
