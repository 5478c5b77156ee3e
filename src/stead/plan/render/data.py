"""The plan as JSON for programs. `schemas/plan.json` describes it, made from `SCHEMA` below; a test fails when stale.

`format` grows when a field changes its meaning or goes; fields may be added at any time.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from stead.blueprint.model import Reason
from stead.core.effect import Action, Disruption
from stead.diff.model import FieldChange, Note
from stead.plan.model import Keep, Plan, Step, clears
from stead.plan.render.fold import fold
from stead.plan.render.values import opened
from stead.plan.render.words import summarise

FORMAT = 1


def to_json(plan: Plan, *, verbose: bool = False) -> str:
    return json.dumps(to_data(plan, verbose=verbose), indent=1, ensure_ascii=False) + "\n"


def to_data(plan: Plan, *, verbose: bool = False) -> dict[str, Any]:
    """`verbose` adds to each step all that the host should have."""
    made = plan.made
    return {
        "format": FORMAT,
        "stead": made.stead,
        "digest": plan.digest,
        "made_from": {"spec": made.spec, "recorded": made.recorded, "observed": made.observed},
        "empty": plan.empty,
        "confirmed_dead": list(plan.silence.dead),
        "answer_again": list(plan.silence.back),
        "drained": list(plan.silence.drained),
        "restored": list(plan.silence.restored),
        "summary": _summary(plan),
        "steps": [_step(step, verbose=verbose) for step in plan.steps],
        "resources": [_resource(keep) for keep in plan.keeps.values()],
        "renames": [{"from": str(old), "to": str(new)} for old, new in sorted(plan.renames.items(), key=str)],
        "outputs": opened(plan.outputs),
        "notes": [_note(note) for note in plan.notes],
        "hooks": [one._asdict() for one in plan.hooks],
    }


def _summary(plan: Plan) -> dict[str, Any]:
    found = summarise(plan, fold(plan))
    return {
        "actions": {str(action): number for action, number in sorted(found.actions.items())},
        "disturbs": {str(one): number for one, number in sorted(found.disturbs.items(), key=lambda pair: pair[0].rank)},
        "worst": str(found.worst),
        "loses": list(found.losses),
        "steps": found.steps,
        "hosts": found.hosts,
        "waves": found.waves,
        "unchanged": found.unchanged,
        "renamed": found.renames,
        "record_only": found.recorded,
        "waiting": dict(found.waiting),
    }


def _step(step: Step, *, verbose: bool) -> dict[str, Any]:
    told: dict[str, Any] = {
        "number": step.number,
        "wave": step.wave,
        "after": list(step.after),
        "address": str(step.address),
        "host": step.host,
        "action": str(step.action),
        "disturbs": str(step.disturbs),
        "reasons": [_reason(reason) for reason in step.reasons],
        "changes": [_change(change) for change in step.changes],
        "uuid": step.uuid,
    }
    if step.to:
        told["to"] = step.to
    if clears(step):
        told["clears"] = True
    if step.loses:
        told["loses"] = step.loses
    if step.pause:
        told["pause"] = step.pause
    if verbose:
        told["want"] = None if step.want is None else opened(step.want.fields())
    return told


def _reason(reason: Reason) -> dict[str, str]:
    return {"code": reason.code, "text": reason.text}


def _change(change: FieldChange) -> dict[str, Any]:
    told = {"field": change.field, "words": change.name, "old": opened(change.old), "new": opened(change.new)}
    return {**told, "drift": change.drift, **({} if change.was is None else {"was": opened(change.was)})}


def _resource(keep: Keep) -> dict[str, Any]:
    """What will be recorded of it. `gone` when nothing will."""
    return {
        "address": str(keep.address),
        "gone": not keep.leases,
        "host": keep.host,
        "leases": dict(keep.leases),
        "reason": keep.reason,
        "protect": keep.protect,
        "place": str(keep.place) if keep.place is not None else None,
    }


def _note(note: Note) -> dict[str, str]:
    return {"code": note.code, "text": note.text, "address": note.address, "host": note.host}


def _record(properties: Mapping[str, Any], *optional: str) -> dict[str, Any]:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": dict(properties), "required": required}


def _text(description: str) -> dict[str, Any]:
    return {"type": "string", "description": description}


def _number(description: str) -> dict[str, Any]:
    return {"type": "integer", "minimum": 0, "description": description}


def _list(of: Mapping[str, Any], description: str) -> dict[str, Any]:
    return {"type": "array", "items": dict(of), "description": description}


_NUMBERS = {"type": "object", "additionalProperties": {"type": "integer"}}
_ADDRESS = _text("Address of a resource: acme/instances/web[0]")
_ACTION = {"enum": [str(one) for one in Action], "description": "What is done"}
_DISTURBS = {"enum": [str(one) for one in Disruption], "description": "What it does to those who use the resource"}
_MADE = _record(
    {
        "spec": _text("Digest of the spec"),
        "recorded": _number("Serial of the store"),
        "observed": _text("Digest of what the hosts reported"),
    }
)
_SUMMARY = _record(
    {
        "actions": {**_NUMBERS, "description": "Resources by what is done to them as a whole; replace counts once"},
        "disturbs": {**_NUMBERS, "description": "Steps by what they disturb, without those that disturb nobody"},
        "worst": _DISTURBS,
        "loses": _list(_text("In words"), "Data that is lost"),
        "steps": _number("Steps"),
        "hosts": _number("Hosts with a step"),
        "waves": _number("Waves: one call for each host and wave"),
        "unchanged": _number("Resources that are as they should be"),
        "renamed": _number("Resources with a new address"),
        "record_only": _number("Resources of which only the record changes"),
        "waiting": {**_NUMBERS, "description": "By host, resources that wait for it to answer or to be confirmed dead"},
    }
)
_STEP = _record(
    {
        "number": _number("Its place in the order"),
        "wave": _number("Steps of a wave run together"),
        "after": _list({"type": "integer"}, "Numbers of the steps that must be done before"),
        "address": _ADDRESS,
        "host": _text("Where; empty for what is only recorded"),
        "action": _ACTION,
        "disturbs": _DISTURBS,
        "reasons": _list(_record({"code": _text("Permanent"), "text": _text("For people")}), "Why"),
        "changes": _list(
            _record(
                {
                    "field": _text("Dotted name"),
                    "words": _text("The field as a user calls it"),
                    "old": {"description": "What is there"},
                    "new": {"description": "What will be"},
                    "drift": {"type": "boolean", "description": "The host changed, and not the spec"},
                    "was": {"description": "What was applied, where the host changed and the spec too"},
                },
                "was",
            ),
            "Fields that differ; secrets read (secret)",
        ),
        "uuid": _text("Identity of the object"),
        "to": _text("The other host of a migration"),
        "clears": {"type": "boolean", "description": "It goes from this host only, and stays on others"},
        "loses": _text("Data that is lost, in words"),
        "pause": _number("Seconds that apply waits before it, after those of its definition that came before"),
        "want": {"type": ["object", "null"], "description": "All that should be there; with --verbose only"},
    },
    "to",
    "clears",
    "loses",
    "pause",
    "want",
)
_RESOURCE = _record(
    {
        "address": _ADDRESS,
        "gone": {"type": "boolean", "description": "Nothing will be recorded of it"},
        "host": _text("Where it is placed; empty for what lives on no single host"),
        "leases": {"type": "object", "additionalProperties": {"type": "string"}, "description": "What was chosen"},
        "reason": _text("Why it is there: code and text"),
        "protect": {"type": "boolean", "description": "Whether destroying it is refused"},
        "place": {"type": ["string", "null"], "description": "Where it is written: file:line:column"},
    }
)
_HOOK = _record(
    {
        "step": _number("The step that it runs around"),
        "playbook": _text("As seen from the spec's directory"),
        "when": {"enum": ["before", "after"]},
        "digest": _text("Of the file: apply runs no other"),
        "variables": {"type": "object", "description": "Given to it"},
    }
)
SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "A plan of Stead's, as `stead plan --json` prints it",
    **_record(
        {
            "format": {"const": FORMAT},
            "stead": _text("Version that planned"),
            "digest": _text("Names the plan: equal inputs give the same"),
            "made_from": _MADE,
            "empty": {"type": "boolean", "description": "There is nothing to do"},
            "confirmed_dead": _list(_text("Its name"), "Hosts of which a person says that they are off"),
            "answer_again": _list(_text("Its name"), "Hosts of which that was said before, and that answer"),
            "drained": _list(_text("Its name"), "Hosts that get no new resources until they are restored"),
            "restored": _list(_text("Its name"), "Hosts that were drained and get new resources again"),
            "summary": _SUMMARY,
            "steps": _list(_STEP, "In order"),
            "resources": _list(_RESOURCE, "What will be recorded, of every resource with a step"),
            "renames": _list(_record({"from": _ADDRESS, "to": _ADDRESS}), "Resources that were moved"),
            "outputs": {"type": "object", "description": "Outputs after the apply"},
            "notes": _list(
                _record(
                    {
                        "code": _text("Permanent"),
                        "text": _text("For people"),
                        "address": _text("Of the resource, if of one"),
                        "host": _text("Of the host, if of one"),
                    }
                ),
                "What a reader should know that is no step",
            ),
            "hooks": _list(_HOOK, "Playbooks that run on the machine that applies"),
        }
    ),
}


if __name__ == "__main__":
    print(json.dumps(SCHEMA, indent=2))
