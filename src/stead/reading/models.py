"""Compiles a model, a frozen dataclass with annotated fields, into a function from a node to an instance."""

from __future__ import annotations

import math
import sys
import types
from collections.abc import Callable, Mapping
from functools import cache
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from stead import document
from stead.document import Node, Scalar, Sequence
from stead.fields import Anything, Expression, Form, Name, Path, Ref, Secret, Text
from stead.reading.codes import MISSING, NOT_A_CHOICE, OUT_OF_RANGE, SHOWN, UNKNOWN_FIELD, WRONG_FORM, WRONG_TYPE
from stead.reading.context import Reading, kind_of, nearest, node_of
from stead.reading.scalars import scalar_reader
from stead.value import fields_of as fields_in
from stead.value import is_value, positional

_SHOWN = "A secret cannot stand here, where it would be seen. User data may hold one."
FAILED: Final = object()  # told; the model is not made

Read = Callable[[Node, Reading, str], Any]
NOBODY: frozenset[str] = frozenset()


@positional
class Field:
    """One field of a model, compiled."""

    name: str  # of the attribute
    word: str  # in the document: `from_` is written `from`
    read: Read
    required: bool


def read_model(model: type, node: Node, reading: Reading, *, others: frozenset[str] = NOBODY) -> Any:
    """An instance, or FAILED after diagnostics. `others` are fields that are read elsewhere."""
    return record_reader(model)(node, reading, "", others)


def word_of(name: str) -> str:
    return name.removesuffix("_")


@cache
def fields_of(model: type) -> Mapping[str, Field]:
    return {
        word_of(name): Field(name, word_of(name), _reader_when_needed(model, name), one.required)
        for name, one in fields_in(model).items()
    }


def _reader_when_needed(model: type, name: str) -> Read:
    """Most fields stand in no document that one command reads."""
    made: Read | None = None

    def read(node: Node, reading: Reading, path: str) -> Any:
        nonlocal made
        if made is None:
            made = reader_of(hint_of(model, name))
        return made(node, reading, path)

    return read


def hint_of(model: type, name: str) -> Any:
    """What `typing.get_type_hints` says of one field, without evaluating all the others."""
    said = model.__annotations__[name]
    return eval(said, vars(sys.modules[model.__module__])) if isinstance(said, str) else said  # noqa: S307 - source code


@cache
def record_reader(model: type) -> Callable[[Node, Reading, str, frozenset[str]], Any]:
    fields = fields_of(model)
    short = getattr(model, "SHORT", None)

    def read(node: Node, reading: Reading, path: str, others: frozenset[str]) -> Any:
        if not isinstance(node, document.Mapping):
            if short is not None and isinstance(node, Scalar):
                value = fields[short].read(node, reading, _below(path, short))
                return FAILED if value is FAILED else model(**{fields[short].name: value})
            if isinstance(node, Scalar) and node.value is None and not any(one.required for one in fields.values()):
                return model()
            reading.tell(WRONG_TYPE, node.place, f"Here stands {kind_of(node)}; a map with {_some(fields)} is needed.")
            return FAILED
        return _record(model, fields, node, reading, path, others)

    return read


def _record(
    model: type,
    fields: Mapping[str, Field],
    node: document.Mapping,
    reading: Reading,
    path: str,
    others: frozenset[str],
) -> Any:
    values: dict[str, Any] = {}
    good = True
    for word, below in node.entries.items():
        field = fields.get(word)
        if field is None:
            if word not in others:
                good = False
                hint = nearest(word, [*fields, *others])
                text = f"There is no field {word!r} here.{hint} Known are {_some(fields)}."
                reading.tell(UNKNOWN_FIELD, node.place_of_key(word), text)
            continue
        value = field.read(below, reading, _below(path, word))
        if value is FAILED:
            good = False
        else:
            values[field.name] = value
    for word, field in fields.items():
        if field.required and word not in node.entries:
            good = False
            reading.tell(MISSING, node.place, f"The field {word!r} is missing and has no default.")
    return model(**values) if good else FAILED


def _some(words: Mapping[str, Any]) -> str:
    shown = list(words)[:8]
    return ", ".join(shown) + (" and others" if len(words) > len(shown) else "")


def _below(path: str, word: str) -> str:
    return f"{path}.{word}" if path else word


