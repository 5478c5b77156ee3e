"""What an expression uses: which names it looks up, and whether a secret could come out of them.

It reads expressions and evaluates none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from stead.core.fields import Expression, Secret
from stead.core.named import NamedTuple
from stead.language.expressions.bounds import BoundExceeded

if TYPE_CHECKING:
    from stead.language.expressions.sandbox import Environment


class NameUse(NamedTuple):
    """A name that is looked up, with the words after it that are known: `instances.web[0].address`."""

    name: str
    words: tuple[str, ...]
    line: int  # within the expression, from 1


@cache
def environment() -> Environment:
    from stead.language.expressions.sandbox import Environment

    return Environment()


@cache
def parsed(text: str) -> Any:
    """Raises Failed where it cannot be read."""
    from jinja2 import TemplateSyntaxError

    try:
        return environment().parse(text)
    except TemplateSyntaxError as error:
        raise BoundExceeded(f"It cannot be read: {error.message}.", error.lineno) from None
    except BoundExceeded:
        raise
    except Exception as error:  # noqa: BLE001 - a thousand brackets end in RecursionError, and more of the kind
        raise BoundExceeded(f"It cannot be read: {type(error).__name__}.") from None


def is_one(text: str) -> bool:
    """Whether an expression is all there is: `}}` may end maps in it."""
    from jinja2 import nodes

    match parsed(text).body:
        case [nodes.Output(nodes=[nodes.Expr() as only])]:
            return not isinstance(only, nodes.TemplateData)
        case _:
            return False


@cache
def _names(text: str) -> frozenset[str]:
    from jinja2 import meta

    try:
        return frozenset(meta.find_undeclared_variables(parsed(text)) - environment().globals.keys())
    except BoundExceeded:
        raise
    except Exception as error:  # noqa: BLE001 - the same
        raise BoundExceeded(f"It cannot be read: {error}.") from None


def names_used(expression: Expression | str) -> frozenset[str]:
    """The names it looks up outside itself. Raises Failed where it cannot be read at all."""
    return _names(expression if isinstance(expression, str) else expression.text)


@cache
def uses(text: str) -> tuple[NameUse, ...]:
    """Every place where an outside name is looked up."""
    outside = _names(text)
    return tuple(use for use in _uses(parsed(text)) if use.name in outside)


def _uses(tree: Any) -> Iterator[NameUse]:
    from jinja2 import nodes

    inner: set[int] = set()
    for node in tree.find_all((nodes.Getattr, nodes.Getitem, nodes.Name)):  # what is outside comes before what is in it
        if id(node) in inner:
            continue
        words: list[str] = []
        below = node
        while isinstance(below, nodes.Getattr | nodes.Getitem):
            if isinstance(below, nodes.Getattr):
                words.insert(0, below.attr)
            elif isinstance(below.arg, nodes.Const):
                words.insert(0, str(below.arg.value))
            else:
                words.clear()  # computed: nothing is known of what follows
            below = below.node
            inner.add(id(below))
        if isinstance(below, nodes.Name):
            yield NameUse(below.name, tuple(words), below.lineno)


@cache
def variables_used(text: str) -> frozenset[str] | None:
    """Which `vars` it reads. None when that cannot be said: it takes `vars` as a whole or by a computed name."""
    read = [use.words for use in uses(text) if use.name == "vars"]
    return None if any(not words for words in read) else frozenset(words[0] for words in read)


def holds_secret(value: Any) -> bool:
    match value:
        case Secret():
            return True
        case dict():
            return any(map(holds_secret, value.values()))
        case list():
            return any(map(holds_secret, value))
        case _:
            return False


def uses_secret(text: str, variables: Mapping[str, Any]) -> bool:
    """Whether a secret could come out. Where that cannot be said, yes."""
    if "vars" not in _names(text):
        return False
    used = variables_used(text)
    return any(holds_secret(value) for name, value in variables.items() if used is None or name in used)
