"""Moves in waves: what may run at the same time while every move holds room on both of its hosts.

Decides only the cut; the order of the moves is kept where one waits for room that another gives up. Must not drop or
add a move: one that can never start is reported, not skipped.
"""

from __future__ import annotations

from stead.blueprint.placement.model import GroupKind, Move, Over, Request
from stead.blueprint.placement.space import Space
from stead.blueprint.placement.state import SearchState
from stead.core.named import NamedTuple

AT_ONCE = 2  # migrations into or out of one host at a time: more only share its link and take longer each


class Waves(NamedTuple):
    """`stuck` moves wait for each other in a circle, or for room that nobody gives up."""

    waves: tuple[tuple[Move, ...], ...]
    stuck: tuple[Move, ...]


def waves(space: Space, state: SearchState, moves: tuple[Move, ...], request_of: dict[str, Request]) -> Waves:
    """`state` is from before the moves; it is left as if all that could run had run."""
    waiting = list(moves)
    found: list[tuple[Move, ...]] = []
    while waiting:
        wave = _wave(space, state, waiting, request_of)
        if not wave:
            break
        for move in wave:
            request = request_of[move.member]
            names = [group.name for group in request.groups]
            source = space.index.get(move.source)
            if source is not None:
                state.give(source, space.shape(request).demand)
                state.tally.add(names, source, space.zone_of[source], -1)
        found.append(tuple(wave))
        started = set(wave)
        waiting = [move for move in waiting if move not in started]
    return Waves(tuple(found), tuple(waiting))


def _wave(space: Space, state: SearchState, waiting: list[Move], request_of: dict[str, Request]) -> list[Move]:
    """Moves that fit now, in order; what they leave is only given up when the wave is over."""
    wave: list[Move] = []
    busy: dict[str, int] = {}
    seen: set[str] = set()
    for move in waiting:
        request = request_of[move.member]
        target = space.index[move.target]
        demand = space.shape(request).demand
        idle = busy.get(move.source, 0) < AT_ONCE and busy.get(move.target, 0) < AT_ONCE
        if move.member not in seen and idle and state.fits(target, demand) and _open(state, request, target):
            state.take(target, demand)
            state.tally.add([group.name for group in request.groups], target, space.zone_of[target])
            busy[move.source] = busy.get(move.source, 0) + 1
            busy[move.target] = busy.get(move.target, 0) + 1
            wave.append(move)
        seen.add(move.member)
    return wave


def _open(state: SearchState, request: Request, target: int) -> bool:
    """A hard spread must hold at every moment, not only in the end."""
    for group in request.groups:
        apart = group.hard and group.kind is GroupKind.SPREAD and group.over is Over.HOSTS
        if apart and state.tally.on_host(group.name).get(target, 0) >= (group.limit or 1):
            return False
    return True
