"""What is there, made by nobody's Stead, and is to be managed from now on (ADR 29).

Nothing of it is touched, so nothing may have to be: where it differs from the spec in what a later change can mend, it
is recorded as it is, and the next plan says what it would change; where it is another thing than the spec says, nothing
is planned.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from stead.blueprint.leases import UUID
from stead.blueprint.model import Blueprint, Reason, Settled
from stead.core.diagnostics import Code, Diagnostic
from stead.core.effect import Action, Disruption
from stead.core.kind import Kind
from stead.core.observed import Observed
from stead.core.value import replace
from stead.core.want import Body, Want
from stead.diff.fields import comparison, left_alone
from stead.diff.model import Change, Diff, Note

NOT_THERE = Code("STEAD-D012", "what is to be taken over is not there")
OTHERWISE = Code("STEAD-D013", "what is to be taken over is not what the spec says")
DIFFERS = "adopted-otherwise"  # the code of a note


def adopts(settled: Settled) -> Change:
    reason = Reason("adopt", f"it is on {settled.host} already, and is taken over as it is")
    want, uuid = settled.wants[settled.host], settled.leases[UUID]
    return Change(settled.address, settled.host, Action.ADOPT, want, None, Disruption.NONE, (reason,), uuid=uuid)


def compared(
    diff: Diff, blueprint: Blueprint, observed: Observed, kinds: Mapping[str, Kind]
) -> tuple[Diff, list[Diagnostic]]:
    """With wants that say what is there, so that the step has nothing to do."""
    if not any(one.action is Action.ADOPT for one in diff.changes):
        return diff, []
    found: list[Diagnostic] = []
    notes: list[Note] = []
    changes = [
        _one(change, blueprint, observed, kinds[change.address.kind], found, notes)
        if change.action is Action.ADOPT
        else change
        for change in diff.changes
    ]
    return replace(diff, changes=tuple(changes), notes=(*diff.notes, *notes)), found


def _one(
    change: Change, blueprint: Blueprint, observed: Observed, kind: Kind, found: list[Diagnostic], notes: list[Note]
) -> Change:
    settled, want = blueprint.resources[change.address], change.want
    place, address = settled.block.place(), str(change.address)
    twins = sorted(host for host, some in observed.strangers.items() if change.uuid in some)
    if kind.found is None or want is None:
        return change
    if change.host not in twins:
        text = (
            f"{change.host} has no domain with UUID {change.uuid} that is nobody's: it has none, or it is a Stead's "
            "already. `stead import libvirt` lists what can be taken over."
        )
        found.append(NOT_THERE.at(place, text, address=address))
        return change
    if len(twins) > 1:
        text = f"{' and '.join(twins)} have a domain with UUID {change.uuid}. Undefine the one that is not to run."
        found.append(OTHERWISE.at(place, text, address=address))
        return change
    there, reasons = kind.found(want.fields(), observed.strangers[change.host][change.uuid])
    if reasons:
        text = f"On {change.host}: {'; '.join(reasons)}. Take it over as it is, and change it with the plan after that."
        found.append(OTHERWISE.at(place, text, address=address))
        return change
    return change._replace(want=_as_it_is(kind, settled, want, Want.of(Body.of(there)), notes))


def _as_it_is(kind: Kind, settled: Settled, want: Want, there: Want, notes: list[Note]) -> Want:
    """Fields that are left to others are no difference."""
    left = left_alone(kind, settled, want, there)
    heads = dict(_differing(kind, left, there))
    if not heads:
        return left
    for head, (old, new) in sorted(heads.items()):
        text = f"{settled.address} is taken over with {head} {old}; the next plan changes that to {new}."
        notes.append(Note(DIFFERS, text, str(settled.address), settled.host))
    return there


def _differing(kind: Kind, want: Want, there: Want) -> Iterator[tuple[str, tuple[object, object]]]:
    for name, old, new in comparison(kind.wire_module)(want.fields(), there.fields()):
        yield name.partition(".")[0], (old, new)
