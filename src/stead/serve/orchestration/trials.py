"""What a template would make, and what it asks for: nothing is saved."""

from __future__ import annotations

import json
from typing import Any

from stead.core.diagnostics import Diagnostic
from stead.heat.template import parsed
from stead.language.document import plain
from stead.serve.faults import bad
from stead.serve.orchestration import answers
from stead.serve.orchestration.calls import asked_stack, filled
from stead.serve.orchestration.making import without_late
from stead.serve.orchestration.stacks import new_note, translation, written
from stead.serve.routes import ApiReply, Call


def preview_stack(call: Call) -> ApiReply:
    """The same plan as of a request that is carried out."""
    note, made = asked_stack(call, call.body.get("stack_name"))
    _, world, _plan = call.cloud.preview(
        call.project, call.who, lambda content: written(content, note, without_late(made.entries))
    )
    found = answers.detail(call, world, call.project, note, made)
    parts = [answers.resource(call, world, call.project, note, one) for one in made.parts]
    return ApiReply(body={"stack": {**found, "resources": parts}})


def validate(call: Call) -> ApiReply:
    note = filled(new_note("validated", call.cloud.clock()), call.body)
    found: list[Diagnostic] = []
    template = parsed(note.template.encode(), "template", "", found)
    if template is None:
        raise bad("; ".join(one.detail for one in found[:5]))
    declared = template.section("parameters")
    given = json.loads(note.environment)["parameters"]
    if all(name in given or node.child("default") is not None for name, node in declared.items()):
        translation(call, call.world, note)
    told = {name: _parameter(name, plain(node)) for name, node in declared.items()}
    return ApiReply(body={"Description": note.described or "No description", "Parameters": told, "Environment": {}})


def _parameter(name: str, said: Any) -> dict[str, Any]:
    fields = said if isinstance(said, dict) else {}
    kinds = {"number": "Number", "json": "Json", "comma_delimited_list": "CommaDelimitedList", "boolean": "Boolean"}
    found = {
        "Type": kinds.get(str(fields.get("type")), "String"),
        "Description": fields.get("description", ""),
        "Label": fields.get("label", name),
        "NoEcho": str(fields.get("hidden", False)).lower(),
    }
    return {**found, **({"Default": fields["default"]} if "default" in fields else {})}
