"""A problem compiled for the search: hosts and resources as numbers, hosts and requests as classes.

Hosts that no filter can tell apart form a class; requests with the same demand on the same hosts under the same policy
form a shape. A thousand projects with forty flavors are then a few hundred shapes, and what is decided once per shape
is not decided a hundred thousand times. Must not change after it is built, and must not know what is placed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from stead.blueprint.placement.classes import Classes
from stead.blueprint.placement.filters import broken
from stead.blueprint.placement.model import PlacementHost, Policy, Problem, Request
from stead.core.named import NamedTuple

SCALE = 1_000_000  # the score of a full host; a millionth is finer than any difference a person would act on
TIER = 8 * SCALE  # one unmet preference outweighs any score a policy gives


class Pool:
    """The hosts that may take a shape, with what each is marked down for (preferences it lacks, a site's points).

    `marked`: some are. `whole`: all hosts of a class or none, so that one of a class speaks for it.
    """

    __slots__ = ("_by_zone", "_zone_of", "has", "hosts", "key", "marked", "penalty", "whole")

    def __init__(
        self, key: object, hosts: list[int], penalty: list[int], zone_of: Sequence[str], *, whole: bool, marked: bool
    ) -> None:
        self.key = key
        self.hosts = hosts
        self.penalty = penalty
        self.marked = marked
        self.whole = whole
        self.has = bytearray(len(zone_of))
        for h in hosts:
            self.has[h] = 1
        self._zone_of = zone_of
        self._by_zone: dict[str, list[int]] = {}

    @property
    def by_zone(self) -> dict[str, list[int]]:
        """Its hosts in each zone: few requests ask."""
        if not self._by_zone:
            for h in self.hosts:
                self._by_zone.setdefault(self._zone_of[h], []).append(h)
        return self._by_zone


class Shape(NamedTuple):
    """A request class: what one unit takes, from which hosts, by which policy."""

    number: int
    demand: tuple[tuple[int, int], ...]  # (resource slot, amount), what a unit takes
    scored: tuple[tuple[int, int], ...]  # the part of it that policies look at
    pool: Pool
    policy: Policy


class Space:
    """Hosts in the order of their names, so that an index is as stable an id as a name."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.hosts: tuple[PlacementHost, ...] = tuple(sorted(problem.hosts, key=lambda host: host.name))
        self.names = [host.name for host in self.hosts]
        self.index = {name: i for i, name in enumerate(self.names)}
        self.zone_of = [host.zone for host in self.hosts]
        self.resources = _resources(self.hosts, problem.requests)
        self.slot = {name: k for k, name in enumerate(self.resources)}
        # Devices do not count toward how full a host is: one GPU in use would read as a full host.
        self.is_scored = [not name.startswith("device:") for name in self.resources]
        self.usable = _usable(self.hosts, self.resources)
        self.classes = Classes(self.hosts)
        self.class_hosts, self.class_of = self.classes.members, self.classes.of
        self._no_penalty = [0] * len(self.hosts)
        self._pools: dict[object, Pool] = {}
        self._needs: dict[object, Pool] = {}
        self._shapes: dict[object, Shape] = {}
        self._asked: dict[int, tuple[Request, Shape]] = {}

    def policy(self, request: Request) -> Policy:
        return request.policy or self.problem.project_policies.get(request.project, self.problem.policy)

    def shape(self, request: Request) -> Shape:
        known = self._asked.get(id(request))
        if known is None:  # with the request, so that its id is nobody else's
            slot = self.slot
            demand = tuple(sorted([(slot[name], amount) for name, amount in request.demand.items() if amount > 0]))
            found = self.shape_of(demand, self.pool(request), self.policy(request))
            known = self._asked[id(request)] = (request, found)
        return known[1]

    def shape_of(self, demand: tuple[tuple[int, int], ...], pool: Pool, policy: Policy) -> Shape:
        key = (demand, id(pool), policy)
        found = self._shapes.get(key)
        if found is None:
            scored = tuple(pair for pair in demand if self.is_scored[pair[0]])
            found = self._shapes[key] = Shape(len(self._shapes), demand, scored, pool, policy)
        return found

    def pool(self, request: Request) -> Pool:
        key = self._needs_key(request)
        found = self._needs.get(key)
        if found is None:
            found = self._needs[key] = self._eligible(request)
        return found

    def narrowed(self, pool: Pool, hosts: Iterable[int]) -> Pool:
        """The same pool on fewer hosts: where a volume is already, or where all of a together group may go."""
        kept = [h for h in hosts if pool.has[h]]
        return self._intern(("narrowed", pool.key, tuple(kept)), kept, pool.penalty)

    def _needs_key(self, request: Request) -> object:
        if self.problem.filters or self.problem.scorers:
            return request.id  # a site's code may look at anything of the request
        return (*self.classes.wishes(request), request.preferred, request.host)

    def _eligible(self, request: Request) -> Pool:
        classes = self.classes.open_to(request)
        wishes, members = request.preferred, self.class_hosts
        marks = tuple(len(wishes - self.hosts[members[c][0]].traits) * TIER for c in classes) if wishes else ()
        site = request.id if self.problem.filters or self.problem.scorers else ""
        key = (tuple(classes), marks if any(marks) else (), request.host, site)
        if key in self._pools:
            return self._pools[key]
        hosts: list[int] = []
        for c in classes:
            hosts += self.class_hosts[c]
        hosts.sort()
        if request.host:
            hosts = [h for h in hosts if self.names[h] == request.host]
        if self.problem.filters:
            hosts = [h for h in hosts if not broken(self.hosts[h], request, self.problem.filters)]
        whole = not request.host and not self.problem.filters
        return self._intern(key, hosts, self._penalty(request, classes, marks, hosts), whole=whole)

    def _penalty(self, request: Request, classes: list[int], marks: tuple[int, ...], hosts: list[int]) -> list[int]:
        scorers = self.problem.scorers
        if not scorers and not any(marks):
            return self._no_penalty
        penalty = list(self._no_penalty)
        for c, mark in zip(classes, marks, strict=False):
            for h in self.class_hosts[c] if mark else ():
                penalty[h] = mark
        for h in hosts if scorers else ():
            points = sum(scorers[name](self.hosts[h], request) for name in sorted(scorers))
            penalty[h] -= points * (SCALE // 1000)
        return penalty

    def _intern(self, key: object, hosts: list[int], penalty: list[int], *, whole: bool = False) -> Pool:
        found = self._pools.get(key)
        if found is None:
            marked = penalty is not self._no_penalty and any(penalty)
            found = self._pools[key] = Pool(key, hosts, penalty, self.zone_of, whole=whole, marked=marked)
        return found


def _resources(hosts: Sequence[PlacementHost], requests: Sequence[Request]) -> tuple[str, ...]:
    names: set[str] = set()
    for host in hosts:
        names.update(host.capacity)
    for request in requests:
        names.update(request.demand)
    return tuple(sorted(names))


def _usable(hosts: Sequence[PlacementHost], resources: tuple[str, ...]) -> list[list[int]]:
    """By host. Most are bought by the dozen, and what one has all of them have; nobody writes to these lists."""
    known: dict[object, list[int]] = {}
    found = []
    for host in hosts:
        key = (tuple(host.capacity.items()), tuple(host.reserved.items()), tuple(host.overcommit.items()))
        row = known.get(key)
        if row is None:
            row = known[key] = [host.usable(name) for name in resources]
        found.append(row)
    return found
