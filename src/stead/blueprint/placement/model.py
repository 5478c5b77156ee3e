"""The values placement speaks in: hosts, requests, groups, a problem, and what came of it.

Decides how a question and an answer are written down, nothing else. It must not read a file, a clock or a store, and
it must not import numpy: `stead plan` of two instances pays for every import here.

Resources are strings (`vcpus`, `memory` in bytes, `disk:POOL` in bytes, `iops:POOL`, `bandwidth:PHYSNET`,
`hugepages:2MiB`, `device:TRAIT`), so a site can count what we have not thought of. Amounts are integers below 2**53:
up to there a division of doubles gives the same bits in plain Python and in numpy, which is what lets small problems
skip numpy and still get the same answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum

from stead.core.named import NamedTuple
from stead.core.value import field, value


class HostState(StrEnum):
    UP = "up"
    MAINTENANCE = "maintenance"  # answers, keeps what it has, takes nothing new
    LEAVING = "leaving"  # answers, takes nothing new, what sits there is live-migrated away
    DOWN = "down"  # stopped: what sat there is started elsewhere, unless it is pinned since nobody can prove that


class Policy(StrEnum):
    BALANCE = "balance"  # lowest resulting relative use of the scarcest resource
    PACK = "pack"  # fewest hosts
    SPREAD = "spread"  # most headroom left, the textbook's worst fit
    NOVA = "nova"  # free vCPUs, memory and disk, each scaled to the candidates, added up


class GroupKind(StrEnum):
    SPREAD = "spread"
    TOGETHER = "together"


class Over(StrEnum):
    HOSTS = "hosts"
    ZONES = "zones"


@value
class PlacementHost:
    """A machine that can hold members. Usable = (capacity - reserved) x overcommit, so pass either raw or applied."""

    name: str
    capacity: Mapping[str, int]
    overcommit: Mapping[str, float] = field(
        default_factory=dict
    )  # resource -> ratio, 1.0 when absent; exact to a thousandth
    reserved: Mapping[str, int] = field(default_factory=dict)
    zone: str = ""
    traits: frozenset[str] = frozenset()
    physical_networks: frozenset[str] = frozenset()
    pools: frozenset[str] = frozenset()
    hypervisors: frozenset[str] = frozenset({"kvm"})
    architecture: str = "x86_64"
    projects: frozenset[str] = frozenset()  # isolated to these; empty takes everyone
    state: HostState = HostState.UP
    labels: Mapping[str, str] = field(default_factory=dict)

    def usable(self, resource: str) -> int:
        """What may be handed out. A ratio counts to a thousandth: an integer product has no rounding to argue about."""
        physical = self.capacity.get(resource, 0) - self.reserved.get(resource, 0)
        ratio = self.overcommit.get(resource)
        return max(0, physical if ratio is None else physical * round(ratio * 1000) // 1000)


@value
class PlacementGroup:
    """A wish about members relative to each other. Requests that share a name share the group, and say the same of it.

    `limit` is the most of a spread group in one host or zone. None means one per host and, over zones, as even as the
    number of zones allows. Soft groups come before the policy's score, hard groups filter.
    """

    name: str
    kind: GroupKind
    over: Over = Over.HOSTS
    hard: bool = True
    limit: int | None = None


@value
class Request:
    """Identical members: one flavor under one set of constraints. An empty set or string asks for nothing."""

    id: str
    members: Sequence[str]
    demand: Mapping[str, int]  # of one member, its local volumes included
    required: frozenset[str] = frozenset()
    forbidden: frozenset[str] = frozenset()
    preferred: frozenset[str] = frozenset()
    zones: frozenset[str] = frozenset()  # any of these
    host: str = ""
    pools: frozenset[str] = frozenset()  # all of these must be reached
    physical_networks: frozenset[str] = frozenset()  # all of these must be reached
    hypervisor: str = ""
    architecture: str = ""
    project: str = ""
    policy: Policy | None = None
    groups: tuple[PlacementGroup, ...] = ()
    data_on: Mapping[str, str] = field(default_factory=dict)  # member -> host that has its local data already
    carries: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # member -> volumes that land where it lands
    live: bool = True  # a move can be a live migration


def numbered(name: str, count: int) -> tuple[str, ...]:
    """`web`, 3 -> web[0], web[1], web[2]: the ids that `count` gives."""
    return tuple([f"{name}[{i}]" for i in range(count)])


# A site's own filter says why a host cannot take a request (None: it can); a scorer gives points, more is better, a
# thousand outweigh the difference between an empty and a full host. Both must depend on their arguments alone.
SiteFilter = Callable[[PlacementHost, Request], str | None]
SiteScorer = Callable[[PlacementHost, Request], int]


@value
class Problem:
    """Everything placement may know. The order of hosts, requests and members does not matter."""

    hosts: Sequence[PlacementHost]
    requests: Sequence[Request]
    current: Mapping[str, str] = field(
        default_factory=dict
    )  # member -> host it sits on now; it stays unless it must not
    pinned: frozenset[str] = frozenset()  # stays whatever its host has become
    changed: frozenset[str] = frozenset()  # its request is not what it was: these leave first when a host is too full
    policy: Policy = Policy.BALANCE
    project_policies: Mapping[str, Policy] = field(default_factory=dict)
    filters: Mapping[str, SiteFilter] = field(default_factory=dict)
    scorers: Mapping[str, SiteScorer] = field(default_factory=dict)


class PlacementReason(NamedTuple):
    """Why a member is where it is. `score` is the policy's, lower is better, a million is a full host."""

    code: str
    text: str
    score: int


class Move(NamedTuple):
    """A member that leaves a host. `code` is why it must; a forced move is live where that is possible."""

    member: str
    source: str
    target: str
    code: str
    text: str
    live: bool


class Unplaced(NamedTuple):
    """Members of one request that no host takes. `proven`: no arrangement of what may move would take them all."""

    request: str
    members: tuple[str, ...]
    code: str
    text: str
    proven: bool


class Overfull(NamedTuple):
    """A host that holds more than it may hand out. What sits there unchanged stays, nothing is added."""

    host: str
    resource: str
    by: int


@value
class Placement:
    """`reasons` is keyed by request for what was placed or kept alike, and by member for what was moved."""

    assignment: Mapping[str, str]
    reasons: Mapping[str, PlacementReason]
    moves: tuple[Move, ...] = ()
    unplaced: tuple[Unplaced, ...] = ()
    overfull: tuple[Overfull, ...] = ()
