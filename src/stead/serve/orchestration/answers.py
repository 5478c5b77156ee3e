"""Stacks, resources, events and outputs in Heat's words."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from stead.core.address import Address
from stead.heat.entries import StackPart, valued
from stead.language.expressions import BoundExceeded
from stead.serve.orchestration.facts import facts
from stead.serve.orchestration.stacks import StackNote, Translation
from stead.serve.routes import Call
from stead.serve.world import CloudState, KnownResource, ResourceStatus, made_of, moment

V = "/orchestration/v1"
P = f"{V}/{{project}}"
HIDDEN = "******"
WORDS = {ResourceStatus.BUILDING: "IN_PROGRESS", ResourceStatus.MADE: "COMPLETE", ResourceStatus.FAILED: "FAILED"}
REASONS = {"IN_PROGRESS": "state changed", "COMPLETE": "state changed", "FAILED": "A resource could not be made."}


def things_of(world: CloudState, project: str, part: StackPart) -> list[KnownResource]:
    addresses = [Address(project, part.kind, key) for key in part.keys]
    return [world.thing(one) for one in addresses if one in world.desired.by_address]


def by_stack(world: CloudState, project: str) -> Mapping[str, list[KnownResource]]:
    """What the project has, by the first word of its key: of the document alone, without templates."""
    found: dict[str, list[KnownResource]] = {}
    for address in world.desired.by_address:
        if address.project == project:
            found.setdefault(address.name.partition("-")[0], []).append(world.thing(address))
    return found


def state_of(things: Iterable[KnownResource]) -> str:
    states = {one.state for one in things}
    worst = next(
        (one for one in (ResourceStatus.FAILED, ResourceStatus.BUILDING) if one in states), ResourceStatus.MADE
    )
    return WORDS[worst]


def brief(
    call: Call, world: CloudState, project: str, note: StackNote, things: Sequence[KnownResource]
) -> dict[str, Any]:
    state = state_of(things)
    faults = [one.fault for one in things if one.fault]
    return {
        "id": note.id,
        "stack_name": note.name,
        "description": note.described,
        "creation_time": moment(note.created),
        "updated_time": moment(note.updated) if note.updated is not None else None,
        "deletion_time": None,
        "stack_status": f"{note.action}_{state}",
        "stack_status_reason": faults[0][:255]
        if faults
        else f"Stack {note.action} is {state.lower().replace('_', ' ')}",
        "stack_owner": None,
        "parent": None,
        "stack_user_project_id": world.project_id(project),
        "project": world.project_id(project),
        "tags": [*note.tags] or None,
        "links": [{"rel": "self", "href": href(call, note)}],
    }


def href(call: Call, note: StackNote, *more: str) -> str:
    from urllib.parse import quote

    words = "/".join(quote(one, safe="") for one in (note.name, note.id, *more))
    return f"{call.root}{V}/{call.path['project']}/stacks/{words}"


def detail(call: Call, world: CloudState, project: str, note: StackNote, made: Translation) -> dict[str, Any]:
    return {
        **brief(call, world, project, note, by_stack(world, project).get(note.prefix, [])),
        "capabilities": [],
        "notification_topics": [],
        "disable_rollback": note.keeps_failed,
        "timeout_mins": note.timeout,
        "parameters": parameters(world, project, note, made),
        "template_description": note.described,
        "outputs": [] if call.asked("resolve_outputs").lower() == "false" else outputs(world, project, made),
    }


def parameters(world: CloudState, project: str, note: StackNote, made: Translation) -> dict[str, str]:
    found = {"OS::stack_name": note.name, "OS::stack_id": note.id, "OS::project_id": world.project_id(project)}
    for name, entry in made.draft.variables.items():
        value = entry.fields.get("default")
        if entry.fields.get("type") and value is not None:
            found[name] = (
                HIDDEN if entry.fields.get("secret") else value if isinstance(value, str) else json.dumps(value)
            )
    return found


def outputs(world: CloudState, project: str, made: Translation) -> list[dict[str, Any]]:
    return [output(world, project, made, name) for name in made.draft.outputs]


def output(world: CloudState, project: str, made: Translation, name: str) -> dict[str, Any]:
    fields = made.draft.outputs[name].fields
    found = {
        "output_key": name,
        "description": fields.get("description") or "No description given",
        "output_value": None,
    }
    try:
        return {
            **found,
            "output_value": valued(fields.get("value"), {"projects": {project: facts(world, project, made.entries)}}),
        }
    except BoundExceeded as why:
        return {**found, "output_error": str(why)}


def resource(call: Call, world: CloudState, project: str, note: StackNote, part: StackPart) -> dict[str, Any]:
    things = things_of(world, project, part)
    state = state_of(things)
    times = [one.created for one in things] or [moment(note.created)]
    lone = len(things) == 1 and part.resource.part_of is None
    self = href(call, note, "resources", part.name)
    return {
        "resource_name": part.name,
        "logical_resource_id": part.name,
        "physical_resource_id": things[0].id if lone else made_of(note.id, part.name),
        "resource_type": part.resource.type,
        "resource_status": f"{note.action}_{state}",
        "resource_status_reason": next((one.fault for one in things if one.fault), REASONS[state]),
        "creation_time": times[0],
        "updated_time": max([one.updated for one in things] or times),
        "required_by": [],
        "parent_resource": part.above or None,
        "links": [{"rel": "self", "href": self}, {"rel": "stack", "href": href(call, note)}],
    }


def events(call: Call, world: CloudState, project: str, note: StackNote, made: Translation) -> list[dict[str, Any]]:
    """What can be told of each resource now: there is no log of its own."""
    parts = [one for one in made.parts if not one.above]
    found = [_event(call, note, resource(call, world, project, note, one)) for one in parts]
    own = brief(call, world, project, note, by_stack(world, project).get(note.prefix, []))
    whole = {
        "resource_name": note.name,
        "physical_resource_id": note.id,
        "resource_type": "OS::Heat::Stack",
        "resource_status": own["stack_status"],
        "resource_status_reason": own["stack_status_reason"],
        "updated_time": max([one["event_time"] for one in found], default=moment(note.updated or note.created)),
    }
    begun = {
        **whole,
        "resource_status": f"{note.action}_IN_PROGRESS",
        "updated_time": moment(note.updated or note.created),
    }
    ended = [] if own["stack_status"].endswith("IN_PROGRESS") else [_event(call, note, whole)]
    return [_event(call, note, begun), *found, *ended]


def _event(call: Call, note: StackNote, one: Mapping[str, Any]) -> dict[str, Any]:
    id_ = made_of(note.id, one["resource_name"], one["resource_status"], one["updated_time"])
    self = href(call, note, "resources", one["resource_name"], "events", id_)
    return {
        "id": id_,
        "resource_name": one["resource_name"],
        "logical_resource_id": one["resource_name"],
        "physical_resource_id": one["physical_resource_id"],
        "resource_type": one["resource_type"],
        "resource_status": one["resource_status"],
        "resource_status_reason": one["resource_status_reason"],
        "event_time": one["updated_time"],
        "links": [{"rel": "self", "href": self}, {"rel": "stack", "href": href(call, note)}],
    }
