"""Groups, and templates in templates. What is in them stands in the spec under names that begin with theirs."""

from __future__ import annotations

import posixpath
from typing import Any

from stead.heat.fields import Fields
from stead.heat.functions import attribute, content, path_of
from stead.heat.handler import Handler
from stead.heat.stack import DEEPEST, HotResource, Stack
from stead.heat.template import NO_TYPE, NOT_THERE, TOO_LARGE, WRONG, CannotSay, Template, parsed, scalar
from stead.heat.values import Reference, Value, is_secret, size
from stead.language import document
from stead.language.document import Node, Scalar
from stead.language.reading.context import nearest


def group(_resource: HotResource, fields: Fields) -> None:
    """Made when names were given; its count is read there."""
    fields.drop("count", "resource_def", "index_var", "removal_policies_mode")
    fields.only("removal_policies", [], why="Members leave from the end.")


def nested(_resource: HotResource, fields: Fields) -> None:
    fields.drop(*fields.names())


def is_file(kind: str) -> bool:
    return kind.endswith((".yaml", ".yml", ".template"))


def opened(resource: HotResource) -> None:
    """Gives names to what is inside, before anything refers to it."""
    if resource.type == "OS::Heat::ResourceGroup":
        _open_group(resource)
    elif resource.type == "OS::Heat::Stack":
        _open_stack(resource)
    else:
        _open_file(resource, resource.type, resource.properties(), resource.place("type"))


def _open_group(resource: HotResource) -> None:
    node = resource.properties()
    definition = node.child("resource_def")
    if not isinstance(definition, document.Mapping):
        raise CannotSay(WRONG.at(resource.place(), f"{resource.id} has no `resource_def`."))
    if resource.counted is not None:
        raise CannotSay(NO_TYPE.at(resource.place(), f"{resource.id}: a group in a group has no equivalent."))
    inside = Stack(resource.stack.draft, resource.stack.template, parent=resource.stack, prefix=resource.stack.prefix)
    inside.parameters = resource.stack.parameters
    below = node.child("count")
    inside.count = 1 if below is None else resource.stack.value(below)
    inside.around = resource.condition
    inside.index_var = str(scalar(node.child("index_var"), "%index%"))
    resource.inner = inside
    _add(inside, resource.id, definition)


def _add(stack: Stack, name: str, node: Node) -> None:
    from stead.heat.naming import add

    add(stack, name, node)


def _open_stack(resource: HotResource) -> None:
    node = resource.properties()
    below, given = node.child("template"), node.child("parameters")
    if below is None:
        raise CannotSay(WRONG.at(resource.place(), f"{resource.id} has no `template`."))
    if node.child("context") is not None:
        raise CannotSay(
            NO_TYPE.at(node.place_of("context"), f"{resource.id}: a stack in another region has no equivalent.")
        )
    empty = document.Mapping(node.file, node.line, node.column)
    parameters = given if isinstance(given, document.Mapping) else empty
    file = below.child("get_file")
    if isinstance(file, Scalar):
        _open_file(resource, file.text, parameters, file.place)
        return
    text = resource.stack.value(below)
    if not isinstance(text, str):
        raise CannotSay(WRONG.at(below.place, "The template is not a text."))
    _open_text(resource, text, f"{below.file} ({resource.id})", resource.stack.template.folder, parameters)


def _open_file(resource: HotResource, name: str, parameters: document.Mapping, place: Any) -> None:
    scalar_node = Scalar(place.file, place.line, place.column, name)
    path = path_of(resource.stack, name)
    text = content(resource.stack, name, scalar_node)
    _open_text(resource, text, path, posixpath.dirname(path), parameters)


