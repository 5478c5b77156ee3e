"""What hosts have under an address and this store never recorded: it is not this store's to destroy, nor to change.

One that carries another UUID is ours only where it is proven to be the predecessor of what is recorded: a UUID is
derived from the site, the address and the UUID before it, which nobody else's is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from stead.blueprint.leases import UUID, derived
from stead.core.address import Address
from stead.core.effect import Action
from stead.core.observed import Have
from stead.core.recorded import Record
from stead.diff.model import Change, Note

# How often a derived UUID may have been somebody's already. It never was; it is tried so that a proof is complete.
TRIES = 4
_TAKES_AWAY = frozenset({Action.DESTROY, Action.REBUILD})


def sift(
    haves: Mapping[str, Have], record: Record | None, now: str, site: str, names: Iterable[Address]
) -> tuple[Mapping[str, Have], Mapping[str, str]]:
    """What is ours, by host; and the UUIDs of what is not. `now` is its UUID, `names` what it is and was called."""
    known = {"", now, record.leases.get(UUID, "") if record is not None else ""}
    if all(have.uuid in known for have in haves.values()):
        return haves, {}
    mine, strange = dict[str, Have](), dict[str, str]()
    for host, have in haves.items():
        ours = have.uuid in known or (
            record is not None and any(_succeeds(site, name, have.uuid, now) for name in names)
        )
        if ours:
            mine[host] = have
        else:
            strange[host] = have.uuid
    return mine, strange


def _succeeds(site: str, address: Address, previous: str, uuid: str) -> bool:
    for _try in range(TRIES):
        previous = derived(site, address, previous)
        if previous == uuid:
            return True
    return False


def spared(
    changes: Iterable[Change], address: Address, record: Record | None, strange: Mapping[str, str], notes: list[Note]
) -> Iterator[Change]:
    """The changes less those that would touch what was never recorded; what is left alone is told."""
    for host, uuid in sorted(strange.items()):
        text = (
            f"{host} has another {address} (UUID {uuid}), which this store never recorded. It is left "
            f"alone, and nothing is done for {address} there. If it is this site's, `stead recover "
            "--merge` records it; otherwise remove it there by hand, or rename the one in the spec."
        )
        notes.append(Note("foreign", text, str(address), host))
    changes = list(changes)
    taken = {one.host for one in changes if record is None and one.action in _TAKES_AWAY}
    for host in sorted(taken):
        text = (
            f"{host} has {address}, which this store never recorded and which differs from the spec. It is "
            "left alone: `stead recover --merge` records it, and the next plan changes it."
        )
        notes.append(Note("unrecorded", text, str(address), host))
    return (one for one in changes if not taken.union(strange).intersection((one.host, one.to)))
