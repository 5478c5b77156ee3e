"""Values of the spec that is being made: data, expressions over its variables and resources, and text around them.

Text of a template is never an expression: braces in it are escaped, in text and in literals of expressions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from stead.core.value import positional
from stead.heat.template import TOO_LARGE, WRONG, CannotSay

Value = Any  # None, bool, int, float, str, list, dict, or one of the classes below

_OPENING = re.compile(r"\{[{%#]")
_ATOM = re.compile(r"[A-Za-z_]\w*(\.\w+|\[[^\[\]]*\])*")
LONGEST = 4 << 20  # letters of one text
_WORD = re.compile(r"[A-Za-z_]\w*")


@positional
class Expr:
    """An expression, without its braces."""

    text: str
    late: bool = False  # it needs what the plan chooses
    many: bool = False  # stands for each item of a list
    param: str = ""  # it is this parameter, and nothing else
    secret: bool = False


@positional
class Mixed:
    """Text with expressions in it."""

    parts: tuple[str | Expr, ...]


@positional
class Either:
    """One value or the other. None as one of them leaves it out."""

    condition: Expr
    then: Value
    other: Value


@positional
class Reference:
    """A resource of the template. What is written of it depends on where."""

    resource: Any
    member: str = ""  # of a group


@positional
class Attribute:
    """An attribute of a resource that has no expression, but a meaning in some places."""

    resource: Any
    path: tuple[Value, ...]
    where: Any  # the node


def dotted(base: str, *words: str) -> str:
    return base + "".join(f".{word}" if _WORD.fullmatch(word) else f"[{quoted(word)}]" for word in words)


def quoted(text: str) -> str:
    """A literal of Jinja, in which no brace opens or closes anything."""
    safe = text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("\r", "\\r")
    safe = re.sub(r"[{}](?=[{}%#])|(?<=[{}%#])[{}]", lambda found: f"\\x{ord(found[0]):02x}", safe)
    return f"'{safe}'"


def literal(value: Value) -> str:
    """A value as it stands in an expression."""
    match value:
        case Expr():
            return value.text
        case Mixed():
            return " ~ ".join(_operand(part) for part in value.parts)
        case Either():
            return f"{_operand(value.then)} if {value.condition.text} else {_operand(value.other)}"
        case str():
            return quoted(value)
        case None:
            return "none"
        case bool():
            return str(value).lower()
        case list():
            return _list(value)
        case Reference() | Attribute():
            raise CannotSay(WRONG.at(None, "A resource stands here in the middle of a value. Take an attribute of it."))
        case dict():
            return "{" + ", ".join(f"{quoted(str(key))}: {literal(one)}" for key, one in value.items()) + "}"
        case _:
            return str(value)


def _operand(value: Value) -> str:
    text = literal(value)
    if isinstance(value, Expr) and not _ATOM.fullmatch(text):
        return f"({text})"
    return f"({text})" if isinstance(value, Either | Mixed) else text


operand = _operand


def _list(items: list[Value]) -> str:
    if not any(optional(item) for item in items):
        return f"[{', '.join(map(literal, items))}]"
    parts: list[str] = []
    run: list[str] = []
    for item in items:
        if not optional(item):
            run.append(literal(item))
            continue
        if run:
            parts.append(f"[{', '.join(run)}]")
            run = []
        then, other = (f"[{literal(one)}]" if one is not None else "[]" for one in (item.then, item.other))
        parts.append(f"({then} if {item.condition.text} else {other})")
    if run:
        parts.append(f"[{', '.join(run)}]")
    return " + ".join(parts) if len(parts) > 1 else parts[0].removeprefix("(").removesuffix(")")


def optional(value: Value) -> bool:
    """Whether it may be absent."""
    return isinstance(value, Either) and (value.then is None or value.other is None)


def escaped(text: str) -> str:
    """Text in which braces are braces."""
    return _OPENING.sub(lambda found: f"{{{{ '{found[0]}' }}}}", text)


def _before_expression(text: str) -> str:
    """A brace at its end would belong to the expression's."""
    single = (len(text) - len(text.rstrip("{"))) % 2
    return f"{escaped(text[:-1])}{{{{ '{{' }}}}" if single else escaped(text)


def in_text(value: Value) -> str:
    """A text of the spec, as its field is written."""
    match value:
        case str():
            return escaped(value)
        case Mixed():
            return "".join(_before_expression(one) if isinstance(one, str) else braced(one) for one in value.parts)
        case _:
            return braced(value)


def braced(value: Value) -> str:
    return f"{{{{ {literal(value)} }}}}"


def joined(parts: Iterable[Value]) -> Value:
    """Parts one after the other: text where all are, and else text with expressions."""
    made: list[str | Expr] = []
    run: list[str] = []
    for part in _bounded(parts):
        if isinstance(part, str):
            run.append(part)
            continue
        if text := "".join(run):
            made.append(text)
        made.append(part)
        run = []
    last = "".join(run)
    if not made:
        return last
    return Mixed((*made, last) if last else tuple(made))


def _bounded(parts: Iterable[Value]) -> Iterable[str | Expr]:
    """Text that is put into text that is put into text becomes very long."""
    left = LONGEST
    for part in _parts(parts):
        left -= len(part) if isinstance(part, str) else len(part.text)
        if left < 0:
            raise CannotSay(TOO_LARGE.at(None, f"Its functions make a text of more than {LONGEST >> 20} MiB."))
        yield part


def size(value: Value, most: int) -> int:
    """How much it is: values, and 64 letters as one. Nobody counts further than to the most."""
    pending, found = [value], 0
    while pending and found <= most:
        one = pending.pop()
        found += 1
        match one:
            case str():
                found += len(one) >> 6
            case Expr():
                found += len(one.text) >> 6
            case Mixed():
                pending += one.parts
            case Either():
                pending += (one.condition, one.then, one.other)
            case list():
                pending += one
            case dict():
                pending += one.values()
            case _:
                pass
    return found


def _parts(parts: Iterable[Value]) -> Iterable[str | Expr]:
    for part in parts:
        match part:
            case Mixed():
                yield from part.parts
            case str() | Expr():
                yield part
            case None:
                yield ""
            case bool():
                yield str(part)
            case int() | float():
                yield str(part)
            case Either():
                yield Expr(literal(part), late=is_late(part))
            case _:
                yield Expr(f"{operand(part)} | to_json", late=is_late(part))


def each(value: Value, change: Callable[[Value], Value]) -> Value:
    """A change of a value, or of both that it may be."""
    if isinstance(value, Either):
        return Either(value.condition, each(value.then, change), each(value.other, change))
    return None if value is None else change(value)


def is_late(value: Value) -> bool:
    return any(one.late for one in expressions(value))


def is_secret(value: Value) -> bool:
    return any(one.secret for one in expressions(value))


def expressions(value: Value) -> Iterable[Expr]:
    match value:
        case Expr():
            yield value
        case Mixed():
            yield from (part for part in value.parts if isinstance(part, Expr))
        case Either():
            for one in (value.condition, value.then, value.other):
                yield from expressions(one)
        case list():
            for one in value:
                yield from expressions(one)
        case dict():
            for one in value.values():
                yield from expressions(one)
        case _:
            pass
