"""What a change takes, and whom it disturbs. Kinds name the effect of each field; this module looks the names up.

Names are closed: there is no default. A name speaks for all that is below it (`labels` for `labels.os`) until a name
below it is given; from then on every field there has to be named (`pool` and `pool.name`, so `pool.path` as well). `*`
is any key of a map. `tests/architecture/test_effects.py` compares the names with the forms of wants.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from stead.core.named import NamedTuple


class Disruption(StrEnum):
    """How a step disturbs the users of the resource, mildest first."""

    NONE = "none"
    NETWORK = "network"
    MIGRATE = "migrate"
    REBOOT = "reboot"
    REBUILD = "rebuild"
    DATA_LOSS = "data-loss"

    @property
    def rank(self) -> int:
        return _RANKS[self]


_RANKS = {one: rank for rank, one in enumerate(Disruption)}


class Action(StrEnum):
    CREATE = "create"
    UPDATE = "update"
    MIGRATE = "migrate"
    REBOOT = "reboot"  # update, then restart to make it so
    REBUILD = "rebuild"  # a new root disk; address, volumes and identity stay
    REPLACE = "replace"  # destroyed and created anew
    DESTROY = "destroy"
    FORGET = "forget"  # no longer managed; nothing is touched
    ADOPT = "adopt"  # it exists, and no Stead made it: from now on it is managed; nothing but its label is touched
    REGISTER = "register"  # it exists as it should; only its entry in the host's ledger was lost and is written again
    ACCEPT = "accept"  # record what the host has as what was applied; nothing is touched


AS_IT_IS = frozenset({Action.REGISTER, Action.ACCEPT})  # these change nothing, so nothing waits for them


class Data(StrEnum):
    """Where the data of a stateful resource is."""

    NONE = "none"  # it has no data of its own
    HERE = "here"  # only on its host: on another host it would be made without its data
    SHARED = "shared"  # other hosts can reach it


class Effect(NamedTuple):
    """What it takes to change a field, and whom it disturbs."""

    action: Action
    disturbs: Disruption = Disruption.NONE
    later: bool = False  # the change alone does not cause this; it takes effect when this is done for another reason


IN_PLACE = Effect(Action.UPDATE)
REPLACED = Effect(Action.REPLACE, Disruption.DATA_LOSS)
MOVED = Effect(Action.MIGRATE, Disruption.MIGRATE)  # within its host, with its data
# Every want has a name and an identity.
NAMED: Mapping[str, Effect] = MappingProxyType({"name": IN_PLACE, "uuid": REPLACED})
# What a host finds altered of something that it made, and has no other name for (`host/observe/looking.py`).
PARTS = "parts"
# For a field without a named effect: a later version made the want, or the kind forgot the field. The worst is assumed,
# and no plan does it. It is compared by identity.
UNNAMED = Effect(Action.REPLACE, Disruption.DATA_LOSS)


def effect_named(effects: Mapping[str, Effect], path: str) -> Effect | None:
    """The effect that is named for a field; None if no name matches."""
    if (exact := effects.get(path)) is not None:
        return exact
    name, *words = path.split(".")
    for word in words:
        below = next((one for one in (f"{name}.{word}", f"{name}.*") if one in effects), None)
        if below is None:
            closed = any(one.startswith(f"{name}.") for one in effects)
            return None if closed else effects.get(name)
        name = below
    return effects.get(name)
