"""Every resource of the template gets its place in the spec before anything is said of it."""

from __future__ import annotations

from stead.heat.logic import expression
from stead.heat.references import slug, unknown_type
from stead.heat.stack import MOST_RESOURCES, HotResource, Stack
from stead.heat.template import NO_PROPERTY, NO_TYPE, TOO_LARGE, WRONG, CannotSay, scalar
from stead.heat.types import TYPES
from stead.heat.types.nested import GROUP, STACK, is_file, opened
from stead.heat.values import Expr, Value, operand
from stead.language import document
from stead.language.document import Node

SUPPORTED = {**TYPES, "OS::Heat::ResourceGroup": GROUP, "OS::Heat::Stack": STACK}
WITHOUT = {
    "OS::Heat::AutoScalingGroup": "Nothing runs between two applies. Use `count`, and change it.",
    "OS::Heat::ScalingPolicy": "Nothing runs between two applies. Use `count`, and change it.",
    "OS::Heat::SoftwareDeployment": "Nothing of Stead's runs in instances. Use the user data, or run Ansible.",
    "OS::Heat::SoftwareDeploymentGroup": "Nothing of Stead's runs in instances. Use the user data, or run Ansible.",
    "OS::Heat::StructuredConfig": "Put the values into the user data.",
    "OS::Heat::ResourceChain": "Write each resource by itself.",
    "OS::Cinder::VolumeType": "Pools of storage are written in the inventory.",
    "OS::Nova::HostAggregate": "Zones and traits of hosts are written in the inventory.",
}
ATTRIBUTES = ("type", "properties", "depends_on", "condition", "metadata", "deletion_policy", "update_policy",
              "external_id", "description")  # fmt: skip


def name_all(stack: Stack) -> None:
    for name, node in stack.template.section("resources").items():
        add(stack, name, node)
        if stack.draft.resources > MOST_RESOURCES:
            return


def add(stack: Stack, name: str, node: Node) -> None:
    draft = stack.draft
    draft.resources += 1
    if draft.resources == MOST_RESOURCES + 1:
        text = f"The template has more than {MOST_RESOURCES:,} resources."
        draft.found.append(TOO_LARGE.at(node.place, text))
    if draft.resources > MOST_RESOURCES:
        return
    written = scalar(node.child("type"))
    if not isinstance(node, document.Mapping) or not isinstance(written, str):
        draft.found.append(WRONG.at(node.place, f"{name} is no resource: `type` is missing."))
        return
    kind = draft.registry.get(written, written)
    handler = SUPPORTED.get(kind) or (STACK if is_file(kind) else None)
    resource = HotResource(stack, name, node, kind, handler)
    stack.resources[name] = resource
    if handler is None:
        _refuse(resource)
        return
    try:
        _placed(resource)
        if handler in (GROUP, STACK):
            opened(resource)
    except CannotSay as why:
        resource.handler = None
        if why.diagnostic is not None:
            draft.found.append(why.diagnostic)
            draft.notes.append(f"left out ({why.diagnostic.place}): {why.diagnostic.detail}")


def _refuse(resource: HotResource) -> None:
    why = WITHOUT.get(resource.type)
    place = resource.place("type")
    found = unknown_type(resource, SUPPORTED, place)
    resource.tell(NO_TYPE, place, f"{resource.id}: {resource.type} has no equivalent. {why}" if why else found.detail)


def _placed(resource: HotResource) -> None:
    handler, draft = resource.handler, resource.stack.draft
    assert handler is not None  # noqa: S101 - it was asked for
    if handler.of_site and draft.chosen is not None:
        raise CannotSay(
            NO_TYPE.at(resource.place("type"), f"{resource.id}: {resource.type} is for the site's operators.")
        )
    try:
        resource.condition = _condition(resource)
    except CannotSay as why:  # the rest of the resource may have mistakes of its own
        if why.diagnostic is not None:
            draft.found.append(why.diagnostic)
    if not handler.kind or resource.condition is False:
        return
    resource.kind, resource.project = handler.kind, "" if handler.of_site else draft.project
    wanted = slug(f"{resource.stack.prefix}{resource.id}", handler.kind.removesuffix("s"))
    resource.key = draft.free(resource.project, handler.kind, wanted)
    resource.entry = draft.entry(resource.project, handler.kind, resource.key)
    _counted(resource)


def _counted(resource: HotResource) -> None:
    assert resource.entry is not None  # noqa: S101 - it was just made
    assert resource.handler is not None  # noqa: S101 - it was asked for
    numbered = resource.numbered
    if "count" in numbered and not resource.handler.counts:
        text = f"{resource.id}: {resource.kind} have no `count`, so they cannot be a group."
        resource.tell(NO_PROPERTY, resource.place(), text)
        del numbered["count"]
    resource.entry.fields.update(numbered)


def _condition(resource: HotResource) -> Value:
    node = resource.node.child("condition")
    own = True if node is None else resource.stack.condition(node)
    around = resource.stack.around
    for one, other in ((own, around), (around, own)):
        if isinstance(one, bool):
            return other if one else False
    return Expr(f"{operand(expression(around))} and {operand(expression(own))}")
