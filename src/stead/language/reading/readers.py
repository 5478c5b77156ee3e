"""Readers of what can be written: a single value, one of a few words, a list, a map, a name, anything.

Each is a function from a node to a value, or FAILED after diagnostics. Which of them a field of a model has, `models`
decides.
"""

from __future__ import annotations

import math
import re
import types
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Annotated, Any, Final, get_args, get_origin

from stead.core.address import NAME
from stead.core.fields import Expression, Form, Name, Ref, Secret, Text
from stead.language import document
from stead.language.document import Node, Scalar, Sequence
from stead.language.reading.codes import NOT_A_CHOICE, OUT_OF_RANGE, SHOWN, WRONG_FORM, WRONG_TYPE
from stead.language.reading.context import Reading, kind_of, nearest
from stead.language.reading.scalars import odd, scalar_reader

ALL: Final = "[*]"
MOST_ITEMS: Final = 256  # of a list that names all members of definitions
_SHOWN = "A secret here would be visible. Only user data may contain secrets."
FAILED: Final = object()  # told; the model is not made
Read = Callable[[Node, Reading, str], Any]


def deeper(path: str, word: str) -> str:
    return f"{path}.{word}" if path else word


def opened(read: Read) -> Read:
    """Evaluates an early expression first."""

    def read_opened(node: Node, reading: Reading, path: str) -> Any:
        if not isinstance(node, Scalar):
            return read(node, reading, path)
        value = reading.early(node)
        if value is None:
            return FAILED
        if isinstance(value, Secret):
            reading.tell(SHOWN, node.place, _SHOWN)
            return FAILED
        return read(value, reading, path)

    return read_opened


def single(form: Form | None, base: type) -> Read:
    convert = scalar_reader(form, base)
    if isinstance(form, Text) and (form.late or form.secret):
        return _late_text(form)

    def read(node: Node, reading: Reading, _path: str) -> Any:
        if not isinstance(node, Scalar):
            reading.tell(WRONG_TYPE, node.place, f"This is {kind_of(node)}; expected a single value.")
            return FAILED
        value = convert(node, reading)
        return FAILED if value is None else value

    return opened(read)


def _late_text(form: Text) -> Read:
    """Text that may hold a secret, and where it is late, expressions over choices."""
    convert = scalar_reader(form, str)

    def read(node: Node, reading: Reading, path: str) -> Any:
        if not isinstance(node, Scalar):
            reading.tell(WRONG_TYPE, node.place, f"This is {kind_of(node)}; expected text.")
            return FAILED
        if form.late and not node.tag and node.computes:
            kept = reading.scope.keep(node, path, reading.found)
            if isinstance(kept, Expression):
                reading.late.append(kept)
            return FAILED if kept is None else kept
        value = reading.early(node)
        if value is None or isinstance(value, Secret):
            return FAILED if value is None else value
        text = convert(value, reading) if isinstance(value, Scalar) else None
        if text is None:
            return FAILED
        return Secret(text) if form.secret else text

    return read


def choice(choices: tuple[Any, ...], *, beside: tuple[str, ...] = ()) -> Read:
    """`beside`: what else may stand there, and is read by others."""
    by_text = {str(choice): choice for choice in choices}

    def read(node: Node, reading: Reading, _path: str) -> Any:
        if isinstance(node, Scalar) and node.text in by_text:
            return by_text[node.text]
        known = ", ".join((*by_text, *beside))
        text = f"{kind_of(node).capitalize() if not isinstance(node, Scalar) else kind_of(node)} is none of {known}."
        hint = nearest(node.text, by_text) if isinstance(node, Scalar) else ""
        reading.tell(NOT_A_CHOICE, node.place, text + hint)
        return FAILED

    return opened(read)


def list_of(element: Read, *, unsaid: str | None = None, ref: Ref | None = None) -> Read:
    """`ref`: what its elements refer to, so that `data[*]` is all members of `data`."""

    def read(node: Node, reading: Reading, path: str) -> Any:
        if not isinstance(node, Sequence):
            reading.tell(WRONG_TYPE, node.place, f"This is {kind_of(node)}; expected a list: [{_hint(node)}].")
            return FAILED
        if unsaid is not None and not node.items:
            other = f", or leave the field out: then it is {unsaid}" if unsaid else ""
            reading.tell(OUT_OF_RANGE, node.place, f"The list must not be empty. Write its elements{other}.")
            return FAILED
        items = node.items if ref is None else list(islice(_every(node, ref, reading), MOST_ITEMS + 1))
        if len(items) > len(node.items) and len(items) > MOST_ITEMS:
            reading.tell(OUT_OF_RANGE, node.place, f"With all members it has more than {MOST_ITEMS} elements.")
            return FAILED
        values = [element(item, reading, f"{path}.{index}") for index, item in enumerate(items)]
        return FAILED if FAILED in values else tuple(values)

    return opened(read)


