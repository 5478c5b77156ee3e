"""The draft of a spec as entries of a document, in which all is chosen: no variables, no counts, no expressions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from stead.core.named import NamedTuple
from stead.heat.stack import INDEX, MOST_RESOURCES, Draft, HotResource, Stack, Written
from stead.heat.template import NO_FUNCTION, WRONG
from stead.heat.values import Either, Expr, Mixed, Value, joined

NEVER = "An API request is planned before it is answered, and this value is chosen by its plan. Use a fixed address."


class DocumentEntry(NamedTuple):
    kind: str
    key: str
    fields: dict[str, Any]


def entries(draft: Draft) -> list[DocumentEntry]:
    """What the project's document has of the stack. What cannot be said without the plan is told in the draft."""
    found: list[DocumentEntry] = []
    for (project, kind), section in draft.sections.items():
        for key, written in section.items() if project else ():
            found += _members(draft, kind, key, written)
    return found


def _members(draft: Draft, kind: str, key: str, written: Written) -> Iterator[DocumentEntry]:
    fields = {name: one for name, one in written.fields.items() if one is not None}
    count = fields.pop("count", None)
    if count is None:
        yield DocumentEntry(kind, key, _plain(draft, key, fields, ""))
    elif isinstance(count, int) and 0 <= count <= MOST_RESOURCES:
        for at in range(count):
            yield DocumentEntry(kind, f"{key}-{at}", _plain(draft, key, fields, str(at)))
    else:
        draft.found.append(WRONG.at(None, f"{key}: the count is a number up to {MOST_RESOURCES:,}."))


def _plain(draft: Draft, key: str, value: Value, index: str) -> Any:
    match value:
        case dict():
            return {name: _plain(draft, key, one, index) for name, one in value.items() if one is not None}
        case list():
            return [_plain(draft, key, one, index) for one in value]
        case Mixed():
            if INDEX not in value.parts:
                return _late(draft, key)
            return _plain(draft, key, joined(index if one == INDEX else one for one in value.parts), index)
        case Expr():
            return index if value == INDEX else _late(draft, key)
        case Either():
            return _late(draft, key)
        case _:
            return value


def _late(draft: Draft, key: str) -> None:
    draft.found.append(NO_FUNCTION.at(None, f"{key}: {NEVER}"))


class StackPart(NamedTuple):
    """One resource of the template, or of a group or nested stack in it; `keys` are its definitions."""

    resource: HotResource
    name: str
    kind: str
    keys: tuple[str, ...]
    above: str = ""  # the resource that it stands in


def parts(draft: Draft) -> list[StackPart]:
    return list(_parts(draft.root, "")) if draft.root is not None else []


def _parts(stack: Stack, above: str) -> Iterator[StackPart]:
    for resource in stack.resources.values():
        if resource.handler is None or resource.condition is False:
            continue
        owner = resource.part_of or resource
        inside = list(_parts(resource.inner, resource.id)) if resource.inner is not None else []
        below = tuple(key for one in inside for key in one.keys)
        yield StackPart(resource, resource.id, owner.kind, below if inside else keys_of(owner), above)
        yield from (one for one in inside if one.name != resource.id)


def keys_of(resource: HotResource) -> tuple[str, ...]:
    if resource.entry is None:
        return ()
    count = resource.entry.fields.get("count")
    if not isinstance(count, int):
        return (resource.key,)
    return tuple(f"{resource.key}-{at}" for at in range(min(count, MOST_RESOURCES)))
