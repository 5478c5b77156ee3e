"""HOT's functions. What can be computed from the template alone is; all else becomes an expression."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from stead.heat.lists import LISTS
from stead.heat.logic import CONDITIONS, choice
from stead.heat.stack import HotResource, Stack
from stead.heat.strings import STRINGS, within
from stead.heat.template import NO_FILE, NO_FUNCTION, NOT_THERE, WRONG, CannotSay, Unreadable
from stead.heat.values import Attribute, Expr, Reference, Value, size
from stead.language import document
from stead.language.document import Node, Scalar
from stead.language.reading.context import nearest

PSEUDO = ("OS::stack_name", "OS::project_id", "OS::stack_id")
REFUSED = {
    "yaql": "YAQL is a language of its own. Write the value, or an expression of Stead's.",
    "resource_facade": "A template does not see the resource that includes it. Give the value as a parameter.",
    "get_resource_facade": "There is no such function.",
}
_FOREIGN = ("Fn::", "get_", "str_", "list_", "map_")


def value(stack: Stack, node: Node) -> Value:
    """What a node of the template means."""
    stack.draft.spend(1, node)
    match node:
        case Scalar():
            found = node.value
            return stack.text(found) if isinstance(found, str) else found
        case document.Sequence():
            return [value(stack, item) for item in node.items]
        case document.Mapping():
            return _map(stack, node)
        case _:
            raise AssertionError(node)


def _map(stack: Stack, node: document.Mapping) -> Value:
    if len(node.entries) == 1:
        ((name, below),) = node.entries.items()
        function = FUNCTIONS.get(name)
        if function is not None:
            made = _placed(function, stack, below)
            stack.draft.spend(size(made, stack.draft.left), node)
            return made
        if name in REFUSED or name.startswith(_FOREIGN) or name == "Ref":
            why = REFUSED.get(name) or f"There is no function {name!r} in HOT.{nearest(name, FUNCTIONS)}"
            raise CannotSay(NO_FUNCTION.at(node.place_of_key(name), f"{name}: {why}"))
    return {name: value(stack, below) for name, below in node.entries.items()}


def _placed(function: Function, stack: Stack, node: Node) -> Value:
    try:
        return function(stack, node)
    except CannotSay as why:
        if why.diagnostic is not None and why.diagnostic.place is None:
            raise CannotSay(replace(why.diagnostic, place=node.place)) from None
        raise


def _words(node: Node, least: int, what: str) -> list[Node]:
    """The arguments of a function that takes a list."""
    if not isinstance(node, document.Sequence) or len(node.items) < least:
        raise CannotSay(WRONG.at(node.place, f"{what} takes a list of at least {least}."))
    return node.items


def get_param(stack: Stack, node: Node) -> Value:
    items = [node] if isinstance(node, Scalar) else _words(node, 1, "get_param")
    name = items[0].text if isinstance(items[0], Scalar) else ""
    if name in PSEUDO and stack.draft.chosen is not None:
        return stack.draft.chosen.pseudo()[name]
    if name in PSEUDO:
        return stack.draft.project if stack.draft.outside else Expr("project")
    if name not in stack.parameters:
        text = f"There is no parameter {name!r}.{nearest(name, stack.parameters)}"
        raise CannotSay(NOT_THERE.at(items[0].place, text))
    return within(stack.parameters[name], [value(stack, one) for one in items[1:]], node)


def get_resource(stack: Stack, node: Node) -> Value:
    return reference(stack.find(node))


def reference(resource: HotResource) -> Value:
    if resource.type == "OS::Heat::Value":
        raise CannotSay(NO_FUNCTION.at(resource.place(), f"{resource.id} has a value, and no name. Use get_attr."))
    inner = resource.inner
    if inner is not None and inner.count is not None and len(inner.resources) == 1:
        return Reference(next(iter(inner.resources.values())))
    return Reference(resource)


def get_attr(stack: Stack, node: Node) -> Value:
    items = _words(node, 1, "get_attr")
    resource = stack.find(items[0])
    path = tuple(value(stack, one) for one in items[1:])
    return attribute(stack, resource, path, node)


def attribute(stack: Stack, resource: HotResource, path: tuple[Value, ...], node: Node, member: str = "") -> Value:
    if resource.inner is not None:
        from stead.heat.types.nested import inner_attribute

        return inner_attribute(stack, resource, path, node)
    assert resource.handler is not None  # noqa: S101 - `find` gives no other
    known = resource.handler.attributes
    name = str(path[0]) if path else ""
    found = known.get(name)
    if isinstance(found, str):
        return within(resource.late(stack, found, member), list(path[1:]), node)
    made = found(resource, stack, path[1:], member) if found is not None else None
    if made is not None:
        return made
    if found is not None or not name:
        return Attribute(resource, path, node)
    has = f" It has {', '.join(sorted(known))}." if known else ""
    text = f"The attribute {name!r} of {resource.id} ({resource.type}) has no equivalent.{has}"
    raise CannotSay(NO_FUNCTION.at(node.place, text))


def get_file(stack: Stack, node: Node) -> Value:
    name = value(stack, node)
    if not isinstance(name, str):
        raise CannotSay(NO_FILE.at(node.place, "get_file takes the name of a file, as it stands in the template."))
    return content(stack, name, node)


def content(stack: Stack, name: str, node: Node) -> str:
    try:
        data = stack.draft.reader(path_of(stack, name))
        return data.decode()
    except UnicodeDecodeError:
        raise CannotSay(NO_FILE.at(node.place, f"{name} is not UTF-8 text.")) from None
    except Unreadable as why:
        raise CannotSay(NO_FILE.at(node.place, f"{name}: {why}")) from None


def path_of(stack: Stack, name: str) -> str:
    """From the root template's folder. What leads out of it stays so, for the reader to refuse."""
    if "://" in name or name.startswith("/"):
        return name
    return posixpath.normpath(posixpath.join(stack.template.folder, name))


def repeated(stack: Stack, node: Node) -> Value:
    from stead.heat.repeating import repeat

    return repeat(stack, node)


Function = Callable[[Stack, Node], Any]
FUNCTIONS: Mapping[str, Function] = {
    "get_param": get_param,
    "get_resource": get_resource,
    "get_attr": get_attr,
    "get_file": get_file,
    "if": choice,
    "repeat": repeated,
    **STRINGS,
    **LISTS,
    **CONDITIONS,
}
