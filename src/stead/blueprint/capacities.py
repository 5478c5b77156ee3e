"""Hosts in placement's words: what each has room for.

Decides where the room of a pool is that no host keeps. What is placed is `demands`' to say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from stead.blueprint.placement import model as ask
from stead.core.observed import Host, HostStatus

Taken = Mapping[tuple[str, str], int]  # (host, resource) -> what those take that have a host already
# Networks and routers cost a host next to nothing; the number only makes placement spread them.
SERVICES_PER_HOST = 1000
_STATES = {
    HostStatus.UP: ask.HostState.UP,
    HostStatus.MAINTENANCE: ask.HostState.MAINTENANCE,
    HostStatus.DOWN: ask.HostState.DOWN,  # unreachable is not dead: what sits there is pinned
    HostStatus.GONE: ask.HostState.DOWN,
    HostStatus.DEAD: ask.HostState.DOWN,  # what sat there is started elsewhere
}


def placement_hosts(
    hosts: Mapping[str, Host], shared: frozenset[str], taken: Callable[[], Taken]
) -> tuple[ask.PlacementHost, ...]:
    """`taken` is asked only where there are pools that no host keeps."""
    clusters = any(pool.cluster for host in hosts.values() for pool in host.pools.values())
    cluster = dict(_cluster_room(hosts, taken())) if clusters else {}
    return tuple(_host(host, shared, cluster) for host in hosts.values())


def _cluster_room(hosts: Mapping[str, Host], taken: Taken) -> Iterator[tuple[tuple[str, str], int]]:
    """There is all of such a pool once. What has been made stays with the host that made it, and the first host that
    answers has the rest."""
    having: dict[str, list[Host]] = {}
    for host in sorted(hosts.values(), key=lambda host: (not host.state.answers, host.name)):
        for pool in host.pools.values():
            if pool.cluster:
                having.setdefault(pool.name, []).append(host)
    for name, (first, *others) in having.items():
        resource = f"disk:{name}"
        elsewhere = {host.name: taken.get((host.name, resource), 0) for host in others}
        yield from (((host, resource), amount) for host, amount in elsewhere.items())
        yield (first.name, resource), max(0, first.pools[name].size - sum(elsewhere.values()))


def _host(host: Host, shared: frozenset[str], cluster: Taken) -> ask.PlacementHost:
    capacity = {"services": SERVICES_PER_HOST, **host.devices}
    if "compute" in host.roles:
        capacity |= {"vcpus": host.vcpus, "memory": host.memory}
    for pool in host.pools.values():
        resource = f"disk:{pool.name}"
        capacity[resource] = cluster.get((host.name, resource), pool.size)
    return ask.PlacementHost(
        name=host.name,
        capacity=capacity,
        overcommit=host.overcommit,
        reserved=host.reserved,
        zone=host.zone,
        traits=host.traits | {f"role:{role}" for role in host.roles},
        physical_networks=frozenset(host.physical_networks),
        pools=(host.reaches or shared) | frozenset(host.pools),
        hypervisors=host.hypervisors,
        architecture=host.architecture,
        projects=host.projects,
        labels=host.labels,
        state=_STATES[host.state],
    )
