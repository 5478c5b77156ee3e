"""`{{ }}`: Jinja2 in its sandbox. Early expressions see variables, late ones all choices.

Jinja2 is imported when the first expression is met: most specs have few, and it costs a third of the start-up.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from stead.fields import Expression, Secret

if TYPE_CHECKING:
    from jinja2.sandbox import ImmutableSandboxedEnvironment

LARGEST = 1 << 20  # characters that an expression may come to; user data is bounded at 64 KiB anyway
_LONE = re.compile(r"\s*\{\{(?P<inner>(?:(?!\}\}).)*)\}\}\s*", re.DOTALL)

EARLY = frozenset({"vars", "each", "index", "project", "labels"})


class Failed(Exception):  # noqa: N818 - a mistake of the user's, not a fault
    """Why an expression has no value, in words for its author."""


def has_expression(text: str) -> bool:
    return "{{" in text or "{%" in text


@cache
def _environment() -> ImmutableSandboxedEnvironment:
    import base64
    import json

    from jinja2 import StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Environment(ImmutableSandboxedEnvironment):
        intercepted_binops = frozenset({"*", "**"})

        def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
            if operator == "**" and isinstance(right, int) and abs(right) > 1000:
                raise Failed("The power is too large.")
            for text, times in ((left, right), (right, left)):
                if isinstance(text, str | list) and isinstance(times, int) and len(text) * times > LARGEST:
                    raise Failed(f"The product has more than {LARGEST:,} parts.")
            return super().call_binop(context, operator, left, right)

    environment = Environment(undefined=StrictUndefined, keep_trailing_newline=True)
    environment.filters["to_json"] = lambda value: json.dumps(value, sort_keys=True, default=dict)
    environment.filters["b64encode"] = lambda text: base64.b64encode(str(text).encode()).decode()
    return environment


@cache
def _names(text: str) -> frozenset[str]:
    from jinja2 import TemplateSyntaxError, meta

    try:
        return frozenset(meta.find_undeclared_variables(_environment().parse(text)))
    except TemplateSyntaxError as error:
        raise Failed(f"{error.message} (line {error.lineno} of the expression).") from None


def names_used(expression: Expression | str) -> frozenset[str]:
    """The names it looks up outside itself. Raises Failed where it cannot be read at all."""
    return _names(expression if isinstance(expression, str) else expression.text)


@cache
def variables_used(text: str) -> frozenset[str] | None:
    """Which `vars` it reads. None when that cannot be said: it takes `vars` as a whole or by a computed name."""
    from jinja2 import nodes

    tree = _environment().parse(text)
    read: set[str] = set()
    plain = 0
    for node in tree.find_all((nodes.Getattr, nodes.Getitem)):
        match node:
            case nodes.Getattr(node=nodes.Name(name="vars"), attr=name):
                read.add(name)
            case nodes.Getitem(node=nodes.Name(name="vars"), arg=nodes.Const(value=name)):
                read.add(str(name))
            case _:
                continue
        plain += 1
    total = sum(1 for name in tree.find_all(nodes.Name) if name.name == "vars")
    return frozenset(read) if total == plain else None


def uses_secret(text: str, variables: Mapping[str, Any]) -> bool:
    """Whether a secret could come out. Where that cannot be said, yes."""
    secrets = {name for name, value in variables.items() if isinstance(value, Secret)}
    if not secrets or "vars" not in _names(text):
        return False
    used = variables_used(text)
    return used is None or bool(used & secrets)


def evaluate(text: str, scope: Mapping[str, Any]) -> Any:
    """A lone `{{ }}` keeps its type; anything around it makes text."""
    from jinja2 import TemplateError, UndefinedError

    try:
        names = _names(text)
        known = {name: scope[name] for name in names if name in scope}
        lone = _LONE.fullmatch(text)
        if lone is not None and "{{" not in lone["inner"]:
            value = _environment().compile_expression(lone["inner"].strip(), undefined_to_none=False)(**known)
            value = _settled(value)
        else:
            value = _environment().from_string(text).render(known)
    except UndefinedError as error:
        raise Failed(_words(error)) from None
    except TemplateError as error:
        raise Failed(_words(error)) from None
    except Failed:
        raise
    except Exception as error:  # noqa: BLE001 - whatever a user's expression provokes is the user's to mend
        raise Failed(f"{type(error).__name__}: {error}") from None
    if isinstance(value, str) and len(value) > LARGEST:
        raise Failed(f"It comes to {len(value):,} characters; at most {LARGEST:,} are possible.")
    return value


def _words(error: Exception) -> str:
    """Jinja's message without Python's words for things."""
    text = re.sub(r"'[a-zA-Z. ]*(dict|Scope|Family|Projects)[a-zA-Z. ]*' has no attribute", "There is no", str(error))
    return text.rstrip(".") + "."


def _settled(value: Any) -> Any:
    """Generators and lazy maps become plain values; an undefined one is told."""
    from jinja2 import Undefined

    if isinstance(value, Undefined):
        str(value)  # raises UndefinedError, with the name
    if isinstance(value, str | int | float | bool | Secret) or value is None:
        return value
    if isinstance(value, Mapping):
        return {key: _settled(one) for key, one in value.items()}
    if hasattr(value, "__iter__"):
        return [_settled(one) for one in value]
    raise Failed(f"It comes to a {type(value).__name__}, which is no value.")


def evaluate_late(expression: Expression, scope: Mapping[str, Any]) -> Any:
    """With all choices in scope. A Secret when it uses one."""
    if not expression.secret:
        return evaluate(expression.text, scope)
    opened = {name: scope[name] for name in names_used(expression) if name in scope}
    opened["vars"] = revealed(scope["vars"])
    return Secret(str(evaluate(expression.text, opened)))


def revealed(variables: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value.reveal() if isinstance(value, Secret) else value for name, value in variables.items()}
