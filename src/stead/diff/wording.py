"""Says what changed in the user's words: which field, of whom, and why. Every view shows what is said here.

A kind says its words by patterns (`Kind.words`). A key that is a MAC, a UUID or an address is told by the name of the
resource that has it: what is chosen for a resource is its own, so the engine knows whose it is.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

from stead.blueprint.claims import changed_in
from stead.blueprint.leases import IDENTITY
from stead.blueprint.model import Blueprint, Reason
from stead.core.address import Address, parse
from stead.core.kind import Kind
from stead.core.needs import STANDBY
from stead.core.recorded import Recorded
from stead.diff.model import Change, FieldChange

UNNAMED_FIELD = "unnamed-field"  # the code of a reason


class Holders:
    """Whose a value is, of what was recorded and, with a blueprint, of what was chosen. Looked up only where a field is
    keyed by one.
    """

    def __init__(self, recorded: Recorded, blueprint: Blueprint | None = None) -> None:
        self._sides = (recorded.resources, blueprint.resources if blueprint is not None else {})

    @cached_property
    def _of(self) -> dict[str, Address]:
        return {
            value: address
            for side in self._sides
            for address, one in side.items()
            for key, value in one.leases.items()
            if key not in (IDENTITY, STANDBY)  # a host is not somebody's
        }

    def name(self, key: str, own: Address) -> str:
        """As the owner of the field would call it."""
        address = parse(key) or (self._of.get(key) if ":" in key or "-" in key else None)
        if address is None:
            return key
        if address == own:
            return "itself"
        short = f"{address.name}[{address.key}]" if address.key is not None else address.name
        return short if address.project == own.project else str(address)


def worded(changes: Iterable[Change], kinds: Mapping[str, Kind], holders: Holders) -> list[Change]:
    return [_worded(one, kinds[one.address.kind].words, holders) if one.changes else one for one in changes]


def _worded(change: Change, words: Mapping[str, str], holders: Holders) -> Change:
    told = [one._replace(words=said(one.field, words, holders, change.address)) for one in change.changes]
    fields = tuple(sorted(told, key=lambda one: (one.field.partition(".")[0], one.words)))  # a MAC's order says nothing
    reasons: list[Reason] = []
    for reason in change.reasons:
        reasons += why(fields) if reason.code in ("changed", "drift") else (reason,)
    return change._replace(changes=fields, reasons=tuple(dict.fromkeys(reasons)))


def said(path: str, words: Mapping[str, str], holders: Holders, own: Address) -> str:
    """The longest pattern that the path begins with, and what is left of it. `*` is any one key."""
    keys = path.split(".")
    for size in range(len(keys), 0, -1):
        for pattern, phrase in words.items():
            parts = pattern.split(".")
            if len(parts) == size and all(part in ("*", key) for part, key in zip(parts, keys, strict=False)):
                named = [holders.name(key, own) for part, key in zip(parts, keys, strict=False) if part == "*"]
                told = phrase.format(*named)
                if not keys[size:]:
                    return told
                rest = said(".".join(keys[size:]), {}, holders, own)
                return f"{rest} of {told}" if " " in phrase else f"{told}.{rest}"
    return ".".join("UUID" if key == "uuid" else holders.name(key, own).replace("_uuid", " UUID") for key in keys)


def why(changes: tuple[FieldChange, ...]) -> tuple[Reason, ...]:
    """What the hosts changed and what the spec changed are two reasons."""
    drifted = sorted({one.name for one in changes if one.drift})
    changed = sorted({one.name for one in changes if not one.drift})
    found = [Reason("drift", f"{', '.join(drifted)} changed on the host, not in the spec")] if drifted else []
    return (*found, *([Reason("changed", f"{', '.join(changed)} changed in the spec")] if changed else []))


def unknown(fields: tuple[str, ...]) -> tuple[Reason, ...]:
    """Why a plan with this is refused: nobody says what changing these fields takes."""
    return (Reason(UNNAMED_FIELD, f"what changing {', '.join(fields)} takes is not known"),) if fields else ()


def identity_changes(before: str, now: str) -> tuple[FieldChange, ...]:
    """What makes it another resource, from what to what."""
    names = changed_in(before, now)
    if not names:
        return ()
    old, new = json.loads(before), json.loads(now)
    return tuple(FieldChange(name, _plain(old[name]), _plain(new[name])) for name in names)


def _plain(value: Any) -> Any:
    """Identity keeps values as Python writes them: of a text, only that is shown."""
    return value[1:-1] if isinstance(value, str) and value[:1] == value[-1:] == "'" else value
