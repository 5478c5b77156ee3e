"""Properties of a resource, taken one by one: what nobody takes has no equivalent, and is told."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from stead.core.diagnostics import Code, Place
from stead.heat.references import referred, settled
from stead.heat.stack import HotResource, Stack
from stead.heat.template import NO_PROPERTY, TOO_EARLY, WRONG, CannotSay
from stead.heat.values import Expr, Mixed, Value, each, expressions, is_late
from stead.language import document
from stead.language.document import Node


class Fields:
    """Of the properties as they stand in the template, or of a map that a function has made of them."""

    def __init__(
        self, resource: HotResource, node: Node, made: Mapping[str, Value] | None = None, path: str = ""
    ) -> None:
        self.resource, self.node, self.made, self.path = resource, node, made, path
        self.taken: set[str] = set()

    @property
    def stack(self) -> Stack:
        return self.resource.stack

    def names(self) -> Iterable[str]:
        if self.made is not None:
            return self.made.keys()
        return self.node.entries.keys() if isinstance(self.node, document.Mapping) else ()

    def place(self, name: str) -> Place:
        if isinstance(self.node, document.Mapping) and name in self.node.keys:
            return self.node.place_of_key(name)
        return self.node.place_of(name)

    def tell(self, code: Code, name: str, text: str) -> None:
        self.resource.tell(code, self.place(name), f"{self.resource.id}.{self.path}{name}: {text}")

    def no_property(self, name: str, text: str = "It has no equivalent.") -> None:
        self.tell(NO_PROPERTY, name, text)

    def take(self, *names: str) -> Value:
        """The first of these that is there, as the template means it. Older names stand behind newer ones."""
        for name in names:
            if name in self.names():
                self.taken.add(name)
                value = self._value(name)
                if value is not None:
                    return value
        return None

    def _value(self, name: str) -> Value:
        if self.made is not None:
            return self.made[name]
        below = self.node.child(name)
        return None if below is None else self.trying(name, lambda: self.stack.value(below))

    def trying(self, name: str, make: Callable[[], Value]) -> Value:
        """What is made, or nothing where a spec cannot say it, which is told."""
        try:
            return make()
        except CannotSay as why:
            if why.diagnostic is not None:
                found = why.diagnostic
                self.resource.tell(Code(found.code, found.summary), found.place or self.place(name), found.detail)
            return None

    def early(self, *names: str) -> Value:
        """A value that the plan does not choose."""
        value = self.take(*names)
        return self.trying(names[0], lambda: self.checked(value, names[0]))

    def checked(self, value: Value, name: str, *, late: bool = False) -> Value:
        """With names where references are, and without what has no meaning here."""
        if is_late(value) and not late:
            text = "It needs a value that the plan chooses, and is itself needed before that."
            raise CannotSay(TOO_EARLY.at(self.place(name), f"{self.resource.id}.{self.path}{name}: {text}"))
        if any(one.many for one in expressions(value)):
            text = (
                "`repeat` over a list that is known only later can fill ports and prefixes of rules, and nothing else."
            )
            raise CannotSay(NO_PROPERTY.at(self.place(name), text))
        return settled(self.stack, value, late=late)

    def late(self, *names: str) -> Value:
        """A value that may use what the plan chooses."""
        value = self.take(*names)
        return self.trying(names[0], lambda: self.checked(value, names[0], late=True))

    def ref(self, kind: str, *names: str) -> Value:
        value = self.take(*names)
        return self.named(kind, value, names[0])

    def named(self, kind: str, value: Value, name: str, *, many: bool = False) -> Value:
        if value is None:
            return None
        if is_late(value):
            return self.early(name)
        return self.trying(name, lambda: referred(self.stack, value, kind, self.place(name), many=many))

    def refs(self, kind: str, *names: str) -> Value:
        """A list of names."""
        return self.each(names, lambda value, name: self.named(kind, value, name, many=True))

    def each(self, names: Iterable[str], change: Callable[[Value, str], Value]) -> Value:
        """A list, with each item changed. An expression that gives a list stays one."""
        (*names,) = names
        name = next((one for one in names if one in self.names()), names[0])
        value = self.take(*names)
        if value is None:
            return None

        def changed(one: Value) -> Value:
            if isinstance(one, list):
                items = [each(item, lambda below: change(below, name)) for item in one]
                return [
                    part for item in items if item is not None for part in (item if isinstance(item, list) else [item])
                ]
            if isinstance(one, Expr):
                return change(one, name)
            self.tell(WRONG, name, "A list is wanted here.")
            return None

        return each(value, changed)

    def maps(self, names: Iterable[str], change: Callable[[Fields], Value]) -> Value:
        """A list of maps, with each changed; what nobody takes of one is told."""

        def changed(value: Value, name: str) -> Value:
            below = self.below(value, name)
            if below is None:
                return None
            made = change(below)
            below.rest()
            return made

        return self.each(names, changed)

    def below(self, value: Value, name: str) -> Fields | None:
        if isinstance(value, dict):
            return Fields(self.resource, self.node.child(name) or self.node, value, f"{self.path}{name}.")
        if value is not None:
            self.tell(WRONG, name, "A map is wanted here.")
        return None

    def map(self, name: str) -> Fields | None:
        return self.below(self.take(name), name)

    def drop(self, *names: str) -> None:
        """Taken, and of no consequence."""
        self.taken.update(names)

    def only(self, name: str, *values: Any, why: str = "It has no equivalent.") -> None:
        """Of no consequence while it is one of these."""
        value = self.take(name)
        if value is not None and value not in values:
            self.no_property(name, why)

    def rest(self) -> None:
        for name in self.names():
            if name not in self.taken:
                self.no_property(name)


def plain_text(value: Value) -> Value:
    """For fields that take text: numbers and booleans as text."""
    if isinstance(value, bool):
        return str(value)
    return str(value) if isinstance(value, int | float) else value


def is_text(value: Value) -> bool:
    return isinstance(value, str | Mixed | Expr)
