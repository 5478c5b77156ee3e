"""The text of a spec: YAML as a person would write it, with comments."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from stead.heat.values import Either, Expr, Mixed, Value, braced, in_text, literal, optional
from stead.language.document import resolve

WIDTH = 118
_PLAIN = re.compile(r"[A-Za-z0-9_./+@-](?:[\w./:+@ -]*[\w./+@-])?", re.ASCII)
_PLAIN_ALONE = re.compile(r"[A-Za-z0-9_./+@][\w./:+@ ,'()=;!?-]*[\w./+@)!?'-]", re.ASCII)  # not in brackets
_KEY = re.compile(r"[A-Za-z_][\w.-]*", re.ASCII)
_BLOCK = re.compile(r"[^\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]*")


def scalar_text(value: Value, *, literal_braces: bool = False) -> str:
    """A value on one line."""
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case int() | float():
            return json.dumps(value)
        case str() if literal_braces:
            return word(value)
        case str() | Mixed() | Expr():
            return word(in_text(value))
        case Either():
            return word(braced(value))
        case list() if any(map(optional, value)):
            return word(f"{{{{ {literal(value)} }}}}")
        case list():
            return f"[{', '.join(scalar_text(one, literal_braces=literal_braces) for one in value)}]"
        case dict():
            items = (f"{key(name)}: {scalar_text(one, literal_braces=literal_braces)}" for name, one in value.items())
            return f"{{{', '.join(items)}}}"
        case _:
            raise AssertionError(value)


def word(text: str, *, alone: bool = False) -> str:
    """Plain where YAML reads the same, and else in quotes."""
    form = _PLAIN_ALONE if alone else _PLAIN
    if form.fullmatch(text) and ": " not in text and resolve(text) == text and not text.startswith(("- ", "-")):
        return text
    return "".join(one if one.isprintable() else json.dumps(one)[1:-1] for one in json.dumps(text, ensure_ascii=False))


def key(name: Any) -> str:
    text = str(name)
    return text if _KEY.fullmatch(text) and resolve(text) == text else word(text)


def block(value: Any, indent: str = "", *, literal_braces: bool = False) -> Iterator[str]:
    """Lines of a map or list."""
    if isinstance(value, dict):
        for name, below in value.items():
            yield from _under(f"{indent}{key(name)}:", below, indent, literal_braces=literal_braces)
    elif isinstance(value, list) and value and not any(map(optional, value)):
        for item in value:
            first, *rest = list(_under(f"{indent}-", item, indent, literal_braces=literal_braces))
            yield first
            yield from rest
    else:
        yield f"{indent}{scalar_text(value, literal_braces=literal_braces)}"


def _under(head: str, value: Value, indent: str, *, literal_braces: bool) -> Iterator[str]:
    inner = f"{indent}  "
    text = (
        value
        if isinstance(value, str) and literal_braces
        else in_text(value)
        if isinstance(value, str | Mixed)
        else None
    )
    if text is not None and "\n" in text and _BLOCK.fullmatch(text) and text.strip("\n") and text[0] not in " \n\t":
        chomp = "+" if text.endswith("\n\n") else "" if text.endswith("\n") else "-"
        yield f"{head} |{chomp}"
        body = text.removesuffix("\n")
        yield from (f"{inner}{line}" if line else "" for line in body.split("\n"))
        return
    one_line = word(text, alone=True) if text is not None else scalar_text(value, literal_braces=literal_braces)
    short = f"{head} {one_line}"
    if (
        not isinstance(value, dict | list)
        or not value
        or (isinstance(value, list) and any(map(optional, value)))
        or (len(short) <= WIDTH and not _deep(value))
    ):
        yield short
    elif head.endswith("-"):
        lines = list(block(value, inner, literal_braces=literal_braces))
        yield f"{head} {lines[0].lstrip()}" if isinstance(value, dict) else head
        yield from lines[1:] if isinstance(value, dict) else lines
    else:
        yield head
        yield from block(value, inner, literal_braces=literal_braces)


def _deep(value: Value) -> bool:
    """What does not read well on one line: maps in lists in maps, and texts of several lines."""
    below = value.values() if isinstance(value, dict) else value
    if isinstance(value, list) and len(value) > 1 and any(isinstance(one, dict) for one in value):
        return True
    many = any("\n" in one for item in below for one in _texts(item))
    return many or any(isinstance(item, dict | list) and _deep(item) for item in below)


def _texts(value: Value) -> Iterable[str]:
    match value:
        case str():
            yield value
        case Mixed():
            yield in_text(value)
        case list():
            for one in value:
                yield from _texts(one)
        case dict():
            for one in value.values():
                yield from _texts(one)
        case _:
            pass


def said(fields: Mapping[str, Value]) -> dict[str, Value]:
    """Without what is left out."""
    return {name: _said(one) for name, one in fields.items() if one is not None}


def _said(value: Value) -> Value:
    match value:
        case dict():
            return said(value)
        case list():
            return [_said(one) for one in value]
        case _:
            return value


def comment(text: str, indent: str = "") -> Iterator[str]:
    """Text of a template could end a comment's line; it is put on lines of its own."""
    import textwrap

    plain = "".join(one if one.isprintable() else " " for one in " ".join(text.split()))
    yield from (f"{indent}# {line}" for line in textwrap.wrap(plain, WIDTH - len(indent) - 2, break_on_hyphens=False))
