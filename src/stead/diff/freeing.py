"""Who uses what is made anew lets go of it first, and gets the new one by a change of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from stead.address import Address
from stead.blueprint.model import Reason
from stead.diff.model import Change
from stead.kind import Action, Kind
from stead.recorded import Record
from stead.want import Body, Want

# Changes after which it still is where it was. One that leaves its host, or goes for good, lets go by that.
_STAYS = frozenset({Action.UPDATE, Action.REBOOT, Action.REBUILD})


def freeing(
    changes: Iterable[Change], records: Mapping[Address, Record], kinds: Mapping[str, Kind]
) -> Iterator[Change]:
    changes = tuple(changes)
    anew = _made_anew(changes)
    if not anew:
        return
    for change in changes:
        record = records.get(change.address)
        if change.action not in _STAYS or change.have is None or record is None:
            continue
        held = {address: uuid for address, uuid in anew.items() if {address, address.block} & set(record.after)}
        left = kinds[change.address.kind].release(change.have.fields(), frozenset(held.values())) if held else None
        if left is not None:
            fields, effect = left
            names = ", ".join(map(str, sorted(held, key=str)))
            yield change._replace(
                action=effect.action,
                disturbs=effect.disturbs,
                want=Want.of(Body.of(fields)),
                reasons=(Reason("lets-go", f"{names} is made anew"),),
                changes=(),
                frees=frozenset(held),
            )


def _made_anew(changes: tuple[Change, ...]) -> dict[Address, str]:
    """Address -> UUID of the one that goes, of those that a successor comes for."""
    gone = {change.address: change.uuid for change in changes if change.action is Action.DESTROY and change.uuid}
    made = (change.address for change in changes if change.action is Action.CREATE)
    return {address: gone[address] for address in made if address in gone}
