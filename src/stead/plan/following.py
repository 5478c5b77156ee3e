"""Changes that only say where others are: they come after those have moved, since until then each is where it was. And
changes that leave others: those go after them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from stead.blueprint.model import Blueprint
from stead.core.address import Address
from stead.core.effect import AS_IT_IS, Action
from stead.diff import Change

Locating = Mapping[str, Sequence[str]]  # kind -> patterns of fields that say where others are

Leaving = Mapping[str, Callable[[Mapping[str, Any], Mapping[str, Any]], Iterable[Address]]]  # kind -> `Kind.leaves`
Followers = Mapping[Address, Sequence[int]]  # address -> positions of its changes that follow those who move


def following(changes: Sequence[Change], blueprint: Blueprint, locating: Locating) -> Followers:
    """Of what nobody moves beside, none. Where something else is made on the same host that refers to it, the change
    is not put off: that may wait for it."""
    moving = [change.address for change in changes if change.action is Action.MIGRATE]
    if not moving:
        return {}
    referred = {ref for address in moving for ref in blueprint.resources[address].block.refs}
    needed = {
        (ref, change.host)
        for change in changes
        if change.action not in AS_IT_IS and change.action not in _LEAVES and change.want is not None
        for ref in blueprint.resources[change.address].block.refs
    }
    found: dict[Address, list[int]] = {}
    for position, change in enumerate(changes):
        patterns = locating.get(change.address.kind, ())
        if change.address not in referred or (change.address, change.host) in needed or change.frees:
            continue
        tells = change.changes and all(
            any(fnmatchcase(one.field, pattern) for pattern in patterns) for one in change.changes
        )
        if tells and change.action is Action.UPDATE:
            found.setdefault(change.address, []).append(position)
    return found


_LEAVES = frozenset({Action.MIGRATE, Action.DESTROY, Action.FORGET})


def left(
    changes: Sequence[Change], breaks: Mapping[Address, Mapping[str, int]], leaving: Leaving
) -> Iterator[tuple[int, int]]:
    """(later, earlier): who goes for good goes, from everywhere, after those who spoke to it have been told, or have
    gone themselves. `breaks` has what goes."""
    for position, change in enumerate(changes):
        told = leaving.get(change.address.kind)
        if not breaks or told is None or change.have is None:
            continue
        for gone in told(change.have.fields(), change.want.fields() if change.want is not None else {}):
            yield from ((broken, position) for broken in breaks.get(gone, {}).values())