def _open_text(resource: HotResource, text: str, file: str, folder: str, parameters: document.Mapping) -> None:
    draft = resource.stack.draft
    if resource.stack.depth >= DEEPEST:
        raise CannotSay(TOO_LARGE.at(resource.place(), f"Templates are nested more than {DEEPEST} deep."))
    at = (text, file, folder)  # a thousand resources may be of one file
    if at not in draft.templates:
        draft.templates[at] = parsed(text.encode(), file, folder, draft.found)
    template = draft.templates[at]
    if template is None:
        raise CannotSay(None)
    inside = Stack(draft, template, parent=resource.stack, prefix=f"{resource.stack.prefix}{resource.id}-")
    inside.parameters = _parameters(resource, template, parameters)
    inside.around = resource.condition
    resource.inner = inside
    from stead.heat.naming import name_all

    name_all(inside)


def _parameters(resource: HotResource, template: Template, given: document.Mapping) -> dict[str, Value]:
    """What is given, or the default. Values are those of the template around it: no variable is needed."""
    declared = template.section("parameters")
    for name in given.entries:
        if name not in declared:
            text = f"{resource.id} has no parameter {name!r}.{nearest(name, declared)}"
            resource.tell(NOT_THERE, given.place_of_key(name), text)
    values: dict[str, Value] = {}
    for name, node in declared.items():
        below = given.entries.get(name)
        default = node.child("default")
        if below is not None:
            values[name] = resource.stack.value(below)
        elif default is not None:
            resource.stack.draft.spend(1, node)
            values[name] = _plain(default, node)
            resource.stack.draft.spend(size(values[name], resource.stack.draft.left), node)
        else:
            resource.tell(
                WRONG, resource.place(), f"{resource.id} does not give the parameter {name!r}, which has no default."
            )
    return values


def _plain(default: Node, node: Node) -> Value:
    made = document.plain(default)
    if scalar(node.child("type")) == "comma_delimited_list" and isinstance(made, str):
        return [one.strip() for one in made.split(",")]
    return made


def inner_attribute(stack: Stack, resource: HotResource, path: tuple[Value, ...], node: Node) -> Value:
    inner = resource.inner
    assert inner is not None  # noqa: S101 - it was asked for
    if inner.count is not None and resource.type == "OS::Heat::ResourceGroup":
        return _of_group(stack, resource, inner, path, node)
    words = path[1:] if path[:1] == ("outputs",) else path
    return _output(inner, str(words[0]) if words else "", words[1:], node)


def _output(inner: Stack, name: str, path: tuple[Value, ...], node: Node) -> Value:
    from stead.heat.strings import within

    known = inner.template.section("outputs")
    below = known[name].child("value") if name in known else None
    if below is None:
        raise CannotSay(NOT_THERE.at(node.place, f"There is no output {name!r}.{nearest(name, known)}"))
    made = inner.following(f"output {name}", node, lambda: inner.value(below))
    return within(made, list(path), node)


def _of_group(stack: Stack, resource: HotResource, inner: Stack, path: tuple[Value, ...], node: Node) -> Value:
    member = inner.resources.get(resource.id)
    if member is None or member.handler is None:
        raise CannotSay(None)
    first, *rest = path or ("refs",)
    word, _, after = str(first).partition(".")
    if word == "resource" and after:
        number, _, attr = after.partition(".")
        words = (*([attr] if attr else []), *rest)
        if not words:
            return Reference(member, _number(number, node))
        return attribute(stack, member, tuple(words), node, _number(number, node))
    if word == "refs":
        return Reference(member, _number(rest[0], node)) if rest else Reference(member)
    if member.inner is not None or is_secret(first):
        raise CannotSay(NO_TYPE.at(node.place, f"Attributes of a group of templates have no equivalent: {first}."))
    return attribute(stack, member, (word, *rest), node)


def _number(word: Value, node: Node) -> str:
    """Of a member. It goes into expressions, so nothing else will do."""
    if not str(word).isdecimal():
        raise CannotSay(WRONG.at(node.place, "A member of a group is named by its number."))
    return str(int(str(word)))


GROUP = Handler(group)
STACK = Handler(nested)
TYPES = {"OS::Heat::ResourceGroup": GROUP, "OS::Heat::Stack": STACK}
