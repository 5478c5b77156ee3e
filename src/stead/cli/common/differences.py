"""Changes as lines and as JSON, for `diff` and `drift`: what differs and why, without order and without effort."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from stead.cli.common.console_output import BOLD, CYAN, DIM, GREEN, RED, paint
from stead.core.effect import Action
from stead.diff import Change
from stead.diff.model import FieldChange, Note
from stead.plan.model import Plan, Step
from stead.plan.render.entries import ShownField, card
from stead.plan.render.fold import FoldedChange, fold
from stead.plan.render.words import noted


def as_plan(changes: Sequence[Change], like: Plan) -> Plan:
    """Changes as steps without order, so that what folds steps folds them too."""
    from stead.core.value import replace

    steps = tuple(
        Step(number, one.address, one.host, one.action, one.want, one.have, one.disturbs, one.reasons)._replace(
            changes=one.changes, uuid=one.uuid, to=one.to
        )
        for number, one in enumerate(changes)
    )
    return replace(like, steps=steps)


def data(changes: Sequence[Change], notes: Sequence[Note]) -> dict[str, Any]:
    from stead.plan.render.values import opened

    def field(one: FieldChange) -> dict[str, Any]:
        told = {"field": one.field, "words": one.name, "old": opened(one.old), "new": opened(one.new)}
        return told | {"drift": one.drift}

    return {
        "differences": [
            {
                "address": str(one.address),
                "host": one.host,
                "action": str(one.action),
                "drift": is_drift(one),
                "reasons": [{"code": reason.code, "text": reason.text} for reason in one.reasons],
                "fields": [field(change) for change in one.changes],
            }
            for one in changes
        ],
        "notes": [note._asdict() for note in notes],
    }


def is_drift(one: Change) -> bool:
    """Whether the host is not as it was left, rather than the spec no longer what was applied."""
    if one.changes:
        return any(change.drift for change in one.changes)
    return any(reason.code in ("lost", "ledger-lost", "accepted", "moved-by-hand") for reason in one.reasons)


def lines(plan: Plan, *, verbose: bool) -> Iterator[str]:
    entries = fold(plan)
    for title, some in (
        ("Change: the spec differs from the last apply", [one for one in entries if not one.drift]),
        ("Drift: hosts differ from the last apply", [one for one in entries if one.drift]),
    ):
        if some:
            yield paint(title, BOLD)
            for entry in some:
                yield from _entry(entry, plan, verbose=verbose)
    yield from (f"note: {line}" for line in noted(plan.notes, every=verbose))


def _entry(entry: FoldedChange, plan: Plan, *, verbose: bool) -> Iterator[str]:
    told = card(entry, plan.keeps, verbose=verbose)
    project = entry.project
    what = "is missing" if told.action is Action.ACCEPT and entry.first.want is None else ""
    name = f"{project}/{told.name}" if project else told.name
    yield "  ".join(part for part in (f"  {told.sign} {name}", told.where, what) if part)
    for field in told.fields:
        yield from _field(field)
    if told.more_fields:
        yield paint(f"      … {told.more_fields} more (--verbose shows all)", DIM)
    yield from (paint(f"      {reason.code}: {reason.text}", DIM) for reason in told.reasons)


def _field(field: ShownField) -> Iterator[str]:
    drift = f"  {paint(f'({field.mark})', CYAN)}" if field.mark else ""
    if field.lines:
        yield f"      {field.name}{drift}"
        yield from (f"        {line}" for line in field.lines)
    else:
        yield f"      {field.name}  {paint(field.old, RED)} → {paint(field.new, GREEN)}{drift}"
