"""Functions of text."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from typing import Any

from stead.heat.logic import arguments
from stead.heat.references import settled
from stead.heat.stack import Stack
from stead.heat.template import NO_FUNCTION, NOT_THERE, WRONG, CannotSay
from stead.heat.values import Expr, Mixed, Value, is_late, is_secret, joined, literal, operand, size
from stead.language import document
from stead.language.document import Node

MOST_WORDS = 1 << 20
_DIGESTS = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512")


def str_replace(stack: Stack, node: Node) -> Value:
    return replaced(stack, node, strict=False)


def str_replace_strict(stack: Stack, node: Node) -> Value:
    return replaced(stack, node, strict=True)


def replaced(stack: Stack, node: Node, *, strict: bool) -> Value:
    """Names in a text by values: those of the template's own text become expressions where they stand."""
    if not isinstance(node, document.Mapping) or not {"template", "params"} <= node.entries.keys():
        raise CannotSay(WRONG.at(node.place, "str_replace takes a map of `template` and `params`."))
    template = stack.value(node.entries["template"])
    params = stack.value(node.entries["params"])
    if not isinstance(params, dict):
        raise CannotSay(WRONG.at(node.place_of("params"), "The params are not a map."))
    known = {name: one for name, one in settled(stack, params, late=True).items() if name}
    if isinstance(template, Mixed | str):
        return _in_text(stack, template, known, node, strict=strict)
    if not isinstance(template, Expr):
        raise CannotSay(WRONG.at(node.place_of("template"), "The template is not a text."))
    text = operand(template)
    for name in sorted(known, key=len, reverse=True):
        text += f" | replace({literal(name)}, {literal(known[name])})"
    late = template.late or any(is_late(one) for one in known.values())
    return Expr(text, late, secret=template.secret or is_secret(params))


def _in_text(stack: Stack, template: Mixed | str, known: Mapping[str, Value], node: Node, *, strict: bool) -> Value:
    if not known:
        return template
    words = sorted(known, key=len, reverse=True)
    splitting = re.compile("(" + "|".join(map(re.escape, words)) + ")")
    parts = template.parts if isinstance(template, Mixed) else (template,)
    stack.draft.spend(len(words) * size(template, MOST_WORDS), node)
    pieces = [
        known.get(str(piece), piece) if at % 2 else piece
        for part in parts
        for at, piece in enumerate(splitting.split(part) if isinstance(part, str) else (part,))
    ]
    if strict:
        whole = "".join(part for part in parts if isinstance(part, str))
        missing = [word for word in known if word not in whole]
        if missing:
            raise CannotSay(WRONG.at(node.place_of("params"), f"The text has no {', '.join(missing)}."))
    return joined(pieces)


def within(found: Value, path: list[Value], node: Node) -> Value:
    """A value in a map or list."""
    for word in path:
        if isinstance(found, Expr):
            found = Expr(f"{operand(found)}[{literal(word)}]", found.late, secret=found.secret)
        elif isinstance(found, dict) and isinstance(word, str | int) and word in found:
            found = found[word]
        elif isinstance(found, list) and str(word).isdecimal() and int(str(word)) < len(found):
            found = found[int(str(word))]
        else:
            raise CannotSay(NOT_THERE.at(node.place, f"There is no {word!r} in this value."))
    return found


def str_split(stack: Stack, node: Node) -> Value:
    by, text, *rest = (stack.value(one) for one in arguments(node, 2, 3, "str_split"))
    if isinstance(by, str) and isinstance(text, str) and by:
        made = text.split(by)
        return within(made, rest, node)
    at = f"[{literal(rest[0])}]" if rest else ""
    return Expr(f"{operand(text)}.split({literal(by)}){at}", late=is_late(text), secret=is_secret(text))


def digest(stack: Stack, node: Node) -> Value:
    algorithm, text = (stack.value(one) for one in arguments(node, 2, 2, "digest"))
    if algorithm not in _DIGESTS:
        raise CannotSay(WRONG.at(node.place, f"There is no digest {algorithm!r}. There are {', '.join(_DIGESTS)}."))
    if not isinstance(text, str):
        why = "Expressions compute no digests. Give the digest itself as a parameter."
        raise CannotSay(NO_FUNCTION.at(node.place, f"digest: {why}"))
    return hashlib.new(algorithm, text.encode(), usedforsecurity=False).hexdigest()


def make_url(stack: Stack, node: Node) -> Value:
    made = stack.value(node)
    if not isinstance(made, dict):
        raise CannotSay(WRONG.at(node.place, "make_url takes a map."))
    parts: list[Value] = [made["scheme"], "://"] if made.get("scheme") else []
    if made.get("username"):
        parts += [made["username"], *([":", made["password"]] if made.get("password") else []), "@"]
    host = made.get("host", "")
    parts += ["[", host, "]"] if isinstance(host, str) and ":" in host else [host]
    for name, before in (("port", ":"), ("path", ""), ("fragment", "#")):
        if made.get(name) is not None:
            parts += [before, made[name]]
    return joined(settled(stack, parts, late=True))


STRINGS: Mapping[str, Callable[[Stack, Node], Any]] = {
    "str_replace": str_replace,
    "str_replace_strict": str_replace_strict,
    "str_replace_vstrict": str_replace_strict,
    "str_split": str_split,
    "digest": digest,
    "make_url": make_url,
}
