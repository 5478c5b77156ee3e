"""Steepest descent on unevenness: which single move gains most now, and again, until none gains enough.

Decides the next move. Classes of members that are alike (same shape, and the same groups) have one queue of best
targets and one of best sources, so that a move costs a few ratings and not hosts x members. A class's gain is looked
at again when it comes to the top; before saying that nothing is left, all are. Must not know why it is asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heappop, heappush

from stead.blueprint.placement.model import GroupKind, HostState, Move, Over, Policy, Request
from stead.blueprint.placement.queries.evaluation import Evaluation
from stead.blueprint.placement.search.greedy import WORTH_NUMPY
from stead.blueprint.placement.search.nearest import Nearest
from stead.blueprint.placement.search.runs import Run, in_order
from stead.blueprint.placement.search.vector import Mirror
from stead.blueprint.placement.space import SCALE, Shape
from stead.core.value import mutable

BACKLOG = 80  # changes after which rating all hosts at once costs less than rating the changed ones


@mutable
class Interchangeable:
    """Members that may stand in for each other: `on` holds them by host, in the order they would leave."""

    request: Request
    run: Run
    on: dict[int, list[str]]
    sources: Nearest
    targets: Nearest
    seen: int = 0


class SteepestDescent:
    def __init__(self, evaluation: Evaluation) -> None:
        self.evaluation = evaluation
        self.state = evaluation.state
        space = evaluation.space
        hosts = len(space.hosts)
        totals = [sum(row[k] for row in self.state.cap) for k in range(len(space.resources))]
        self.sets: list[Interchangeable] = []
        self.mirror: Mirror | None = None
        self.mean = [max(1.0, total / max(1, hosts)) for total in totals]

    def objective(self) -> int:
        return sum(self._cost(h, self.state.free[h]) for h in range(len(self.state.cap)))

    def fullest(self) -> int:
        return int(max(self.state.level, default=0.0) * SCALE)

    def _cost(self, h: int, free: list[int]) -> int:
        """Use squared times the host's size, so that big hosts are worth filling as far as small ones."""
        cap = self.state.cap[h]
        total = 0.0
        for k in self.state.scored:
            full = cap[k]
            if full:
                use = (full - free[k]) / full
                total += use * use * (full / self.mean[k])
        return int(total * SCALE)

    def _change(self, h: int, shape: Shape, sign: int) -> int:
        """What taking (1) or giving back (-1) a unit does to the cost, preferences lost or won included."""
        cap, free = self.state.cap[h], self.state.free[h]
        total = 0.0
        for k, amount in shape.scored:
            full = cap[k]
            if full:
                used, step = full - free[k], sign * amount
                total += (step / full) * ((2 * used + step) / self.mean[k])
        return int(total * SCALE) + sign * shape.pool.penalty[h]

    def _interchangeable(self) -> list[Interchangeable]:
        found: dict[object, Interchangeable] = {}
        problem, space = self.evaluation.problem, self.evaluation.space
        for request in sorted(problem.requests, key=lambda request: request.id):
            if not request.live or request.host or space.policy(request) is Policy.PACK or _stays(request):
                continue
            shape = space.shape(request)
            key = (shape.number, tuple(sorted(group.name for group in request.groups)))
            for member in in_order(request.members):
                h = self.evaluation.host_of(member)
                if h >= 0 and member not in problem.pinned and member not in request.data_on and self._is_up(h):
                    members = found.get(key)
                    if members is None:
                        run = Run(request, shape, [member], tuple((group, 1) for group in request.groups))
                        members = found[key] = Interchangeable(request, run, {}, Nearest([]), Nearest([]))
                    members.on.setdefault(h, []).append(member)
        if len(found) * len(space.hosts) > WORTH_NUMPY:
            self.mirror = Mirror(self.state)
        for members in found.values():
            n = len(self.state.cap)
            members.sources = Nearest([self._change(h, members.run.shape, -1) * n + h for h in members.on])
            members.targets = self._targets(members.run.shape)
            members.seen = len(self.state.log)
        return list(found.values())

    def _is_up(self, h: int) -> bool:
        return self.evaluation.space.hosts[h].state is HostState.UP

    def _targets(self, shape: Shape) -> Nearest:
        """For all hosts at once as in plain Python; the same operations in the same order give the same integers."""
        n, mirror = len(self.state.cap), self.mirror
        if mirror is None:
            fitting = (h for h in shape.pool.hosts if self.state.fits(h, shape.demand))
            return Nearest([self._change(h, shape, 1) * n + h for h in fitting])
        np = mirror.np
        index, free = mirror.fitting(shape, shape.pool.hosts)
        total = np.zeros(len(index))
        for k, amount in shape.scored:
            full = mirror.cap[k].take(index)
            total += (amount / full) * ((2 * (full - free[k]) + amount) / self.mean[k])
        changes = (total * SCALE).astype(np.int64)
        if shape.pool.marked:
            changes += mirror.penalty(shape)[index]
        return Nearest(changes * n + index)

    def _catch_up(self, members: Interchangeable) -> None:
        shape, log, n = members.run.shape, self.state.log, len(self.state.cap)
        if members.seen == len(log):
            return
        many = self.mirror is not None and len(log) - members.seen > BACKLOG
        changed = set(log[members.seen :])
        members.seen = len(log)
        for h in changed & members.on.keys():
            if members.on[h]:
                heappush(members.sources.heap, self._change(h, shape, -1) * n + h)
        if many:
            members.targets = self._targets(shape)
            return
        for h in changed:
            if shape.pool.has[h] and self.state.fits(h, shape.demand):
                heappush(members.targets.heap, self._change(h, shape, 1) * n + h)

    def _best(self, members: Interchangeable) -> tuple[int, int, int]:
        """Gain, source, target of the best move of this set; gain zero when there is none."""
        self._catch_up(members)
        source = self._top(members, members.sources, -1)
        if source is None:
            return 0, -1, -1
        if members.run.groups:
            return self._grouped(members, source[1])
        target = self._top(members, members.targets, 1)
        if target is None or target[1] == source[1]:
            return 0, -1, -1
        return -(source[0] + target[0]), source[1], target[1]

    def _top(self, members: Interchangeable, keys: Nearest, sign: int) -> tuple[int, int] | None:
        """Change and host."""
        shape, n = members.run.shape, len(self.state.cap)
        while (key := keys.least()) is not None:
            change, h = divmod(key, n)
            present = bool(members.on.get(h)) if sign < 0 else self.state.fits(h, shape.demand)
            if present and self._change(h, shape, sign) == change:
                return change, h
            heappop(keys.heap)
        return None

    def _grouped(self, members: Interchangeable, source: int) -> tuple[int, int, int]:
        """The best target that the groups allow once the member has left its source.

        Wishes count as hard here, and a group over zones keeps its members in theirs: evenness is not worth either.
        """
        run, state, zone = members.run, self.state, self.evaluation.space.zone_of[source]
        zone_of = self.evaluation.space.zone_of
        same_zone = any(group.over is Over.ZONES for group, _ in run.groups)
        state.tally.add(run.names, source, zone, -1)
        allowed = self.evaluation.chooser.open_to(run, wishes=True)
        aside: list[int] = []
        found = (0, -1, -1)
        while (top := self._top(members, members.targets, 1)) is not None:
            if top[1] != source and allowed(top[1]) and not (same_zone and zone_of[top[1]] != zone):
                found = (-(self._change(source, run.shape, -1) + top[0]), source, top[1])
                break
            aside.append(heappop(members.targets.heap))
        state.tally.add(run.names, source, zone, 1)
        for entry in aside:
            heappush(members.targets.heap, entry)
        return found

    def moves(self, most: int, minimum_gain: int) -> Iterator[Move]:
        """Made in this state as they are yielded."""
        if most <= 0:
            return
        self.sets = self._interchangeable()
        order: list[tuple[int, int]] = []
        left = most
        while left:
            if not order:
                order = sorted((-self._best(members)[0], i) for i, members in enumerate(self.sets))
                order = [entry for entry in order if -entry[0] >= minimum_gain]
                if not order:
                    return
            promised, i = heappop(order)
            gain, source, target = self._best(self.sets[i])
            if gain < minimum_gain:
                continue
            if order and -order[0][0] > gain and -promised != gain:
                heappush(order, (-gain, i))
                continue
            yield self._move(self.sets[i], gain, source, target)
            left -= 1
            again = self._best(self.sets[i])[0]
            if again >= minimum_gain:
                heappush(order, (-again, i))

    def _move(self, members: Interchangeable, gain: int, source: int, target: int) -> Move:
        space, demand = self.evaluation.space, members.run.shape.demand
        member = members.on[source].pop(0)
        members.on.setdefault(target, []).append(member)
        self.evaluation.moved[member] = target
        self.state.take(target, demand)
        self.state.give(source, demand)
        if members.run.groups:
            self.state.tally.add(members.run.names, source, space.zone_of[source], -1)
            self.state.tally.add(members.run.names, target, space.zone_of[target], 1)
        text = f"evens out {space.names[source]} and {space.names[target]} by {gain}"
        return Move(member, space.names[source], space.names[target], "rebalance", text, live=True)


def _stays(request: Request) -> bool:
    """Members that want to be together on a host: moving one would part them."""
    return any(group.kind is GroupKind.TOGETHER and group.over is Over.HOSTS for group in request.groups)
