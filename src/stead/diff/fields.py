"""Compares the fields of a resource, by its kind's wire module: the same code that the host uses."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any

from stead.blueprint.model import Settled
from stead.kind import IN_PLACE, Action, Effect, Kind
from stead.plan.model import FieldChange
from stead.want import Want

Fields = Mapping[str, Any]
Compare = Callable[[Fields, Fields], Iterable[tuple[str, Any, Any]]]  # (want, have) -> (field, old, new)

# What it takes, mildest first: the strongest of a resource's fields decides.
_STRENGTH = {
    action: strength
    for strength, action in enumerate((Action.UPDATE, Action.MIGRATE, Action.REBOOT, Action.REBUILD, Action.REPLACE))
}


@cache
def comparison(kind: str) -> Compare:
    module = importlib.import_module(f"ansible_collections.stead.cloud.plugins.module_utils.wire.{kind}")
    compare: Compare = module.compare
    return compare


def field_changes(
    kind: Kind, settled: Settled, want: Want, have: Want, applied: Want | None
) -> tuple[tuple[FieldChange, ...], Effect]:
    """The fields that differ, and the strongest effect that any of them takes."""
    ignored = settled.block.settings.ignore
    wanted, there = want.fields(), have.fields()
    drifted = _drifted(kind, wanted, there, applied.fields()) if applied is not None else frozenset()
    changes: list[FieldChange] = []
    strongest = IN_PLACE
    for name, old, new in comparison(kind.name)(wanted, there):
        head = name.partition(".")[0]
        if head in ignored or kind.places.get(head, head) in ignored:
            continue
        changes.append(FieldChange(name, old, new, drift=name in drifted))
        strongest = max(strongest, kind.effect(name, old, new, wanted, there), key=_strength)
    return tuple(changes), strongest


def _drifted(kind: Kind, wanted: Fields, there: Fields, applied: Fields) -> frozenset[str]:
    """What the host no longer has as it was applied, and the spec has not changed since."""
    compare_fields = comparison(kind.name)
    changed = {name for name, _, _ in compare_fields(wanted, applied)}
    return frozenset(name for name, _, _ in compare_fields(applied, there)) - changed


def _strength(effect: Effect) -> tuple[int, int]:
    return _STRENGTH[effect.action], effect.disturbs.rank
