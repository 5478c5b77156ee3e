"""Where one unit of a run goes: the queues of its shape, with the groups it belongs to laid over them.

Decides zone before host: hard groups strike out, soft groups order, the policy's score decides among equals. Must not
change anything but the queues; the caller takes.
"""

from __future__ import annotations

from collections.abc import Iterator

from stead.blueprint.placement.incumbents import home_zone
from stead.blueprint.placement.model import GroupKind, Over
from stead.blueprint.placement.search.candidates import Allowed, Candidates
from stead.blueprint.placement.search.runs import Run, binds
from stead.blueprint.placement.search.vector import Mirror
from stead.blueprint.placement.space import Shape
from stead.blueprint.placement.state import SearchState

KEPT_QUEUES = 96  # a queue over ten thousand hosts is a hundred kilobytes; dropping all now and then keeps that bounded


class Queues:
    """The candidate queues of a search, made when first asked for, for all hosts of a shape or for one zone of it."""

    def __init__(self, state: SearchState, mirror: Mirror | None) -> None:
        self.state = state
        self.mirror = mirror
        self.made: dict[tuple[int, str | None], Candidates] = {}

    def of(self, shape: Shape, zone: str | None = None) -> Candidates:
        key = (shape.number, zone)
        found = self.made.get(key)
        if found is None:
            if len(self.made) >= KEPT_QUEUES:
                self.made.clear()
            hosts = shape.pool.hosts if zone is None else shape.pool.by_zone.get(zone, [])
            found = self.made[key] = Candidates(self.state, shape, hosts, self.mirror)
        return found


class Chooser:
    """`sizes` is how many members each group has, which is what an even spread over zones divides."""

    def __init__(self, queues: Queues, sizes: dict[str, int]) -> None:
        self.queues = queues
        self.state = queues.state
        self.sizes = sizes
        self.homes: dict[str, str] = {}  # zone chosen for groups that must share one

    def choose(
        self, run: Run, aside: list[tuple[Candidates, list[int]]] | None, avoid: frozenset[int] = frozenset()
    ) -> int | None:
        """The host for the next unit. `aside` collects what the hard groups rejected, to be restored after the run."""
        strict, relaxed = self._allowed(run, avoid)
        for zones in self._zones(run):
            near = self._beside(run, zones, strict)
            if near is not None:
                return near
            found = self._best(run, zones, strict, aside if strict is relaxed else None)
            if found is None and strict is not relaxed:
                found = self._least(run, zones, relaxed)
            if found is not None:
                return found
        return None

    def open_to(self, run: Run, *, wishes: bool = False) -> Allowed:
        """Whether the groups of a run let a host take one more unit; soft spreads over hosts count only as `wishes`."""
        strict, relaxed = self._allowed(run, frozenset())
        if wishes:
            relaxed = strict
        tiers = list(self._zones(run))
        if None in tiers:
            return relaxed
        zones = self.zones_open(run)
        zone_of = self.state.space.zone_of
        return lambda h: zone_of[h] in zones and relaxed(h)

    def zones_open(self, run: Run) -> set[str]:
        return {zone for tier in self._zones(run) for zone in tier or ()}

    def _best(
        self,
        run: Run,
        zones: tuple[str, ...] | None,
        allowed: Allowed,
        aside: list[tuple[Candidates, list[int]]] | None,
    ) -> int | None:
        best: int | None = None
        for zone in zones or (None,):
            queue = self.queues.of(run.shape, zone)
            rejected: list[int] = []
            key = queue.best(allowed, rejected)
            if aside is None:
                queue.restore(rejected)
            elif rejected:
                aside.append((queue, rejected))
            if key is not None and (best is None or key < best):
                best = key
        return None if best is None else best % len(self.state.cap)

    def _least(self, run: Run, zones: tuple[str, ...] | None, allowed: Allowed) -> int | None:
        """A soft spread that cannot be had: the host with the fewest of the group, then the policy's best."""
        tally = self.state.tally
        soft = [g.name for g, _ in run.groups if g.kind is GroupKind.SPREAD and g.over is Over.HOSTS and not g.hard]
        # Between two counts that hosts have, nothing is found that was not found before.
        for threshold in sorted({1, *(count for name in soft for count in tally.on_host(name).values())}):
            found = self._best(
                run,
                zones,
                lambda h, t=threshold: allowed(h) and all(tally.on_host(name).get(h, 0) <= t for name in soft),  # type: ignore[misc]
                None,
            )
            if found is not None:
                return found
        return None

    def _allowed(self, run: Run, avoid: frozenset[int]) -> tuple[Allowed, Allowed]:
        """With soft spreads taken as hard, and without. The same function when there is no soft spread."""
        hard: list[tuple[dict[int, int], int]] = []
        soft: list[tuple[dict[int, int], int]] = []
        for group, weight in run.groups:
            if group.kind is GroupKind.SPREAD and group.over is Over.HOSTS:
                counts = self.state.tally.hosts.setdefault(group.name, {})
                (hard if group.hard else soft).append((counts, (group.limit or 1) - weight))
        strict = _within(hard + soft, avoid)
        return strict, _within(hard, avoid) if soft else strict

    def _zones(self, run: Run) -> Iterator[tuple[str, ...] | None]:
        """Zones in tiers of equal merit, best first; None for any."""
        over = [(group, weight) for group, weight in run.groups if group.over is Over.ZONES]
        if not over:
            yield None
            return
        tally = self.state.tally
        tiers: dict[tuple[int, ...], list[str]] = {}
        zones = sorted(run.shape.pool.by_zone)
        for zone in zones:
            rank: list[int] = []
            for group, weight in over:
                count = tally.in_zone(group.name).get(zone, 0)
                if group.kind is GroupKind.TOGETHER:
                    home = self.homes.get(group.name) or home_zone(self.state, group)
                    if group.hard and home is not None and home != zone:
                        break
                    rank.append(-count)
                else:
                    limit = group.limit or -(-self.sizes.get(group.name, 1) // len(zones))
                    if group.hard and count + weight > limit:
                        break
                    rank.append(count)
            else:
                tiers.setdefault(tuple(rank), []).append(zone)
        for merit in sorted(tiers):
            yield tuple(tiers[merit])

    def _beside(self, run: Run, zones: tuple[str, ...] | None, allowed: Allowed) -> int | None:
        """For soft together groups: the host that has most of the group and room for one more."""
        tally, pool, zone_of = self.state.tally, run.shape.pool, self.state.space.zone_of
        beside: dict[int, int] = {}
        for group, _ in run.groups:
            if group.kind is GroupKind.TOGETHER and group.over is Over.HOSTS and not binds(group):
                for h, count in tally.on_host(group.name).items():
                    beside[h] = beside.get(h, 0) + count
        fitting = [
            h
            for h in beside
            if pool.has[h]
            and (zones is None or zone_of[h] in zones)
            and allowed(h)
            and self.state.fits(h, run.shape.demand)
        ]
        return min(fitting, key=lambda h: (-beside[h], h), default=None)


def _within(limits: list[tuple[dict[int, int], int]], avoid: frozenset[int]) -> Allowed:
    def allowed(h: int) -> bool:
        return h not in avoid and all(counts.get(h, 0) <= most for counts, most in limits)

    return allowed
