"""Explain why a resource is on its host, or on none: which hosts were ruled out, the best hosts, and what would help.

  stead explain acme/instances/web[0]

exit status: 0, or 1 when it has no host
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from stead.cli.common import options as shared
from stead.core.value import as_dict

if TYPE_CHECKING:
    from stead.blueprint.placement import Advice, Explanation
    from stead.core.observed import Host

BAR = 20


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("address", help="address of an instance, volume, network or router")
    shared.inputs(parser)
    shared.output(parser)


def run(options: argparse.Namespace) -> int:
    from stead.blueprint.placement import explain, suggest
    from stead.cli.common.placing import Placed, request_of

    placed = Placed.of(shared.workspace_of(options))
    member = request_of(placed, options.address)
    explanation = explain(placed.problem, placed.placement, member)
    advice = None if explanation.host else suggest(placed.problem, placed.placement, member)
    if options.json:
        print(
            json.dumps(
                {"explanation": as_dict(explanation), "advice": advice and as_dict(advice)}, default=sorted, indent=1
            )
        )
    else:
        print("\n".join(text(explanation, advice, placed.loaded.inputs.observed.hosts)))
    return 0 if explanation.host else 1


def text(one: Explanation, advice: Advice | None, hosts: Mapping[str, Host]) -> list[str]:
    lines = [f"{one.member} {'is on ' + one.host if one.host else 'has no host'}: {one.text}", ""]
    width = max([len(stage.stage) for stage in one.funnel], default=0)
    lines.append(f"{one.hosts} hosts; policy {one.policy}")
    lines += [
        f"  {stage.stage:<{width}}  {-stage.removed:>7,}  {stage.left:>7,} left  {bar(stage.left, one.hosts)}"
        for stage in one.funnel
    ]
    if one.rejected:
        lines += ["", "Rejected hosts, each with all reasons:"]
        lines += [f"  {r.hosts:>7,}  {' and '.join(r.broken)}  ({r.example})" for r in one.rejected]
    if one.ranked:
        lines += ["", "Best hosts, lower is better:"]
        for ranked in one.ranked:
            terms = "  ".join(f"{name} {_amount(name, value)}" for name, value in ranked.terms)
            mark = "*" if ranked.host == one.host else " "
            lines.append(f" {mark} {ranked.host:<24} {ranked.score / 10_000:6.2f}  {terms}")
    if one.margin is not None:
        lines += ["", f"Margin to the runner-up: {one.margin / 10_000:.2f}"]
    return [*lines, *(_help(advice, hosts) if advice else [])]


def _amount(term: str, value: int) -> str:
    return f"{value}" if term == "group members" else f"{value / 10_000:.1f}%"


def _help(advice: Advice, hosts: Mapping[str, Host]) -> list[str]:
    from stead.blueprint.advice import human

    lines = ["", f"Scarce: {advice.scarce}" if advice.scarce else "", "What would help:"]
    lines += [f"  - {human(one, hosts)}{'  (tried: it fits)' if one.tried else ''}" for one in advice.suggestions]
    proof = (
        "No smaller change would help."
        if advice.proven
        else "The search was stopped at its limit; a solution may still exist."
    )
    return [line for line in [*lines, proof] if line]


def bar(part: int, whole: int) -> str:
    filled = min(BAR, max(0, round(BAR * part / whole))) if whole else 0
    return "█" * filled + "░" * (BAR - filled)
