"""Templates that are being translated, one in the other, and the spec that they make together."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from stead.core.address import NAME
from stead.core.diagnostics import Code, Diagnostic, Place
from stead.core.value import field, mutable
from stead.heat.template import NO_PROPERTY, NO_TYPE, NOT_THERE, WRONG, CannotSay, Reader, Template, scalar
from stead.heat.values import Attribute, Either, Expr, Mixed, Reference, Value, dotted, joined, literal
from stead.language import document
from stead.language.document import Node, Scalar
from stead.language.reading.context import nearest

if TYPE_CHECKING:
    from stead.heat.handler import Handler

INDEX = Expr("index")
DEEPEST = 5  # templates in templates, as with Heat
MOST_RESOURCES = 1000  # as with Heat


@mutable
class Written:
    """A definition of the spec, and what is said beside it."""

    fields: dict[str, Value] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


@mutable
class Draft:
    """The spec that is being made."""

    project: str
    reader: Reader
    registry: Mapping[str, str] = field(default_factory=dict)
    found: list[Diagnostic] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    variables: dict[str, Written] = field(default_factory=dict)
    sections: dict[tuple[str, str], dict[str, Written]] = field(default_factory=dict)  # by project, or none, and kind
    outputs: dict[str, Written] = field(default_factory=dict)
    named: dict[str, str] = field(default_factory=dict)  # parameters that name a resource, and of which kind
    needs: dict[str, list[Value]] = field(default_factory=dict)  # what the site has to have, by kind
    signals: dict[str, Value] = field(default_factory=dict)  # handles that the text now read calls, and their timeouts
    signalled: dict[str, HotResource] = field(default_factory=dict)  # by handle: the instance that calls it
    resources: int = 0
    outside: bool = False  # outputs are being read, which stand beside the projects

    def entry(self, project: str, kind: str, key: str) -> Written:
        return self.sections.setdefault((project, kind), {}).setdefault(key, Written())

    def free(self, project: str, kind: str, wanted: str) -> str:
        """A key that nothing else of the kind has."""
        taken = self.sections.get((project, kind), {})
        name, number = wanted, 2
        while name in taken:
            name, number = f"{wanted[:58]}-{number}", number + 1
        return name

    def need(self, kind: str, value: Value) -> None:
        known = self.needs.setdefault(kind, [])
        if value not in known:
            known.append(value)


class HotResource:
    """One of the template's. `kind` and `key` say where it is in the spec, where it is one there."""

    def __init__(
        self, stack: Stack, name: str, node: document.Mapping, kind_name: str, handler: Handler | None
    ) -> None:
        self.stack, self.id, self.node, self.type, self.handler = stack, name, node, kind_name, handler
        self.kind = self.key = self.project = ""
        self.entry: Written | None = None
        self.inner: Stack | None = None  # what a group or a nested stack has
        self.condition: Value = True
        self.part_of: HotResource | None = None  # in whose definition it stands

    @property
    def counted(self) -> Stack | None:
        return self.stack.counted

    def place(self, path: str = "") -> Place:
        return self.node.place_of(path)

    def properties(self) -> document.Mapping:
        node = self.node.child("properties")
        if isinstance(node, document.Mapping):
            return node
        if node is not None and scalar(node, "") is not None:
            self.tell(WRONG, node.place, "The properties are not a map.")
        return document.Mapping(self.node.file, self.node.line, self.node.column)

    def tell(self, code: Code, place: Place, text: str) -> None:
        self.stack.draft.found.append(code.at(place, text))
        notes = self.entry.notes if self.entry is not None else self.stack.draft.notes
        notes.append(f"left out ({place}): {text}")

    def name_from(self, stack: Stack, *, many: bool, member: str = "") -> Value:
        """How it is written where a name is wanted."""
        if self.counted is not None and self.counted is stack.counted:
            return Mixed((f"{self.key}[", INDEX, "]"))
        if member:
            return f"{self.key}[{member}]"
        if self.counted is not None and not many:
            text = f"{self.id} has several members, and one of them is wanted: name it as `resource.0`."
            raise CannotSay(WRONG.at(self.place(), text))
        return self.key if self.condition is True or many else f"{self.key}[0]"

    def late_base(self, stack: Stack, member: str = "") -> str:
        """How an expression reaches it, or its members."""
        outside = stack.draft.outside and self.project
        base = dotted(dotted("projects", self.project) + f".{self.kind}" if outside else self.kind, self.key)
        if self.counted is not None and self.counted is stack.counted:
            return f"{base}[index]"
        if member:
            return f"{base}[{member}]"
        return base if self.counted is not None or self.condition is True else f"{base}[0]"

    def late(self, stack: Stack, attribute: str, member: str = "") -> Expr:
        base = self.late_base(stack, member)
        if self.counted is not None and self.counted is not stack.counted and not member:
            return Expr(f"{base} | map(attribute='{attribute}') | list", late=True)
        return Expr(f"{base}.{attribute}", late=True)


