"""A finished placement seen as a state: where everybody is, and what each host would say to one more unit.

Decides, for a unit, the full set of requirements every host breaks, each host counted once. Funnel, suggestions and
capacity are read off that. Must not move anybody.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from stead.blueprint.placement.filters import RANK, Broken, broken
from stead.blueprint.placement.model import GroupKind, Over, Placement, Problem, Request
from stead.blueprint.placement.search.choose import Chooser, Queues
from stead.blueprint.placement.search.greedy import WORTH_NUMPY, group_sizes
from stead.blueprint.placement.search.runs import Run, binds, cut
from stead.blueprint.placement.search.vector import Mirror
from stead.blueprint.placement.space import Space
from stead.blueprint.placement.state import Demand, SearchState
from stead.core.value import value

MANY_HOSTS = (
    2_000  # from here on checking what is free in plain Python would cost more than the ten milliseconds we have
)


@value
class Verdict:
    """Hosts that break exactly these requirements. None broken: they would take the unit."""

    broken: tuple[Broken, ...]
    hosts: tuple[int, ...]


class _RequestsByMember(dict[str, Request]):
    """Who asked for a member. The first is looked for; who wants another wants many, and all are listed."""

    def __init__(self, requests: Sequence[Request]) -> None:
        super().__init__()
        self._requests = requests

    def __missing__(self, member: str) -> Request:
        if not self:
            found = next((one for one in reversed(self._requests) if member in one.members), None)
            if found is not None:
                self[member] = found
                return found
        else:
            self.update((one, request) for request in self._requests for one in request.members)
            self._requests = ()
            if member in self:
                return self[member]
        raise KeyError(member)


class Evaluation:
    """Build it once to ask several questions of one placement."""

    def __init__(self, problem: Problem, placement: Placement) -> None:
        self.problem = problem
        self.placement = placement
        self.space = Space(problem)
        self.state = SearchState(self.space)
        self.moved: dict[str, int] = {}  # where members are by now, if not where they were placed
        self.state.seat([self._homes(request) for request in problem.requests])

    def _homes(self, request: Request) -> tuple[Demand, list[int]]:
        index, home = self.space.index, self.placement.assignment.get
        homes = [index[name] for member in request.members if (name := home(member)) in index]
        if request.groups:
            names = [group.name for group in request.groups]
            for h in homes:
                self.state.tally.add(names, h, self.space.zone_of[h])
        return self.space.shape(request).demand, homes

    @cached_property
    def request_of(self) -> dict[str, Request]:
        return _RequestsByMember(self.problem.requests)

    @cached_property
    def mirror(self) -> Mirror | None:
        return Mirror(self.state) if len(self.space.hosts) >= MANY_HOSTS else None

    @cached_property
    def queues(self) -> Queues:
        big = len(self.space.hosts) * len(self.problem.requests) > WORTH_NUMPY
        return Queues(self.state, Mirror(self.state) if big else None)

    @cached_property
    def chooser(self) -> Chooser:
        return Chooser(self.queues, group_sizes(self.problem))

    def host_of(self, member: str) -> int:
        if member in self.moved:
            return self.moved[member]
        return self.space.index.get(self.placement.assignment.get(member, ""), -1)

    def lift(self, member: str, times: int = -1) -> None:
        """Takes a member off its host, to ask about it as if it were new; `times=1` puts it back."""
        request, h = self.request_of[member], self.host_of(member)
        if h >= 0:
            self.state.take(h, self.space.shape(request).demand, times)
            self.state.tally.add([group.name for group in request.groups], h, self.space.zone_of[h], times)

    def move(self, member: str, target: int) -> None:
        """From the host it is on to another."""
        self.lift(member)
        self.moved[member] = target
        self.lift(member, 1)

    def unit(self, member: str) -> Run:
        """What has to be placed when this member has to: itself, or all of its affinity unit that has no host."""
        request = self.request_of[member]
        if self.host_of(member) >= 0 or not any(binds(group) for group in request.groups):
            return self._alone(request, member)
        assignment = self.placement.assignment
        waiting = []
        for other in sorted(self.problem.requests, key=lambda other: other.id):
            members = [one for one in other.members if one not in assignment]
            if members and any(binds(group) for group in other.groups):
                waiting.append((other, members))
        return next(run for run in cut(self.space, self.state, waiting) if (request, member) in run.affinity_unit)

    def _alone(self, request: Request, member: str) -> Run:
        groups = tuple((group, 1) for group in request.groups)
        return Run(request, self.space.shape(request), [member], groups)

    def verdicts(self, run: Run) -> list[Verdict]:
        """Every host once, under all that it breaks; the emptiest verdict first."""
        return _Judge(self, run).verdicts()

    def shortage(self, h: int, demand: Demand) -> dict[str, int]:
        free = self.state.free[h]
        return {self.space.resources[k]: amount - free[k] for k, amount in demand if amount > free[k]}


class _Judge:
    """Each host gets a signature of bits: one per resource it lacks, one per wish it breaks, and its class."""

    def __init__(self, evaluation: Evaluation, run: Run) -> None:
        self.evaluation = evaluation
        self.space = evaluation.space
        self.run = run
        self.requests = list({id(request): request for request, _ in run.affinity_unit}.values()) or [run.request]
        self.atoms: list[Broken] = [Broken("capacity", self.space.resources[k]) for k, _ in run.shape.demand]
        self.extra: dict[int, int] = {}

    def verdicts(self) -> list[Verdict]:
        space = self.space
        bits = self._lacking()
        for atom, hosts in self._dynamic():
            bit = 1 << len(self.atoms)
            self.atoms.append(atom)
            for h in hosts:
                bits[h] |= bit
        width = len(self.atoms)
        signatures = [(c << width) | b for c, b in zip(space.class_of, bits, strict=True)]
        found: dict[tuple[Broken, ...], list[int]] = {}
        hosts_of: dict[int, list[int]] = {}
        for h, signature in enumerate(signatures):
            hosts_of.setdefault(signature, []).append(h)
        for signature, hosts in hosts_of.items():
            found.setdefault(self._named(signature, width), []).extend(hosts)
        ordered = sorted(found.items(), key=lambda item: (len(item[0]), [(RANK[b.stage], b.value) for b in item[0]]))
        return [Verdict(broken=names, hosts=tuple(sorted(hosts))) for names, hosts in ordered]

    def _named(self, signature: int, width: int) -> tuple[Broken, ...]:
        fixed = self._static(signature >> width)
        own = [atom for i, atom in enumerate(self.atoms) if signature >> i & 1]
        return tuple(sorted({*fixed, *own}, key=lambda b: (RANK[b.stage], b.value)))

    def _static(self, number: int) -> set[Broken]:
        host = self.space.hosts[self.space.class_hosts[number][0]]
        return {found for request in self.requests for found in broken(host, request, {}) if found.stage != "host"}

    def _lacking(self) -> list[int]:
        demand, mirror = self.run.shape.demand, self.evaluation.mirror
        if mirror is not None:
            mirror.sync()
            total = mirror.np.zeros(len(self.space.hosts), dtype=mirror.np.int64)
            for i, (k, amount) in enumerate(demand):
                total |= (mirror.free[k] < amount).astype(mirror.np.int64) << i
            bits: list[int] = total.tolist()
            return bits
        return [
            sum([1 << i for i, (k, amount) in enumerate(demand) if row[k] < amount])
            for row in self.evaluation.state.free
        ]

    def _dynamic(self) -> list[tuple[Broken, list[int]]]:
        """Wishes that depend on the very host or on where the group is, each with the hosts that break it."""
        everyone = range(len(self.space.hosts))
        found: list[tuple[Broken, list[int]]] = []
        for request in self.requests:
            if request.host:
                found.append(
                    (Broken("host", request.host), [h for h in everyone if self.space.names[h] != request.host])
                )
            members = [member for _, member in self.run.affinity_unit] or self.run.units
            homes = sorted({request.data_on[member] for member in members if member in request.data_on})
            found.extend((Broken("data", at), [h for h in everyone if self.space.names[h] != at]) for at in homes)
            for name, refuses in sorted(self.space.problem.filters.items()):
                hosts = [h for h in everyone if refuses(self.space.hosts[h], request) is not None]
                found.append((Broken("filter", name), hosts))
        return found + self._grouped()

    def _grouped(self) -> list[tuple[Broken, list[int]]]:
        tally, zone_of = self.evaluation.state.tally, self.space.zone_of
        found: list[tuple[Broken, list[int]]] = []
        for group, weight in self.run.groups:
            if not group.hard:
                continue
            if group.kind is GroupKind.SPREAD and group.over is Over.HOSTS:
                most = (group.limit or 1) - weight
                hosts = (
                    list(range(len(self.space.hosts)))
                    if most < 0
                    else [h for h, count in tally.on_host(group.name).items() if count > most]
                )
                found.append((Broken("spread", group.name), hosts))
            elif group.over is Over.ZONES:
                zones = self._open_zones(group.name)
                closed = [h for h, zone in enumerate(zone_of) if zone not in zones]
                found.append((Broken(group.kind.value, group.name), closed))
            elif seats := tally.on_host(group.name):
                home = min(seats, key=lambda h: (-seats[h], h))
                found.append((Broken("together", group.name), [h for h in range(len(zone_of)) if h != home]))
        return found

    def _open_zones(self, name: str) -> set[str]:
        """Zones this one group leaves open, as the search sees it."""
        groups = tuple(pair for pair in self.run.groups if pair[0].name == name)
        alone = Run(self.run.request, self.run.shape, self.run.units, groups)
        return self.evaluation.chooser.zones_open(alone)
