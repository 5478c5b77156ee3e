"""The options of a module that keeps one resource: made from the models that read the spec, and what only tasks say."""

from __future__ import annotations

import dataclasses
import re
import types
import typing
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from stead.core import fields
from stead.core.fields import Example, Form
from stead.core.named import NamedTuple
from stead.core.task import TaskForm
from stead.language.reading.models import word_of

SIZE = "size"
_LINK = re.compile(r"\[([^]]*)]\([^)]*\)")
_TYPES: dict[Any, str] = {str: "str", int: "int", float: "float", bool: "bool", Any: "raw"}
# Names that Ansible takes for those of secrets, which it keeps out of logs.
_SECRET_NAME = re.compile(r"key|pass|token|secret")

Passed = str | Mapping[str, Any]  # how a value comes into the want: as it is, as a size, or part by part


class Option(NamedTuple):
    name: str
    text: tuple[str, ...]
    type: str
    elements: str = ""
    required: bool = False
    default: Any = None
    choices: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    options: tuple[Option, ...] = ()
    passed: Passed | None = None
    task_only: bool = False  # no field of the want's
    secret: bool = False  # kept out of logs

    @property
    def public(self) -> bool:
        """Its name looks like a secret's, and it is none."""
        return _SECRET_NAME.search(self.name) is not None


def options(task: TaskForm) -> tuple[Option, ...]:
    return tuple(_all(task))


def _all(task: TaskForm) -> Iterator[Option]:
    found = {one.name: one for record in task.own for one in _record(record)}
    yield from (_said(task, one)._replace(task_only=True) for one in found.values())
    known = set(typing.get_type_hints(task.want)) if task.want is not None else set()
    for model in task.models:
        for one in _record(model):
            if one.name in known - set(found) - set(task.without):
                found[one.name] = one
                yield _said(task, one)._replace(passed=_passed(one))


def _said(task: TaskForm, one: Option) -> Option:
    """As the task says it, where that differs from what the field says."""
    found = one._replace(
        text=(task.texts[one.name],) if one.name in task.texts else one.text,
        default=task.defaults.get(one.name, one.default),
        required=one.required and one.name not in task.defaults,
        choices=task.choices.get(one.name, one.choices),
        aliases=task.aliases.get(one.name, ()),
    )
    part = task.parts.get(one.name)
    return found if part is None else found._replace(options=options(part))


def _passed(one: Option) -> Passed:
    return {part.name: _passed(part) for part in one.options} if one.options else one.passed or ""


def _record(model: type) -> Iterator[Option]:
    """An option for each field that has a form of its own: one that names another resource has none on a host."""
    hints = typing.get_type_hints(model, include_extras=True)
    for one in dataclasses.fields(model):
        notes = get_args(hints[one.name])[1:]
        found = _typed(hints[one.name])
        if found is not None:
            required = one.default is dataclasses.MISSING and one.default_factory is dataclasses.MISSING
            yield found._replace(name=word_of(one.name), text=_text(notes), required=required, default=_default(one))


def _default(one: dataclasses.Field[Any]) -> Any:
    if one.default_factory is not dataclasses.MISSING:
        return one.default_factory()
    if one.default is dataclasses.MISSING:
        return None
    return list(one.default) if isinstance(one.default, tuple) else one.default


def _text(notes: tuple[Any, ...]) -> tuple[str, ...]:
    """Sentences, and an example of a plain value."""
    first, *texts = [note for note in notes if isinstance(note, str)]
    whole = _LINK.sub(r"\1", first)
    whole = re.sub(r"`([^`]*)`", r"V(\1)", whole).rstrip(".")
    for form, unit in ((fields.Duration, "seconds"), (fields.Milliseconds, "milliseconds")):
        if any(isinstance(note, form) for note in notes):
            return (f"{whole}, in {unit}.",)
    example = next((note.value for note in notes if isinstance(note, Example)), None)
    more = (f"For example V({example}).",) if isinstance(example, str | int) and ")" not in str(example) else ()
    return (f"{whole}.", *(f"{text}." for text in texts), *more)


def _typed(annotation: Any, form: Form | None = None) -> Option | None:
    origin = get_origin(annotation)
    if origin is Annotated:
        base, *notes = get_args(annotation)
        return _typed(base, next((note for note in notes if isinstance(note, Form)), form))
    if isinstance(form, fields.Ref):
        return None
    if origin in (Union, types.UnionType):
        known = [one for one in get_args(annotation) if one is not type(None)]
        return _typed(known[0], form) if len(known) == 1 else None
    if origin is tuple:
        return _list(_typed(get_args(annotation)[0], form))
    if origin is Literal:
        return Option("", (), "str", choices=get_args(annotation))
    if dataclasses.is_dataclass(annotation) and isinstance(annotation, type):
        parts = tuple(one._replace(passed=_passed(one)) for one in _record(annotation))
        return Option("", (), "dict", options=parts)
    if origin in (dict, Mapping):
        return Option("", (), "dict")
    return _scalar(annotation, form)


def _list(element: Option | None) -> Option | None:
    return None if element is None else element._replace(type="list", elements=element.type)


def _scalar(annotation: Any, form: Form | None) -> Option | None:
    match form:
        case fields.Size():
            return Option("", (), "str", passed=SIZE)
        case fields.Path():
            return Option("", (), "path")
        case _:
            if annotation is fields.Secret:
                return Option("", (), "str", secret=True)
            type_ = _TYPES.get(annotation)
            return None if type_ is None else Option("", (), type_)
