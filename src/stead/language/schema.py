"""JSON Schema of the spec, made from the kinds' models: for completion and hover text in editors, and for validators.

Everywhere a scalar may be an expression, so text with `{{` is let through; Stead itself checks what it comes to.
"""

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
from stead.core.kind import Kind, Scope
from stead.language.desired.exports import ForOthers
from stead.language.desired.model import Site
from stead.language.desired.variables import Declared
from stead.language.reading.models import word_of
from stead.language.spec.grants import Grants
from stead.language.spec.quota import quota_model
from stead.language.spec.settings import Common

Json = dict[str, Any]
DRAFT = "https://json-schema.org/draft/2020-12/schema"
EXPRESSION: Json = {"type": "string", "pattern": r"\{\{|\{%"}
NAMES: Json = {"pattern": f"^{NAME.pattern}$"}
_SCALARS: dict[type, Json] = {
    str: {"type": ["string", "number"]},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
}


def schema(kinds: Mapping[str, Kind]) -> Json:
    """The whole spec. Each kind is a definition of its own, under its plural."""
    defs: Json = {plural: _of_kind(kind) for plural, kind in kinds.items() if plural != "projects"}
    defs |= _shared(kinds)
    site = {p: _section(p, kind) for p, kind in kinds.items() if kind.scope is not Scope.PROJECT and p != "projects"}
    own = {p: _section(p, kind) for p, kind in kinds.items() if kind.scope is not Scope.SITE}
    project = _of_kind(kinds["projects"])
    project["properties"] |= own | {"include": _INCLUDE, "exports": _EXPORTS, "moved": _MOVED, "forget": _FORGET}
    project["type"] = ["object", "null"]
    defs["project"] = project
    return {
        "$schema": DRAFT,
        "title": "A Stead spec",
        "type": "object",
        "required": ["stead"],
        "additionalProperties": False,
        "properties": {
            "stead": {"const": 1, "description": "The version of the language"},
            "site": {**record(Site), "description": "What holds for everything"},
            "vars": _VARIABLES,
            **site,
            "include": _OWNED,
            "grants": _map(record(Grants), "What projects may do beyond their walls in files of their people"),
            "projects": _map({"$ref": "#/$defs/project"}, "Projects by name, with everything that is theirs"),
            "outputs": _map({}, "Values to show after an apply, and for other tools to read", names={}),
            "checks": _map(_CHECK, "Conditions that the plan must meet", names={}),
            "moved": _MOVED,
            "forget": _FORGET,
        },
        "$defs": defs,
    }


def part(kinds: Mapping[str, Kind]) -> Json:
    """A file that is included: a part, or what the people of a project write."""
    whole = schema(kinds)
    project = whole["$defs"].pop("project")["properties"]
    sections = {p for p, kind in kinds.items() if kind.scope is not Scope.SITE}
    own = {word: made for word, made in project.items() if word in {*sections, "include", "exports", "moved", "forget"}}
    first = {word: whole["properties"][word] for word in ("stead", "vars")}
    return {**whole, "title": "A part of a Stead spec", "properties": first | own}


def one_kind(plural: str, kinds: Mapping[str, Kind]) -> Json:
    kind = kinds[plural]
    return {"$schema": DRAFT, "title": kind.name, **_of_kind(kind), "$defs": _shared(kinds)}


def _shared(kinds: Mapping[str, Kind]) -> Json:
    return {"expression": EXPRESSION, "quota": {**record(quota_model(kinds)), "type": ["object", "null"]}}


def _section(plural: str, kind: Kind) -> Json:
    return _map({"$ref": f"#/$defs/{plural}"}, kind.help)


def _map(values: Json, description: str, *, names: Json = NAMES) -> Json:
    return {
        "type": ["object", "null"],
        "description": description,
        "propertyNames": names,
        "additionalProperties": values,
    }


