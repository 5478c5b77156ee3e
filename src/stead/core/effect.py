"""What a change takes, and whom it disturbs. Which effect a field has, its kind names; here is how names are looked up.

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
    """What a step does to the people who use the resource, mildest first."""

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
    REGISTER = "register"  # it is there as it should be; its host's ledger lost it, and gets its entry again
    ACCEPT = "accept"  # what the host has is taken for what was applied; nothing is touched


AS_IT_IS = frozenset({Action.REGISTER, Action.ACCEPT})  # of what is there: nobody waits for it


class Data(StrEnum):
    """Where the data is of one whose kind is stateful."""

    NONE = "none"  # it only uses what others keep
    HERE = "here"  # on its host alone: made on another host, it is made without that
    SHARED = "shared"  # where other hosts reach it


class Effect(NamedTuple):
    """What it takes to change a field, and whom it disturbs."""

    action: Action
    disturbs: Disruption = Disruption.NONE
    later: bool = False  # not asked for by the change: it takes effect when this is done for another reason


IN_PLACE = Effect(Action.UPDATE)
REPLACED = Effect(Action.REPLACE, Disruption.DATA_LOSS)
# What every want has: what it is called, and which one it is.
NAMED: Mapping[str, Effect] = MappingProxyType({"name": IN_PLACE, "uuid": REPLACED})
# Of a field that nobody named: a later version made the want, or the kind forgot the field. What is not known is taken
# for the worst, and no plan does it: told apart by identity.
UNNAMED = Effect(Action.REPLACE, Disruption.DATA_LOSS)


def effect_named(effects: Mapping[str, Effect], path: str) -> Effect | None:
    """The effect of the name that speaks for a field. None: no name does."""
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
