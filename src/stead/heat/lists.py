"""Functions of lists and maps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from stead.heat.logic import arguments
from stead.heat.references import settled
from stead.heat.stack import Stack
from stead.heat.template import NO_FUNCTION, WRONG, CannotSay
from stead.heat.values import Either, Expr, Value, is_late, is_secret, joined, literal, operand, optional, size
from stead.language.document import Node


def _expression(text: str, *of: Value) -> Expr:
    return Expr(text, any(map(is_late, of)), secret=any(map(is_secret, of)))


def list_join(stack: Stack, node: Node) -> Value:
    by, *lists = settled(stack, [stack.value(one) for one in arguments(node, 2, 1000, "list_join")], late=True)
    if isinstance(by, str) and all(isinstance(one, list) and not any(map(optional, one)) for one in lists):
        pieces: list[Value] = []
        for one in lists:
            for item in one:
                pieces += [by, item]
        return joined(pieces[1:])
    whole = lists[0] if len(lists) == 1 else _sum(lists)
    return _expression(f"{operand(whole)} | join({literal(by)})", *lists)


def _sum(lists: list[Value]) -> Expr:
    return _expression(" + ".join(map(operand, lists)), *lists)


def list_concat(stack: Stack, node: Node) -> Value:
    lists = [one for one in map(stack.value, arguments(node, 1, 1000, "list_concat")) if one is not None]
    if all(isinstance(one, list) for one in lists):
        return [item for one in lists for item in one]
    return _sum(settled(stack, lists, late=True))


def list_concat_unique(stack: Stack, node: Node) -> Value:
    whole = list_concat(stack, node)
    stack.draft.spend(size(whole, 10_000) ** 2 >> 6, node)
    if isinstance(whole, list):
        return [item for at, item in enumerate(whole) if item not in whole[:at]]
    return _expression(f"({whole.text}) | unique | list", whole)


def map_merge(stack: Stack, node: Node) -> Value:
    maps = [one for one in map(stack.value, arguments(node, 1, 1000, "map_merge")) if one is not None]
    if all(isinstance(one, dict) for one in maps):
        return {key: below for one in maps for key, below in one.items()}
    first, *rest = settled(stack, maps, late=True)
    return _expression(f"dict({literal(first)}{''.join(f', **{operand(one)}' for one in rest)})", *maps)


def map_replace(stack: Stack, node: Node) -> Value:
    made, change = (stack.value(one) for one in arguments(node, 2, 2, "map_replace"))
    said = change if isinstance(change, dict) else {}
    keys, values = said.get("keys", {}), said.get("values", {})
    if not all(isinstance(one, dict) for one in (made, change, keys, values)):
        raise CannotSay(NO_FUNCTION.at(node.place, "map_replace works on maps that stand in the template."))
    if not all(isinstance(one, str) for one in keys.values()):
        raise CannotSay(WRONG.at(node.place, "A key of a map is a text."))
    return {keys.get(key, key): _mapped(below, values) for key, below in made.items()}


def _mapped(value: Value, values: Mapping[Any, Value]) -> Value:
    return values.get(value, value) if isinstance(value, str | int | float) else value


def filtered(stack: Stack, node: Node) -> Value:
    out, among = (stack.value(one) for one in arguments(node, 2, 2, "filter"))
    if isinstance(out, list) and isinstance(among, list):
        stack.draft.spend(len(out) * len(among) >> 6, node)
        return [one for one in among if one not in out]
    if isinstance(among, Either):
        raise CannotSay(WRONG.at(node.place, "filter takes two lists."))
    return _expression(f"{operand(among)} | reject('in', {operand(out)}) | list", out, among)


LISTS: Mapping[str, Callable[[Stack, Node], Any]] = {
    "list_join": list_join,
    "list_concat": list_concat,
    "list_concat_unique": list_concat_unique,
    "map_merge": map_merge,
    "map_replace": map_replace,
    "filter": filtered,
}
