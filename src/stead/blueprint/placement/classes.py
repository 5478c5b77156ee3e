"""Hosts that no filter can tell apart form a class; what a wish rules out is found once, and then for whole classes.

Decides which classes a request may go to by the words of `filters.broken`, asked for one wish at a time and
remembered: a thousand requests have a few dozen wishes between them. Must not look at a host's name or labels, which
classes do not share.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter

from stead.blueprint.placement.filters import broken
from stead.blueprint.placement.model import HostState, PlacementHost, Request
from stead.core.value import replace

STAGES_OF = {
    "required": ("trait",),
    "forbidden": ("feature", "forbidden"),
    "zones": ("zone",),
    "pools": ("pool",),
    "physical_networks": ("network",),
    "hypervisor": ("hypervisor",),
    "architecture": ("architecture",),
    "project": ("project",),
}
ASKS_NOTHING = Request(id="", members=(), demand={})


class Classes:
    """`members` of each class, in the order of their names, and the class of each host."""

    def __init__(self, hosts: Sequence[PlacementHost]) -> None:
        self.members: list[list[int]] = []
        self.of: list[int] = []
        numbers: dict[tuple[object, ...], int] = {}
        for h, host in enumerate(hosts):
            number = numbers.setdefault(_key(host), len(self.members))
            if number == len(self.members):
                self.members.append([])
            self.members[number].append(h)
            self.of.append(number)
        self._hosts = [hosts[members[0]] for members in self.members]
        self._fields = [name for name in STAGES_OF if name != "project" or any(host.projects for host in self._hosts)]
        self._wishes = attrgetter(*self._fields)
        self._refusing: dict[tuple[str, object], frozenset[int]] = {}
        self._down = frozenset(c for c, host in enumerate(self._hosts) if host.state is not HostState.UP)

    def wishes(self, request: Request) -> tuple[object, ...]:
        """All of a request that rules out classes here."""
        found: tuple[object, ...] = self._wishes(request)
        return found

    def open_to(self, request: Request) -> list[int]:
        refused = set(self._down)
        for name in self._fields:
            wish = getattr(request, name)
            if wish or name == "project":
                refused |= self._refuse(name, wish)
        return [c for c in range(len(self.members)) if c not in refused]

    def _refuse(self, name: str, wish: object) -> frozenset[int]:
        found = self._refusing.get((name, wish))
        if found is None:
            alone = replace(ASKS_NOTHING, **{name: wish})
            stages = STAGES_OF[name]
            found = frozenset(
                c for c, host in enumerate(self._hosts) if any(one.stage in stages for one in broken(host, alone, {}))
            )
            self._refusing[name, wish] = found
        return found


def _key(host: PlacementHost) -> tuple[object, ...]:
    reach = (host.physical_networks, host.pools, host.hypervisors, host.architecture)
    return (host.zone, host.traits, *reach, host.projects, host.state is HostState.UP)
