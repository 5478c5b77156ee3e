"""The plan as one self-contained page: summary, drawn topology, every entry. No script, nothing fetched."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from itertools import groupby

from stead.core.address import Address
from stead.core.effect import Action, Disruption
from stead.kinds import kinds
from stead.plan.graph import GraphResource, graph_of, only
from stead.plan.model import Plan
from stead.plan.render.entries import Card, ShownField, card, why
from stead.plan.render.fold import FoldedChange, fold
from stead.plan.render.names import count, of_addresses
from stead.plan.render.style import ENDING, beginning
from stead.plan.render.svg import hosts_svg, to_svg
from stead.plan.render.values import shown
from stead.plan.render.words import Summary, disturbance, effort, headline, hooked, losses, noted, renamed, summarise

NODES = 120  # of a drawing that a person can still follow
HOSTS = 60
ENTRIES = 1500  # a page that a browser still opens at once


def to_html(plan: Plan, *, title: str = "Plan", things: Sequence[GraphResource] | None = None) -> str:
    """`things` is everything there will be; without it, only what the plan touches is drawn."""
    return "\n".join([beginning(escape(title)), f"<h1>{escape(title)}</h1>", to_body(plan, things=things), ENDING])


def to_body(plan: Plan, *, things: Sequence[GraphResource] | None = None) -> str:
    """What a page has below its title, for a page that has this look already."""
    entries = fold(plan)
    parts = [
        *_head(plan, summarise(plan, entries)),
        *_topology(_things(plan) if things is None else things),
        *_sections(plan, entries),
        *_tail(plan),
    ]
    return "\n".join(parts)


def _things(plan: Plan) -> list[GraphResource]:
    return [GraphResource(keep.address, keep.host, keep.after) for keep in plan.keeps.values() if keep.leases]


def _head(plan: Plan, summary: Summary) -> Iterator[str]:
    yield f'<p class="head">{escape(headline(summary) if not plan.empty else "Nothing to do")}.</p>'
    if summary.steps:
        yield f"<p>Disturbs: {escape(disturbance(summary))}. {escape(effort(summary))}.</p>"
    yield from (f'<p class="loss">loses {escape(loss)}</p>' for loss in losses(summary))
    made = plan.made
    yield (
        f'<p class="dim">Plan {escape(plan.digest[:12])} by Stead {escape(made.stead)}, from spec '
        f"{escape(made.spec[:12])} and state {made.recorded}.</p>"
    )


def _topology(things: Sequence[GraphResource]) -> Iterator[str]:
    graph = only(graph_of(things), _drawn())
    if graph.nodes and len(graph.nodes) <= NODES:
        yield f'<h2>Topology</h2><div class="draw">{to_svg(graph)}</div>'
    elif graph.nodes:
        yield f'<h2>Topology</h2><p class="dim">{count(len(graph.nodes), "block")}: too many to draw.</p>'
    residents = _residents(things)
    if residents and len(residents) <= HOSTS:
        yield f'<h2>Hosts</h2><div class="draw">{hosts_svg(residents)}</div>'
    elif residents:
        yield f'<h2>Hosts</h2><p class="dim">{count(len(residents), "host")}: too many to draw.</p>'


def _drawn() -> frozenset[str]:
    """What a topology is made of; the rest would hide it."""
    return frozenset(plural for plural, kind in kinds().items() if kind.drawn)


def _residents(things: Sequence[GraphResource]) -> Mapping[str, Sequence[str]]:
    """What lives on each host; members of a block stand together."""
    found: dict[str, dict[Address, list[Address]]] = {}
    drawn = _drawn()
    for address, host, _ in things:
        if host and address.kind in drawn:
            found.setdefault(host, {}).setdefault(address.block, []).append(address)
    return {
        host: [of_addresses(members).partition("/")[2] for members in blocks.values()] for host, blocks in found.items()
    }


def _sections(plan: Plan, entries: Sequence[FoldedChange]) -> Iterator[str]:
    drifted = [entry for entry in entries if entry.drift]
    if drifted:
        yield "<h2>Drift: changed on the hosts since the last apply</h2>"
        yield from _entries(plan, drifted)
    rest = [entry for entry in entries if not entry.drift]
    for project, some in groupby(rest, key=lambda entry: entry.project):
        yield f"<h2>{escape(f'Project {project}' if project else 'Site')}</h2>"
        yield from _entries(plan, list(some))


def _entries(plan: Plan, entries: Sequence[FoldedChange]) -> Iterator[str]:
    """What disturbs someone comes in any case, the rest until the page is long."""
    disturbing = [entry for entry in entries if entry.first.disturbs is not Disruption.NONE]
    shown_ones = entries if len(entries) <= ENTRIES else [*disturbing, *entries[:ENTRIES]]
    for entry in shown_ones:
        yield from _entry(card(entry, plan.keeps), len(entry.atoms))
    if len(shown_ones) < len(entries):
        yield f'<p class="dim">… and {count(len(entries) - len(shown_ones), "more entry", "more entries")}</p>'


def _entry(told: Card, members: int) -> Iterator[str]:
    yield f'<div class="entry {told.action}">'
    yield from _title(told, members)
    if told.about:
        yield f"<div>{escape(told.about)}</div>"
    if told.fields:
        yield f'<table class="fields">{"".join(map(_field, told.fields))}</table>'
    if told.more_fields:
        yield f'<div class="dim">… {count(told.more_fields, "more field")}</div>'
    if told.members:
        yield f'<table class="members">{"".join(map(_member, told.members))}</table>'
    if told.more_members:
        yield f'<div class="dim">… {told.more_members:,} more</div>'
    yield from (f'<div class="loss">loses {escape(loss)}</div>' for loss in told.losses[:3])
    yield from (f'<div class="dim small">{escape(reason)}</div>' for reason in why(told.reasons))
    yield "</div>"


def _title(told: Card, members: int) -> Iterator[str]:
    number = f" ({members:,})" if members > 1 else ""
    action = "" if told.action is Action.CREATE else f" to {told.verb}"
    bad = " bad" if told.disturbs.rank >= Disruption.REBUILD.rank else ""
    tag = f' <span class="tag{bad}">disturbs: {told.disturbs}</span>' if told.disturbs is not Disruption.NONE else ""
    drift = ' <span class="tag">drift</span>' if told.drift else ""
    where = f'<span class="dim">{escape(told.where)}</span>' if told.where else ""
    place = f'<span class="at">{escape(told.place)}</span>' if told.place else ""
    yield (
        f'<div class="title"><span class="sign">{escape(told.sign.strip())}</span>'
        f'<span class="name">{escape(told.name)}</span><span>{number}{action}</span>{where}{tag}{drift}{place}</div>'
    )


def _member(line: str) -> str:
    """Its words are columns, so that members stand below each other."""
    return f"<tr>{''.join(f'<td>{escape(word)}</td>' for word in line.split('  '))}</tr>"


def _field(field: ShownField) -> str:
    drift = f' <span class="tag">{escape(field.mark)}</span>' if field.mark else ""
    if field.lines:
        return f"<tr><td>{escape(field.name)}</td><td><pre>{escape(chr(10).join(field.lines))}</pre>{drift}</td></tr>"
    old, new = escape(field.old), escape(field.new)
    return (
        f'<tr><td>{escape(field.name)}</td><td><span class="old">{old}</span> → <span class="new">{new}</span>'
        f"{drift}</td></tr>"
    )


def _tail(plan: Plan) -> Iterator[str]:
    for title, lines in (
        ("Renamed", list(renamed(plan.renames))),
        ("Hooks: these playbooks run on the machine that applies", list(hooked(plan))),
        ("Outputs", [f"{name} = {shown(value)}" for name, value in plan.outputs.items()]),
        ("Notes", list(noted(plan.notes))),
    ):
        if lines:
            yield f"<h2>{title}</h2><ul>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul>"