def _of_kind(kind: Kind) -> Json:
    made = record(kind.model)
    made["properties"] |= record(Common)["properties"]
    made["description"] = kind.help
    if kind.counted:
        made["properties"] |= {
            "count": {
                **_or_expression({"type": "integer", "minimum": 0}),
                "description": "How many, numbered from 0",
                "examples": [3],
            },
            "for_each": {
                **_or_expression({"type": ["array", "object"]}),
                "description": "One for each name of a list or map",
                "examples": [["blue", "green"]],
            },
        }
    if not made.get("required"):
        made["type"] = ["object", "null"]
    return made


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
        return _or_expression({"enum": list(get_args(base))})
    if origin is tuple and isinstance(form, Filled):
        return {"type": "array", "minItems": 1, "items": _element(get_args(base)[0], None)}
    if origin is tuple:
        return {"type": "array", "items": _element(get_args(base)[0], form)}
    if origin in (dict, Mapping):
        return {"type": "object", "additionalProperties": _element(get_args(base)[1], form)}
    if dataclasses.is_dataclass(base) and isinstance(base, type) and not isinstance(form, Ref):
        made = record(base)
        short = getattr(base, "SHORT", None)
        return {"anyOf": _merged([made["properties"][word_of(short)], made])} if short else made
    return _or_expression(_scalar(base, form))


def _element(annotation: Any, form: Form | None) -> Json:
    return of(annotation) if get_origin(annotation) is Annotated else _plain(annotation, form)


def _or_expression(made: Json) -> Json:
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


_VARIABLE: Json = {"anyOf": [{"not": {"type": "object"}}, record(Declared), {"type": "object"}]}
_VARIABLES = _map(_VARIABLE, "Variables: a default alone, or what is to be said of it", names={})
_INCLUDE = _map(
    {
        "type": "object",
        "required": ["part"],
        "additionalProperties": False,
        "properties": {
            "part": {"type": "string", "description": "File of the part, relative to this one"},
            "vars": {"type": ["object", "null"], "description": "Its parameters"},
        },
    },
    "Parts to include; what they define is named after the inclusion: blue-web",
)
_PROJECT_FILE: Json = {
    "type": "object",
    "required": ["project", "from"],
    "additionalProperties": False,
    "properties": {
        "project": {"type": "string", **NAMES, "description": "Project whose people write the files"},
        "from": {
            "type": "string",
            "description": "Their folder, or their file, relative to this one",
            "examples": ["tenants/acme"],
        },
        "vars": {"type": ["object", "null"], "description": "Values of variables that their files declare"},
    },
}
_OWNED: Json = {
    "anyOf": [_PROJECT_FILE, {"type": "array", "items": _PROJECT_FILE}, {"type": "null"}],
    "description": "Files that the people of a project own: they change that project and nothing else",
}
_CHECK: Json = {
    "type": "object",
    "required": ["that"],
    "properties": {
        "that": {"description": "The condition, in {{ }}"},
        "message": {"type": "string", "description": "What to say when it does not hold"},
        "severity": {
            "enum": ["error", "warning"],
            "default": "error",
            "description": "Whether the plan is refused, or only said",
        },
    },
}
_EXPORTS = _map(
    {"anyOf": [{"not": {"type": "object"}}, record(ForOthers), {"type": "object"}]},
    "Values that expressions of other projects may use: projects.acme.exports.NAME",
)
_MOVED: Json = {
    "type": ["array", "null"],
    "description": "New names of resources, so that they are renamed and not made anew",
    "items": {
        "type": "object",
        "required": ["from", "to"],
        "properties": {
            "from": {"type": "string", "description": "Its address before", "examples": ["acme/instances/web"]},
            "to": {"type": "string", "description": "Its address now", "examples": ["acme/instances/frontend"]},
        },
    },
}
_FORGET: Json = {
    "type": ["array", "null"],
    "description": "Resources that are no longer managed, and not destroyed",
    "items": {"type": "string"},
}
