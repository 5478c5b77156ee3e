"""Conditions, and values that depend on them. What the template decides by itself is decided here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from stead.heat.stack import Stack
from stead.heat.template import WRONG, CannotSay
from stead.heat.values import Either, Expr, Value, literal, operand
from stead.language import document
from stead.language.document import Node

_PLAIN = str | int | float | bool


def arguments(node: Node, least: int, most: int, what: str) -> list[Node]:
    if isinstance(node, document.Sequence) and least <= len(node.items) <= most:
        return node.items
    many = str(least) if least == most else f"{least} to {most}" if most < 1000 else f"at least {least}"
    raise CannotSay(WRONG.at(node.place, f"`{what}` takes a list of {many}."))


def choice(stack: Stack, node: Node) -> Value:
    items = arguments(node, 2, 3, "if")
    condition = stack.condition(items[0])
    if isinstance(condition, bool):
        return stack.value(items[1]) if condition else stack.value(items[2]) if len(items) > 2 else None
    then = stack.value(items[1])
    return Either(expression(condition), then, stack.value(items[2]) if len(items) > 2 else None)


def expression(value: Value) -> Expr:
    return value if isinstance(value, Expr) else Expr(literal(value))


def equals(stack: Stack, node: Node) -> Value:
    left, right = (stack.value(one) for one in arguments(node, 2, 2, "equals"))
    if isinstance(left, _PLAIN) and isinstance(right, _PLAIN):
        return left == right
    return Expr(f"{operand(left)} == {operand(right)}")


def negated(stack: Stack, node: Node) -> Value:
    inner = stack.condition(node)
    return not inner if isinstance(inner, bool) else Expr(f"not {operand(inner)}")


def _all(stack: Stack, node: Node) -> Value:
    return _joined(stack, node, "and", False)


def _any(stack: Stack, node: Node) -> Value:
    return _joined(stack, node, "or", True)


def _joined(stack: Stack, node: Node, word: str, decides: bool) -> Value:
    """`and` is false with one that is, `or` is true with one that is."""
    values = [stack.condition(one) for one in arguments(node, 2, 1000, word)]
    if decides in [one for one in values if isinstance(one, bool)]:
        return decides
    rest = [one for one in values if not isinstance(one, bool)]
    return Expr(f" {word} ".join(map(operand, rest))) if rest else not decides


def contains(stack: Stack, node: Node) -> Value:
    wanted, among = (stack.value(one) for one in arguments(node, 2, 2, "contains"))
    if isinstance(wanted, _PLAIN) and (isinstance(among, str) or _plain_list(among)):
        return str(wanted) in among if isinstance(among, str) else wanted in among
    return Expr(f"{operand(wanted)} in {operand(among)}")


def _plain_list(value: Value) -> bool:
    return isinstance(value, list) and all(isinstance(one, _PLAIN) for one in value)


CONDITIONS: Mapping[str, Callable[[Stack, Node], Any]] = {
    "equals": equals,
    "not": negated,
    "and": _all,
    "or": _any,
    "contains": contains,
}
