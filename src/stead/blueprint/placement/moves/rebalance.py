"""Moves that are worth it: a sequence in which each fits when its turn comes, and the waves it can run in.

Decides by steepest descent on one number, the sum over hosts and resources of (use squared x size of the host), which
is least when every host is used alike; members under `pack` want fewer hosts instead, and hosts are emptied for them.
Stops at the first state where neither gains `minimum_gain` per move: asked again there, it finds nothing. Must not
touch pinned members, hosts that are not up, or anything that cannot migrate live.
"""

from __future__ import annotations

from collections.abc import Iterator

from stead.blueprint.placement.model import GroupKind, HostState, Move, Over, Placement, Problem, Unplaced
from stead.blueprint.placement.moves.evacuate import Evacuation
from stead.blueprint.placement.moves.steepest_descent import SteepestDescent
from stead.blueprint.placement.moves.waves import Waves, waves
from stead.blueprint.placement.place import place
from stead.blueprint.placement.queries.evaluation import Evaluation
from stead.blueprint.placement.queries.failure_analysis import failure_analysis
from stead.blueprint.placement.search.runs import in_order
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

    @property
    def text(self) -> str:
        if not self.moves:
            return "nothing can be moved" if self.stuck or self.placement.unplaced else "no move is worth it"
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
    before = _figures(descent)
    chosen: list[Move] = []
    # What is evened out may make room to empty a host; the hosts that `pack` uses only become fewer, so it ends.
    while True:
        found = [*emptying.moves(moves - len(chosen), minimum_gain)]
        found += descent.moves(moves - len(chosen) - len(found), minimum_gain)
        chosen += found
        if not found:
            break
    once = _once(chosen)
    cut = _cut(problem, placement, once)
    if cut.stuck:  # at one go somebody would have to wait for room that is given up on a detour
        once = _before_detours(chosen)
        cut = _cut(problem, placement, once)
    once = tuple(move for wave in cut.waves for move in wave)
    assignment = dict(placement.assignment)
    for move in once:
        assignment[move.member] = move.target
        for volume in evaluation.request_of[move.member].carries.get(move.member, ()):
            assignment[volume] = move.target
    placed = replace(placement, assignment=assignment, moves=())
    after = _figures(descent if len(once) == len(chosen) else SteepestDescent(Evaluation(problem, placed)))
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


def drain(problem: Problem, placement: Placement, host: str) -> Rebalance:
    """Empties a host. Who finds no other stays and is in the placement's `unplaced`; who cannot move is `stuck`, and
    who has to be together with one that stays.
    """
    hosts = [replace(one, state=HostState.LEAVING) if one.name == host else one for one in problem.hosts]
    fixed = _fixed(problem)
    pinned = fixed | _elsewhere(placement, host)
    changed = replace(problem, hosts=hosts, current=placement.assignment, pinned=pinned)
    after, held = _undivided(changed, place(changed), host)
    moves = tuple(move._replace(code="drain", text=f"{host} is being emptied") for move in after.moves)
    done = _compared(problem, placement, changed, replace(after, moves=moves))
    return replace(done, stuck=(*done.stuck, *_staying(placement, fixed, host), *held))


def relocate(problem: Problem, placement: Placement, member: str, target: str = "") -> Rebalance:
    """Moves one member to a host, or to the best there is for it. Nobody else moves."""
    source, fixed = placement.assignment.get(member, ""), _fixed(problem)
    others = frozenset(placement.assignment) - {member}
    closed = {one.name for one in problem.hosts if target not in ("", one.name) and one.state is HostState.UP}
    states = {**dict.fromkeys(closed, HostState.MAINTENANCE), source: HostState.LEAVING}
    hosts = [replace(one, state=states.get(one.name, one.state)) for one in problem.hosts]
    changed = replace(problem, hosts=hosts, current=placement.assignment, pinned=fixed | others)
    after = place(changed)
    moves = tuple(move._replace(code="asked", text="you asked for it with `stead migrate`") for move in after.moves)
    done = _compared(problem, placement, changed, replace(after, moves=moves))
    return replace(done, stuck=(*done.stuck, *_staying(placement, fixed & {member}, source)))


