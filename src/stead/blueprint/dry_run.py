"""What would be recorded and observed had a blueprint been applied to the last step. Pure: nothing is applied.

For asking "and then?": tests of a spec, survival of failures, the laws of the design.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from stead.blueprint.leases import UUID
from stead.blueprint.model import Blueprint
from stead.core.address import Address
from stead.core.observed import Have, Host, HostStatus, Observed
from stead.core.recorded import Record, Recorded
from stead.core.value import replace


def applied(blueprint: Blueprint, recorded: Recorded, observed: Observed) -> tuple[Recorded, Observed]:
    records: dict[Address, Record] = {}
    haves: dict[Address, Mapping[str, Have]] = {}
    for address, settled in blueprint.resources.items():
        block = settled.block
        records[address] = Record(
            address=address,
            leases=settled.leases,
            host=settled.host,
            wants=settled.wants,
            after=(*block.refs, *block.settings.depends_on),
            protect=block.settings.protect,
            reason=f"{settled.placed.code}: {settled.placed.text}",
        )
        there = {host: Have(want, want.digest, settled.leases[UUID]) for host, want in settled.wants.items() if host}
        if there:
            haves[address] = there
    return (
        replace(recorded, serial=recorded.serial + 1, resources=records, in_flight=(), outputs=blueprint.outputs),
        replace(observed, haves=haves),
    )


def with_hosts(observed: Observed, state: HostStatus, *names: str) -> Observed:
    """The same site with some hosts in another state. What a silent host has is not known."""
    hosts: dict[str, Host] = dict(observed.hosts)
    for name in names:
        hosts[name] = replace(hosts[name], state=state)
    haves = _haves_but_of(names, observed) if state is HostStatus.DOWN else observed.haves
    return replace(observed, hosts=hosts, haves=haves)


def without_hosts(observed: Observed, names: Collection[str]) -> Observed:
    """The same site as if the inventory no longer had these."""
    hosts = {name: host for name, host in observed.hosts.items() if name not in names}
    return replace(observed, hosts=hosts, haves=_haves_but_of(names, observed))


def _haves_but_of(names: Collection[str], observed: Observed) -> Mapping[Address, Mapping[str, Have]]:
    return {
        address: kept
        for address, there in observed.haves.items()
        if (kept := {host: have for host, have in there.items() if host not in names})
    }
