"""Made-up clusters of the kind the targets speak of: heterogeneous hosts, dozens of flavors, zones, traits, groups.

A seed gives the same problem everywhere. The load is set by the number of instances per host and the size of flavors.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace

from stead.blueprint.placement.model import (
    GroupKind,
    Over,
    PlacementGroup,
    PlacementHost,
    Policy,
    Problem,
    Request,
    numbered,
)

GIB = 1 << 30

HOST_KINDS = (  # vCPUs, memory GiB, disk GiB, traits, share of the hosts
    (64, 256, 4_000, frozenset({"ssd"}), 40),
    (96, 384, 4_000, frozenset({"ssd", "avx512"}), 25),
    (128, 512, 8_000, frozenset({"ssd", "avx512"}), 15),
    (48, 384, 2_000, frozenset({"hdd"}), 10),
    (96, 768, 12_000, frozenset({"ssd", "bigmem"}), 7),
    (64, 512, 4_000, frozenset({"ssd", "gpu"}), 3),
)
ZONES = ("a", "b", "c")
SIZES = ((1, 1), (1, 2), (2, 2), (2, 4), (2, 8), (4, 4), (4, 8), (4, 16), (8, 8), (8, 16), (8, 32), (16, 32), (16, 64))
DISKS = (10, 20, 40, 80)
MOST_APART = 20  # nobody asks for four hundred hosts for one group


def hosts(count: int, seed: int) -> list[PlacementHost]:
    rng = random.Random(seed)
    kinds = rng.choices(HOST_KINDS, weights=[kind[4] for kind in HOST_KINDS], k=count)
    return [_host(i, kind, rng) for i, kind in enumerate(kinds)]


def _host(i: int, kind: tuple[int, int, int, frozenset[str], int], rng: random.Random) -> PlacementHost:
    vcpus, memory, disk, traits, _ = kind
    capacity = {"vcpus": vcpus, "memory": memory * GIB, "disk:local": disk * GIB}
    if "gpu" in traits:
        capacity["device:gpu"] = 4
    return PlacementHost(
        name=f"compute-{i:05d}",
        zone=ZONES[i % len(ZONES)],
        traits=traits,
        capacity=capacity,
        overcommit={"vcpus": 4.0},
        reserved={"memory": 8 * GIB},
        physical_networks=frozenset({"physnet0"} | ({"physnet1"} if rng.random() < 0.7 else set())),
        pools=frozenset({"local", "nfs"}),
    )


def flavors(seed: int, count: int = 48) -> list[dict[str, int]]:
    rng = random.Random(seed + 1)
    made = []
    for _ in range(count):
        vcpus, memory = rng.choice(SIZES)
        made.append({"vcpus": vcpus * 3, "memory": memory * 3 * GIB // 2, "disk:local": rng.choice(DISKS) * GIB})
    return made


def requests(instances: int, seed: int, *, soft: bool = True) -> list[Request]:
    """Counts of one to four hundred, most of them small, until there are as many instances as asked for.

    Without `soft` nobody has preferences: those come before any policy, so a bound on the policy's goal would not bind.
    """
    return list(_requests(instances, seed, soft=soft))


def _requests(instances: int, seed: int, *, soft: bool) -> Iterator[Request]:
    rng = random.Random(seed + 2)
    sizes = flavors(seed)
    left, i = instances, 0
    while left:
        count = min(left, rng.choice((1, 1, 2, 3, 3, 5, 8, 20, 60, 150, 400)))
        request = _request(i, count, rng.choice(sizes), rng)
        yield request if soft else _without_wishes(request)
        left -= count
        i += 1


def _without_wishes(request: Request) -> Request:
    return replace(request, preferred=frozenset(), groups=tuple(group for group in request.groups if group.hard))


def _request(i: int, count: int, demand: dict[str, int], rng: random.Random) -> Request:
    name = f"project-{i % 97}/instances/app-{i:05d}"
    luck = rng.random()
    groups: tuple[PlacementGroup, ...] = ()
    if 1 < count <= MOST_APART and luck < 0.25:
        groups = (PlacementGroup(name=f"{name}/spread", kind=GroupKind.SPREAD, hard=luck < 0.15),)
    elif 2 < count <= MOST_APART and luck < 0.30:
        groups = (PlacementGroup(name=f"{name}/zones", kind=GroupKind.SPREAD, over=Over.ZONES, hard=luck < 0.28),)
    elif 1 < count < 4 and luck < 0.33:
        groups = (PlacementGroup(name=f"{name}/together", kind=GroupKind.TOGETHER),)
    gpu = count < 6 and rng.random() < 0.02
    return Request(
        id=name,
        members=numbered(name, count),
        demand={**demand, "device:gpu": 1} if gpu else demand,
        required=frozenset({"gpu"}) if gpu else frozenset(rng.choice(((), (), (), ("ssd",), ("avx512",)))),
        forbidden=frozenset({"hdd"}) if rng.random() < 0.05 else frozenset(),
        preferred=frozenset({"avx512"}) if rng.random() < 0.05 else frozenset(),
        zones=frozenset({rng.choice(ZONES)}) if rng.random() < 0.15 else frozenset(),
        physical_networks=frozenset({"physnet1"}) if rng.random() < 0.2 else frozenset({"physnet0"}),
        project=f"project-{i % 97}",
        groups=groups,
    )


def problem(
    host_count: int, instances: int, seed: int, policy: Policy = Policy.BALANCE, *, soft: bool = True
) -> Problem:
    return Problem(hosts=hosts(host_count, seed), requests=requests(instances, seed, soft=soft), policy=policy)


def small(seed: int, policy: Policy) -> Problem:
    """Ten hosts, sixty instances, no groups: what an exact solver can be asked."""
    found = problem(10, 60, seed, policy, soft=False)
    return replace(found, requests=[replace(one, groups=(), required=frozenset()) for one in found.requests])
