"""`repeat`: a template for each item of lists, or for each combination of them."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

from stead.heat.stack import Stack
from stead.heat.template import TOO_LARGE, WRONG, CannotSay
from stead.heat.values import Expr, Mixed, Value, joined, size
from stead.language import document
from stead.language.document import Node

MOST = 10_000  # items


def repeat(stack: Stack, node: Node) -> Value:
    each, template = node.child("for_each"), node.child("template")
    if not isinstance(each, document.Mapping) or template is None:
        raise CannotSay(WRONG.at(node.place, "repeat takes a map of `for_each` and `template`."))
    lists = {name: _items(stack.value(below), below) for name, below in each.entries.items()}
    permuted = node.child("permutations")
    together = permuted is not None and stack.value(permuted) is False
    length = 1
    for items in lists.values():
        length = max(length, len(items)) if together else length * len(items)
    if length > MOST:
        raise CannotSay(TOO_LARGE.at(node.place, f"repeat makes {length:,} items; {MOST:,} are supported."))
    combined = zip(*lists.values(), strict=False) if together else product(*lists.values())
    body = stack.value(template)
    stack.draft.spend(length * size(body, stack.draft.left), node)
    made: list[Value] = []
    for one in combined:
        made.append(_with(body, dict(zip(lists, one, strict=True))))
        stack.draft.spend(size(made[-1], stack.draft.left), node)  # an item may be longer than its word
    return made


def _items(value: Value, node: Node) -> list[Value]:
    match value:
        case list():
            return value
        case dict():
            return list(value)
        case Expr():
            return [Expr(value.text, value.late, many=True, secret=value.secret)]
        case _:
            raise CannotSay(WRONG.at(node.place, "repeat goes through lists."))


def _with(value: Value, words: Mapping[str, Value]) -> Value:
    match value:
        case str():
            return _text(value, words)
        case Mixed():
            return joined(_text(one, words) if isinstance(one, str) else one for one in value.parts)
        case list():
            return [_with(one, words) for one in value]
        case dict():
            return {_key(_with(key, words), key): _with(one, words) for key, one in value.items()}
        case _:
            return value


def _key(value: Value, key: str) -> str:
    return value if isinstance(value, str) else key


def _text(text: str, words: Mapping[str, Value]) -> Value:
    """A word alone is the item itself, of any type."""
    if text in words:
        return words[text]
    pieces: list[Value] = [text]
    for word, item in words.items():
        if word:
            pieces = [
                made for piece in pieces for made in (_split(piece, word, item) if isinstance(piece, str) else (piece,))
            ]
    return joined(pieces)


def _split(text: str, word: str, item: Value) -> list[Value]:
    pieces: list[Value] = []
    for piece in text.split(word):
        pieces += [item, piece]
    return pieces[1:]