def reader_of(annotation: Any) -> Read:
    """The function for one annotation."""
    if get_origin(annotation) is Annotated:
        base, *notes = get_args(annotation)
        form = next((note for note in notes if isinstance(note, Form)), None)
        return _reader(base, form)
    return _reader(annotation, None)


def _reader(base: Any, form: Form | None) -> Read:
    if isinstance(form, Anything):
        return _anything(late=form.late)
    options = _options(base)
    if len(options) > 1:
        return _either([one for one in options if one not in (Expression, Secret)], form)
    only = options[0]
    if get_origin(only) is Annotated:
        return reader_of(only)
    origin = get_origin(only)
    if origin is Literal:
        return _choice(get_args(only))
    if origin is tuple:
        return _list(_element(get_args(only)[0], form))
    if origin in (dict, Mapping):
        key, value = get_args(only)
        return _map(key, _element(value, form))
    if isinstance(form, Ref):
        return _reference(form)
    if is_value(only):
        read = record_reader(only)
        return _opened(lambda node, reading, path: read(node, reading, path, NOBODY))
    if only is Any:
        return _anything(late=False)
    return _scalar(form, only)


def _element(annotation: Any, form: Form | None) -> Read:
    """A form on a list means its elements."""
    return reader_of(annotation) if get_origin(annotation) is Annotated else _reader(annotation, form)


def _options(base: Any) -> tuple[Any, ...]:
    return get_args(base) if get_origin(base) in (Union, types.UnionType) else (base,)


def _opened(read: Read) -> Read:
    """Evaluates an early expression first."""

    def opened(node: Node, reading: Reading, path: str) -> Any:
        if not isinstance(node, Scalar):
            return read(node, reading, path)
        value = reading.early(node)
        if value is None:
            return FAILED
        if isinstance(value, Secret):
            reading.tell(SHOWN, node.place, _SHOWN)
            return FAILED
        return read(value, reading, path)

    return opened


def _scalar(form: Form | None, base: type) -> Read:
    convert = scalar_reader(form, base)
    if isinstance(form, Text) and (form.late or form.secret):
        return _late_text(form)

    def read(node: Node, reading: Reading, _path: str) -> Any:
        if not isinstance(node, Scalar):
            reading.tell(WRONG_TYPE, node.place, f"Here stands {kind_of(node)}; a single value is needed.")
            return FAILED
        value = convert(node, reading)
        return FAILED if value is None else value

    return _opened(read)


def _late_text(form: Text) -> Read:
    """Text that may hold a secret, and where it is late, expressions over choices."""
    convert = scalar_reader(form, str)

    def read(node: Node, reading: Reading, path: str) -> Any:
        if not isinstance(node, Scalar):
            reading.tell(WRONG_TYPE, node.place, f"Here stands {kind_of(node)}; text is needed.")
            return FAILED
        if form.late and not node.tag and ("{{" in node.text or "{%" in node.text):
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


def _choice(choices: tuple[Any, ...]) -> Read:
    by_text = {str(choice): choice for choice in choices}

    def read(node: Node, reading: Reading, _path: str) -> Any:
        if isinstance(node, Scalar) and node.text in by_text:
            return by_text[node.text]
        known = ", ".join(by_text)
        text = f"{kind_of(node).capitalize() if not isinstance(node, Scalar) else kind_of(node)} is none of {known}."
        hint = nearest(node.text, by_text) if isinstance(node, Scalar) else ""
        reading.tell(NOT_A_CHOICE, node.place, text + hint)
        return FAILED

    return _opened(read)


def _list(element: Read) -> Read:
    def read(node: Node, reading: Reading, path: str) -> Any:
        if not isinstance(node, Sequence):
            reading.tell(WRONG_TYPE, node.place, f"Here stands {kind_of(node)}; a list is needed: [{_hint(node)}].")
            return FAILED
        values = [element(item, reading, f"{path}.{index}") for index, item in enumerate(node.items)]
        return FAILED if FAILED in values else tuple(values)

    return _opened(read)


def _hint(node: Node) -> str:
    return node.text if isinstance(node, Scalar) and len(node.text) < 40 else "…"


