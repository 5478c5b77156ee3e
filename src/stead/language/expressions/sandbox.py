"""The Jinja2 environment of expressions: without Python's insides, without files, chance or clock, and metered.

Imported when the first expression is met: most specs have few, and Jinja2 costs a third of the start-up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from jinja2 import StrictUndefined, Undefined, nodes
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from stead.core.fields import Secret
from stead.language.expressions.bounds import LARGEST, MOST_BITS, BoundExceeded, Meter, bounded_format
from stead.language.expressions.families import left_out
from stead.language.expressions.filters import FILTERS, TESTS, to_json
from stead.language.expressions.regular import Regular

# They give something else at each run, so that the plan would be another.
_CHANCE = ("random", "lipsum")
_LOOPED, _JOINED, _MADE, _COMPARED = "a loop", "~", "a list", "in"  # no name that a user could write
_NAMED = 12  # of the names that there are
_FILES = (nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)


class Absent(StrictUndefined):
    """A name that a value does not have; its message says what there is. `default` takes it, however deep it stands."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __getitem__(self, _name: object) -> Any:
        return self

    @property
    def _undefined_message(self) -> str:
        value, name = self._undefined_obj, self._undefined_name
        if isinstance(value, list):
            return _of_list(value, name)
        if isinstance(value, Mapping):
            from stead.language.reading.context import nearest

            if why := left_out(value, str(name)):
                return why
            known = [one for one in value if isinstance(one, str)]
            there = ", ".join(known[:_NAMED]) + (" and others" if len(known) > _NAMED else "")
            hint = f" Known are {there}" if known else " There is nothing in it"
            return f"There is no {name!r}.{nearest(str(name), known)}{hint}"
        return str(super()._undefined_message)


def _of_list(value: list[Any], name: Any) -> str:
    there = f"has [0] to [{len(value) - 1}]" if value else "is empty"
    if isinstance(name, int):
        return f"There is no [{name}]: the list {there}"
    return f"This is a list, which {there}: write [0].{name}, or map(attribute={name!r}) for all"


class Environment(ImmutableSandboxedEnvironment):
    intercepted_binops = frozenset({"*", "**", "%", "+"})

    def __init__(self) -> None:
        self.meter = Meter()
        super().__init__(undefined=Absent, keep_trailing_newline=True, finalize=self._printed)
        for name in _CHANCE:
            self.filters.pop(name, None)
            self.globals.pop(name, None)
        regular = Regular(self.meter)
        self.filters |= {**FILTERS, **regular.filters}
        self.tests |= {**TESTS, **regular.tests}
        self.filters = {name: self.meter.metered(name, one) for name, one in self.filters.items()}
        self.tests = {name: self.meter.asked(one) for name, one in self.tests.items()}
        self.filters[_LOOPED] = self.meter.looped
        self.filters[_COMPARED] = self.meter.compared
        self.filters[_JOINED] = self.meter.joined
        self.filters[_MADE] = self.meter.made
        self.globals["range"] = self._range

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        for node in tree.find_all((*_FILES, nodes.Filter, nodes.Test)):
            if isinstance(node, nodes.Filter | nodes.Test):
                self._known(node)
            else:
                raise BoundExceeded("A template of its own cannot be read here.", node.lineno)
        _metered(tree)
        tree.set_environment(self)
        return tree

    def _known(self, node: nodes.Filter | nodes.Test) -> None:
        kind, known = ("filter", self.filters) if isinstance(node, nodes.Filter) else ("test", self.tests)
        if node.name not in known:
            from stead.language.reading.context import nearest

            raise BoundExceeded(f"There is no {kind} {node.name!r}.{nearest(node.name, known)}", node.lineno)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        _BEFORE[operator](left, right)
        return self.meter.made(super().call_binop(context, operator, left, right))

    def call(self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: PYI063 - Jinja's names
        own = getattr(getattr(__obj, "__wrapped__", __obj), "__self__", None)  # Jinja wraps `format` of a text
        bound = (own,) if isinstance(own, str | list) else ()
        self.meter.called(getattr(__obj, "__name__", ""), (*bound, *args, *kwargs.values()))
        return self.meter.made(super().call(__context, __obj, *args, **kwargs))

    def _printed(self, value: Any) -> Any:
        text = _printed(value)
        self.meter.made(text)
        return text

    def _range(self, *args: int) -> range:
        made = range(*args)
        if len(made) > LARGEST:
            raise BoundExceeded(f"The range has more than {LARGEST:,} numbers.")
        return made


def _metered(tree: nodes.Template) -> None:
    """What Jinja does without a call that could be counted, done by filters that are: loops, lists, `in` and `~`."""
    for loop in list(tree.find_all(nodes.For)):
        size = nodes.Const(sum(len(text.data) for text in loop.find_all(nodes.TemplateData)))
        loop.iter = nodes.Filter(loop.iter, _LOOPED, [size], [], None, None, lineno=loop.lineno)
    for operand in list(tree.find_all(nodes.Operand)):
        operand.expr = nodes.Filter(operand.expr, _COMPARED, [], [], None, None, lineno=operand.lineno)
    for parent in list(_all(tree)):
        for name, child in list(parent.iter_fields()):
            if isinstance(child, nodes.Expr):
                setattr(parent, name, _counted(child))
            elif isinstance(child, list):
                setattr(parent, name, [_counted(one) if isinstance(one, nodes.Expr) else one for one in child])


def _all(node: nodes.Node) -> Iterator[nodes.Node]:
    yield node
    for child in node.iter_child_nodes():
        yield from _all(child)


def _counted(node: nodes.Expr) -> nodes.Expr:
    match node:
        case nodes.Concat():
            return nodes.Filter(nodes.List(node.nodes), _JOINED, [], [], None, None, lineno=node.lineno)
        case nodes.List() | nodes.Dict() | nodes.Tuple(ctx="load"):
            return nodes.Filter(node, _MADE, [], [], None, None, lineno=node.lineno)
        case _:
            return node


def _product(left: Any, right: Any) -> None:
    for text, times in ((left, right), (right, left)):
        if isinstance(text, str | list | tuple) and isinstance(times, int) and len(text) * times > LARGEST:
            raise BoundExceeded(f"The product has more than {LARGEST:,} parts.")


def _power(left: Any, right: Any) -> None:
    if isinstance(left, int) and isinstance(right, int) and left.bit_length() * right > MOST_BITS:
        raise BoundExceeded("The power is too large.")


def _format(left: Any, _right: Any) -> None:
    if isinstance(left, str):
        bounded_format(left)


def _sum(left: Any, right: Any) -> None:
    if (
        isinstance(left, str | list | tuple)
        and isinstance(right, str | list | tuple)
        and len(left) + len(right) > LARGEST
    ):
        raise BoundExceeded(f"The sum has more than {LARGEST:,} parts.")


_BEFORE: Mapping[str, Callable[[Any, Any], None]] = {"*": _product, "**": _power, "%": _format, "+": _sum}


def _printed(value: Any) -> Any:
    """What stands in text. Lists and maps as JSON, which is YAML too; what has no text of its own is refused."""
    match value:
        case str() | int() | float() | None | Undefined() | Secret():
            return value
        case list() | tuple() | dict():
            return to_json(value)
        case _ if callable(value):
            raise BoundExceeded("This is a function. Are its () missing?")
        case Mapping():
            raise BoundExceeded("This is a map. Choose one of its fields, or use `| to_json`.")
        case _:
            raise BoundExceeded(f"A {type(value).__name__} has no text form. Is `| list` missing?")
