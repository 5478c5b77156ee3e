"""What the members of a block ask to be chosen for them, and what makes one another resource than it was."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from stead.core.named import NamedTuple
from stead.core.needs import Need
from stead.core.want import canonical
from stead.language.desired import Block

NOTHING: Mapping[str, int] = MappingProxyType({})


class LeaseClaim(NamedTuple):
    """What the members of a block ask for."""

    block: Block
    needs: tuple[Need, ...]
    identity: str
    lends: bool = False


def claim(
    block: Block,
    needs: Sequence[Need],
    identity_fields: tuple[str, ...],
    measures: Mapping[str, int] = NOTHING,
    *,
    lends: bool = False,
) -> LeaseClaim:
    """A block's identity changes when a field does that makes it another resource, or its `replace_when`; and when one
    of its measures falls; not when that is left to others.
    """
    values: dict[str, str | int] = {name: repr(getattr(block.model, name)) for name in identity_fields}
    values.update(measures)
    for name in block.settings.ignore:
        values.pop(name, None)
    if block.settings.replace_when is not None:
        values["replace_when"] = repr(block.settings.replace_when)
    return LeaseClaim(block, tuple(needs), canonical(values), lends)


def same_identity(before: str, now: str) -> bool:
    return not changed_in(before, now)


def changed_in(before: str, now: str) -> tuple[str, ...]:
    """What makes it another resource. Only what both speak of is compared: a Stead that adds a field to a kind's
    identity replaces nothing by it. Texts are equal or not; numbers may grow.
    """
    if before == now:
        return ()
    try:
        first, second = json.loads(before), json.loads(now)
    except ValueError:
        return ()  # what cannot be read proves no difference, and a replacement loses data
    return tuple(name for name in sorted(first.keys() & second.keys()) if not _still(first[name], second[name]))


def _still(before: str | int, now: str | int) -> bool:
    return before <= now if isinstance(before, int) and isinstance(now, int) else before == now
