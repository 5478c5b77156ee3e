"""`{{ }}`: Jinja2 in its sandbox. Early expressions see variables, late ones all choices.

It says what an expression uses and what it comes to. What may be used where is for those who know: desired and settle.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from stead.core.fields import Expression, Secret
from stead.language.expressions.bounds import KEPT, LARGEST, WHOLE, BoundExceeded
from stead.language.expressions.families import Prefixed
from stead.language.expressions.used import (
    NameUse,
    environment,
    holds_secret,
    is_one,
    names_used,
    uses,
    uses_secret,
    variables_used,
)

if TYPE_CHECKING:
    from jinja2 import Template
    from jinja2.environment import TemplateExpression

__all__ = [
    "EARLY",
    "LARGEST",
    "BoundExceeded",
    "NameUse",
    "evaluate",
    "evaluate_late",
    "has_expression",
    "holds_secret",
    "names_used",
    "new_budget",
    "revealed",
    "uses",
    "uses_secret",
    "variables_used",
]

_LONE = re.compile(r"\s*\{\{(?P<inner>(?:(?!\}\}).)*)\}\}\s*", re.DOTALL)
_HALF = re.compile("[\ud800-\udfff]")
_DEEPEST = 50  # lists in lists

EARLY = frozenset({"vars", "each", "index", "project", "labels"})
# Names that are no family of resources.
PLAIN = EARLY | {"this", "site", "projects"}


def has_expression(text: str) -> bool:
    return "{{" in text or "{%" in text


def evaluate(text: str, scope: Mapping[str, Any]) -> Any:
    """A lone `{{ }}` keeps its type; anything around it makes text."""
    from jinja2 import TemplateError

    meter = environment().meter
    before, meter.left = meter.left, type(meter)().left
    try:
        known = {name: scope[name] for name in names_used(text) if name in scope}
        made = _compiled(text)
        return meter.keep(meter.made(_settled(made(**known))) if _is_lone(text) else _joined(made, known))
    except BoundExceeded:
        raise
    except TemplateError as error:
        raise BoundExceeded(_words(error), _line(error, text)) from None
    except Exception as error:  # noqa: BLE001 - whatever a user's expression provokes is the user's to mend
        raise BoundExceeded(f"{type(error).__name__}: {error}.", _line(error, text)) from None
    finally:
        meter.left = before  # facts may be expressions themselves


def new_budget() -> None:
    """Of a plan's: its expressions share one."""
    if environment.cache_info().currsize:  # there is one already
        meter = environment().meter
        meter.whole, meter.room = WHOLE, KEPT


@cache
def _is_lone(text: str) -> bool:
    lone = _LONE.fullmatch(text)
    if lone is not None:
        return "{{" not in lone["inner"]
    return text.strip()[:2] == "{{" and is_one(text.strip())


@cache
def _compiled(text: str) -> Any:
    made: Template | TemplateExpression
    if _is_lone(text):
        inner = text.strip()[2:-2].strip("-+ \t\n\r")
        made = environment().compile_expression(inner, undefined_to_none=False)
    else:
        made = environment().from_string(text)
    return made


def _joined(made: Template, known: Mapping[str, Any]) -> str:
    size, parts = 0, []
    for part in made.generate(known):
        size += len(part)
        if size > LARGEST:
            raise BoundExceeded(f"The result is more than {LARGEST:,} characters.")
        parts.append(part)
    return _writable("".join(parts))


def _words(error: Exception) -> str:
    """Jinja's message without Python's words for things."""
    text = re.sub(
        r"'[a-zA-Z. ]*(dict|Scope|Family|Projects|Exports)[a-zA-Z. ]*' has no attribute", "There is no", str(error)
    )
    return text.rstrip(".") + "."


def _line(error: Exception, text: str) -> int:
    """Jinja writes the template's lines into the traceback, where there is a template and not one expression."""
    trace, line = error.__traceback__, 1
    while trace is not None and not _is_lone(text):
        if trace.tb_frame.f_code.co_filename == "<template>":
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def _settled(value: Any, depth: int = 0) -> Any:
    """Generators and lazy maps become plain values; an undefined one is told."""
    from jinja2 import Undefined

    if isinstance(value, Undefined):
        str(value)  # raises UndefinedError, with the name
    if isinstance(value, str):
        return _writable(value)
    if isinstance(value, float) and not math.isfinite(value):
        raise BoundExceeded(f"The result is {value}, which is not a finite number.")
    if isinstance(value, int | float | Secret) or value is None:
        return value
    if depth >= _DEEPEST:
        raise BoundExceeded("The result is lists in lists in lists, too deep.")
    if isinstance(value, Mapping):
        return {_key(key): _settled(one, depth + 1) for key, one in value.items()}
    if hasattr(value, "__iter__"):
        return [_settled(one, depth + 1) for one in value]
    if callable(value):
        raise BoundExceeded("The result is a function. Are its () missing?")
    raise BoundExceeded(f"The result is a {type(value).__name__}, which is no value.")


def _writable(text: str) -> str:
    """Half a character, which `\\ud800` makes, is no text that a file or a host could hold."""
    if not text.isascii() and _HALF.search(text):
        raise BoundExceeded("It contains a lone surrogate, which is half a character. Write the complete character.")
    return text


def _key(key: Any) -> str:
    """Of a map, as JSON has them."""
    if isinstance(key, str):
        if key.startswith("$"):
            raise BoundExceeded(f"A key of a map begins with $: {key[:40]!r}. Stead marks sealed secrets so.")
        return _writable(key)
    if isinstance(key, int | float) and not isinstance(key, bool):
        return str(key)
    raise BoundExceeded("A key of a map is something else than text.")


def evaluate_late(expression: Expression, scope: Mapping[str, Any]) -> Any:
    """With all choices in scope. A Secret when it uses one.

    In an included part, names are those of the part: its variables, and `instances.web` for `instances.blue-web`.
    """
    used = names_used(expression)
    known = {name: scope[name] for name in used if name in scope}
    if expression.variables is not None and "vars" in used:
        known["vars"] = expression.variables
    if expression.prefix:
        known |= {name: Prefixed(known[name], expression.prefix) for name in known.keys() - PLAIN}
    if not expression.secret:
        return evaluate(expression.text, known)
    known["vars"] = revealed(known.get("vars", {}))
    try:
        return Secret(str(evaluate(expression.text, known)))
    except BoundExceeded as failure:
        raise BoundExceeded(without_secrets(str(failure)), failure.line) from None


def without_secrets(text: str) -> str:
    """A message about an expression over a secret might quote it."""
    kind = text.partition(":")[0] if re.match(r"[A-Za-z]+Error:", text) else "Something in it has no value"
    return f"{kind}. Details are not shown, since the expression uses a secret."


def revealed(value: Any) -> Any:
    """A value with all secrets in it open."""
    match value:
        case Secret():
            return value.reveal()
        case Mapping():
            return {name: revealed(one) for name, one in value.items()}
        case list():
            return [revealed(one) for one in value]
        case _:
            return value
