"""A stack is a part of its project's document: entries, and a note with the template that they were made from.

All else of a stack follows from these: its resources, status and outputs are worked out when somebody asks.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from stead.core.address import Address
from stead.core.diagnostics import Diagnostic
from stead.core.named import NamedTuple
from stead.heat.entries import DocumentEntry, StackPart, entries, parts
from stead.heat.references import slug
from stead.heat.stack import Chosen, Draft
from stead.heat.template import Unreadable
from stead.heat.translate import HotSource, translated
from stead.heat.values import Value
from stead.serve import notes
from stead.serve.compute.flavors import copy_named
from stead.serve.edits import Content, put, remove
from stead.serve.faults import bad, conflict
from stead.serve.routes import Call
from stead.serve.world import CloudState, bare

FIRST = "stack-"  # of the key of a note
UNSAID = ("", None)


class StackNote(NamedTuple):
    """What is kept of a stack. Maps of a client's are kept as text: their keys may be anything."""

    id: str
    name: str
    prefix: str  # of the keys of its entries
    template: str
    files: str
    environment: str
    created: float
    updated: float | None = None
    tags: tuple[str, ...] = ()
    timeout: int | None = None
    keeps_failed: bool = True
    secrets: str = "{}"
    described: str = ""
    retained: tuple[str, ...] = ()  # KIND/KEY of what stays when the stack goes
    flavors: str = "{}"  # of the API: its servers have copies, which outlive the flavor

    @property
    def action(self) -> str:
        return "CREATE" if self.updated is None else "UPDATE"


class Translation(NamedTuple):
    """What a stack's template means."""

    draft: Draft
    entries: list[DocumentEntry]
    parts: list[StackPart]


def new_note(name: str, now: float) -> StackNote:
    prefix = f"st{time.time_ns() // 1_000_000:x}{os.urandom(2).hex()}"
    return StackNote(str(uuid4()), name, prefix, "", "{}", "{}", now)


def stacks_of(world: CloudState, project: str) -> list[StackNote]:
    document = world.documents.get(project)
    said = document.content.get(notes.NOTES, {}) if document is not None else {}
    found = [_read(one) for key, one in said.items() if key.startswith(FIRST)]
    return sorted(found, key=lambda one: (one.created, one.id), reverse=True)


def _read(said: Mapping[str, Any]) -> StackNote:
    lists = {name: tuple(said.get(name, ())) for name in ("tags", "retained")}
    return StackNote(**{**said, **lists})


def written(content: Content, note: StackNote, made: Sequence[DocumentEntry]) -> Content:
    """With the stack as it is to be; another one of its name may have been made meanwhile."""
    for key, one in content.get(notes.NOTES, {}).items():
        if key.startswith(FIRST) and one["name"] == note.name and one["id"] != note.id:
            raise conflict(f"The Stack ({note.name}) already exists.")
    for one in made:
        content = put(content, one.kind, one.key, one.fields)
    said = {name: one for name, one in note._asdict().items() if one not in UNSAID}
    lists = {"tags": [*note.tags], "retained": [*note.retained]}
    return notes.note(f"{FIRST}{note.id}", **{**said, **lists})(content)


def without(content: Content, note: StackNote) -> Content:
    """What is to be retained stays, and is the project's own from now on."""
    if f"{FIRST}{note.id}" not in content.get(notes.NOTES, {}):
        raise conflict(f"The Stack ({note.name}) was deleted meanwhile.")
    for kind, section in list(content.items()):
        for key in list(section) if isinstance(section, Mapping) else ():
            if not key.startswith(f"{note.prefix}-"):
                continue
            if f"{kind}/{key}" not in note.retained:
                content = remove(content, kind, key)
    return notes.forget(content, f"{FIRST}{note.id}")


def is_its(note: StackNote, project: str, address: Address) -> bool:
    return address.project == project and address.name.startswith(f"{note.prefix}-")


class Secrets:
    """What Heat would make up: once, and then it is kept."""

    def __init__(self, known: str) -> None:
        self.known: dict[str, str] = json.loads(known)

    def __call__(self, name: str, length: int) -> str:
        if name not in self.known:
            import secrets
            import string

            letters = string.ascii_letters + string.digits
            self.known[name] = "".join(secrets.choice(letters) for _ in range(max(1, min(length, 512))))
        return self.known[name]


class CopiedFlavors:
    """Flavors that an admin made by the API: as they are, or as they were when the stack got them."""

    def __init__(self, call: Call, kept: str) -> None:
        self._call, self._kept = call, json.loads(kept)
        self.used: dict[str, Any] = {}

    def copy(self, kind: str, text: str) -> Value:
        found = copy_named(self._call, text) or self._kept.get(text) if kind == "flavors" else None
        if found is None:
            raise KeyError(text)
        self.used[text] = found
        return dict(found)


def translation(call: Call, world: CloudState, note: StackNote) -> tuple[Translation, StackNote]:
    """And the note with what had to be made up. What the API cannot make is told at once."""
    secrets, flavors = Secrets(note.secrets), CopiedFlavors(call, note.flavors)
    draft, found = translated(_source(world, note, call.project, secrets, flavors))
    made = entries(draft) if draft is not None else []
    if found or draft is None:
        raise bad("; ".join(dict.fromkeys(map(_told, found[:8]))))
    retained = () if draft is None else tuple(draft.retained)
    after = note._replace(secrets=json.dumps(secrets.known), retained=retained, flavors=json.dumps(flavors.used))
    return Translation(draft, [_named(note, one) for one in made], parts(draft)), after


def _told(one: Diagnostic) -> str:
    return f"{one.detail} ({one.code})"


def _source(world: CloudState, note: StackNote, project: str, secrets: Secrets, flavors: CopiedFlavors) -> HotSource:
    files, environment = json.loads(note.files), json.loads(note.environment)

    def reader(name: str) -> bytes:
        if not isinstance(files.get(name), str):
            raise Unreadable("It is not among the files of the request.")
        content: str = files[name]
        return content.encode()

    def named(kind: str, text: str) -> Value:
        known = [one for one in world.things(kind, [project, ""]) if not is_its(note, project, one.address)]
        by_id = [one for one in known if bare(one.id) == bare(text)]
        by_name = [one for one in known if text in (one.address.name, one.name)]
        by_name = by_name or [one for one in known if one.address.name == slug(text, kind)]
        if not by_id and not by_name:
            return flavors.copy(kind, text)
        return (by_id or by_name)[0].address.name

    chosen = Chosen(note.name, note.id, world.project_id(project), note.prefix, named, secrets)
    registry = {name: one for name, one in environment.get("resource_registry", {}).items() if isinstance(one, str)}
    parameters = environment.get("parameters", {})
    return HotSource(note.template.encode(), "template", project, reader, parameters, registry, chosen)


def _named(note: StackNote, one: DocumentEntry) -> DocumentEntry:
    """Every resource has a name for people: the template's, or one like Heat's."""
    own = one.key.removeprefix(f"{note.prefix}-")
    fields = {"display_name": f"{note.name}-{own}", **one.fields}
    if one.kind == "instances":
        name = one.fields.get("hostname")
        fields = {**fields, "display_name": one.fields.get("display_name") or name or f"{note.name}-{own}"}
        fields["hostname"] = f"{(name or own)[:45].rstrip('-')}-{note.prefix[-6:]}"
    return one._replace(fields=fields)