def _every(node: Sequence, ref: Ref, reading: Reading) -> Iterator[Node]:
    for item in node.items:
        name = item.text.removesuffix(ALL) if isinstance(item, Scalar) and item.text.endswith(ALL) else ""
        members = reading.scope.members(ref, name) if name else None
        if members is None:
            yield item  # without members, it is told as any reference is
        else:
            yield from (Scalar(item.file, item.line, item.column, f"{name}[{key}]") for key in members)


def _hint(node: Node) -> str:
    return node.text if isinstance(node, Scalar) and len(node.text) < 40 else "…"


def map_of(key: Any, element: Read) -> Read:
    notes = get_args(key) if get_origin(key) is Annotated else ()
    form = next((note for note in notes if isinstance(note, Text | Name)), None)

    def read(node: Node, reading: Reading, path: str) -> Any:
        if not isinstance(node, document.Mapping):
            reading.tell(WRONG_TYPE, node.place, f"This is {kind_of(node)}; expected a map.")
            return FAILED
        values = {word: element(below, reading, deeper(path, word)) for word, below in node.entries.items()}
        bad = [word for word in values if not _is_key(word, form)]
        for word in bad:
            need = "a name: lower case, digits, dashes" if isinstance(form, Name) else (form and form.what) or "a text"
            reading.tell(WRONG_FORM, node.place_of_key(word), f"{word!r} is not {need}.")
        if bad:
            return FAILED
        return FAILED if any(value is FAILED for value in values.values()) else types.MappingProxyType(values)

    return opened(read)


def _is_key(word: str, form: Text | Name | None) -> bool:
    if isinstance(form, Name):
        return NAME.fullmatch(word) is not None
    if odd(word) or (form is not None and form.longest and len(word) > form.longest):
        return False
    return form is None or not form.pattern or re.fullmatch(form.pattern, word) is not None


def reference(ref: Ref) -> Read:
    def read(node: Node, reading: Reading, _path: str) -> Any:
        if not isinstance(node, Scalar) or node.value is None:
            reading.tell(WRONG_TYPE, node.place, f"This is {kind_of(node)}; expected a name of one of {ref.kind}.")
            return FAILED
        address = reading.scope.refer(node.text, ref, node.place, reading.found)
        if address is None:
            return FAILED
        if ref.orderly:
            reading.refs[address] = None
        return address

    return opened(read)


def anything(*, late: bool) -> Read:
    def read(node: Node, reading: Reading, path: str) -> Any:
        match node:
            case document.Mapping():
                values = {word: read(below, reading, deeper(path, word)) for word, below in node.entries.items()}
                bad = [word for word in values if odd(word)]
                for word in bad:
                    reading.tell(WRONG_FORM, node.place_of_key(word), f"A key has {odd(word)}. Take it out.")
                return FAILED if bad or FAILED in values.values() else values
            case Sequence():
                items = [read(item, reading, f"{path}.{index}") for index, item in enumerate(node.items)]
                return FAILED if FAILED in items else items
            case Scalar():
                return _any_scalar(node, reading, path, late=late)
            case _:
                raise AssertionError(node)

    return read


def _any_scalar(node: Scalar, reading: Reading, path: str, *, late: bool) -> Any:
    if late and not node.tag and node.computes:
        kept = reading.scope.keep(node, path, reading.found)
        if isinstance(kept, Expression):
            reading.late.append(kept)
        return FAILED if kept is None else kept
    value = reading.early(node)
    if value is None:
        return FAILED
    if not isinstance(value, Secret):
        return _finite(value, reading) if isinstance(value, Scalar) else document.plain(value)
    if late:
        return value
    reading.tell(SHOWN, node.place, _SHOWN)
    return FAILED


def _finite(node: Scalar, reading: Reading) -> Any:
    value = node.value
    if isinstance(value, float) and not math.isfinite(value):
        reading.tell(OUT_OF_RANGE, node.place, f"{node.text} is not a finite number.")
        return FAILED
    return value


def or_nothing(empty: bool, read: Read) -> Read:
    if not empty:
        return read

    def read_or_nothing(node: Node, reading: Reading, path: str) -> Any:
        if isinstance(node, Scalar) and node.plain and node.value is None:
            return None
        return read(node, reading, path)

    return read_or_nothing


def first_fit(options: list[Read], node: Node, reading: Reading, path: str) -> Any:
    """The mistakes of the last are told when none fits: options are written from the special to the common."""
    for read in options[:-1]:
        attempt = Reading(reading.scope, reading.address)
        value = read(node, attempt, path)
        if value is not FAILED:
            reading.refs |= attempt.refs
            reading.late += attempt.late
            return value
    return options[-1](node, reading, path)
