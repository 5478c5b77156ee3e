"""Fields that a client gives a user or a project and that Identity does not know: they are kept as given, and told."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from stead.serve.faults import bad

MOST, LONGEST = 20, 255  # of one record
_ANSWERED = frozenset({"id", "links", "options", "extra", "is_domain", "password", "password_expires_at", "tags"})


def extra_of(said: Mapping[str, Any], known: Collection[str], before: Mapping[str, Any]) -> dict[str, Any]:
    """None takes a field away."""
    new = {name: one for name, one in said.items() if name not in known and name not in _ANSWERED}
    found = {name: one for name, one in {**before, **new}.items() if one is not None}
    if len(found) > MOST or any(len(name) > LONGEST or not _is_short(one) for name, one in found.items()):
        raise bad(f"There are {MOST} other fields at most: texts of {LONGEST} characters, numbers, and yes or no.")
    return found


def _is_short(said: Any) -> bool:
    return isinstance(said, bool | int | float) or (isinstance(said, str) and len(said) <= LONGEST)
