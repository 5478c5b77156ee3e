"""What this version's hosts can do, as traits of hosts: so that placement and rules ask a host, and not a version.

What is made by drivers, the drivers say. Real and simulated hosts get their traits here, and so the same plans are
refused for both.
"""

from __future__ import annotations

from stead.core.observed import Host
from stead.core.value import replace
from stead.drivers import hypervisor, network, storage
from stead.drivers import object as objects


def with_abilities(host: Host) -> Host:
    able_to_run = hypervisor.known_of(host.hypervisors)
    found = storage.traits(host) | network.traits(host) | objects.traits(host) | hypervisor.traits(able_to_run)
    return replace(host, traits=host.traits | found if host.traits else found, hypervisors=able_to_run)
