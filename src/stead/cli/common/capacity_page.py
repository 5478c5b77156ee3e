"""Capacity as one page of HTML that needs nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING

from stead.plan.render.names import natural
from stead.plan.render.style import ENDING, beginning

if TYPE_CHECKING:
    from stead.blueprint.placement import Capacity, FailureAnalysis, Fit, ResourceUse

FULL = 0.9  # used, from where on it is shown as such
_UNSAID = frozenset({"services"})  # counted so that they spread; nobody buys them
_FIRST = ("vcpus", "memory")


def page(found: Capacity, survival: FailureAnalysis | None, left_out: Sequence[str] = ()) -> str:
    parts = [beginning("Capacity"), "<h1>Capacity</h1>"]
    parts += [f'<p class="head loss">{escape(line.strip())}</p>' for line in left_out]
    if survival is not None:
        parts.append(_survival(survival))
    parts += _table("All hosts", "", found.total)
    if len({use.scope for use in found.zones}) > 1:
        parts += _table("Zones", "zone", found.zones)
    parts += _table("Hosts", "host", found.hosts)
    parts += _fits(found.fits)
    return "\n".join([*parts, ENDING])


def _survival(survival: FailureAnalysis) -> str:
    words = (
        "everything still fits" if survival.survives else f"{survival.hurting:,} of {survival.tried:,} failures hurt"
    )
    which = "any host fails" if survival.n == 1 else f"any {survival.n} hosts fail"
    return f'<p class="{"head" if survival.survives else "head loss"}">After {which}: {words}.</p>'


def _table(title: str, scope: str, uses: Sequence[ResourceUse]) -> Iterator[str]:
    """A row for each host or zone, a column for each resource."""
    said = [use for use in uses if use.usable and use.resource not in _UNSAID]
    if not said:
        return
    resources = sorted({use.resource for use in said}, key=_rank)
    by_scope: dict[str, dict[str, ResourceUse]] = {}
    for use in said:
        by_scope.setdefault(use.scope, {})[use.resource] = use
    head = f"<th>{scope}</th>" if scope else ""
    yield f"<h2>{escape(title)}</h2>"
    yield f'<table class="wide"><tr>{head}{"".join(f"<th>{escape(_called(one))}</th>" for one in resources)}</tr>'
    for name in sorted(by_scope, key=natural):
        first = f"<td><b>{escape(name)}</b></td>" if scope else ""
        yield f"<tr>{first}{''.join(_cell(by_scope[name].get(one)) for one in resources)}</tr>"
    yield "</table>"


def _rank(resource: str) -> tuple[int, str]:
    return (_FIRST.index(resource) if resource in _FIRST else len(_FIRST), resource)


def _called(resource: str) -> str:
    kind, colon, name = resource.partition(":")
    return f"{kind} in {name}" if colon and kind == "disk" else resource


def _cell(use: ResourceUse | None) -> str:
    from stead.blueprint.advice import amount

    if use is None:
        return '<td class="dim">none</td>'
    share = use.used / use.usable
    free = amount(use.resource, use.free).removesuffix(f" of {use.resource}").removesuffix(f" {use.resource}")
    return (
        f'<td><span class="bar{" full" if share >= FULL else ""}"><i style="width:{min(100, 100 * share):.1f}%"></i>'
        f'</span>{100 * share:.0f}% <span class="dim small">{escape(free)} free</span></td>'
    )


def _fits(fits: Sequence[Fit]) -> Iterator[str]:
    if not fits:
        return
    surviving = any(fit.surviving is not None for fit in fits)
    yield "<h2>How many more fit</h2>"
    yield f'<table><tr><th>flavor</th><th class="n">more</th>{"<th>and survive</th>" if surviving else ""}</tr>'
    for fit in fits:
        still = f'<td class="n">{fit.surviving:,}</td>' if fit.surviving is not None else ""
        yield f'<tr><td><b>{escape(fit.flavor)}</b></td><td class="n">{fit.total:,}</td>{still}</tr>'
    yield "</table>"