def _map(key: Any, element: Read) -> Read:
    named = get_origin(key) is Annotated and any(isinstance(note, Name) for note in get_args(key))

    def read(node: Node, reading: Reading, path: str) -> Any:
        if not isinstance(node, document.Mapping):
            reading.tell(WRONG_TYPE, node.place, f"Here stands {kind_of(node)}; a map is needed.")
            return FAILED
        values = {word: element(below, reading, _below(path, word)) for word, below in node.entries.items()}
        if named:
            bad = [word for word in values if not _is_name(word)]
            for word in bad:
                reading.tell(
                    WRONG_FORM, node.place_of_key(word), f"{word!r} is not a name: lower case, digits, dashes."
                )
            if bad:
                return FAILED
        return FAILED if any(value is FAILED for value in values.values()) else types.MappingProxyType(values)

    return _opened(read)


def _is_name(word: str) -> bool:
    from stead.address import NAME

    return NAME.fullmatch(word) is not None


def _reference(ref: Ref) -> Read:
    def read(node: Node, reading: Reading, _path: str) -> Any:
        if not isinstance(node, Scalar) or node.value is None:
            reading.tell(
                WRONG_TYPE, node.place, f"Here stands {kind_of(node)}; the name of one of {ref.kind} is needed."
            )
            return FAILED
        address = reading.scope.refer(node.text, ref, node.place, reading.found)
        if address is None:
            return FAILED
        if ref.orderly:
            reading.refs[address] = None
        return address

    return _opened(read)


def _anything(*, late: bool) -> Read:
    def read(node: Node, reading: Reading, path: str) -> Any:
        match node:
            case document.Mapping():
                values = {word: read(below, reading, _below(path, word)) for word, below in node.entries.items()}
                return FAILED if FAILED in values.values() else values
            case Sequence():
                items = [read(item, reading, f"{path}.{index}") for index, item in enumerate(node.items)]
                return FAILED if FAILED in items else items
            case Scalar():
                return _any_scalar(node, reading, path, late=late)
            case _:
                raise AssertionError(node)

    return read


def _any_scalar(node: Scalar, reading: Reading, path: str, *, late: bool) -> Any:
    if late and not node.tag and ("{{" in node.text or "{%" in node.text):
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
        reading.tell(OUT_OF_RANGE, node.place, f"{node.text} is no number to reckon with.")
        return FAILED
    return value


def _either(options: list[Any], form: Form | None) -> Read:
    """A scalar or a record or a list, told apart by what is written; between scalars, the first that fits."""
    empty = type(None) in options
    maps, lists, scalars = [], [], []
    for one in options:
        if one is type(None):
            continue
        base = get_args(one)[0] if get_origin(one) is Annotated else one
        read = reader_of(one) if get_origin(one) is Annotated else _reader(one, form)
        if get_origin(base) is tuple:
            lists.append(read)
        elif get_origin(base) in (dict, Mapping) or is_value(base):
            maps.append(read)
            if getattr(base, "SHORT", None):
                scalars.append(read)
        else:
            scalars.append(read)
    if (isinstance(form, Text) and form.late) or isinstance(form, Path):
        return _nothing_or(empty, scalars[0])

    def read_either(node: Node, reading: Reading, path: str) -> Any:
        fitting = scalars if isinstance(node, Scalar) else lists if isinstance(node, Sequence) else maps
        return _first_fit(fitting or scalars or lists or maps, node, reading, path)

    return _nothing_or(empty, _opened(read_either))


def _nothing_or(empty: bool, read: Read) -> Read:
    if not empty:
        return read

    def read_or_nothing(node: Node, reading: Reading, path: str) -> Any:
        if isinstance(node, Scalar) and node.plain and node.value is None:
            return None
        return read(node, reading, path)

    return read_or_nothing


def _first_fit(options: list[Read], node: Node, reading: Reading, path: str) -> Any:
    """The mistakes of the last are told when none fits: options are written from the special to the common."""
    for read in options[:-1]:
        attempt = Reading(reading.scope, reading.address)
        value = read(node, attempt, path)
        if value is not FAILED:
            reading.refs |= attempt.refs
            reading.late += attempt.late
            return value
    return options[-1](node, reading, path)


__all__ = ["FAILED", "fields_of", "node_of", "read_model", "reader_of", "record_reader", "word_of"]
