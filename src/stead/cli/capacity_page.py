"""Capacity as one page of HTML that needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stead.blueprint.placement import Capacity, Survival, Use

STYLE = """
:root { color-scheme: light dark; font: 15px system-ui, sans-serif }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
td, th { padding: .15rem .8rem .15rem 0; text-align: left } td.n { text-align: right }
meter { width: 16rem }
"""


def page(found: Capacity, survival: Survival | None) -> str:
    parts = ["<!doctype html><html lang=en><meta charset=utf-8><title>Capacity</title>", f"<style>{STYLE}</style>"]
    parts += ["<h1>Capacity</h1>", _uses("All hosts", found.total)]
    for title, uses in (("Zone", found.zones), ("Host", found.hosts)):
        parts += [
            _uses(f"{title} {scope}", [u for u in uses if u.scope == scope])
            for scope in sorted({u.scope for u in uses})
        ]
    if found.fits:
        rows = "".join(f"<tr><td>{escape(f.flavor)}<td class=n>{f.total:,}" for f in found.fits)
        parts.append(f"<h2>How many more fit</h2><table><tr><th>flavor<th>more{rows}</table>")
    if survival is not None:
        words = "everything still fits" if survival.survives else f"{survival.hurting:,} of {survival.tried:,} hurt"
        parts.append(f"<p>After any {survival.n} hosts fail: {words}.")
    return "\n".join(parts)


def _uses(title: str, uses: Sequence[Use]) -> str:
    from stead.blueprint.demands import amount

    rows = "".join(
        f"<tr><td>{escape(u.resource)}<td><meter value={u.used} max={u.usable}></meter>"
        f"<td class=n>{100 * u.used / u.usable:.1f}%<td>{escape(amount(u.resource, u.usable - u.used))} free"
        for u in uses
        if u.usable and u.resource != "services"
    )
    return f"<h2>{escape(title)}</h2><table>{rows}</table>"
