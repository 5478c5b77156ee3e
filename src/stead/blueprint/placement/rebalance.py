"""Moves that are worth it: a sequence in which each fits when its turn comes, and the waves it can run in.

Decides by steepest descent on one number, the sum over hosts and resources of (use squared x size of the host), which
is least when every host is used alike. Stops at the first state where no move gains `minimum_gain`: asked again there,
it finds nothing. Must not touch pinned members, hosts that are not up, or anything that cannot migrate live.
"""

from __future__ import annotations

from stead.value import replace, value

from .descent import Descent
from .model import HostState, Move, Placement, Problem
from .place import place
from .scene import Scene
from .survive import survive
from .waves import Waves, waves

MINIMUM_GAIN = 1_000  # thousandths of a full host: below it a migration costs more than the evenness it buys


@value
class Rebalance:
    """`objective` and `survivors` (hosts whose failure is survived) before and after; `bytes` memory to be moved."""

    moves: tuple[Move, ...]
    waves: tuple[tuple[Move, ...], ...]
    objective: tuple[int, int]
    fullest: tuple[int, int]  # use of the fullest host, in millionths
    bytes: int
    placement: Placement
    stuck: tuple[Move, ...] = ()

    @property
    def text(self) -> str:
        if not self.moves:
            return "no move is worth it"
        before, after = self.objective
        return f"{len(self.moves)} moves in {len(self.waves)} waves take the unevenness from {before} to {after}"


def rebalance(problem: Problem, placement: Placement, moves: int, minimum_gain: int = MINIMUM_GAIN) -> Rebalance:
    """At most `moves` moves, each gaining at least `minimum_gain`."""
    scene = Scene(problem, placement)
    descent = Descent(scene)
    before = (descent.objective(), descent.fullest())
    chosen = tuple(descent.moves(moves, minimum_gain))
    after = (descent.objective(), descent.fullest())
    assignment = dict(placement.assignment)
    for move in chosen:
        assignment[move.member] = move.target
        for volume in scene.request_of[move.member].carries.get(move.member, ()):
            assignment[volume] = move.target
    cut = _cut(problem, placement, chosen)
    return Rebalance(
        moves=chosen,
        waves=cut.waves,
        stuck=cut.stuck,
        objective=(before[0], after[0]),
        fullest=(before[1], after[1]),
        bytes=weight(scene, chosen),
        placement=replace(placement, assignment=assignment, moves=()),
    )


def drain(problem: Problem, placement: Placement, host: str) -> Rebalance:
    """Empties a host as maintenance would; who finds no other host stays and is named in the placement's `unplaced`."""
    hosts = [replace(one, state=HostState.MAINTENANCE) if one.name == host else one for one in problem.hosts]
    changed = replace(problem, hosts=hosts, current=placement.assignment, pinned=_elsewhere(problem, placement, host))
    after = place(changed)
    moves = tuple(replace_code(move, host) for move in after.moves)
    before, then = Descent(Scene(problem, placement)), Descent(Scene(changed, after))
    cut = _cut(problem, placement, moves)
    return Rebalance(
        moves=moves,
        waves=cut.waves,
        stuck=cut.stuck,
        objective=(before.objective(), then.objective()),
        fullest=(before.fullest(), then.fullest()),
        bytes=weight(before.scene, moves),
        placement=after,
    )


def headroom(problem: Problem, placement: Placement, n: int = 1) -> int:
    """Of how many hosts (or sets of n) the failure would not be survived; shown beside a rebalance before and after."""
    return survive(problem, placement, n).hurting


def _elsewhere(problem: Problem, placement: Placement, host: str) -> frozenset[str]:
    """Draining one host must not move anybody on another, whatever else has changed there."""
    there = {member for member, at in placement.assignment.items() if at != host}
    return frozenset(there) | problem.pinned


def replace_code(move: Move, host: str) -> Move:
    return move._replace(code="drain", text=f"{host} is being emptied")


def weight(scene: Scene, moves: tuple[Move, ...]) -> int:
    """Bytes that migrations copy: memory, and disks in pools that the target does not share."""
    total = 0
    for move in moves:
        demand = scene.request_of[move.member].demand
        total += sum(amount for name, amount in demand.items() if name == "memory" or name.startswith("disk:"))
    return total


def _cut(problem: Problem, placement: Placement, moves: tuple[Move, ...]) -> Waves:
    scene = Scene(problem, placement)
    return waves(scene.space, scene.state, moves, scene.request_of)
