"""What this version's hosts can do, as traits of hosts: so that placement and rules ask a host, and not a version.

What is made by drivers, the drivers say. Of the steps of a plan it is said here. Real and simulated hosts get their
traits here, and so the same plans are refused for both.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from stead.core.kind import Action
from stead.core.named import NamedTuple
from stead.core.observed import Host
from stead.core.value import replace
from stead.drivers import hypervisor, storage


class StepAbility(NamedTuple):
    can: bool
    text: str = ""  # where it cannot: that, and what to do instead
    rehearsed: bool = False  # simulated hosts do it all the same, and a plan for them says so


STEPS: Mapping[Action, StepAbility] = dict.fromkeys(Action, StepAbility(can=True)) | {
    Action.MIGRATE: StepAbility(
        can=False,
        text="This version moves no running instance to another host. Write `host:` with the host where it is, or make "
        "it anew on the other one with `--replace`: what is on volumes in served pools stays.",
        rehearsed=True,
    ),
}


def lacks(action: Action) -> str:
    """The trait of a host that does no such step."""
    return f"without:{action}"


def rehearses(action: Action) -> str:
    """The trait of a simulated host that does what no real one does yet."""
    return f"rehearses:{action}"


def with_abilities(host: Host, *, simulated: bool = False) -> Host:
    able_to_run = hypervisor.known_of(host.hypervisors)
    found = _steps(simulated) | storage.traits(host) | hypervisor.traits(able_to_run)
    return replace(host, traits=host.traits | found if host.traits else found, hypervisors=able_to_run)


@cache  # hosts are many, and alike
def _steps(simulated: bool) -> frozenset[str]:
    unable = {action for action, one in STEPS.items() if not one.can}
    rehearsed = {action for action in unable if STEPS[action].rehearsed and simulated}
    return frozenset({*map(lacks, unable - rehearsed), *map(rehearses, rehearsed)})
