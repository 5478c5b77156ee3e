"""How resources are named, and how values name them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from stead.core.address import NAME
from stead.core.diagnostics import Diagnostic, Place
from stead.heat.stack import HotResource, Stack
from stead.heat.template import NO_PROPERTY, NO_TYPE, NOT_THERE, WRONG, CannotSay
from stead.heat.values import Attribute, Either, Expr, Mixed, Reference, Value
from stead.language.reading.context import nearest


def slug(text: str, kind: str = "resource") -> str:
    """A name of Stead's like one of Heat's: `WebServer_1` is `web-server-1`."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", text)
    made = re.sub(r"[^a-z0-9]+", "-", spaced.lower()).strip("-")[:63].strip("-")
    return made if NAME.fullmatch(made) else f"{kind[:1]}-{made}"[:63].strip("-") if made else f"{kind}-x"


def referred(stack: Stack, value: Value, kind: str, place: Place, *, many: bool = False) -> Value:
    """A name of a resource of this kind: of the template, or of what the site or project has already."""
    match value:
        case Reference(resource=HotResource() as resource):
            if resource.kind != kind:
                text = f"{resource.id} is {resource.type}, which makes none of {kind}."
                raise CannotSay(WRONG.at(place, text))
            return resource.name_from(stack, many=many, member=value.member)
        case Either():
            then, other = (
                None if one is None else referred(stack, one, kind, place, many=many)
                for one in (value.then, value.other)
            )
            return Either(value.condition, then, other)
        case Expr():
            if value.param:
                stack.draft.named.setdefault(value.param, kind)
            stack.draft.need(kind, value)
            return value
        case Mixed():
            stack.draft.need(kind, value)
            return value
        case str() if stack.draft.chosen is not None:
            try:
                return stack.draft.chosen.named(kind, value)
            except KeyError:
                what = kind.removesuffix("s").replace("_", " ")
                raise CannotSay(NOT_THERE.at(place, f"There is no {what} {value[:80]!r}.")) from None
        case str():
            name = value if NAME.fullmatch(value) else slug(value, kind)
            stack.draft.need(kind, name)
            return name
        case _:
            raise CannotSay(WRONG.at(place, f"A name of {kind} is wanted here."))


def settled(stack: Stack, value: Value, *, late: bool) -> Value:
    match value:
        case Reference(resource=resource):
            if not resource.kind:
                raise CannotSay(NO_PROPERTY.at(resource.place(), f"{resource.id} has no name of its own in a spec."))
            return (
                resource.late(stack, "uuid", value.member)
                if late
                else resource.name_from(stack, many=True, member=value.member)
            )
        case Attribute():
            raise CannotSay(NO_PROPERTY.at(value.where.place, "This attribute has no equivalent here."))
        case Either():
            return Either(
                value.condition, settled(stack, value.then, late=late), settled(stack, value.other, late=late)
            )
        case list():
            return [settled(stack, one, late=late) for one in value]
        case dict():
            return {key: settled(stack, one, late=late) for key, one in value.items()}
        case _:
            return value


def unknown_type(resource: HotResource, known: Mapping[str, Any], place: Place) -> Diagnostic:
    hint = nearest(resource.type, known)
    return NO_TYPE.at(place, f"{resource.id}: {resource.type} has no equivalent.{hint}")
