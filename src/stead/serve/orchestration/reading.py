"""What is below a stack: its resources, events, outputs, and what it was made from."""

from __future__ import annotations

import json
from typing import Any

from stead.core.diagnostics import Diagnostic
from stead.heat.naming import SUPPORTED
from stead.heat.template import VERSIONS, bounded
from stead.language.document import plain
from stead.serve.faults import not_found
from stead.serve.listing import filtered, page
from stead.serve.orchestration import answers
from stead.serve.orchestration.calls import note_of, translated
from stead.serve.routes import ApiReply, Call

FUNCTIONS = [
    "get_param",
    "get_resource",
    "get_attr",
    "get_file",
    "str_replace",
    "list_join",
    "repeat",
    "if",
    "equals",
    "and",
    "or",
    "not",
]


def list_resources(call: Call) -> ApiReply:
    world, note, made = translated(call)
    deep = call.asked("nested_depth") not in ("", "0")
    items = [answers.resource(call, world, call.project, note, one) for one in made.parts if deep or not one.above]
    known = ("resource_name", "physical_resource_id", "resource_type", "resource_status")
    return ApiReply(body={"resources": filtered(call, items, known=known)})


def show_resource(call: Call) -> ApiReply:
    world, note, made = translated(call)
    part = next((one for one in made.parts if one.name == call.path["resource"]), None)
    if part is None:
        raise not_found("The Resource", f"({call.path['resource']})")
    found = answers.resource(call, world, call.project, note, part)
    return ApiReply(body={"resource": {**found, "description": "", "attributes": {}}})


def _events(call: Call) -> list[dict[str, Any]]:
    return answers.events(call, *_parts(call))


def _parts(call: Call) -> tuple[Any, ...]:
    world, note, made = translated(call)
    return world, call.project, note, made


def list_events(call: Call) -> ApiReply:
    part, _more = page(call, filtered(call, _events(call), known=("resource_name", "resource_status", "resource_type")))
    return ApiReply(body={"events": part})


def resource_events(call: Call) -> ApiReply:
    mine = [one for one in _events(call) if one["resource_name"] == call.path["resource"]]
    return ApiReply(body={"events": page(call, mine)[0]})


def show_event(call: Call) -> ApiReply:
    for one in _events(call):
        if (one["resource_name"], one["id"]) == (call.path["resource"], call.path["event"]):
            return ApiReply(body={"event": one})
    raise not_found("The Event", call.path["event"])


def list_outputs(call: Call) -> ApiReply:
    _, _, made = translated(call)
    found = [
        {"output_key": name, "description": one.fields.get("description") or "No description given"}
        for name, one in made.draft.outputs.items()
    ]
    return ApiReply(body={"outputs": found})


def show_output(call: Call) -> ApiReply:
    world, _, made = translated(call)
    if call.path["output"] not in made.draft.outputs:
        raise not_found("The Output", f"({call.path['output']})")
    return ApiReply(body={"output": answers.output(world, call.project, made, call.path["output"])})


def show_template(call: Call) -> ApiReply:
    found: list[Diagnostic] = []
    node = bounded(note_of(call, call.world).template.encode(), "template", found)
    return ApiReply(body=plain(node) if node is not None else {})


def show_environment(call: Call) -> ApiReply:
    """Values of hidden parameters stay with who gave them."""
    _, note, made = translated(call)
    said = json.loads(note.environment)
    hidden = {name for name, one in made.draft.variables.items() if one.fields.get("secret")}
    parameters = {name: answers.HIDDEN if name in hidden else one for name, one in said["parameters"].items()}
    return ApiReply(body={"parameters": parameters, "resource_registry": said["resource_registry"]})


def show_files(call: Call) -> ApiReply:
    return ApiReply(body=json.loads(note_of(call, call.world).files))


def list_types(_call: Call) -> ApiReply:
    return ApiReply(body={"resource_types": [name for name, one in sorted(SUPPORTED.items()) if not one.of_site]})


def show_type(call: Call) -> ApiReply:
    name = call.path["type"]
    if name not in SUPPORTED or SUPPORTED[name].of_site:
        raise not_found("The Resource Type", f"({name})")
    attributes = {one: {"description": "", "type": "string"} for one in sorted(SUPPORTED[name].attributes)}
    return ApiReply(body={"resource_type": name, "properties": {}, "attributes": attributes, "support_status": {}})


def list_versions(_call: Call) -> ApiReply:
    found = [{"version": f"heat_template_version.{one}", "type": "hot", "aliases": []} for one in VERSIONS]
    return ApiReply(body={"template_versions": found})


def list_functions(call: Call) -> ApiReply:
    if call.path["version"].removeprefix("heat_template_version.") not in VERSIONS:
        raise not_found("The Template Version", f"({call.path['version']})")
    return ApiReply(body={"template_functions": [{"functions": one, "description": ""} for one in FUNCTIONS]})


def build_info(_call: Call) -> ApiReply:
    return ApiReply(body={"api": {"revision": "stead"}, "engine": {"revision": "stead"}})
