"""Moves that a person asks for, whatever they cost: a host emptied, what left it brought back, one member moved.

Decides who has to move, and who stays with which reason; where they go is the search's to say. Must not move anybody
else.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping

from stead.blueprint.placement.model import GroupKind, HostState, Move, Over, Placement, Problem, Request, Unplaced
from stead.blueprint.placement.moves.rebalance import Rebalance, figures, in_waves, weight
from stead.blueprint.placement.moves.steepest_descent import SteepestDescent
from stead.blueprint.placement.place import place
from stead.blueprint.placement.queries.evaluation import Evaluation
from stead.blueprint.placement.search.runs import in_order
from stead.core.value import replace

Rearranging = Callable[[Problem, Placement], Rebalance]
FIXED = ("fixed", "cannot be migrated")


def holding(rearrange: Rearranging, staying: Mapping[str, str]) -> Rearranging:
    """The same without these, which have reasons of their own to stay where they are."""

    def held(problem: Problem, placement: Placement) -> Rebalance:
        at = placement.assignment
        done = rearrange(replace(problem, pinned=problem.pinned | staying.keys()), placement)
        told = [Move(one, at[one], at[one], "fixed", why, live=False) for one, why in staying.items() if one in at]
        return replace(done, stuck=(*(move for move in done.stuck if move.member not in staying), *told))

    return held


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


def restore(problem: Problem, placement: Placement, host: str, members: Collection[str]) -> Rebalance:
    """Brings these back to a host that was drained. Nobody else moves; who finds no room there stays where it is."""
    fixed = _fixed(problem)
    away = [one for one in in_order(members) if placement.assignment.get(one, host) != host]
    coming = frozenset(away) - fixed
    requests = [part for request in problem.requests for part in _parted(request, coming, host)]
    pinned = fixed | (frozenset(placement.assignment) - coming)
    changed = replace(problem, requests=tuple(requests), current=placement.assignment, pinned=pinned)
    after = place(changed)
    moves = tuple(move._replace(code="restore", text=f"{host} is restored") for move in after.moves)
    done = _compared(problem, placement, changed, replace(after, moves=moves))
    at, whole = placement.assignment, replace(after, assignment={**placement.assignment, **after.assignment})
    held = [
        Move(one, at[one], at[one], *_why_not(problem, whole, one, host), live=False)
        for one in away
        if after.assignment.get(one) != host
    ]
    unplaced = tuple(one for one in after.unplaced if not coming.intersection(one.members))
    return replace(done, stuck=(*done.stuck, *held), placement=replace(after, moves=moves, unplaced=unplaced))


def _why_not(problem: Problem, placement: Placement, member: str, host: str) -> tuple[str, str]:
    """What the host lacks for it, as it is now: code and text."""
    evaluation = Evaluation(problem, placement)
    request = evaluation.request_of[member]
    if request.host not in ("", host):
        return "host", f"it is asked to be on {request.host}"
    if member in problem.pinned or not request.live:
        return FIXED
    evaluation.lift(member)
    h = evaluation.space.index[host]
    found = next(one.broken for one in evaluation.verdicts(evaluation.unit(member)) if h in one.hosts)
    told = " and ".join(map(str, found)) or "others that come home take the room"
    return "full", f"{host} does not take it: {told}"


def _parted(request: Request, coming: frozenset[str], host: str) -> Iterator[Request]:
    """Those that are asked to be on this host are a request of their own."""
    here = tuple(one for one in request.members if one in coming and request.host in ("", host))
    rest = tuple(one for one in request.members if one not in here)
    for members, name, at in ((rest, request.id, request.host), (here, f"{request.id} to {host}", host)):
        if members:
            of = frozenset(members)
            yield replace(
                request,
                id=name,
                members=members,
                host=at,
                data_on={one: where for one, where in request.data_on.items() if one in of},
                carries={one: volumes for one, volumes in request.carries.items() if one in of},
            )


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
    before, then = figures(start), figures(SteepestDescent(Evaluation(changed, after)))
    cut = in_waves(problem, placement, moves)
    return Rebalance(
        moves=moves,
        waves=cut.waves,
        stuck=cut.stuck,
        objective=(before[0], then[0]),
        fullest=(before[1], then[1]),
        in_use=(before[2], then[2]),
        bytes=weight(start.evaluation, moves),
        placement=after,
        required=True,
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


def _fixed(problem: Problem) -> frozenset[str]:
    """What no migration moves."""
    return problem.pinned.union(*(request.members for request in problem.requests if not request.live))


def _elsewhere(placement: Placement, host: str) -> frozenset[str]:
    """Draining one host must not move anybody on another, whatever else has changed there."""
    return frozenset(member for member, at in placement.assignment.items() if at != host)


def _staying(placement: Placement, fixed: frozenset[str], host: str) -> Iterator[Move]:
    for member in in_order(fixed):
        if placement.assignment.get(member) == host:
            yield Move(member, host, host, *FIXED, live=False)
