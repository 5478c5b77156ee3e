"""Who uses what is made anew, or gives way to what gets its address, lets go of it first, and gets the new one by a
change of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from stead.blueprint.model import Reason
from stead.core.address import Address
from stead.core.effect import Action
from stead.core.kind import Kind
from stead.core.recorded import Record
from stead.core.want import Body, Want
from stead.diff.model import Change

# Changes after which it still is where it was. One that leaves its host, or goes for good, lets go by that.
_STAYS = frozenset({Action.UPDATE, Action.REBOOT, Action.REBUILD})


def detach(
    changes: Iterable[Change],
    records: Mapping[Address, Record],
    kinds: Mapping[str, Kind],
    takes_over: Mapping[Address, tuple[Address, ...]],
) -> Iterator[Change]:
    changes = tuple(changes)
    gives_way = _giving_way(changes, takes_over)
    if not gives_way:
        return
    for change in changes:
        record = records.get(change.address)
        if change.action not in _STAYS or change.have is None or record is None:
            continue
        held = {address: uuid for address, uuid in gives_way.items() if {address, address.block} & set(record.after)}
        named = frozenset({*held.values(), *map(str, held)})
        left = kinds[change.address.kind].detached(change.have.fields(), named) if held else None
        if left is not None:
            fields, effect = left
            names = ", ".join(map(str, sorted(held, key=str)))
            yield change._replace(
                action=effect.action,
                disturbs=effect.disturbs,
                want=Want.of(Body.of(fields)),
                reasons=(Reason("lets-go", f"{names}: released for the new user"),),
                changes=(),
                frees=frozenset(held),
            )


def _giving_way(changes: tuple[Change, ...], takes_over: Mapping[Address, tuple[Address, ...]]) -> dict[Address, str]:
    """Address -> UUID of the one that goes, of those that a successor comes for, by whatever name."""
    gone = {change.address: change.uuid for change in changes if change.action is Action.DESTROY and change.uuid}
    made = [change.address for change in changes if change.action is Action.CREATE]
    old = [one for address in made for one in (address, *takes_over.get(address, ()))]
    return {address: gone[address] for address in old if address in gone}
