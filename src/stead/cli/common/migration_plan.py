"""What `migrate`, `drain` and `rebalance` have in common: a plan of migrations, with its figures before and after."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

from stead.cli.common import options as shared
from stead.core.diagnostics import Code, Diagnostic, Refused, has_errors
from stead.core.value import replace, value
from stead.core.want import canonical

if TYPE_CHECKING:
    from stead.blueprint.model import Blueprint
    from stead.blueprint.placement import Rebalance
    from stead.blueprint.settle import Rearrange
    from stead.cli.common.loading import Loaded
    from stead.cli.common.request import Printing
    from stead.cli.common.workspace import Workspace
    from stead.plan.model import Plan

NO_SUCH_HOST = Code("STEAD-C051", "no such host")
PENDING = Code("STEAD-C053", "other changes are pending")
GIB = 1 << 30
NAMED = 8  # of those that stay for one reason


def arguments(parser: argparse.ArgumentParser) -> None:
    from stead.plan.render import FORMATS

    parser.add_argument("-o", "--out", metavar="FILE", help="write the plan to a file, for `stead apply FILE`")
    shared.inputs(parser)
    shared.output(parser, formats=FORMATS)


def rearrange_of(asked: Mapping[str, Any]) -> Rearrange | None:
    """What a plan says that it was asked for."""
    from stead.blueprint.placement import rebalance

    if "drain" in asked:
        return _emptied(asked["drain"])
    if "migrate" in asked:
        return _relocated(*asked["migrate"])
    if "rebalance" in asked:
        moves, gain = asked["rebalance"]
        return lambda problem, placed: rebalance(problem, placed, moves, gain)
    return None


def _emptied(host: str) -> Rearrange:
    from stead.blueprint.placement import Placement, Problem, drain
    from stead.language.reading import nearest

    def emptied(problem: Problem, placed: Placement) -> Rebalance:
        names = [one.name for one in problem.hosts]
        if host not in names:
            text = f"The inventory has no host {host!r}.{nearest(host, names)}"
            raise Refused(NO_SUCH_HOST.at(None, text))
        return drain(problem, placed, host)

    return emptied


def _relocated(member: str, target: str) -> Rearrange:
    from stead.blueprint.placement import Placement, Problem, relocate
    from stead.language.reading import nearest

    def relocated(problem: Problem, placed: Placement) -> Rebalance:
        names = [one.name for one in problem.hosts]
        if target and target not in names:
            text = f"The inventory has no host {target!r}.{nearest(target, names)}"
            raise Refused(NO_SUCH_HOST.at(None, text))
        return relocate(problem, placed, member, target)

    return relocated


@value
class PlannedMoves:
    loaded: Loaded
    plan: Plan
    blueprint: Blueprint
    found: Sequence[Diagnostic]


def offer(workspace: Workspace, asked: Mapping[str, Any], printing: Printing, out: str | None) -> Blueprint:
    """Plan, show, and save where asked."""
    made = make(workspace, asked)
    show_moves(made, printing)
    if out is not None:
        save_moves(made, printing, out)
    return made.blueprint


def make(workspace: Workspace, asked: Mapping[str, Any]) -> PlannedMoves:
    from stead.cli.common.loading import load
    from stead.plan.planner import Wishes, make_plan

    loaded = load(workspace)
    before, _ = make_plan(loaded.inputs)
    if before.plan is not None and not before.plan.empty:
        text = (
            "The spec and the hosts already differ. Apply those changes first, so that this plan contains "
            "only migrations."
        )
        raise Refused(PENDING.at(None, text))
    planned, found = make_plan(loaded.inputs, Wishes(rearrange=rearrange_of(asked), asked=canonical(asked)))
    found = [*loaded.found, *found]
    if planned.plan is None or planned.blueprint is None or has_errors(found):
        raise Refused(*found)
    return PlannedMoves(loaded=loaded, plan=planned.plan, blueprint=planned.blueprint, found=found)


def show_moves(made: PlannedMoves, printing: Printing) -> None:
    from stead.cli.common.planning import show

    show(made.plan, printing, made.found)
    if not printing.json and not printing.quiet:
        print("\n".join(figures(made.blueprint)), file=sys.stderr)


def save_moves(made: PlannedMoves, printing: Printing, out: str) -> None:
    from stead.plan.file import save
    from stead.store.sealing import signing_key

    save(made.plan, Path(out), signing_key())
    if not printing.quiet:
        print(f"The plan is in {out}. `stead apply {quote(out)}` does exactly this.", file=sys.stderr)


def figures(blueprint: Blueprint) -> list[str]:
    from stead.blueprint.placement import headroom

    done = blueprint.rebalance
    if done is None:
        return []
    if not done.moves:
        return [done.text, *_stays(blueprint, done)]
    before, after = (share / 10_000 for share in done.fullest)
    sources = {move.member: move.source for move in done.moves}
    start = replace(blueprint.placement, assignment={**blueprint.placement.assignment, **sources})
    hurting = [headroom(blueprint.problem, at) for at in (start, blueprint.placement)]
    return [
        done.text,
        f"Fullest host: {before:.1f}% before, {after:.1f}% after.",
        f"Hosts in use: {done.in_use[0]} before, {done.in_use[1]} after.",
        f"To move: {done.bytes / GIB:.1f} GiB of memory and disks.",
        f"Hosts whose failure would leave something without a host: {hurting[0]} before, {hurting[1]} after.",
        *_stays(blueprint, done),
    ]


def _stays(blueprint: Blueprint, done: Rebalance) -> list[str]:
    """Who has to stay, by reason."""
    found: dict[str, list[str]] = {}
    for one in blueprint.placement.unplaced:
        found.setdefault(one.text, []).extend(one.members)
    for move in done.stuck:
        found.setdefault(move.text, []).append(move.member)
    return [
        f"{', '.join(names[:NAMED])}{f' and {len(names) - NAMED} more' if len(names) > NAMED else ''} "
        f"{'stays' if len(names) == 1 else 'stay'}: {text}"
        for text, names in found.items()
    ]
