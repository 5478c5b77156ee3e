"""What this version's hosts can do, as traits of hosts: so that placement and rules ask a host, and not a version.

What is made by drivers, the drivers say; a step that not every driver does is one of their features. Real and simulated
hosts get their traits here, and so the same plans are refused for both.
"""

from __future__ import annotations

from functools import cache

from stead.core.effect import Action
from stead.core.named import NamedTuple
from stead.core.observed import Host
from stead.core.value import replace
from stead.drivers import hypervisor, storage


class StepAbility(NamedTuple):
    can: bool
    text: str = ""  # where it cannot: that, and what to do instead
    rehearsed: bool = False  # simulated hosts do it all the same, and a plan for them says so


# Simulated hosts do it, whoever of real ones does.
REHEARSED = (Action.MIGRATE,)


@cache
def of_step(action: Action) -> StepAbility:
    """Whether all hosts do it, whatever they have; where not, their traits say which do."""
    if action is not Action.MIGRATE:
        return StepAbility(can=True)
    told = (hypervisor.of(name, hypervisor.MIGRATE) for name in hypervisor.by_hypervisor())
    unable = next((one for one in told if not one.can), None)
    return StepAbility(can=True) if unable is None else StepAbility(can=False, text=unable.text, rehearsed=True)


def lacks(action: Action) -> str:
    """The trait of a host that does no such step."""
    return f"without:{action}"


def rehearses(action: Action) -> str:
    """The trait of a simulated host that does what no real one does yet."""
    return f"rehearses:{action}"


def with_abilities(host: Host, *, simulated: bool = False) -> Host:
    able_to_run = hypervisor.known_of(host.hypervisors)
    found = storage.traits(host) | _of_hypervisors(able_to_run, simulated)
    return replace(host, traits=host.traits | found if host.traits else found, hypervisors=able_to_run)


@cache  # hosts are many, and alike
def _of_hypervisors(able_to_run: frozenset[str], simulated: bool) -> frozenset[str]:
    found = hypervisor.traits(able_to_run)
    rehearsed = [action for action in REHEARSED if simulated and lacks(action) in found]
    return (found - {*map(lacks, rehearsed)}) | {*map(rehearses, rehearsed)}
