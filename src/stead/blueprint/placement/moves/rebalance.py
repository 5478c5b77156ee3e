"""Moves that are worth it: a sequence in which each fits when its turn comes, and the waves it can run in.

Decides by steepest descent on one number, the sum over hosts and resources of (use squared x size of the host), which
is least when every host is used alike; members under `pack` want fewer hosts instead, and hosts are emptied for them.
Stops at the first state where neither gains `minimum_gain` per move: asked again there, it finds nothing. Must not
touch pinned members, hosts that are not up, or anything that cannot migrate live.
"""

from __future__ import annotations

from stead.blueprint.placement.model import Move, Placement, Problem
from stead.blueprint.placement.moves.evacuate import Evacuation
from stead.blueprint.placement.moves.steepest_descent import SteepestDescent
from stead.blueprint.placement.moves.waves import Waves, waves
from stead.blueprint.placement.queries.evaluation import Evaluation
from stead.blueprint.placement.queries.failure_analysis import failure_analysis
from stead.core.value import replace, value

MINIMUM_GAIN = 1_000  # thousandths of a full host: below it a migration costs more than the evenness it buys


@value
class Rebalance:
    """Figures in pairs are before and after; `bytes` is what migrations copy."""

    moves: tuple[Move, ...]
    waves: tuple[tuple[Move, ...], ...]
    objective: tuple[int, int]
    fullest: tuple[int, int]  # use of the fullest host, in millionths
    in_use: tuple[int, int]  # hosts that hold anything
    bytes: int
    placement: Placement
    stuck: tuple[Move, ...] = ()
    required: bool = False  # asked for, whatever it costs

    @property
    def text(self) -> str:
        if not self.moves:
            if self.stuck or self.placement.unplaced:
                return "nothing can be moved"
            return "nothing has to move" if self.required else "no move is worth it"
        emptied = self.in_use[0] - self.in_use[1]
        done = f"{_counted(len(self.moves), 'move')} in {_counted(len(self.waves), 'wave')}"
        if emptied > 0:
            return f"{done} to empty {_counted(emptied, 'host')}"
        before, after = self.objective
        return f"{done} to take the unevenness from {before} to {after}"


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def rebalance(problem: Problem, placement: Placement, moves: int, minimum_gain: int = MINIMUM_GAIN) -> Rebalance:
    """At most `moves` moves, each gaining at least `minimum_gain`."""
    evaluation = Evaluation(problem, placement)
    descent, emptying = SteepestDescent(evaluation), Evacuation(evaluation)
    before = figures(descent)
    chosen: list[Move] = []
    # What is evened out may make room to empty a host; the hosts that `pack` uses only become fewer, so it ends.
    while True:
        found = [*emptying.moves(moves - len(chosen), minimum_gain)]
        found += descent.moves(moves - len(chosen) - len(found), minimum_gain)
        chosen += found
        if not found:
            break
    once = _once(chosen)
    cut = in_waves(problem, placement, once)
    if cut.stuck:  # at one go somebody would have to wait for room that is given up on a detour
        once = _before_detours(chosen)
        cut = in_waves(problem, placement, once)
    once = tuple(move for wave in cut.waves for move in wave)
    assignment = dict(placement.assignment)
    for move in once:
        assignment[move.member] = move.target
        for volume in evaluation.request_of[move.member].carries.get(move.member, ()):
            assignment[volume] = move.target
    placed = replace(placement, assignment=assignment, moves=())
    after = figures(descent if len(once) == len(chosen) else SteepestDescent(Evaluation(problem, placed)))
    return Rebalance(
        moves=once,
        waves=cut.waves,
        stuck=cut.stuck,
        objective=(before[0], after[0]),
        fullest=(before[1], after[1]),
        in_use=(before[2], after[2]),
        bytes=weight(evaluation, once),
        placement=placed,
    )


def _once(moves: list[Move]) -> tuple[Move, ...]:
    """Every member at one go, where the search moved it twice: a plan migrates it once."""
    first = {move.member: move.source for move in reversed(moves)}
    last = {move.member: i for i, move in enumerate(moves)}
    direct = (move._replace(source=first[move.member]) for i, move in enumerate(moves) if last[move.member] == i)
    return tuple(move for move in direct if move.source != move.target)


def _before_detours(moves: list[Move]) -> tuple[Move, ...]:
    seen: set[str] = set()
    for i, move in enumerate(moves):
        if move.member in seen:
            return tuple(moves[:i])
        seen.add(move.member)
    return tuple(moves)


def figures(descent: SteepestDescent) -> tuple[int, int, int]:
    return descent.objective(), descent.fullest(), sum(1 for count in descent.state.count if count)


def headroom(problem: Problem, placement: Placement, n: int = 1) -> int:
    """Of how many hosts (or sets of n) the failure would not be survived; shown beside a rebalance before and after."""
    return failure_analysis(problem, placement, n).hurting


def weight(evaluation: Evaluation, moves: tuple[Move, ...]) -> int:
    """Bytes that migrations copy: memory, and disks in pools that the target does not share."""
    total = 0
    for move in moves:
        demand = evaluation.request_of[move.member].demand
        total += sum(amount for name, amount in demand.items() if name == "memory" or name.startswith("disk:"))
    return total


def in_waves(problem: Problem, placement: Placement, moves: tuple[Move, ...]) -> Waves:
    evaluation = Evaluation(problem, placement)
    return waves(evaluation.space, evaluation.state, moves, evaluation.request_of)
