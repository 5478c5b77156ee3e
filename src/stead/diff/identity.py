"""What hosts know by another name than the store: they keep a name beside each thing, and it is its UUID that tells.

A host that was silent, left out or not asked when a resource got a new name still has the old one. That is no loss and
no stranger: it is the same resource, and the host is to be told.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from stead.blueprint.leases import UUID
from stead.core.address import Address
from stead.core.named import NamedTuple
from stead.core.observed import Have, Observed
from stead.core.recorded import Recorded
from stead.core.value import replace


class StaleName(NamedTuple):
    """The name that these hosts still have."""

    old: Address
    hosts: frozenset[str]


NOBODY: Mapping[Address, StaleName] = MappingProxyType({})


class Identities(NamedTuple):
    """Names that are not what they were."""

    renames: Mapping[Address, Address] = MappingProxyType({})  # `moved`: from -> to, for the store and the hosts
    stale_names: Mapping[Address, StaleName] = NOBODY  # recorded, and not known to all hosts


SAME = Identities()


def by_uuid(recorded: Recorded, observed: Observed) -> tuple[Observed, Mapping[Address, StaleName]]:
    """What was observed, under the names that are recorded; and which hosts have others, by the recorded ones."""
    suspects = _suspects(recorded, observed)
    if not suspects:
        return observed, NOBODY
    names = {uuid: address for address, record in recorded.resources.items() if (uuid := record.leases.get(UUID))}
    haves: dict[Address, Mapping[str, Have]] = dict(observed.haves)
    untold: dict[Address, StaleName] = {}
    for old, host, have in suspects:
        new = names.get(have.uuid)
        if new is None or new == old or new.kind != old.kind or host in haves.get(new, {}):
            continue
        haves[new] = {**haves.get(new, {}), host: have}
        haves[old] = {other: one for other, one in haves[old].items() if other != host}
        if not haves[old]:
            del haves[old]
        before = untold.get(new)
        untold[new] = StaleName(old, (before.hosts if before else frozenset()) | {host})
    return replace(observed, haves=haves), untold


def _suspects(recorded: Recorded, observed: Observed) -> list[tuple[Address, str, Have]]:
    """With a UUID that the record of their name has not."""
    found = []
    resources = recorded.resources
    for address, hosts in observed.haves.items():
        record = resources.get(address)
        uuid = record.leases.get(UUID) if record is not None else None
        for host, have in hosts.items():
            if have.uuid != uuid and have.uuid:
                found.append((address, host, have))
    return found