def _compared(problem: Problem, placement: Placement, changed: Problem, after: Placement) -> Rebalance:
    start, moves = SteepestDescent(Evaluation(problem, placement)), after.moves
    before, then = _figures(start), _figures(SteepestDescent(Evaluation(changed, after)))
    cut = _cut(problem, placement, moves)
    return Rebalance(
        moves=moves,
        waves=cut.waves,
        stuck=cut.stuck,
        objective=(before[0], then[0]),
        fullest=(before[1], then[1]),
        in_use=(before[2], then[2]),
        bytes=weight(start.evaluation, moves),
        placement=after,
    )


def _undivided(problem: Problem, after: Placement, host: str) -> tuple[Placement, list[Move]]:
    """A group that must be together leaves as a whole or not at all; without it, others may find room."""
    held: list[Move] = []
    left: list[Unplaced] = []  # what the first search says of them: in the next they are pinned
    while split := _split(problem, after, host):
        stays, leaves, why = split
        left += [one for one in after.unplaced if stays.intersection(one.members)]
        held += [Move(member, host, host, "together", why, live=False) for member in in_order(leaves)]
        problem = replace(problem, pinned=problem.pinned | stays | leaves)
        after = place(problem)
    return replace(after, unplaced=tuple(sorted((*after.unplaced, *left)))), held


def _split(problem: Problem, after: Placement, host: str) -> tuple[frozenset[str], frozenset[str], str] | None:
    """Who of the first group that is apart would stay on the host and who would leave it, and why it must not."""
    without = {member for one in after.unplaced for member in one.members if problem.current.get(member) == host}
    moved = {move.member for move in after.moves}
    zones = {one.name: one.zone for one in problem.hosts}
    groups = {group.name: group for one in problem.requests for group in one.groups} if without and moved else {}
    for name in sorted(groups):
        group = groups[name]
        if not (group.hard and group.kind is GroupKind.TOGETHER):
            continue
        members = {member for one in problem.requests if group in one.groups for member in one.members}
        stays, leaves = frozenset(members & without), frozenset(members & moved)
        at = {after.assignment[member] for member in leaves} | {host}
        in_zones = group.over is Over.ZONES
        if stays and len({zones[one] for one in at} if in_zones else at) > 1:
            with_whom = f"{'in one zone' if in_zones else 'on one host'} with {in_order(stays)[0]}, which has to stay"
            return stays, leaves, f"it must be {with_whom}"
    return None


def _figures(descent: SteepestDescent) -> tuple[int, int, int]:
    return descent.objective(), descent.fullest(), sum(1 for count in descent.state.count if count)


def headroom(problem: Problem, placement: Placement, n: int = 1) -> int:
    """Of how many hosts (or sets of n) the failure would not be survived; shown beside a rebalance before and after."""
    return failure_analysis(problem, placement, n).hurting


def _fixed(problem: Problem) -> frozenset[str]:
    """What no migration moves."""
    return problem.pinned.union(*(request.members for request in problem.requests if not request.live))


def _elsewhere(placement: Placement, host: str) -> frozenset[str]:
    """Draining one host must not move anybody on another, whatever else has changed there."""
    return frozenset(member for member, at in placement.assignment.items() if at != host)


def _staying(placement: Placement, fixed: frozenset[str], host: str) -> Iterator[Move]:
    for member in in_order(fixed):
        if placement.assignment.get(member) == host:
            yield Move(member, host, host, "fixed", "cannot be migrated", live=False)


def weight(evaluation: Evaluation, moves: tuple[Move, ...]) -> int:
    """Bytes that migrations copy: memory, and disks in pools that the target does not share."""
    total = 0
    for move in moves:
        demand = evaluation.request_of[move.member].demand
        total += sum(amount for name, amount in demand.items() if name == "memory" or name.startswith("disk:"))
    return total


def _cut(problem: Problem, placement: Placement, moves: tuple[Move, ...]) -> Waves:
    evaluation = Evaluation(problem, placement)
    return waves(evaluation.space, evaluation.state, moves, evaluation.request_of)
