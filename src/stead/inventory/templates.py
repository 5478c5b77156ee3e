"""Values with `{{ }}` in an inventory, rendered from the host's own variables, in Jinja2's sandbox.

Ansible renders them on its way to a host; a plan needs them before. What only Ansible knows (facts, lookups) is
refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jinja2 import StrictUndefined, TemplateError, Undefined
from jinja2.nativetypes import NativeEnvironment
from jinja2.sandbox import SandboxedEnvironment

DEPTH = 10  # a variable may name one that names another


class Unknown(ValueError):  # noqa: N818 - names what is so, as the message does
    pass


class _Environment(SandboxedEnvironment, NativeEnvironment):
    pass


_ENVIRONMENT = _Environment(undefined=StrictUndefined)


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
                found = _ENVIRONMENT.from_string(value).render(scope)
                if isinstance(found, Undefined):  # a template of one variable alone comes back unasked
                    str(found)
            except (TemplateError, ArithmeticError, TypeError, ValueError) as error:
                raise Unknown(f"{value!r} cannot be rendered from the inventory alone: {error}") from None
            return found
        case Mapping():
            return {key: _once(one, scope) for key, one in value.items()}
        case list():
            return [_once(one, scope) for one in value]
        case _:
            return value
