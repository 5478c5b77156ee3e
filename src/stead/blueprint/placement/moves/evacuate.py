"""Which hosts a rebalance empties for members under `pack`: whole hosts, the least filled first, or none at all.

Decides only where every member of a host may move and finds room on a host that `pack` uses already: those hosts become
fewer with each that is emptied, whatever else is moved. All are looked at until none can be emptied, so that asked once
more it finds nothing. Must not touch pinned members, those that cannot migrate live, or a wish; nor open a host.
"""

from __future__ import annotations

from collections.abc import Iterator

from stead.blueprint.placement.model import GroupKind, HostState, Move, Over, Policy, Request
from stead.blueprint.placement.queries.evaluation import Evaluation
from stead.blueprint.placement.search.runs import Run, in_order
from stead.blueprint.placement.space import SCALE


class Evacuation:
    def __init__(self, evaluation: Evaluation) -> None:
        self.evaluation = evaluation
        self.space = evaluation.space
        self.state = evaluation.state

    def moves(self, most: int, minimum_gain: int) -> Iterator[Move]:
        """Made in this state as they are yielded. A host is worth a full host, shared by the moves that empty it."""
        if most <= 0:
            return
        members, uses = self._members(), self._uses()
        names, left = self.space.names, most
        waiting = set(members)
        while waiting:
            h = min(waiting, key=lambda h: (self.state.level[h], h))
            waiting.remove(h)
            worth = len(members[h]) * max(1, minimum_gain) <= SCALE
            if not worth or not len(members[h]) == self.state.count[h] <= left:
                continue
            for member, target in self._empty(h, members[h], uses).items():
                members.setdefault(target, []).append(member)
                yield Move(member, names[h], names[target], "rebalance", f"empties {names[h]}", live=True)
            if not self.state.count[h]:
                left -= len(members.pop(h))
                uses.remove(h)
                waiting = set(members)  # those that could not be emptied before: who moved may have made room

    def _members(self) -> dict[int, list[str]]:
        """Those that may move, by host."""
        found: dict[int, list[str]] = {}
        for request in sorted(self.evaluation.problem.requests, key=lambda request: request.id):
            if self.space.policy(request) is Policy.PACK and _movable(request):
                for member in in_order(request.members):
                    h = self.evaluation.host_of(member)
                    if h >= 0 and self.space.hosts[h].state is HostState.UP and self._may_leave(request, member):
                        found.setdefault(h, []).append(member)
        return found

    def _may_leave(self, request: Request, member: str) -> bool:
        return member not in self.evaluation.problem.pinned and member not in request.data_on

    def _uses(self) -> set[int]:
        """Hosts that hold anybody under `pack`."""
        packed = (one for one in self.evaluation.problem.requests if self.space.policy(one) is Policy.PACK)
        return {self.evaluation.host_of(member) for request in packed for member in request.members} - {-1}

    def _empty(self, h: int, members: list[str], uses: set[int]) -> dict[str, int]:
        """Member -> target, all moved; nothing, and nobody moved, where one finds none. The largest is asked first."""
        found: dict[str, int] = {}
        others = (at for at, count in enumerate(self.state.count) if count and at not in uses)
        avoid = frozenset((h, *others))
        for member in sorted(members, key=lambda member: (-self._size(member), len(member), member)):
            target = self._target(member, h, avoid)
            if target is None:
                for one in found:
                    self.evaluation.move(one, h)
                return {}
            self.evaluation.move(member, target)
            found[member] = target
        return found

    def _size(self, member: str) -> float:
        row = self.state.cap[self.evaluation.host_of(member)]
        demand = self.space.shape(self.evaluation.request_of[member]).demand
        return max((amount / row[k] for k, amount in demand if row[k]), default=0.0)

    def _target(self, member: str, h: int, avoid: frozenset[int]) -> int | None:
        """The best host in use for it, as if it had left already: a host it may share with nobody holds it still."""
        request = self.evaluation.request_of[member]
        run = Run(request, self.space.shape(request), [member], tuple((group, 1) for group in request.groups))
        self.evaluation.lift(member)
        target = self.evaluation.chooser.choose(run, None, avoid)
        wishes = target is not None and self.evaluation.chooser.open_to(run, wishes=True)(target)
        self.evaluation.lift(member, 1)
        if target is None or not wishes or not self.state.count[target]:
            return None
        penalty = run.shape.pool.penalty
        if penalty[target] > penalty[h]:
            return None
        same_zone = any(group.over is Over.ZONES for group in request.groups)
        return None if same_zone and self.space.zone_of[target] != self.space.zone_of[h] else target


def _movable(request: Request) -> bool:
    stays = any(group.kind is GroupKind.TOGETHER and group.over is Over.HOSTS for group in request.groups)
    return request.live and not request.host and not stays
