"""Whether a value has the form that a TypedDict, or another type of the wire, says. Where and why it has not."""

from __future__ import annotations

import typing
from collections.abc import Iterator
from typing import Any, Union, get_args, get_origin


def misfits(value: Any, form: Any, path: str = "") -> Iterator[str]:
    if form is Any:
        return
    if typing.is_typeddict(form):
        yield from _record(value, form, path)
        return
    origin, inner = get_origin(form), get_args(form)
    if origin is Union:
        if all(list(misfits(value, one, path)) for one in inner):
            yield f"{path}: {value!r} is none of {inner}"
    elif not isinstance(value, origin or form) or (form is int and isinstance(value, bool)):
        yield f"{path}: {value!r} is no {form}"
    elif origin is list:
        for one in value:
            yield from misfits(one, inner[0], f"{path}[]")
    elif origin is dict:
        for one in value.values():
            yield from misfits(one, inner[1], f"{path}.*")


def _record(value: Any, form: Any, path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{path}: {value!r} is no mapping"
        return
    fields = typing.get_type_hints(form)
    yield from (f"{path}.{name} is not in {form.__name__}" for name in value.keys() - fields.keys())
    for name in value.keys() & fields.keys():
        yield from misfits(value[name], fields[name], f"{path}.{name}".lstrip("."))
