"""Turns what kinds demand into a question for placement; `telling` says its answer.

Placement knows requests and resources, kinds know volumes and instances; here is the only place that knows both.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from stead.blueprint.capacities import placement_hosts
from stead.blueprint.model import Reason
from stead.blueprint.placement import model as ask
from stead.blueprint.placement.plugins import NO_PLUGINS, PlacementPlugins
from stead.blueprint.silence import telling
from stead.blueprint.states_by_hand import returns
from stead.blueprint.whereabouts import incumbent_host, is_carried
from stead.core.address import Address
from stead.core.kind import Kind
from stead.core.needs import STANDBY, Demand, GroupRule, Standby
from stead.core.observed import Host, HostStatus, Observed
from stead.core.recorded import Record
from stead.core.value import field, mutable, replace, value
from stead.language.desired import Block, Desired

LOCAL = "only that host has it. Remove it from the spec, or use `--replace {}` and lose its data"
POOL = "disk:"  # how the name of an amount begins that is room in a pool
ROOT = "#root"  # no address ends so; behind an instance's address: its root disk, where that takes room of its own


@mutable
class _Asked:
    """Members that ask for the very same."""

    demand: Demand
    amounts: Mapping[str, int]
    project: str
    members: list[str] = field(default_factory=list)
    data_on: dict[str, str] = field(default_factory=dict)
    carries: dict[str, tuple[str, ...]] = field(default_factory=dict)
    live: bool = True


@value
class PlacementRequest:
    """What placement is asked, with the way back from its words to ours."""

    problem: ask.Problem
    members: Mapping[str, Address]  # placement's name of a member -> its address
    carried: Mapping[str, Address]  # the same for volumes that an instance brings along
    split_volumes: Mapping[Address, Mapping[Address, str]]  # an instance with volumes here and there -> where each is
    alone: frozenset[Address]  # volumes that one uses at a time
    held: Mapping[str, Reason]  # members that stay on a host that may still run them, and would not otherwise
    priorities: Mapping[Address, int]  # of those that have one
    paired: tuple[tuple[Block, Standby], ...]  # what is to be on two hosts


def question(
    desired: Desired,
    kinds: Mapping[str, Kind],
    observed: Observed,
    records: Mapping[Address, Record],
    plugins: PlacementPlugins = NO_PLUGINS,
    anew: frozenset[Address] = frozenset(),
) -> PlacementRequest:
    """`plugins` are the site's own filters and scorers. What is made `anew` is kept nowhere by a host that is dead."""
    asking = _DemandTables(desired, kinds, observed, {**records, **dict(_freed(anew, records, observed.hosts))})
    for block, demand in asking.demands:
        asking.add(block, demand)
    requests = [asking.request(asked) for asked in asking.asked.values()]
    problem = ask.Problem(
        hosts=placement_hosts(observed.hosts, asking.shared, asking.taken),
        requests=tuple(requests),
        current=asking.current,
        pinned=frozenset(asking.pinned),
        changed=frozenset(asking.changed),
        policy=ask.Policy(desired.site.policy),
        filters=plugins.filters,
        scorers=plugins.scorers,
    )
    carried = {str(volume): volume for volume in asking.carried}
    return PlacementRequest(
        problem=problem,
        members=asking.addresses,
        carried=carried,
        split_volumes=asking.split_volumes,
        alone=frozenset(address for address, demand in asking.volumes.items() if demand.alone),
        held=asking.held,
        priorities={one: wish.priority for block, wish in asking.demands if wish.priority for one in block.members},
        paired=tuple([(block, one.standby) for block, one in asking.demands if one.standby is not Standby.NONE]),
    )


def _freed(
    anew: frozenset[Address], records: Mapping[Address, Record], hosts: Mapping[str, Host]
) -> Iterator[tuple[Address, Record]]:
    for address in anew & records.keys():
        record = records[address]
        if record.host in hosts and hosts[record.host].state is HostStatus.DEAD:
            yield address, replace(record, host="")


