"""Compares the fields of a resource, by its kind's wire module: the same code that the host uses."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping
from functools import cache, lru_cache
from typing import Any

from stead.blueprint.model import Settled
from stead.kind import IN_PLACE, Action, Effect, Kind
from stead.plan.model import FieldChange
from stead.want import Body, Want, canonical

Fields = Mapping[str, Any]
Compare = Callable[[Fields, Fields], Iterable[tuple[str, Any, Any]]]  # (want, have) -> (field, old, new)

# What it takes, mildest first: the strongest of a resource's fields decides.
_STRENGTH = {
    action: strength
    for strength, action in enumerate((Action.UPDATE, Action.MIGRATE, Action.REBOOT, Action.REBUILD, Action.REPLACE))
}

# A network wants the same of hundreds of hosts, which come one after another: what was just said is said again.
_KEPT = 16

SEALED = '"$secret"'


@cache
def comparison(kind: str) -> Compare:
    module = importlib.import_module(f"ansible_collections.stead.cloud.plugins.module_utils.wire.{kind}")
    compare: Compare = module.compare
    return compare


def field_changes(
    kind: Kind, settled: Settled, want: Want, have: Want, applied: Want | None
) -> tuple[tuple[FieldChange, ...], Effect]:
    """The fields that differ, and the strongest effect that any of them takes."""
    wanted, there = _opened(want), _opened(have)
    drifted = _drifted(kind, want, have, applied) if applied is not None else frozenset()
    changes: list[FieldChange] = []
    strongest = IN_PLACE
    for name, old, new in _differences(kind.name, want, have):
        if _is_ignored(name.partition(".")[0], kind, settled):
            continue
        changes.append(FieldChange(name, old, new, drift=name in drifted))
        strongest = max(strongest, kind.effect(name, old, new, wanted, there), key=_strength)
    return tuple(changes), strongest


def _is_ignored(head: str, kind: Kind, settled: Settled) -> bool:
    ignored = settled.block.settings.ignore
    return head in ignored or kind.places.get(head, head) in ignored


def left_alone(kind: Kind, settled: Settled, want: Want, have: Want) -> Want:
    """What a host that has it is to make of it: fields that are left to others stay as they are there. Of those with a
    secret, of which what is there is only the seal, the spec's are written again.
    """
    if not settled.block.settings.ignore:
        return want
    wanted, there = dict(_opened(want)), _opened(have)
    for head in wanted.keys() | there.keys():
        if _is_ignored(head, kind, settled) and SEALED not in canonical([wanted.get(head), there.get(head)]):
            wanted.pop(head, None)
            if head in there:
                wanted[head] = there[head]
    return want if wanted == _opened(want) else Want.of(Body.of(wanted))


def _drifted(kind: Kind, want: Want, have: Want, applied: Want) -> frozenset[str]:
    """What the host no longer has as it was applied, and the spec has not changed since."""
    changed = {name for name, _, _ in _differences(kind.name, want, applied)}
    return frozenset(name for name, _, _ in _differences(kind.name, applied, have)) - changed


@lru_cache(maxsize=_KEPT)
def _differences(kind: str, want: Want, have: Want) -> tuple[tuple[str, Any, Any], ...]:
    return tuple(comparison(kind)(_opened(want), _opened(have)))


@lru_cache(maxsize=_KEPT)
def _opened(want: Want) -> Fields:
    return want.fields()


def _strength(effect: Effect) -> tuple[int, int]:
    return _STRENGTH[effect.action], effect.disturbs.rank
