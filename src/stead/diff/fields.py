"""Compares the fields of a resource, by its kind's wire module: the same code that the host uses."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping
from functools import cache, lru_cache
from typing import Any

from stead.blueprint.model import Settled
from stead.core.by_hand import GIVEN, STATE
from stead.core.effect import IN_PLACE, UNNAMED, Action, Effect
from stead.core.kind import Kind
from stead.core.named import NamedTuple
from stead.core.want import Body, Want, canonical
from stead.diff.model import FieldChange

Fields = Mapping[str, Any]
Compare = Callable[[Fields, Fields], Iterable[tuple[str, Any, Any]]]  # (want, have) -> (field, old, new)

# What it takes, mildest first: the strongest of a resource's fields decides.
_STRENGTH = {
    action: strength
    for strength, action in enumerate((Action.UPDATE, Action.MIGRATE, Action.REBOOT, Action.REBUILD, Action.REPLACE))
}

# A network wants the same of hundreds of hosts, which come one after another: what was just said is said again.
_KEPT = 16

# Made from the want as the spec has it.
ANEW = frozenset({Action.REBUILD, Action.REPLACE})

SEALED = '"$secret"'


@cache
def comparison(wire: str) -> Compare:
    """Of a kind's wire module."""
    compare: Compare = importlib.import_module(wire).compare
    return compare


class Differing(NamedTuple):
    """The fields that differ, and the strongest effect that any of them takes; those that wait for a rebuild; the names
    of those that the host changed first, and the spec since to the same; and of those whose effect nobody named.
    """

    changes: tuple[FieldChange, ...]
    effect: Effect
    later: tuple[FieldChange, ...] = ()
    agreed: tuple[str, ...] = ()
    unnamed: tuple[str, ...] = ()


def field_changes(kind: Kind, settled: Settled, want: Want, have: Want, applied: Want | None) -> Differing:
    wanted, there = _opened(want), _opened(have)
    left = {name: new for name, _, new in _differences(kind.wire_module, applied, have)} if applied is not None else {}
    changed = (
        {name for name, _, _ in _differences(kind.wire_module, want, applied)}
        if left and applied is not None
        else set()
    )
    changes: list[FieldChange] = []
    later: list[FieldChange] = []
    unnamed: list[str] = []
    strongest = IN_PLACE
    for name, old, new in _differences(kind.wire_module, want, have):
        if _is_ignored(_head(name), kind, settled):
            continue
        drift = name in left and name not in changed
        change = FieldChange(name, old, new, drift=drift, was=None if drift else left.get(name))
        effect = kind.effect(name, old, new, wanted, there)
        (later if effect.later else changes).append(change)
        unnamed += [name] if effect is UNNAMED else []
        strongest = strongest if effect.later else max(strongest, effect, key=_strength)
    if strongest.action in ANEW:  # with what waited for it
        return Differing((*changes, *later), strongest, unnamed=tuple(unnamed))
    differ = {change.field for change in (*changes, *later)}
    agreed = sorted(
        name for name in left.keys() & changed if name not in differ and not _is_ignored(_head(name), kind, settled)
    )
    return Differing(tuple(changes), strongest, tuple(later), tuple(agreed))


def _head(name: str) -> str:
    return name.partition(".")[0]


def _is_ignored(head: str, kind: Kind, settled: Settled) -> bool:
    if head in GIVEN and STATE in settled.leases:  # a person has the last word
        return False
    ignored = settled.block.settings.ignore
    return head in ignored or kind.field_map.get(head, head) in ignored


def left_alone(kind: Kind, settled: Settled, want: Want, have: Want) -> Want:
    """What a host that has it is to make of it: fields that wait for a rebuild, or are left to others, stay as they are
    there. Of those left to others with a secret, of which what is there is only the seal, the spec's are written again.
    """
    if want.digest == have.digest:
        return want
    wanted, there = dict(_opened(want)), _opened(have)
    later = _waiting(kind, want, have)
    for head in wanted.keys() | there.keys():
        ignored = _is_ignored(head, kind, settled) and SEALED not in canonical([wanted.get(head), there.get(head)])
        if ignored or head in later:
            wanted.pop(head, None)
            if head in there:
                wanted[head] = there[head]
    return want if wanted == _opened(want) else Want.of(Body.of(wanted))


def _waiting(kind: Kind, want: Want, have: Want) -> frozenset[str]:
    wanted, there = _opened(want), _opened(have)
    return frozenset(
        _head(name)
        for name, old, new in _differences(kind.wire_module, want, have)
        if kind.effect(name, old, new, wanted, there).later
    )


@lru_cache(maxsize=_KEPT)
def _differences(wire: str, want: Want, have: Want) -> tuple[tuple[str, Any, Any], ...]:
    return tuple(comparison(wire)(_opened(want), _opened(have)))


@lru_cache(maxsize=_KEPT)
def _opened(want: Want) -> Fields:
    return want.fields()


def _strength(effect: Effect) -> tuple[int, int]:
    return _STRENGTH[effect.action], effect.disturbs.rank
