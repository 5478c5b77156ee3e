"""What stays on hosts and is managed no longer: forgotten, or taken out of the record by hand.

It goes on running, so what it stands on stays too: its network is kept on its host, the addresses that it has are
given to nobody else, and its room is not sold twice. What it needs is read from its want, which the host itself keeps;
so this ends when the thing is gone from the host, and nobody has to tell Stead.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from stead.blueprint.leases import UUID
from stead.core.address import Address, order
from stead.core.kind import Contribution, Kind, Unmanaged
from stead.core.observed import Host, Observed
from stead.core.recorded import Recorded
from stead.core.value import field, replace, value
from stead.language.desired import Desired


@value
class UnmanagedTotals:
    contributions: Sequence[Contribution] = ()
    taken: Sequence[tuple[str, str, Address]] = ()  # (space, value, who has it)
    users: Mapping[Address, Address] = field(default_factory=dict)  # what is used -> one that uses it
    amounts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)  # host -> what they take of it


def unmanaged_totals(
    desired: Desired, recorded: Recorded, observed: Observed, kinds: Mapping[str, Kind]
) -> UnmanagedTotals:
    contributions: list[Contribution] = []
    taken: list[tuple[str, str, Address]] = []
    users: dict[Address, Address] = {}
    amounts: dict[str, dict[str, int]] = {}
    for unmanaged in _found(desired, recorded, observed):
        found = kinds[unmanaged.address.kind].retained(unmanaged, desired)
        contributions += found.contributions
        taken += [(space, text, unmanaged.address) for space, text in found.taken]
        taken.append((UUID, str(unmanaged.fields.get(UUID, "")), unmanaged.address))
        for one in found.contributions:
            users.setdefault(one.to, unmanaged.address)
        here = amounts.setdefault(unmanaged.host, {})
        for resource, amount in found.amounts.items():
            here[resource] = here.get(resource, 0) + amount
    return UnmanagedTotals(contributions=contributions, taken=taken, users=users, amounts=amounts)


def _found(desired: Desired, recorded: Recorded, observed: Observed) -> Iterator[Unmanaged]:
    """As the hosts have it; on a host that is silent, as it was applied, while there is a record of that."""
    forget, records, haves = desired.forget, recorded.resources, observed.haves
    forgotten = [one for one in records if one in forget or one.block in forget] if forget else []
    for address in sorted({*(haves.keys() - records.keys()), *forgotten}, key=order):
        if address in desired.by_address:
            continue
        record = records.get(address)
        wants = {host: want for host, want in record.wants.items() if host in observed.hosts} if record else {}
        wants |= {host: have.want for host, have in haves.get(address, {}).items()}
        yield from (Unmanaged(address, host, wants[host].fields()) for host in sorted(wants))


def with_less_room(observed: Observed, left: UnmanagedTotals) -> Observed:
    """To placement, what stays is room that was never there."""
    hosts: dict[str, Host] = {}
    for name, amounts in left.amounts.items():
        host = observed.hosts.get(name)
        if host is None or not amounts:
            continue
        reserved = dict(host.reserved)
        for resource, amount in amounts.items():
            reserved[resource] = reserved.get(resource, 0) + amount
        hosts[name] = replace(host, reserved=reserved)
    return replace(observed, hosts={**observed.hosts, **hosts}) if hosts else observed
