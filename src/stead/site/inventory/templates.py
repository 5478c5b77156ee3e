"""Values with `{{ }}` in an inventory, rendered from the host's own variables as expressions of a spec are.

Ansible renders them on its way to a host; a plan needs them before. What only Ansible knows (facts, lookups) is
refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stead.language.expressions import BoundExceeded, evaluate

DEPTH = 10  # a variable may name one that names another


class Unknown(ValueError):  # noqa: N818 - names what is so, as the message does
    pass


def render(value: Any, scope: Mapping[str, Any]) -> Any:
    for _ in range(DEPTH):
        value = _once(value, scope)
        if "{{" not in repr(value):
            return value
    raise Unknown(f"{value!r} names itself")


def _once(value: Any, scope: Mapping[str, Any]) -> Any:
    match value:
        case str() if "{{" in value:
            try:
                return evaluate(value, scope)
            except BoundExceeded as failure:
                text = f"{value!r} cannot be rendered from the inventory alone: {failure}"
                raise Unknown(text.rstrip(".")) from None
        case Mapping():
            return {key: _once(one, scope) for key, one in value.items()}
        case list():
            return [_once(one, scope) for one in value]
        case _:
            return value
