"""From a template to the draft of a spec: every resource is named, then said, then joined with the others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from stead.core.diagnostics import Code, Diagnostic
from stead.core.named import NamedTuple
from stead.heat.entries import keys_of
from stead.heat.fields import Fields
from stead.heat.naming import ATTRIBUTES, name_all
from stead.heat.parameters import as_names, declare, give
from stead.heat.references import settled
from stead.heat.stack import Chosen, Draft, HotResource, Stack, Written
from stead.heat.template import NO_PROPERTY, NOT_THERE, TOO_LARGE, WRONG, CannotSay, Reader, parsed, scalar
from stead.heat.values import Value, is_secret
from stead.language import document
from stead.language.document import Node


class HotSource(NamedTuple):
    """A template, and what comes with it."""

    data: bytes
    file: str
    project: str
    reader: Reader
    parameters: Mapping[str, Any] = {}
    registry: Mapping[str, str] = {}  # types by another name, or by the file of a template
    chosen: Chosen | None = None  # of a request to the API


def translated(source: HotSource) -> tuple[Draft | None, list[Diagnostic]]:
    """The spec that a template means, and what of it a spec cannot say. None where it is no template."""
    draft = Draft(project=source.project, reader=source.reader, registry=source.registry, chosen=source.chosen)
    template = parsed(source.data, source.file, "", draft.found)
    if template is None:
        return None, draft.found
    root = Stack(draft, template, prefix=f"{source.chosen.prefix}-" if source.chosen is not None else "")
    description = scalar(template.node.child("description"))
    draft.entry("", "projects", source.project).fields["description"] = (
        " ".join(description.split()) if isinstance(description, str) else None
    )
    draft.root = root
    try:
        _say(root, source)
    except RecursionError:
        text = "Its values refer to each other too deeply."
        return None, [*draft.found, TOO_LARGE.at(template.node.place, text)]
    except CannotSay as why:  # of its parameters
        return None, [*draft.found, *filter(None, [why.diagnostic])]
    return draft, draft.found


def _say(root: Stack, source: HotSource) -> None:
    (declare if source.chosen is None else give)(root, source.parameters)
    name_all(root)
    resources = list(_all(root))
    for resource in sorted(resources, key=lambda one: not one.kind):
        _convert(resource)
    for resource in resources:
        _common(resource)
    _outputs(root)
    as_names(root)


def _all(stack: Stack) -> Iterable[HotResource]:
    """With those of groups and nested templates, behind the resource that they stand for."""
    for resource in list(stack.resources.values()):
        if resource.handler is not None and resource.condition is not False:
            yield resource
            if resource.inner is not None:
                yield from _all(resource.inner)


def _convert(resource: HotResource) -> None:
    assert resource.handler is not None  # noqa: S101 - `_all` gives no other
    fields = Fields(resource, resource.properties())
    try:
        resource.handler.convert(resource, fields)
    except CannotSay as why:
        if why.diagnostic is not None:
            found = why.diagnostic
            resource.tell(Code(found.code, found.summary), found.place or resource.place("properties"), found.detail)
    fields.drop(*resource.handler.ignored)
    fields.rest()


def _common(resource: HotResource) -> None:
    node = resource.node
    for word in node.entries:
        if word not in ATTRIBUTES:
            resource.tell(WRONG, node.place_of_key(word), f"{resource.id}: a resource has no {word!r}.")
    metadata = node.child("metadata")
    if metadata is not None:
        resource.tell(
            NO_PROPERTY, node.place_of_key("metadata"), f"{resource.id}: metadata of a resource has no equivalent."
        )
    if node.child("external_id") is not None:
        text = f"{resource.id}: what exists already is named by the site's files, or taken over from its hosts."
        resource.tell(NO_PROPERTY, node.place_of_key("external_id"), text)
    _deletion(resource)
    _rollout(resource)
    _depends(resource)


def _deletion(resource: HotResource) -> None:
    policy = str(scalar(resource.node.child("deletion_policy"), "Delete")).lower()
    if policy == "retain" and resource.entry is not None:
        if resource.stack.draft.chosen is not None:
            resource.stack.draft.retained += [f"{resource.kind}/{key}" for key in keys_of(resource)]
        else:
            resource.entry.fields["protect"] = True
    elif policy == "snapshot":
        text = f"{resource.id}: nothing takes a snapshot when it is deleted. `protect: true` keeps it."
        resource.tell(NO_PROPERTY, resource.place("deletion_policy"), text)


def _rollout(resource: HotResource) -> None:
    """How a group is updated, said of its instances."""
    update = resource.node.child("update_policy")
    rolling = update.child("rolling_update") if update is not None else None
    if rolling is None or resource.inner is None or resource.stack.draft.chosen is not None:
        return
    size = scalar(rolling.child("max_batch_size"), 1)
    pause = scalar(rolling.child("pause_time"), 0)
    for one in _all(resource.inner):
        if one.entry is not None and one.kind == "instances":
            one.entry.fields["rollout"] = {"at_once": size, "wait": f"{pause}s" if pause else None}


def _depends(resource: HotResource) -> None:
    node = resource.node.child("depends_on")
    items = node.items if isinstance(node, document.Sequence) else [node] if node is not None else []
    found = [address for one in items for address in _addresses(resource, one)]
    for one in _owners(resource) if found else ():
        assert one.entry is not None  # noqa: S101 - owners have one
        own = {f"{one.kind}/{key}" for key in (one.key, *keys_of(one))}
        known = one.entry.fields.get("depends_on") or []
        one.entry.fields["depends_on"] = (
            list(dict.fromkeys([*known, *(each for each in found if each not in own)])) or None
        )


def _owners(resource: HotResource) -> Iterable[HotResource]:
    """Whose definitions say what the resource is."""
    inside = _all(resource.inner) if resource.inner is not None else ()
    return [one for one in (resource.part_of or resource, *inside) if one.entry is not None and one.project]


def _addresses(resource: HotResource, node: Node) -> Iterable[str]:
    """What is depended on, or, where it has no definition of its own, what it became a part of."""
    try:
        target = resource.stack.find(node)
    except CannotSay as why:
        if why.diagnostic is not None:
            resource.tell(NOT_THERE, node.place, why.diagnostic.detail)
        return []
    waited = target.properties().child("handle") if target.type == "OS::Heat::WaitCondition" else None
    if waited is not None:
        handle = str(scalar(waited.child("get_resource")))
        target = resource.stack.draft.signalled.get(f"{resource.stack.prefix}{handle}", target)
    if resource.stack.draft.chosen is not None:
        return [f"{one.kind}/{key}" for one in _owners(target) for key in keys_of(one)]
    return [f"{one.kind}/{one.key}" for one in _owners(target)]


def _outputs(root: Stack) -> None:
    draft = root.draft
    draft.outside = True
    for name, node in root.template.section("outputs").items():
        entry = draft.outputs.setdefault(name, Written())
        try:
            entry.fields = _output(root, node)
        except CannotSay as why:
            del draft.outputs[name]
            if why.diagnostic is not None:
                draft.found.append(why.diagnostic)
                draft.notes.append(f"left out ({why.diagnostic.place}): output {name}: {why.diagnostic.detail}")
    draft.outside = False


def _output(root: Stack, node: Node) -> dict[str, Value]:
    below, condition = node.child("value"), node.child("condition")
    if below is None:
        raise CannotSay(WRONG.at(node.place, "The output has no `value`."))
    value = settled(root, root.value(below), late=True)
    there = True if condition is None else root.condition(condition)
    when = None if isinstance(there, bool) else there
    description = scalar(node.child("description"))
    return {
        "value": value if there is not False else None,
        "when": when,
        "description": " ".join(description.split()) if isinstance(description, str) else None,
        "secret": True if is_secret(value) else None,
    }
