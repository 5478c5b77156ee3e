"""The draft of a spec as entries of a document, in which all is chosen: no variables, no counts, no expressions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from stead.core.named import NamedTuple
from stead.heat.stack import INDEX, MOST_RESOURCES, Draft, HotResource, Stack, Written
from stead.heat.template import TOO_LARGE, WRONG
from stead.heat.values import Either, Expr, Mixed, Value, braced, in_text, is_late, joined, size
from stead.language.expressions import evaluate


class DocumentEntry(NamedTuple):
    """`fields` may have values that the plan chooses: `valued` says what they come to."""

    kind: str
    key: str
    fields: dict[str, Any]
    number: str = ""  # of a member

    @property
    def waits(self) -> bool:
        return is_late(self.fields)


def entries(draft: Draft) -> list[DocumentEntry]:
    """What the project's document has of the stack."""
    found: list[DocumentEntry] = []
    for (project, kind), section in draft.sections.items():
        for key, written in section.items() if project else ():
            found += _members(draft, kind, key, written)
    return found


def _members(draft: Draft, kind: str, key: str, written: Written) -> Iterator[DocumentEntry]:
    fields = {name: one for name, one in written.fields.items() if one is not None}
    count = fields.pop("count", None)
    if count is None:
        yield DocumentEntry(kind, key, _numbered(fields, ""))
    elif isinstance(count, int) and 0 <= count <= MOST_RESOURCES:
        draft.left -= count * size(fields, draft.left)
        if draft.left < 0:
            draft.found.append(TOO_LARGE.at(None, f"{key}: its {count:,} members are too much together."))
            return
        for at in range(count):
            yield DocumentEntry(kind, f"{key}-{at}", _numbered(fields, str(at)), str(at))
    else:
        draft.found.append(WRONG.at(None, f"{key}: the count is a number up to {MOST_RESOURCES:,}."))


def _numbered(value: Value, index: str) -> Any:
    """With the number of a member where it stands."""
    match value:
        case dict():
            return {name: _numbered(one, index) for name, one in value.items() if one is not None}
        case list():
            return [_numbered(one, index) for one in value]
        case Mixed():
            return joined(index if one == INDEX else one for one in value.parts)
        case Expr():
            return index if value == INDEX else value
        case _:
            return value


def valued(value: Value, scope: Mapping[str, Any]) -> Any:
    """Text of a client's is escaped where it stands in an expression, as in a spec."""
    match value:
        case dict():
            return {name: valued(one, scope) for name, one in value.items()}
        case list():
            return [valued(one, scope) for one in value]
        case Expr() | Either():
            return evaluate(braced(value), scope)
        case Mixed():
            return str(evaluate(in_text(value), scope))
        case _:
            return value


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
