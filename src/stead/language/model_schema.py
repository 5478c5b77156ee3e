"""The JSON Schema of a model: what its annotated fields take."""

from __future__ import annotations

import dataclasses
import re
import types
import typing
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from stead.core.address import NAME
from stead.core.fields import (
    Anything,
    Cidr,
    Duration,
    Example,
    Expression,
    Filled,
    Form,
    Ip,
    Limits,
    Mac,
    Milliseconds,
    Name,
    Path,
    Ports,
    Range,
    Ref,
    Secret,
    Size,
    Text,
    Whole,
)
from stead.language.reading.models import word_of

Json = dict[str, Any]
EXPRESSION: Json = {"type": "string", "pattern": r"\{\{|\{%"}
NAMES: Json = {"pattern": f"^{NAME.pattern}$"}
_SCALARS: dict[type, Json] = {
    str: {"type": ["string", "number"]},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
}


def record(model: type) -> Json:
    hints = typing.get_type_hints(model, include_extras=True)
    properties: Json = {}
    required = []
    for one in dataclasses.fields(model):
        word = word_of(one.name)
        properties[word] = of(hints[one.name])
        if one.default is dataclasses.MISSING and one.default_factory is dataclasses.MISSING:
            required.append(word)
        elif isinstance(one.default, str | int | float | bool) and one.default != "":
            properties[word].setdefault("default", one.default)
    made: Json = {"type": "object", "additionalProperties": False, "properties": properties}
    return made | ({"required": required} if required else {})


def of(annotation: Any) -> Json:
    """The schema of one annotation: its form, its help and its example."""
    if get_origin(annotation) is not Annotated:
        return _plain(annotation, None)
    base, *notes = get_args(annotation)
    form = next((note for note in notes if isinstance(note, Form)), None)
    made = dict(_plain(base, form))
    texts = [note for note in notes if isinstance(note, str)]
    examples = [note.value for note in notes if isinstance(note, Example)]
    return made | ({"description": texts[0]} if texts else {}) | ({"examples": examples} if examples else {})


def _plain(base: Any, form: Form | None) -> Json:
    if isinstance(form, Anything) or base is Any:
        return {}
    if isinstance(form, Limits):
        return {"$ref": "#/$defs/quota"}
    if get_origin(base) in (Union, types.UnionType):
        options = [_nothing() if one is type(None) else _one(one, form) for one in get_args(base) if one not in _HIDDEN]
        return options[0] if len(options) == 1 else {"anyOf": _merged(options)}
    return _one(base, form)


_HIDDEN = (Expression, Secret)


def _nothing() -> Json:
    return {"type": "null"}


def _merged(options: list[Json]) -> list[Json]:
    """Each alternative once; an expression is one of many."""
    found: list[Json] = []
    for option in options:
        for one in option["anyOf"] if set(option) == {"anyOf"} else [option]:
            if one not in found:
                found.append(one)
    return found


def _one(base: Any, form: Form | None) -> Json:
    origin = get_origin(base)
    if origin is Annotated:
        return of(base)
    if origin is Literal:
        return or_expression({"enum": list(get_args(base))})
    if origin is tuple and isinstance(form, Filled):
        return or_expression({"type": "array", "minItems": 1, "items": _element(get_args(base)[0], None)})
    if origin is tuple:
        return or_expression({"type": "array", "items": _element(get_args(base)[0], form)})
    if origin in (dict, Mapping):
        return or_expression({"type": "object", "additionalProperties": _element(get_args(base)[1], form)})
    if dataclasses.is_dataclass(base) and isinstance(base, type) and not isinstance(form, Ref):
        made = record(base)
        short = getattr(base, "SHORT", None)
        return {"anyOf": _merged([made["properties"][word_of(short)], made])} if short else or_expression(made)
    return or_expression(_scalar(base, form))


def _element(annotation: Any, form: Form | None) -> Json:
    return of(annotation) if get_origin(annotation) is Annotated else _plain(annotation, form)


def or_expression(made: Json) -> Json:
    return (
        made
        if made.get("type") in ("string", ["string", "number"]) and len(made) == 1
        else {"anyOf": [made, {"$ref": "#/$defs/expression"}]}
    )


_FORMS: dict[type, Json] = {
    Size: {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?\s*([kKMGTP]?i?B)$"},
    Duration: {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?\s*[smhdw]$"},
    Milliseconds: {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?\s*(ms|[sm])$"},
    Mac: {"type": "string", "pattern": "^[0-9a-fA-F]{2}([:-][0-9a-fA-F]{2}){5}$"},
    Cidr: {"type": "string", "pattern": "^[0-9a-fA-F.:]+/[0-9]+$"},
    Ip: {"type": "string", "pattern": "^[0-9a-fA-F.:]+$"},
    Ports: {"type": ["integer", "string"]},
    Name: {"type": "string", **NAMES},
    Ref: {"type": ["string", "number"]},
    Range: {"type": "string"},
    Path: {"type": "string"},
}


def _scalar(base: Any, form: Form | None) -> Json:
    match form:
        case Whole(least, most):
            return {"type": "integer"} | _bounds(least, most)
        case Text(pattern=pattern) if pattern:
            # A plain number is text as well, where the form takes one: `at_once: 2`, `vlans: [7]`.
            numbers = any(re.fullmatch(pattern, one) for one in ("1", "10", "1000"))
            return {"type": ["string", "number"] if numbers else "string", "pattern": f"^({pattern})$"}
        case Text():
            return {"type": ["string", "number"]}
        case None:
            return _SCALARS[base]
        case _:
            return _FORMS[type(form)]


def _bounds(least: int | None, most: int | None) -> Json:
    return ({} if least is None else {"minimum": least}) | ({} if most is None else {"maximum": most})
