"""What `migrate`, `drain`, `restore` and `rebalance` share: a plan of migrations, with figures before and after."""

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
    from stead.cli.common.request import ApplyRequest, Printing
    from stead.cli.common.workspace import Workspace
    from stead.core.recorded import Recorded
    from stead.plan.model import Plan
    from stead.plan.planner import Wishes

NO_SUCH_HOST = Code("STEAD-C051", "no such host")
PENDING = Code("STEAD-C053", "other changes are pending")
GIB = 1 << 30
NAMED = 8  # of those that stay for one reason


def arguments(parser: argparse.ArgumentParser) -> None:
    from stead.plan.render import FORMATS

    parser.add_argument("-o", "--out", metavar="FILE", help="write the plan to a file, for `stead apply FILE`")
    shared.inputs(parser)
    shared.output(parser, formats=FORMATS)


def wishes_of(asked: Mapping[str, Any], recorded: Recorded) -> Wishes | None:
    """What a plan says that it was asked for; None where that is no migration."""
    from stead.blueprint.placement import holding
    from stead.plan.planner import Wishes

    rearrange = _rearrange_of(asked, recorded)
    if rearrange is None:
        return None
    if staying := asked.get("staying"):
        rearrange = holding(rearrange, staying)
    drains, restores = asked.get("drain", ""), asked.get("restore", "")
    return Wishes(rearrange=rearrange, drains=drains, restores=restores, asked=canonical(asked))


def _rearrange_of(asked: Mapping[str, Any], recorded: Recorded) -> Rearrange | None:
    from stead.blueprint.placement import drain, rebalance, relocate, restore

    if "drain" in asked:
        host = asked["drain"]
        return _of_host(host, lambda problem, placed: drain(problem, placed, host))
    if "restore" in asked:
        host, members = asked["restore"], displaced(recorded, asked["restore"])
        return _of_host(host, lambda problem, placed: restore(problem, placed, host, members))
    if "migrate" in asked:
        member, host = asked["migrate"]
        return _of_host(host, lambda problem, placed: relocate(problem, placed, member, host))
    if "rebalance" in asked:
        moves, gain = asked["rebalance"]
        return lambda problem, placed: rebalance(problem, placed, moves, gain)
    return None


def _of_host(host: str, rearrange: Rearrange) -> Rearrange:
    """Refuses a host that the inventory does not have."""
    from stead.blueprint.placement import Placement, Problem
    from stead.language.reading import nearest

    def rearranged(problem: Problem, placed: Placement) -> Rebalance:
        names = [one.name for one in problem.hosts]
        if host and host not in names:
            raise Refused(NO_SUCH_HOST.at(None, f"The inventory has no host {host!r}.{nearest(host, names)}"))
        return rearrange(problem, placed)

    return rearranged


def displaced(recorded: Recorded, host: str) -> Sequence[str]:
    """What was moved away when the host was drained, and is not back yet."""
    from stead.blueprint.leases import UUID

    known = recorded.hosts.get(host)
    uuids = frozenset(known.displaced) if known is not None else frozenset()
    records = recorded.resources.items() if uuids else ()
    return [str(address) for address, one in records if one.leases.get(UUID) in uuids and one.host != host]


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
    from stead.cli.commands.apply import NO, carry_out
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
        if whole or planned.plan is None:
            break
        held = staying_of(planned.plan, inputs.observed.hosts, inputs.kinds)
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
