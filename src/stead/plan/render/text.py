"""The plan for a person at a terminal: by project, only what changes, what it disturbs last.

A large plan is told more briefly, never cut off in silence: what disturbs someone is always shown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby

from stead.core.effect import Action, Disruption
from stead.plan.model import Plan
from stead.plan.render import Style
from stead.plan.render.entries import Card, ShownField, card, why
from stead.plan.render.fold import FoldedChange, fold
from stead.plan.render.names import count, of_addresses
from stead.plan.render.paint import BLUE, BOLD, CYAN, DIM, GREEN, RED, YELLOW
from stead.plan.render.values import NOTHING, shown
from stead.plan.render.words import (
    SAID,
    SIGNS,
    Summary,
    confirmed,
    disturbance,
    effort,
    headline,
    hooked,
    losses,
    marked,
    noted,
    renamed,
    summarise,
    waits,
)

# Above these numbers of entries, one line each; then one line for each project. A screen holds fifty lines, and
# nobody reads more than ten screens before saying yes.
FULL, BRIEF = 60, 400
_COLOURS = {
    Action.CREATE: GREEN,
    Action.UPDATE: YELLOW,
    Action.MIGRATE: CYAN,
    Action.REBOOT: YELLOW,
    Action.REBUILD: RED,
    Action.REPLACE: RED,
    Action.DESTROY: RED,
    Action.FORGET: BLUE,
    Action.ADOPT: BLUE,
    Action.REGISTER: BLUE,
    Action.ACCEPT: BLUE,
}


def to_text(plan: Plan, style: Style) -> str:
    entries = fold(plan)
    drifted = [entry for entry in entries if entry.drift]
    changed = [entry for entry in entries if not entry.drift]
    page = _Page(plan, style)
    lines: list[str] = []
    if drifted:
        lines += page.section("Drift: these changed on the hosts since the last apply", drifted)
    if changed:
        lines += page.section("Changes" if drifted else "", changed)
    lines += page.tail(plan)
    lines += page.summary(summarise(plan, entries))
    return "\n".join(lines).lstrip("\n") + "\n"


class _Page:
    def __init__(self, plan: Plan, style: Style) -> None:
        self.keeps, self.style, self.paint = plan.keeps, style, style.paint

    def section(self, title: str, entries: Sequence[FoldedChange]) -> Iterator[str]:
        if title:
            yield ""
            yield self.paint(title, BOLD)
        size = 0 if self.style.verbose else len(entries)
        for project, some in groupby(entries, key=lambda entry: entry.project):
            here = list(some)
            yield ""
            yield self.paint(f"project {project}" if project else "site", BOLD)
            if size > BRIEF:
                yield from self._counted(here)
            for entry in here:
                if size <= BRIEF or entry.first.disturbs is not Disruption.NONE:
                    yield from self.entry(entry, brief=size > FULL)

    def _counted(self, entries: Sequence[FoldedChange]) -> Iterator[str]:
        """What disturbs nobody, by kind, with an example."""
        quiet = [entry for entry in entries if entry.first.disturbs is Disruption.NONE]
        numbers: Counter[tuple[Action, str]] = Counter()
        examples: dict[tuple[Action, str], FoldedChange] = {}
        for entry in quiet:
            key = (Action.UPDATE if entry.clears else entry.first.action, entry.first.address.kind)
            numbers[key] += len(entry.atoms)
            examples.setdefault(key, entry)
        for key in sorted(numbers, key=lambda pair: (SAID.index(pair[0]), pair[1])):
            action, kind = key
            sign = self.paint(f"{SIGNS[action]:>3}", _COLOURS[action])
            example = self.paint(f"such as {of_addresses(examples[key].addresses)}", DIM)
            yield f"{sign} {numbers[key]:,} {kind.replace('_', ' ')} to {action}  {example}"

    def entry(self, entry: FoldedChange, *, brief: bool) -> Iterator[str]:
        told = card(entry, self.keeps, verbose=self.style.verbose)
        yield self._head(told, entry)
        if brief and told.disturbs is Disruption.NONE:
            return
        if told.about:
            yield from self._wrapped(told.about)
        yield from self._fields(told.fields, new=told.action in (Action.CREATE, Action.REPLACE))
        if told.more_fields:
            yield self.paint(f"      … {count(told.more_fields, 'more field')} (--verbose shows all)", DIM)
        for line in told.members:
            yield f"      {line}"
        if told.more_members:
            yield self.paint(f"      … {told.more_members:,} more (--verbose shows all)", DIM)
        for loss in told.losses[:3]:
            yield self.paint(f"      loses {loss}", RED)
        if len(told.losses) > 3:
            yield self.paint(f"      … and {len(told.losses) - 3:,} more losses", RED)
        for reason in why(told.reasons):
            yield from self._wrapped(reason, DIM)
        if self.style.verbose and told.place:
            yield self.paint(f"      at {told.place}", DIM)

    def _head(self, told: Card, entry: FoldedChange) -> str:
        colour = _COLOURS[told.action]
        sign = self.paint(f"{told.sign:>3}", colour, BOLD)
        members = f" ({len(entry.atoms):,})" if len(entry.atoms) > 1 else ""
        line = f"{sign} {self.paint(told.name, BOLD)}{members}"
        if told.verb not in (Action.CREATE, Action.UPDATE, Action.DESTROY):
            line += f" {self.paint(f'to {told.verb}', colour)}"
        if told.where:
            line += f"  {told.where}"
        if told.disturbs is not Disruption.NONE:
            strong = RED if told.disturbs.rank >= Disruption.REBUILD.rank else YELLOW
            line += f"  {self.paint(f'disturbs: {told.disturbs}', strong, BOLD)}"
        return line

    def _fields(self, fields: Sequence[ShownField], *, new: bool) -> Iterator[str]:
        width = min(32, max((len(field.name) for field in fields), default=0))
        for field in fields:
            drift = f"  {self.paint(f'({field.mark})', CYAN)}" if field.mark else ""
            name = f"      {field.name:<{width}}"
            if field.lines:
                yield f"{name}{drift}"
                colours = {"+": GREEN, "-": RED}
                yield from (f"        {self._coloured(line, colours.get(line[:1], DIM))}" for line in field.lines)
            elif new and field.old == NOTHING:
                yield f"{name}  {field.new}{drift}"
            else:
                yield f"{name}  {self.paint(field.old, RED)} → {self.paint(field.new, GREEN)}{drift}"

    def _coloured(self, line: str, colour: str) -> str:
        return self.paint(line, colour) if line else line

    def _wrapped(self, text: str, *styles: str) -> Iterator[str]:
        for line in _lines(text, self.style.width - 6, whole_words=True):
            yield f"      {self.paint(line, *styles)}"

    def tail(self, plan: Plan) -> Iterator[str]:
        """What is no step: renames, outputs, notes."""
        if plan.renames:
            yield from ("", self.paint("Renamed", BOLD))
            yield from (f"    {line}" for line in renamed(plan.renames))
        if plan.hooks:
            yield from ("", self.paint("Hooks: these playbooks run on the machine that applies", BOLD))
            for line in hooked(plan):
                yield from (f"    {part}" for part in _lines(line, self.style.width - 4))
        if plan.outputs and not plan.empty:
            yield from ("", self.paint("Outputs after this", BOLD))
            yield from (f"    {name} = {shown(value)}" for name, value in plan.outputs.items())
        if plan.notes:
            yield from ("", self.paint("Notes", BOLD))
            for line in noted(plan.notes, every=self.style.verbose):
                yield from (f"    {part}" for part in _lines(line, self.style.width - 4))

    def summary(self, summary: Summary) -> Iterator[str]:
        yield ""
        yield from (self.paint(line, RED, BOLD) for line in confirmed(summary))
        yield from marked(summary)
        if summary.nothing:
            waiting = waits(summary)
            nothing = f"Nothing can be done now, and {waiting}" if waiting else "Nothing to do"
            yield f"{self.paint(nothing, BOLD)}: {summary.unchanged:,} unchanged."
            return
        yield f"{self.paint('Plan', BOLD)}: {headline(summary)}."
        if not summary.steps:
            return
        strong = RED if summary.worst.rank >= Disruption.REBUILD.rank else YELLOW
        disturbs = disturbance(summary)
        yield f"Disturbs: {self.paint(disturbs, strong, BOLD) if summary.disturbs else disturbs}."
        for loss in losses(summary):
            yield self.paint(f"  loses {loss}", RED)
        yield self.paint(f"{effort(summary)}.", DIM)


def _lines(text: str, width: int, *, whole_words: bool = False) -> Sequence[str]:
    if len(text) <= width:
        return (text,)
    import textwrap  # only for what is too long

    return textwrap.wrap(text, width, break_long_words=not whole_words, break_on_hyphens=not whole_words)
