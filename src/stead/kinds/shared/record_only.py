"""Wants of kinds that no host has any of: their fields and what was chosen for them, for the record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from stead.core.address import Address
from stead.core.effect import IN_PLACE, NAMED, Effect
from stead.core.kind import Member, World
from stead.core.value import fields_of, is_value
from stead.core.want import Body, Want
from stead.language.desired import Block

# A comment for people is not worth a step.
_UNSEEN = frozenset({"description"})


def plain(value: Any) -> Any:
    """A model as JSON types, without what is empty or for people only."""
    match value:
        case Address():
            return str(value)
        case Mapping():
            return {name: plain(one) for name, one in value.items()}
        case tuple() | list():
            return [plain(one) for one in value]
        case _ if is_value(type(value)):
            pairs = ((name.rstrip("_"), plain(getattr(value, name))) for name in fields_of(type(value)))
            return {name: one for name, one in pairs if name not in _UNSEEN and one not in (None, [], {})}
        case _:
            return value


def effects_of(model: type[Any]) -> dict[str, Effect]:
    """Of what is only recorded: the store is told."""
    return {**NAMED, **{name.rstrip("_"): IN_PLACE for name in fields_of(model) if name not in _UNSEEN}}


def recorded_only(block: Block, members: Sequence[Member], _world: World) -> Iterator[Mapping[str, Want]]:
    body = Body.of(plain(block.model))
    for member in members:
        chosen = {key: text for key, text in member.leases.items() if key != "identity"}
        yield {"": Want.of(body, {**chosen, "name": str(member.address)})}
