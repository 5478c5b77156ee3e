"""Calls for stacks. A change of a stack is one edit of its project's document, planned before it is answered."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from stead.core.diagnostics import Diagnostic
from stead.heat.entries import DocumentEntry
from stead.heat.environment import Surroundings, read_environment
from stead.heat.template import parsed
from stead.serve.edits import Edit
from stead.serve.faults import bad, conflict, not_found
from stead.serve.listing import filtered, ordered, page
from stead.serve.orchestration import answers
from stead.serve.orchestration.making import make
from stead.serve.orchestration.stacks import (
    StackNote,
    Translation,
    is_its,
    new_note,
    stacks_of,
    translation,
    without,
    written,
)
from stead.serve.routes import ApiReply, Call
from stead.serve.world import CloudState

NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9_.-]{0,254}")
LARGEST = 512 << 10  # characters of a template, its files and its values
MOST = 200  # stacks of a project


def list_stacks(call: Call) -> ApiReply:
    world, project = call.world, call.project
    notes, things = stacks_of(world, project), answers.by_stack(world, project)
    items = [answers.brief(call, world, project, note, things.get(note.prefix, [])) for note in notes]
    part, _more = page(call, ordered(call, filtered(call, items, known=("id", "stack_name", "stack_status"))))
    return ApiReply(body={"stacks": part, **({"count": len(items)} if call.flag("with_count") else {})})


def note_of(call: Call, world: CloudState) -> StackNote:
    """By the name and id of the path."""
    return note_named(call, world, call.path["name"], call.path["id"])


def note_named(call: Call, world: CloudState, name: str, id_: str | None = None) -> StackNote:
    for one in stacks_of(world, call.project):
        if (id_ is None and name in (one.name, one.id)) or (id_ == one.id and name == one.name):
            return one
    raise not_found("The Stack", f"({name})")


def elsewhere(call: Call) -> ApiReply:
    """Where a stack is named by half, the answer is its whole path."""
    href = answers.href(call, note_named(call, call.world, call.path["name"]))
    return ApiReply(302, {"location": href}, {"location": href})


BELOW = frozenset({"resources", "events", "template", "outputs", "environment", "files"})


def _below(call: Call) -> ApiReply:
    href = answers.href(call, note_named(call, call.world, call.path["name"]), call.path["id"])
    return ApiReply(302, {"location": href}, {"location": href})


def translated(call: Call) -> tuple[CloudState, StackNote, Translation]:
    world = call.world
    note = note_of(call, world)
    made, _ = translation(call, world, note)
    return world, note, made


def show_stack(call: Call) -> ApiReply:
    if call.path["id"] in BELOW:
        return _below(call)
    world, note, made = translated(call)
    return ApiReply(body={"stack": answers.detail(call, world, call.project, note, made)})


def create_stack(call: Call) -> ApiReply:
    note, made = asked_stack(call, call.body.get("stack_name"))
    project = call.project
    if len(stacks_of(call.world, project)) >= MOST:
        raise conflict(f"A project has {MOST} stacks at most.")

    def editing(entries: Sequence[DocumentEntry]) -> Edit:
        return lambda content: written(content, note, entries)

    make(call, f"create stack {note.name}", made.entries, editing, lambda _one: False)
    links = [{"rel": "self", "href": answers.href(call, note)}]
    return ApiReply(201, {"stack": {"id": note.id, "links": links}}, {"location": answers.href(call, note)})


def asked_stack(call: Call, name: Any) -> tuple[StackNote, Translation]:
    if not isinstance(name, str) or NAME.fullmatch(name) is None:
        raise bad("A stack's name begins with a letter, and has letters, digits, dots, dashes and underscores.")
    world = call.world
    if any(one.name == name for one in stacks_of(world, call.project)):
        raise conflict(f"The Stack ({name}) already exists.")
    note = filled(new_note(name, call.cloud.clock()), call.body)
    made, note = translation(call, world, note)
    return note, made


def filled(note: StackNote, said: Mapping[str, Any]) -> StackNote:
    """With what a request says of a template and its values."""
    if said.get("template_url"):
        raise bad("Nothing is fetched for a template. Send it in the request.")
    template = said.get("template")
    text = template if isinstance(template, str) else json.dumps(template) if template else ""
    if not text:
        raise bad("No template is given.")
    files, environment = json.dumps(said.get("files") or {}), json.dumps(_environment(said))
    if len(text) + len(files) + len(environment) > LARGEST:
        raise bad(
            f"A template with files and values has {LARGEST >> 10} KiB at most: each version of a document keeps it."
        )
    return note._replace(
        template=text,
        files=files,
        environment=environment,
        tags=tuple(one for one in str(said.get("tags") or "").split(",") if one),
        timeout=said.get("timeout_mins"),
        keeps_failed=said.get("disable_rollback") is not False,
        described=_described(text),
    )


def _described(text: str) -> str:
    template = parsed(text.encode(), "template", "", [])
    node = template.node.child("description") if template is not None else None
    return " ".join(str(getattr(node, "text", "")).split())[:1024]


def _environment(said: Mapping[str, Any]) -> dict[str, Any]:
    """Of the request's, and of the files of environments that it names; its own parameters come last."""
    around = Surroundings({}, {}, {})
    files: Mapping[str, Any] = said.get("files") or {}
    found: list[Diagnostic] = []
    texts = [files.get(name) for name in said.get("environment_files") or ()]
    own = said.get("environment")
    for one in (*texts, own if isinstance(own, str) else json.dumps(own) if own else None):
        if isinstance(one, str) and one.strip():
            read_environment(one.encode(), "environment", around, found)
    if found:
        raise bad("; ".join(one.detail for one in found[:5]))
    around.parameters.update(said.get("parameters") or {})
    return {"parameters": around.parameters, "resource_registry": around.registry}


def update_stack(call: Call) -> ApiReply:
    return _update(call, call.body)


def patch_stack(call: Call) -> ApiReply:
    """What is not said stays."""
    note, before = note_of(call, call.world), call.body
    known = json.loads(note.environment)
    cleared = set(before.get("clear_parameters") or ())
    parameters = {name: one for name, one in known["parameters"].items() if name not in cleared}
    said = {
        **before,
        "template": before.get("template") or note.template,
        "files": before.get("files") or json.loads(note.files),
        "parameters": {**parameters, **(before.get("parameters") or {})},
        "environment": before.get("environment") or {"resource_registry": known["resource_registry"]},
    }
    return _update(call, said)


def _update(call: Call, said: Mapping[str, Any]) -> ApiReply:
    world, project = call.world, call.project
    before = note_of(call, world)
    note = filled(before, said)._replace(updated=call.cloud.clock())
    made, note = translation(call, world, note)

    def editing(entries: Sequence[DocumentEntry]) -> Edit:
        return lambda content: written(without(content, before), note, entries)

    make(call, f"update stack {note.name}", made.entries, editing, lambda one: is_its(note, project, one))
    return ApiReply(202)


def delete_stack(call: Call) -> ApiReply:
    project = call.project
    note = note_of(call, call.world)
    call.edit(
        f"delete stack {note.name}",
        lambda content: without(content, note),
        loses=lambda one: is_its(note, project, one),
    )
    return ApiReply(204)
