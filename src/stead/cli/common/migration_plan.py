"""What `migrate`, `drain`, `restore` and `rebalance` share: a plan of migrations, with figures before and after."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

from stead.cli.common import options as shared
from stead.cli.common.rearranging import wishes_of
from stead.core.diagnostics import Code, Diagnostic, Refused, has_errors
from stead.core.value import replace, value

if TYPE_CHECKING:
    from stead.blueprint.model import Blueprint
    from stead.blueprint.placement import Rebalance
    from stead.cli.common.loading import Loaded
    from stead.cli.common.request import ApplyRequest, Printing
    from stead.cli.common.workspace import Workspace
    from stead.plan.model import Plan

PENDING = Code("STEAD-C053", "other changes are pending")
GIB = 1 << 30
NAMED = 8  # of those that stay for one reason


def arguments(parser: argparse.ArgumentParser) -> None:
    from stead.plan.render import FORMATS

    parser.add_argument("-o", "--out", metavar="FILE", help="write the plan to a file, for `stead apply FILE`")
    shared.inputs(parser)
    shared.output(parser, formats=FORMATS)


@value
class PlannedMoves:
    loaded: Loaded
    plan: Plan
    blueprint: Blueprint
    found: Sequence[Diagnostic]

    @property
    def held(self) -> bool:
        """Whether something stays that was to move."""
        done = self.blueprint.rebalance
        return done is not None and bool(done.stuck or self.blueprint.placement.unplaced)


def offer(workspace: Workspace, asked: Mapping[str, Any], printing: Printing, out: str | None) -> None:
    """Plan, show, and save where asked."""
    made = make(workspace, asked)
    show_moves(made, printing)
    if out is not None:
        save_moves(made, printing, out)


def move(asked: ApplyRequest, made: PlannedMoves, out: str | None) -> int:
    """Show, and save where asked, or else ask and do it. The exit status is that of `apply`."""
    from stead.cli.common.applying import NO, carry_out
    from stead.cli.common.approval import NOBODY, approved
    from stead.cli.common.planning import too_much

    printing = asked.printing
    if refused := too_much(made.plan, asked.most):
        raise Refused(*refused)
    if out is not None or not printing.json:
        show_moves(made, printing)
    if out is not None:
        save_moves(made, printing, out)
        return 0
    if made.plan.empty:
        if printing.json:
            show_moves(made, printing)
        return 0
    if printing.json and not asked.auto_approve:
        raise Refused(NOBODY.at(None, "With --json, no plan is shown for approval. Use --auto-approve."))
    if not asked.auto_approve and not approved(made.plan, asked.most):
        print("Nothing was done.", file=sys.stderr)
        return NO
    return carry_out(asked, made.plan, made.loaded, made.blueprint.secrets)


def make(workspace: Workspace, asked: Mapping[str, Any], *, whole: bool = True) -> PlannedMoves:
    """Where it is not the `whole` or nothing, what hosts cannot move stays and is told."""
    from stead.cli.common.loading import load
    from stead.plan.abilities import staying_of
    from stead.plan.planner import NO_WISHES, make_plan

    loaded = load(workspace)
    inputs = loaded.inputs
    before, _ = make_plan(inputs)
    if before.plan is not None and not before.plan.empty:
        text = (
            "The spec and the hosts already differ. Apply those changes first, so that this plan contains "
            "only migrations."
        )
        raise Refused(PENDING.at(None, text))
    while True:
        planned, found = make_plan(inputs, wishes_of(asked, inputs.recorded) or NO_WISHES)
        if whole or planned.plan is None or planned.blueprint is None:
            break
        held = staying_of(planned.plan, inputs.observed, planned.blueprint, inputs.kinds)
        if not held:
            break
        staying = {str(step.address): why for why, steps in held.items() for step in steps}
        asked = {**asked, "staying": {**asked.get("staying", {}), **staying}}
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
