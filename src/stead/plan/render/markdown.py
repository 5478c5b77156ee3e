"""The plan as a comment on a pull request: what it comes to first, details folded, never too long to post."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from stead.core.effect import Action, Disruption
from stead.plan.model import Plan
from stead.plan.render.entries import Card, card, why
from stead.plan.render.fold import FoldedChange, fold
from stead.plan.render.names import count
from stead.plan.render.values import shown
from stead.plan.render.words import disturbance, effort, headline, hooked, losses, noted, renamed, summarise

LONGEST = 65_000  # characters: GitHub takes 65,536, and the line that says what is missing needs room
_SIGNS = {Action.CREATE: "+", Action.DESTROY: "-", Action.REPLACE: "-"}  # what the diff lexer colours; else "!"
_FENCE = "~~~~~~~~"  # longer than any that a value of one line may begin


def to_markdown(plan: Plan, *, title: str = "Plan") -> str:
    entries = fold(plan)
    summary = summarise(plan, entries)
    head = [f"### {_escaped(title)}: {headline(summary) if not plan.empty or plan.waiting else 'nothing to do'}", ""]
    if summary.disturbs:
        head += [f"**Disturbs: {disturbance(summary)}.**", ""]
        head += [f"- :warning: loses {_escaped(loss)}" for loss in losses(summary)] + [""]
    tail = [*_tail(plan), f"<sub>{_foot(plan, effort(summary))}</sub>", ""]
    room = LONGEST - sum(map(len, head)) - sum(map(len, tail)) - 500
    body: list[str] = []
    left_out = 0
    for block in _blocks(plan, entries):
        text = "\n".join(block)
        if len(text) + 1 <= room:
            room -= len(text) + 1
            body += block
        else:
            left_out += 1
    if left_out:
        body += [f"_{count(left_out, 'part')} of the plan do not fit here; `stead show PLAN` shows all._", ""]
    return "\n".join([*head, *body, *tail])


def _foot(plan: Plan, worked: str) -> str:
    made = plan.made
    parts = [f"plan `{plan.digest[:12]}`", worked, f"spec `{made.spec[:12]}`", f"state {made.recorded}"]
    return ", ".join(part for part in [*parts, f"Stead {made.stead}"] if part)


def _blocks(plan: Plan, entries: Sequence[FoldedChange]) -> Iterator[list[str]]:
    """Folded parts, those with drift first. What disturbs someone stands open."""
    drifted = [entry for entry in entries if entry.drift]
    if drifted:
        yield list(_details("Drift: changed on the hosts since the last apply", drifted, plan, opened=True))
    rest = [entry for entry in entries if not entry.drift]
    for project, some in groupby(rest, key=lambda entry: entry.project):
        here = list(some)
        opened = any(entry.first.disturbs is not Disruption.NONE for entry in here)
        members = sum(len(entry.atoms) for entry in here)
        title = f"{f'project {project}' if project else 'site'}: {count(members, 'resource')}"
        yield from _parts(title, here, plan, opened=opened)


def _parts(title: str, entries: Sequence[FoldedChange], plan: Plan, *, opened: bool) -> Iterator[list[str]]:
    """A project too large for one comment is cut into parts that can fit on their own."""
    size = 100
    for start in range(0, len(entries), size):
        name = title if len(entries) <= size else f"{title}, part {start // size + 1}"
        yield list(_details(name, entries[start : start + size], plan, opened=opened))


def _details(title: str, entries: Sequence[FoldedChange], plan: Plan, *, opened: bool) -> Iterator[str]:
    yield f"<details{' open' if opened else ''}><summary>{_escaped(title)}</summary>"
    yield ""
    yield f"{_FENCE}diff"
    for entry in entries:
        yield from _lines(card(entry, plan.keeps))
    yield _FENCE
    yield ""
    yield "</details>"
    yield ""


def _lines(told: Card) -> Iterator[str]:
    sign = _SIGNS.get(told.action, "!")
    disturbs = f"  # disturbs: {told.disturbs}" if told.disturbs is not Disruption.NONE else ""
    plain = told.verb in (Action.CREATE, Action.DESTROY, Action.UPDATE)
    action = "" if plain else f" to {told.verb}"
    yield f"{sign} {told.name}{action}{f'  {told.where}' if told.where else ''}{disturbs}"
    if told.about:
        yield f"    {told.about}"
    for field in told.fields:
        drift = f"  ({field.mark})" if field.mark else ""
        if field.lines:
            yield f"    {field.name}:{drift}"
            yield from (f"{line[:1]}     {line[1:]}" for line in field.lines)
        else:
            yield f"    {field.name}: {field.old} → {field.new}{drift}"
    if told.more_fields:
        yield f"    … {count(told.more_fields, 'more field')}"
    yield from (f"    {member}" for member in told.members)
    if told.more_members:
        yield f"    … {told.more_members:,} more"
    yield from (f"-   loses {loss}" for loss in told.losses[:3])
    yield from (f"    {reason}" for reason in why(told.reasons))


def _tail(plan: Plan) -> Iterator[str]:
    if plan.renames:
        yield from ("**Renamed**", "", *(f"- {_escaped(line)}" for line in _few(list(renamed(plan.renames)))), "")
    if plan.hooks:
        yield from ("**Hooks: these playbooks run on the machine that applies**", "")
        yield from (*(f"- {_escaped(line)}" for line in _few(list(hooked(plan)))), "")
    if plan.outputs and not plan.empty:
        rows = [f"| `{_escaped(name)}` | {_cell(shown(value))} |" for name, value in plan.outputs.items()]
        yield from ("| Output | Value |", "| --- | --- |", *_few(rows), "")
    if plan.notes:
        yield from ("**Notes**", "", *(f"- {_escaped(line)}" for line in _few(list(noted(plan.notes)))), "")


def _few(lines: Sequence[str], most: int = 40) -> list[str]:
    return [*lines[:most], *([f"… and {len(lines) - most} more"] if len(lines) > most else [])]


def _cell(text: str) -> str:
    return _escaped(text).replace("|", "\\|")


def _escaped(text: str) -> str:
    """Nothing of a user's text becomes markup."""
    safe = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    for mark in "\\`*_[]#":
        safe = safe.replace(mark, f"\\{mark}")
    return safe
