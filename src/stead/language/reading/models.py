"""Compiles a model, a frozen dataclass with annotated fields, into a function from a node to an instance.

It decides what reads a field, by its annotation; how that reads is told in `readers`.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Callable, Mapping
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from stead.core.fields import Anything, Expression, Filled, Form, Limits, Path, Ref, Secret, Text
from stead.core.value import fields_of as fields_in
from stead.core.value import is_value, positional
from stead.language import document
from stead.language.document import Node, Scalar, Sequence
from stead.language.reading import readers
from stead.language.reading.codes import MISSING, UNKNOWN_FIELD, WRONG_TYPE
from stead.language.reading.context import Reading, kind_of, nearest
from stead.language.reading.readers import FAILED, Read

NOBODY: frozenset[str] = frozenset()


@positional
class ModelField:
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
def fields_of(model: type) -> Mapping[str, ModelField]:
    return {
        word_of(name): ModelField(name, word_of(name), _reader_when_needed(model, name), one.required)
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
                return _shortly(model, fields, node, reading, path)
            if isinstance(node, Scalar) and node.value is None and not any(one.required for one in fields.values()):
                return model()
            reading.tell(WRONG_TYPE, node.place, f"This is {kind_of(node)}; expected a map with {_some(fields)}.")
            return FAILED
        return _record(model, fields, node, reading, path, others)

    return read


def _shortly(model: type, fields: Mapping[str, ModelField], node: Scalar, reading: Reading, path: str) -> Any:
    """The scalar of one field, or of two with a colon between."""
    parts = {word_of(model.SHORT): node}  # type: ignore[attr-defined]
    after = getattr(model, "AFTER_COLON", None)
    first, colon, last = node.text.rpartition(":")
    if after is not None and colon and last.isascii() and last.isdigit():
        texts = zip((*parts, after), (first, last), strict=True)
        parts = {word: Scalar(node.file, node.line, node.column, text, plain=True) for word, text in texts}
    values = {
        fields[word].name: fields[word].read(one, reading, readers.deeper(path, word)) for word, one in parts.items()
    }
    return FAILED if FAILED in values.values() else model(**values)


def _record(
    model: type,
    fields: Mapping[str, ModelField],
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
                reading.tell(UNKNOWN_FIELD, node.place_of_key(word), _unknown(word, model, fields, others))
            continue
        value = field.read(below, reading, readers.deeper(path, word))
        if value is FAILED:
            good = False
        else:
            values[field.name] = value
    for word, field in fields.items():
        if field.required and word not in node.entries:
            good = False
            reading.tell(MISSING, node.place, f"The field {word!r} is missing and has no default.")
    return model(**values) if good else FAILED


def _unknown(word: str, model: type, fields: Mapping[str, ModelField], others: frozenset[str]) -> str:
    from stead.language.reading.elsewhere import meant

    hint = meant(model, word) or f"{nearest(word, [*fields, *others])} Known are {_some(fields)}."
    return f"There is no field {word!r} here.{hint}"


def _limits(node: Node, reading: Reading, path: str) -> Any:
    """Of those that are written, in the order of the kinds."""
    model: type = reading.scope.limits()
    found = record_reader(model)(node, reading, path, NOBODY)
    if found is FAILED:
        return FAILED
    return {word: most for word in fields_in(type(found)) if (most := getattr(found, word)) is not None}


def _some(words: Mapping[str, Any]) -> str:
    shown = list(words)[:8]
    return ", ".join(shown) + (" and others" if len(words) > len(shown) else "")


def reader_of(annotation: Any) -> Read:
    """The function for one annotation."""
    if get_origin(annotation) is Annotated:
        base, *notes = get_args(annotation)
        form = next((note for note in notes if isinstance(note, Form)), None)
        return readers.opened(_limits) if isinstance(form, Limits) else _reader(base, form)
    return _reader(annotation, None)


def _reader(base: Any, form: Form | None) -> Read:
    if isinstance(form, Anything) and get_origin(base) not in (dict, tuple, Mapping):
        return readers.anything(late=form.late)
    options = _options(base)
    if len(options) > 1:
        return _either([one for one in options if one not in (Expression, Secret)], form)
    only = options[0]
    if get_origin(only) is Annotated:
        return reader_of(only)
    origin = get_origin(only)
    if origin is Literal:
        return readers.choice(get_args(only))
    if origin is tuple:
        return _list(get_args(only)[0], form)
    if origin in (dict, Mapping):
        key, value = get_args(only)
        return readers.map_of(key, _element(value, form))
    if isinstance(form, Ref):
        return readers.reference(form)
    if is_value(only):
        read = record_reader(only)
        return readers.opened(lambda node, reading, path: read(node, reading, path, NOBODY))
    if only is Any:
        return readers.anything(late=False)
    return readers.single(form, only)


def _list(element: Any, form: Form | None) -> Read:
    if isinstance(form, Filled):
        return readers.list_of(_element(element, None), unsaid=form.unsaid, ref=_ref(element))
    return readers.list_of(_element(element, form), ref=_ref(element))


def _ref(element: Any) -> Ref | None:
    """What an element refers to where it is written as a name alone."""
    base, *notes = get_args(element) if get_origin(element) is Annotated else (element,)
    if (short := getattr(base, "SHORT", None)) is not None:
        return _ref(hint_of(base, short))
    return next((note for note in notes if isinstance(note, Ref)), None)


def _element(annotation: Any, form: Form | None) -> Read:
    """A form on a list means its elements."""
    return reader_of(annotation) if get_origin(annotation) is Annotated else _reader(annotation, form)


def _options(base: Any) -> tuple[Any, ...]:
    return get_args(base) if get_origin(base) in (Union, types.UnionType) else (base,)


def _either(options: list[Any], form: Form | None) -> Read:
    """A scalar or a record or a list, told apart by what is written; between scalars, the first that fits."""
    empty = type(None) in options
    maps, lists, scalars = [], [], []
    for one in options:
        if one is type(None):
            continue
        base = get_args(one)[0] if get_origin(one) is Annotated else one
        read = reader_of(one) if get_origin(one) is Annotated else _reader(one, form)
        if get_origin(base) is Literal and bool in options:
            read = readers.choice(get_args(base), beside=("true", "false"))
        if get_origin(base) is tuple:
            lists.append(read)
        elif get_origin(base) in (dict, Mapping) or is_value(base):
            maps.append(read)
            if getattr(base, "SHORT", None):
                scalars.append(read)
        else:
            scalars.append(read)
    if (isinstance(form, Text) and form.late) or isinstance(form, Path):
        return readers.or_nothing(empty, scalars[0])

    def read_either(node: Node, reading: Reading, path: str) -> Any:
        fitting = scalars if isinstance(node, Scalar) else lists if isinstance(node, Sequence) else maps
        return readers.first_fit(fitting or scalars or lists or maps, node, reading, path)

    return readers.or_nothing(empty, readers.opened(read_either))
