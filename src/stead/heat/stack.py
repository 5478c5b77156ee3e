"""Templates that are being translated, one in the other, and the spec that they make together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from stead.core.diagnostics import Code, Diagnostic, Place
from stead.core.named import NamedTuple
from stead.core.value import field, mutable
from stead.heat.template import NOT_THERE, TOO_LARGE, WRONG, CannotSay, Reader, Template, scalar
from stead.heat.values import Either, Expr, Value, dotted, in_text, joined, literal, quoted
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


class Chosen(NamedTuple):
    """What a request to the API has chosen: values in the place of variables, and names of what is there already."""

    stack: str
    id: str
    project_id: str
    prefix: str  # of all that the stack has
    named: Callable[[str, str], Value]  # the key of what a kind has under a name or id, or its fields; raises KeyError
    secret: Callable[[str, int], str]  # what Heat would make up: by its name, and of this length

    def pseudo(self) -> Mapping[str, str]:
        return {"OS::stack_name": self.stack, "OS::stack_id": self.id, "OS::project_id": self.project_id}


@mutable
class Draft:
    """The spec that is being made."""

    project: str
    reader: Reader
    chosen: Chosen | None = None  # through the API: nothing is left to variables
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
    templates: dict[tuple[str, ...], Template | None] = field(default_factory=dict)  # inner ones, by text and place
    resources: int = 0
    retained: list[str] = field(default_factory=list)  # KIND/KEY of what a stack of the API leaves behind
    root: Stack | None = None
    left: int = 500_000  # values that functions may still make: a few of them could double something again and again
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

    def member(self, key: str, index: str | Expr) -> Value:
        """A member of a counted definition. In a document of the API, it is a definition of its own."""
        return joined([f"{key}-", index] if self.chosen is not None else [f"{key}[", index, "]"])

    def spend(self, many: int, node: Node) -> None:
        self.left -= many
        if self.left < 0:
            raise CannotSay(TOO_LARGE.at(node.place, "The functions of the template make too many values."))

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

    @property
    def numbered(self) -> dict[str, Value]:
        """What a definition says of how many it is, and of whether it is there."""
        count: dict[str, Value] = {} if self.counted is None else {"count": self.counted.count}
        return count if self.condition is True else {"when": self.condition, **count}

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
            return stack.draft.member(self.key, INDEX)
        if member:
            return in_text(stack.draft.member(self.key, member))
        if self.counted is not None and many and stack.draft.chosen is not None:
            return [in_text(stack.draft.member(self.key, str(at))) for at in range(self.number)]
        if self.counted is not None and not many:
            text = f"{self.id} has several members, and one of them is wanted: name it as `resource.0`."
            raise CannotSay(WRONG.at(self.place(), text))
        return self.key

    def late_base(self, stack: Stack, member: str = "") -> str:
        """How an expression reaches it, or its members."""
        outside = stack.draft.outside and self.project
        base = dotted(dotted("projects", self.project) + f".{self.kind}" if outside else self.kind, self.key)
        if self.counted is not None and self.counted is stack.counted:
            return (
                f"{self.kind}[{quoted(f'{self.key}-')} ~ index]" if stack.draft.chosen is not None else f"{base}[index]"
            )
        if member and stack.draft.chosen is not None:
            whole = dotted("projects", self.project) if outside else ""
            return dotted(f"{whole}.{self.kind}" if whole else self.kind, f"{self.key}-{member}")
        if member:
            return f"{base}[{member}]"
        return base

    @property
    def number(self) -> int:
        """Of the members of its group, where the template or the API says it."""
        count = self.counted.count if self.counted is not None else 1
        if not isinstance(count, int) or not 0 <= count <= MOST_RESOURCES:
            raise CannotSay(WRONG.at(self.place(), f"The count of {self.id} is a number up to {MOST_RESOURCES:,}."))
        return count

    def late(self, stack: Stack, attribute: str, member: str = "") -> Value:
        if self.counted is not None and self.counted is not stack.counted and stack.draft.chosen and not member:
            return [self.late(stack, attribute, str(at)) for at in range(self.number)]
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