class Stack:
    """A template with values for its parameters."""

    def __init__(self, draft: Draft, template: Template, *, parent: Stack | None = None, prefix: str = "") -> None:
        self.draft, self.template, self.parent, self.prefix = draft, template, parent, prefix
        self.parameters: dict[str, Value] = {}
        self.resources: dict[str, HotResource] = {}
        self.count: Value = None  # of a group
        self.index_var = ""
        self.around: Value = True  # the condition of the resource whose template this is
        self.evaluating: list[str] = []  # conditions, outputs and values that are being followed

    @property
    def counted(self) -> Stack | None:
        """The stack around it that has a count."""
        if self.count is not None:
            return self
        return self.parent.counted if self.parent else None

    @property
    def depth(self) -> int:
        return 1 + (self.parent.depth if self.parent else 0)

    def value(self, node: Node) -> Value:
        from stead.heat.functions import value

        return value(self, node)

    def find(self, node: Node) -> HotResource:
        name = scalar(node)
        resource = self.resources.get(str(name))
        if resource is None and self.index_var and self.parent is not None:
            return self.parent.find(node)  # a group's member is of the group's template
        if resource is None:
            text = f"There is no resource {name!r}.{nearest(str(name), self.resources)}"
            raise CannotSay(NOT_THERE.at(node.place, text))
        if resource.handler is None:
            raise CannotSay(None)
        return resource

    def condition(self, node: Node) -> Value:
        """An expression, or true or false where the template says so itself."""
        if isinstance(node, Scalar) and not isinstance(node.value, bool):
            return self._named_condition(node)
        made = self.value(node)
        if isinstance(made, Either):
            return Expr(literal(made))
        if not isinstance(made, bool | Expr):
            raise CannotSay(WRONG.at(node.place, "A condition is true or false."))
        return made

    def _named_condition(self, node: Scalar) -> Value:
        known = self.template.section("conditions")
        below = known.get(node.text)
        if below is None:
            text = f"There is no condition {node.text!r}.{nearest(node.text, known)}"
            raise CannotSay(NOT_THERE.at(node.place, text))
        return self.following(f"condition {node.text}", node, lambda: self.condition(below))

    def following(self, what: str, node: Node, evaluated: Any) -> Value:
        if what in self.evaluating:
            raise CannotSay(WRONG.at(node.place, f"The {what} uses itself."))
        self.evaluating.append(what)
        try:
            return evaluated()
        finally:
            self.evaluating.pop()

    def text(self, text: str) -> Value:
        """Text of the template; the number of the member in it is an expression."""
        if not self.index_var or self.index_var not in text:
            return text
        pieces: list[Value] = []
        for piece in text.split(self.index_var):
            pieces += [INDEX, piece]
        return joined(pieces[1:])


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


def count_of(resource: HotResource) -> Value:
    """What `count` says of it: nothing, its group's, or one where its condition holds."""
    group = resource.counted.count if resource.counted is not None else None
    if resource.condition is True:
        return group
    many = 1 if group is None else group
    return Expr(literal(Either(resource.condition, many, 0)))


def unknown_type(resource: HotResource, known: Mapping[str, Any], place: Place) -> Diagnostic:
    hint = nearest(resource.type, known)
    return NO_TYPE.at(place, f"{resource.id}: {resource.type} has no equivalent.{hint}")
