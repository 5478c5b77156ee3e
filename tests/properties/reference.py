"""Placement judged from outside: its rules written down once more, a search that misses nothing, and problems to judge.

Written from `docs/placement.md` and not from the code; for tiny problems only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from random import Random

from stead.blueprint.placement import (
    GroupKind,
    HostState,
    Over,
    Placement,
    PlacementGroup,
    PlacementHost,
    Policy,
    Problem,
    Request,
    numbered,
)

RESOURCES = ("vcpus", "memory", "disk:fast", "device:gpu", "hugepages:2MiB", "iops:fast")
STEPS = 20_000
Unit = tuple[Request, str]


def usable(host: PlacementHost, resource: str) -> int:
    physical = host.capacity.get(resource, 0) - host.reserved.get(resource, 0)
    return max(0, physical * round(host.overcommit.get(resource, 1.0) * 1000) // 1000)


def may(host: PlacementHost, request: Request, member: str, *, up: bool = True) -> bool:
    """Whether nothing but room and groups speaks against it."""
    return (
        (host.state is HostState.UP or not up)
        and request.architecture in ("", host.architecture)
        and (not request.hypervisor or request.hypervisor in host.hypervisors)
        and (not host.projects or request.project in host.projects)
        and request.host in ("", host.name)
        and (not request.zones or host.zone in request.zones)
        and request.required <= host.traits
        and not request.forbidden & host.traits
        and request.pools <= host.pools
        and request.physical_networks <= host.physical_networks
        and request.data_on.get(member, host.name) == host.name
    )


def requests_of(problem: Problem) -> dict[str, Request]:
    return {member: request for request in problem.requests for member in request.members}


def broken_groups(problem: Problem, at: Mapping[str, str]) -> Iterator[str]:
    """Hard groups that this assignment breaks; evenness over zones aside, which depends on where members may go."""
    zone, asks = {host.name: host.zone for host in problem.hosts}, requests_of(problem)
    seats: dict[PlacementGroup, list[str]] = {}
    for member, host in at.items():
        for group in asks[member].groups:
            if group.hard:
                seats.setdefault(group, []).append(zone[host] if group.over is Over.ZONES else host)
    for group, places in seats.items():
        limit = group.limit or (1 if group.over is Over.HOSTS else len(places))
        if group.kind is GroupKind.TOGETHER and len(set(places)) > 1:
            yield f"{group.name} is not together: {sorted(set(places))}"
        if group.kind is GroupKind.SPREAD and max(Counter(places).values()) > limit:
            yield f"{group.name} is more than {limit} times in one place"


def mistakes(problem: Problem, placement: Placement) -> Iterator[str]:
    """All that a placement owes and does not hold."""
    hosts, asks = {host.name: host for host in problem.hosts}, requests_of(problem)
    carried = {one: m for r in problem.requests for m, some in r.carries.items() for one in some}
    at = {member: host for member, host in placement.assignment.items() if member not in carried}
    used = {name: Counter[str]() for name in hosts}
    for member, name in at.items():
        used[name].update(asks[member].demand)
        sat = problem.current.get(member) == name
        stays = member in problem.pinned or hosts[name].state is HostState.MAINTENANCE
        if not may(hosts[name], asks[member], member, up=not (sat and stays)) and not (
            sat and member in problem.pinned
        ):
            yield f"{member} may not be on {name}"
    told = {(one.host, one.resource): one.by for one in placement.overfull}
    for name, row in used.items():
        for resource, amount in row.items():
            over = amount - usable(hosts[name], resource)
            new = [m for m in at if at[m] == name != problem.current.get(m) and asks[m].demand.get(resource)]
            if over > 0 and (new or told.get((name, resource)) != over):
                yield f"{name} has {over} {resource} too much, with {new} new"
    pinned = [m for m in at if m in problem.pinned]
    if not pinned:
        yield from broken_groups(problem, at)
    left = {member for one in placement.unplaced for member in one.members}
    yield from (f"{member} is both, or neither" for member in asks if (member in at) == (member in left))
    yield from (f"{one} is not with {m}" for one, m in carried.items() if placement.assignment.get(one) != at.get(m))
    moved = {move.member: move for move in placement.moves}
    for member, host in at.items():
        away = problem.current.get(member, host) != host
        if away != (member in moved) or (away and member in problem.pinned):
            yield f"{member} went from {problem.current.get(member)} to {host}, told: {moved.get(member)}"


class Exhaustive:
    """Every arrangement of some units beside others that are fixed. `None`: more steps than a test has time for."""

    def __init__(
        self, problem: Problem, fixed: Mapping[str, str], hosts: Sequence[PlacementHost] | None = None
    ) -> None:
        self.asks = requests_of(problem)
        self.hosts = {host.name: host for host in (problem.hosts if hosts is None else hosts)}
        self.free = {name: {one: usable(host, one) for one in RESOURCES} for name, host in self.hosts.items()}
        self.at: dict[str, str] = {}
        self.problem = replace(problem, hosts=[*self.hosts.values()])
        for member, name in fixed.items():
            if name in self.hosts:
                self._put(member, name)
        self.steps = STEPS

    def _put(self, member: str, name: str, sign: int = 1) -> None:
        for resource, amount in self.asks[member].demand.items():
            self.free[name][resource] -= amount * sign
        if sign > 0:
            self.at[member] = name
        else:
            del self.at[member]

    def holds(self, units: Sequence[Unit]) -> bool | None:
        ordered = sorted(units, key=lambda unit: (-max(unit[0].demand.values(), default=0), unit[0].id, unit[1]))
        return self._seat(ordered)

    def _seat(self, units: Sequence[Unit]) -> bool | None:
        if not units:
            return True
        self.steps -= 1
        if self.steps < 0:
            return None
        (request, member), rest = units[0], units[1:]
        for name, host in self.hosts.items():
            room = all(self.free[name][one] >= amount for one, amount in request.demand.items() if amount)
            if room and may(host, request, member):
                self._put(member, name)
                found = None if any(broken_groups(self.problem, self.at)) else self._seat(rest)
                if found or self.steps < 0:
                    return found
                self._put(member, name, -1)
        return False


def drawn(random: Random) -> Problem:
    """Everything that a request can ask for, seldom."""
    zones = ["a", "b", "c"][: random.randint(1, 3)]
    groups = [_group(random, number) for number in range(random.randint(0, 3))]
    hosts = [_host(random, f"h{number}", zones) for number in range(random.randint(1, 5))]
    requests = [_request(random, f"r{number}", groups, hosts) for number in range(random.randint(1, 5))]
    return Problem(hosts=hosts, requests=requests, policy=random.choice(list(Policy)))


def fitted(random: Random) -> Problem:
    """One that can be solved, and only just: hosts have room for one arrangement and hardly more."""
    while True:
        problem = drawn(random)
        rich = [
            replace(host, capacity=dict.fromkeys(RESOURCES, 999), reserved={}, overcommit={}) for host in problem.hosts
        ]
        random.shuffle(rich)
        search = Exhaustive(problem, {}, rich)
        search.steps = 500
        if search.holds([(request, member) for request in problem.requests for member in request.members]):
            slack = random.choice((0, 0, 0, 1))
            taken = {
                name: {one: 999 - amount + slack for one, amount in row.items()} for name, row in search.free.items()
            }
            return replace(problem, hosts=[replace(host, capacity=taken[host.name]) for host in rich])


def _group(random: Random, number: int) -> PlacementGroup:
    kind = random.choice((GroupKind.SPREAD, GroupKind.SPREAD, GroupKind.TOGETHER))
    over = random.choice((Over.HOSTS, Over.HOSTS, Over.ZONES))
    even = over is Over.ZONES and kind is GroupKind.SPREAD
    limit = random.choice((1, 2, 3) if even else (None, 1, 2)) if kind is GroupKind.SPREAD else None
    return PlacementGroup(name=f"g{number}", kind=kind, over=over, hard=random.random() < 0.75, limit=limit)


def _host(random: Random, name: str, zones: Sequence[str]) -> PlacementHost:
    capacity = {"vcpus": random.randint(2, 20), "memory": random.randint(2, 20), "disk:fast": random.randint(0, 12)}
    rare = {"device:gpu": 2, "hugepages:2MiB": 6, "iops:fast": 6}
    capacity |= {one: random.randint(0, most) for one, most in rare.items() if random.random() < 0.4}
    return PlacementHost(
        name=name,
        zone=random.choice(zones),
        capacity=capacity,
        overcommit=random.choice(({}, {}, {"vcpus": 1.5}, {"vcpus": 0.333}, {"memory": 1.2, "vcpus": 2.0})),
        reserved=random.choice(({}, {}, {"memory": 1}, {"vcpus": 12})),
        traits=frozenset(random.choice(((), (), ("ssd",), ("ssd", "old")))),
        physical_networks=frozenset(random.choice((("ext",), ("ext",), ()))),
        pools=frozenset(random.choice((("fast", "nfs"), ("fast", "nfs"), ("fast",), ()))),
        hypervisors=frozenset(random.choice((("kvm", "qemu"), ("kvm",)))),
        projects=frozenset(random.choice([()] * 6 + [("p1",)])),
        state=random.choice([HostState.UP] * 10 + [HostState.MAINTENANCE, HostState.DOWN]),
    )


def _request(random: Random, name: str, groups: Sequence[PlacementGroup], hosts: Sequence[PlacementHost]) -> Request:
    members = numbered(name, random.randint(1, 4))
    demand = {"vcpus": random.randint(0, 4), "memory": random.randint(0, 4)}
    demand |= {one: random.randint(1, 2) for one in RESOURCES[2:] if random.random() < 0.15}
    local = members if random.random() < 0.15 else ()

    def seldom(*some: str) -> frozenset[str]:
        return frozenset(some) if random.random() < 0.12 else frozenset()

    return Request(
        id=name,
        members=members,
        demand=demand,
        required=seldom("ssd"),
        forbidden=seldom("old"),
        preferred=seldom("ssd"),
        zones=seldom("a", "b"),
        pools=seldom("nfs"),
        physical_networks=seldom("ext"),
        hypervisor="qemu" if random.random() < 0.1 else "",
        project=random.choice(("p1", "p2")),
        policy=random.choice((None, None, *Policy)),
        groups=tuple(random.sample(groups, random.randint(0, min(2, len(groups))))),
        data_on={member: random.choice(hosts).name for member in local if random.random() < 0.5},
        carries={member: (f"vol-{member}",) for member in local},
    )