class _DemandTables:
    def __init__(
        self, desired: Desired, kinds: Mapping[str, Kind], observed: Observed, records: Mapping[Address, Record]
    ) -> None:
        self.hosts, self.haves, self.records = observed.hosts, observed.haves, records
        self.kinds = kinds
        self.demands = [
            (block, demand)
            for block in desired.blocks
            if (demand := kinds[block.kind].demand(block, desired)) is not None
        ]
        self.shared = frozenset(
            pool.name for host in self.hosts.values() for pool in host.pools.values() if pool.shared
        )
        self.volumes = {address: demand for block, demand in self.demands for address in block.members}
        self.carried = {volume for _, demand in self.demands for volume in demand.beside if not self._is_shared(volume)}
        self.users = Counter(
            volume for block, demand in self.demands for volume in demand.beside for _ in block.members
        )
        self.copied = self._copied()
        self.asked: dict[object, _Asked] = {}
        self.addresses: dict[str, Address] = {}
        self.current: dict[str, str] = {}
        self.pinned: set[str] = set()
        self.changed: set[str] = set()
        self.split_volumes: dict[Address, Mapping[Address, str]] = {}
        self.held: dict[str, Reason] = {}

    def add(self, block: Block, demand: Demand) -> None:
        members = [one for one in block.members if one not in self.carried]  # those its instance brings along
        if not members:
            return
        local = tuple(volume for volume in demand.beside if volume in self.carried)
        demand = self._with(demand, members if self.copied else (), local)
        amounts = dict(demand.amounts)
        for volume in local:
            for resource, amount in self.volumes[volume].amounts.items():
                amounts[resource] = amounts.get(resource, 0) + amount
        reached = set(demand.pools)
        if demand.role == "compute":
            reached |= self._roots_elsewhere(block, amounts)
        asked = self._asked(block, demand._replace(pools=frozenset(reached & self.shared)), amounts)
        kind = self.kinds[block.kind]
        for address in members:
            name = str(address)
            asked.members.append(name)
            self.addresses[name] = address
            self._remember(name, address, demand, kind)
            if local:
                asked.carries[name] = tuple(map(str, local))
                self._follow(asked, address, local)

    def _copied(self) -> dict[Address, tuple[GroupRule, ...]]:
        """A copy comes to be on the host of what it is a copy of, also where both are new; then each may go its way."""
        found: dict[Address, tuple[GroupRule, ...]] = {}
        for block, demand in self.demands:
            new = [address for address in block.members if address not in self.records]
            if demand.copies is None or not new or (demand.copies.served and self._is_shared(demand.copies.volume)):
                continue
            rule = GroupRule(f"{demand.copies.volume} and copies", "hosts", hard=True, limit=1)
            for address in (*new, demand.copies.volume):
                found[address] = tuple(dict.fromkeys((*found.get(address, ()), rule)))
        return found

    def _with(self, demand: Demand, members: Sequence[Address], local: Sequence[Address]) -> Demand:
        """Where its volumes must be, it must be; and so must whoever else uses one of them."""
        copied = dict.fromkeys(rule for one in (*members, *local) for rule in self.copied.get(one, ()))
        if copied:
            demand = demand._replace(together=(*demand.together, *copied))
        for volume in local:
            asked = self.volumes[volume]
            if asked.zones:  # kinds have refused zones and hosts that differ
                demand = demand._replace(zones=demand.zones & asked.zones or asked.zones)
            if self.users[volume] > 1:
                both = GroupRule(str(volume), "hosts", hard=True, limit=1)
                demand = demand._replace(together=(*demand.together, both))
            demand = demand._replace(host=demand.host or asked.host)
        return demand

    def _roots_elsewhere(self, block: Block, amounts: dict[str, int]) -> set[str]:
        """A root disk in a shared pool takes space where the pool lives, not where the instance runs."""
        pools = {resource.removeprefix(POOL) for resource in amounts if resource.startswith(POOL)} & self.shared
        for pool in pools:
            size = amounts.pop(f"disk:{pool}")
            demand = Demand(role="", amounts={f"disk:{pool}": size})
            asked = self._asked(block, demand, demand.amounts)
            asked.live = False  # it stands for space taken: nobody could move it
            asked.members += [f"{address}{ROOT}" for address in block.members]
        return pools

    def _asked(self, block: Block, demand: Demand, amounts: Mapping[str, int]) -> _Asked:
        key = (
            demand._replace(amounts={}, beside=(), priority=0)[2:],
            demand.role,
            frozenset(amounts.items()),
            block.project,
        )
        if key not in self.asked:
            self.asked[key] = _Asked(demand, dict(amounts), block.project)
        return self.asked[key]

    def taken(self) -> Counter[tuple[str, str]]:
        """(host, resource) -> what those take that have a host already."""
        found = Counter[tuple[str, str]]()
        for asked in self.asked.values():
            for member in asked.members:
                host = self.current.get(member)
                found.update({(host, resource): amount for resource, amount in asked.amounts.items()} if host else {})
        return found

    def request(self, asked: _Asked) -> ask.Request:
        demand = asked.demand
        role = {f"role:{demand.role}"} if demand.role else set()
        return ask.Request(
            id=f"{asked.members[0]} and its like",  # no member's name: both have reasons of their own
            members=asked.members,
            demand=asked.amounts,
            required=demand.required | role,
            forbidden=demand.forbidden,
            preferred=demand.preferred,
            zones=demand.zones,
            host=demand.host,
            pools=demand.pools,
            physical_networks=demand.physical_networks,
            hypervisor=demand.hypervisor,
            architecture=demand.architecture,
            project=asked.project,
            policy=ask.Policy(demand.policy) if demand.policy else None,
            groups=tuple(_groups(demand.spread, ask.GroupKind.SPREAD))
            + tuple(_groups(demand.together, ask.GroupKind.TOGETHER)),
            data_on=asked.data_on,
            carries=asked.carries,
            live=asked.live,
        )

    def _remember(self, name: str, address: Address, demand: Demand, kind: Kind) -> None:
        host = self._incumbent(address)
        if not host:
            return
        if demand.standby is not Standby.NONE:
            host = self._that_answers(host, address)
        there = self.hosts[host]
        changes = not kind.mobile and there.state.answers and self._changes_pool(address, demand, host)
        if changes and not {one.removeprefix(POOL) for one in demand.amounts} & there.pools.keys():
            return  # it moves to a host that has the other pool
        self.current[name] = host
        self.changed |= {name} if changes or returns(self.records.get(address), demand, host, kind) else set()
        # What cannot be moved stays, unless the spec wants it elsewhere; on a silent host, everything does. From a
        # dead one goes what leaves nothing there.
        wanted = not changes and demand.host in ("", host) and (not demand.zones or there.zone in demand.zones)
        stays = not kind.mobile and wanted and (there.state is not HostStatus.DEAD or kind.stateful)
        if there.state.may_run or stays:
            self.pinned.add(name)
        if there.state is HostStatus.GONE or (there.state is HostStatus.DOWN and not wanted):
            self.held[name] = _held(there, demand)

    def _changes_pool(self, address: Address, demand: Demand, host: str) -> bool:
        asked = {one for one in demand.amounts if one.startswith(POOL)}
        want = self.records[address].wants.get(host) if asked and address in self.records else None
        if want is None:
            return False
        return not asked <= {name for _, name, _ in self.kinds[address.kind].host_needs(want.body.fields()).amounts}

    def _that_answers(self, host: str, address: Address) -> str:
        """Of two hosts, the second is its home once the first is dead: there it has been running since."""
        second = self.hosts.get(self.records[address].leases.get(STANDBY, "")) if address in self.records else None
        dead = self.hosts[host].state is HostStatus.DEAD
        return second.name if dead and second is not None and second.state is not HostStatus.DEAD else host

    def _follow(self, asked: _Asked, address: Address, local: Sequence[Address]) -> None:
        at = {
            volume: host
            for volume in local
            if (host := self._incumbent(volume)) and not self._comes_along(volume, host, asked.demand.host)
        }
        name = str(address)
        for volume, host in at.items():
            asked.data_on[name] = host
            if not self.hosts[host].state.answers and self.current.get(name, host) == host:
                self.current[name] = host  # it waits there for its host, and nobody else waits for it
                self.pinned.add(name)
            if self.hosts[host].state is HostStatus.DEAD and name in self.pinned:
                self.held[name] = Reason(
                    "waits", f"stays on {host}, which is dead, as {volume} does: {LOCAL.format(volume)}"
                )
        if len(set(at.values())) > 1:
            self.split_volumes[address] = at

    def _incumbent(self, address: Address) -> str:
        movable = self.kinds[address.kind].moves
        return incumbent_host(self.records.get(address), self.haves.get(address, {}), self.hosts, movable=movable)

    def _comes_along(self, volume: Address, host: str, wanted: str) -> bool:
        """Where whoever uses it is wanted on another host, by name."""
        record = self.records.get(volume)
        if record is None or wanted in ("", host):
            return False
        return is_carried(self.kinds[volume.kind], record, self.hosts, wanted)

    def _is_shared(self, volume: Address) -> bool:
        demand = self.volumes.get(volume)
        return demand is None or bool({r.removeprefix(POOL) for r in demand.amounts} & self.shared)


def _held(host: Host, demand: Demand) -> Reason:
    """What the spec says is done once nobody can be running it there."""
    silent = "is not in the inventory" if host.state is HostStatus.GONE else "does not answer"
    wish = f", and not yet on {demand.host}" if demand.host not in ("", host.name) else ""
    return Reason("waits", f"stays on {host.name}, which {silent}{wish}: {telling(host)}")


def _groups(rules: Sequence[GroupRule], kind: ask.GroupKind) -> Iterator[ask.PlacementGroup]:
    """Members are counted by the name of their group, so each rule of a group has a name of its own."""
    for rule in rules:
        name = rule.name if rule.over == "hosts" else f"{rule.name} over {rule.over}"
        name = name if rule.hard else f"{name}, {kind} if possible"
        yield ask.PlacementGroup(name=name, kind=kind, over=ask.Over(rule.over), hard=rule.hard, limit=rule.limit)
