"""JSON Schema of the spec, made from the kinds' models: for completion and hover text in editors, and for validators.

Everywhere a scalar may be an expression, so text with `{{` is let through; Stead itself checks what it comes to.
"""

from __future__ import annotations

from collections.abc import Mapping

from stead.core.kind import Kind, Scope
from stead.language.desired.exports import ForOthers
from stead.language.desired.model import Site
from stead.language.desired.variables import Declared
from stead.language.model_schema import EXPRESSION, NAMES, Json, or_expression, record
from stead.language.spec.grants import Grants
from stead.language.spec.quota import quota_model
from stead.language.spec.sections import IN_PROJECT
from stead.language.spec.settings import COMPOSED, PROFILE, Common, Composed

DRAFT = "https://json-schema.org/draft/2020-12/schema"


def schema(kinds: Mapping[str, Kind]) -> Json:
    """The whole spec. Each kind is a definition of its own, under its plural."""
    defs: Json = {plural: _of_kind(kind) for plural, kind in kinds.items() if plural != "projects"}
    defs |= _shared(kinds)
    defs |= {f"{plural}_with_profiles": _loose(defs[plural], f"#/$defs/{plural}") for plural in kinds if plural in defs}
    site = {p: _section(p, kind) for p, kind in kinds.items() if kind.scope is not Scope.PROJECT and p != "projects"}
    own = {p: _section(p, kind) for p, kind in kinds.items() if kind.scope is not Scope.SITE}
    project = _of_kind(kinds["projects"])
    profiles = _profiles(kinds)
    project["properties"] |= own | {"include": _INCLUDE, "profiles": profiles, "exports": _EXPORTS}
    project["properties"] |= {"moved": _MOVED, "forget": _FORGET}
    project["type"] = ["object", "null"]
    defs["project"] = project
    return {
        "$schema": DRAFT,
        "title": "A Stead spec",
        "type": "object",
        "required": ["stead"],
        "additionalProperties": False,
        "properties": {
            "stead": {"const": 1, "description": "The version of the language"},
            "site": {**record(Site), "description": "What holds for everything"},
            "vars": _VARIABLES,
            "profiles": profiles,
            **site,
            "include": _OWNED,
            "grants": _map(record(Grants), "What projects may do beyond their walls in files of their people"),
            "projects": _map({"$ref": "#/$defs/project"}, "Projects by name, with everything that is theirs"),
            "outputs": _map({}, "Values to show after an apply, and for other tools to read", names={}),
            "checks": _map(_CHECK, "Conditions that the plan must meet", names={}),
            "moved": _MOVED,
            "forget": _FORGET,
        },
        "$defs": defs,
    }


def part(kinds: Mapping[str, Kind]) -> Json:
    """A file that is included: a part, or what the people of a project write."""
    whole = schema(kinds)
    project = whole["$defs"].pop("project")["properties"]
    sections = {p for p, kind in kinds.items() if kind.scope is not Scope.SITE}
    own = {word: made for word, made in project.items() if word in {*sections, *IN_PROJECT}}
    first = {word: whole["properties"][word] for word in ("stead", "vars")}
    return {**whole, "title": "A part of a Stead spec", "properties": first | own}


def one_kind(plural: str, kinds: Mapping[str, Kind]) -> Json:
    kind = kinds[plural]
    return {"$schema": DRAFT, "title": kind.name, **_of_kind(kind), "$defs": _shared(kinds)}


def _shared(kinds: Mapping[str, Kind]) -> Json:
    return {"expression": EXPRESSION, "quota": {**record(quota_model(kinds)), "type": ["object", "null"]}}


def _section(plural: str, kind: Kind) -> Json:
    whole, some = ({"$ref": f"#/$defs/{name}"} for name in (plural, f"{plural}_with_profiles"))
    uses = {"if": {"type": "object", "required": ["profile"]}, "then": some, "else": whole}
    return _map({"if": {"type": "string"}, "then": {"pattern": f"^{PROFILE.pattern}$"}, "else": uses}, kind.help)


def _profiles(kinds: Mapping[str, Kind]) -> Json:
    some = [{"$ref": f"#/$defs/{plural}_with_profiles"} for plural in kinds if plural != "projects"]
    uncomposed = {"not": {"anyOf": [{"required": [word]} for word in sorted(COMPOSED)]}}
    help_ = "Fields that definitions share, by the name that `profile` says"
    return _map({"type": "object", **uncomposed, "anyOf": some}, help_, names={"pattern": f"^{PROFILE.pattern}$"})


def _loose(made: Json, at: str) -> Json:
    """Fields that others complete: none is required in a map, and null takes away. `at` is where the strict one is."""
    loose = {word: one for word, one in made.items() if word != "required"}
    if "properties" in made:
        fields = made["properties"].items()
        loose["properties"] = {word: _or_nothing(one, f"{at}/properties/{word}") for word, one in fields}
    if "anyOf" in made:
        loose["anyOf"] = [_loose(one, f"{at}/anyOf/{index}") for index, one in enumerate(made["anyOf"])]
    if isinstance(made.get("additionalProperties"), dict):
        loose["additionalProperties"] = _or_nothing(made["additionalProperties"], f"{at}/additionalProperties")
    return loose


def _or_nothing(made: Json, at: str) -> Json:
    loose = _loose(made, at)
    return {"anyOf": [{"$ref": at} if loose == made else loose, {"type": "null"}]}


def _map(values: Json, description: str, *, names: Json = NAMES) -> Json:
    return {
        "type": ["object", "null"],
        "description": description,
        "propertyNames": names,
        "additionalProperties": values,
    }


def _of_kind(kind: Kind) -> Json:
    made = record(kind.model)
    made["properties"] |= record(Composed)["properties"] | record(Common)["properties"]
    made["description"] = kind.help
    if kind.counted:
        made["properties"] |= {
            "count": {
                **or_expression({"type": "integer", "minimum": 0}),
                "description": "How many, numbered from 0",
                "examples": [3],
            },
            "for_each": {
                **or_expression({"type": ["array", "object"]}),
                "description": "One for each name of a list or map",
                "examples": [["blue", "green"]],
            },
        }
    if not made.get("required"):
        made["type"] = ["object", "null"]
    return made


_VARIABLE: Json = {"anyOf": [{"not": {"type": "object"}}, record(Declared), {"type": "object"}]}
_VARIABLES = _map(_VARIABLE, "Variables: a default alone, or what is to be said of it", names={})
_INCLUDE = _map(
    {
        "type": "object",
        "required": ["part"],
        "additionalProperties": False,
        "properties": {
            "part": {"type": "string", "description": "File of the part, relative to this one"},
            "vars": {"type": ["object", "null"], "description": "Its parameters"},
            "when": record(Composed)["properties"]["when"],
        },
    },
    "Parts to include; what they define is named after the inclusion: blue-web",
)
_PROJECT_FILE: Json = {
    "type": "object",
    "required": ["project", "from"],
    "additionalProperties": False,
    "properties": {
        "project": {"type": "string", **NAMES, "description": "Project whose people write the files"},
        "from": {
            "type": "string",
            "description": "Their folder, or their file, relative to this one",
            "examples": ["tenants/acme"],
        },
        "vars": {"type": ["object", "null"], "description": "Values of variables that their files declare"},
    },
}
_OWNED: Json = {
    "anyOf": [_PROJECT_FILE, {"type": "array", "items": _PROJECT_FILE}, {"type": "null"}],
    "description": "Files that the people of a project own: they change that project and nothing else",
}
_CHECK: Json = {
    "type": "object",
    "required": ["that"],
    "properties": {
        "that": {"description": "The condition, in {{ }}"},
        "message": {"type": "string", "description": "What to say when it does not hold"},
        "severity": {
            "enum": ["error", "warning"],
            "default": "error",
            "description": "Whether the plan is refused, or only said",
        },
        "when": record(Composed)["properties"]["when"],
    },
}
_EXPORTS = _map(
    {"anyOf": [{"not": {"type": "object"}}, record(ForOthers), {"type": "object"}]},
    "Values that expressions of other projects may use: projects.acme.exports.NAME",
)
_MOVED: Json = {
    "type": ["array", "null"],
    "description": "New names of resources, so that they are renamed and not made anew",
    "items": {
        "type": "object",
        "required": ["from", "to"],
        "properties": {
            "from": {"type": "string", "description": "Its address before", "examples": ["acme/instances/web"]},
            "to": {"type": "string", "description": "Its address now", "examples": ["acme/instances/frontend"]},
        },
    },
}
_FORGET: Json = {
    "type": ["array", "null"],
    "description": "Resources that are no longer managed, and not destroyed",
    "items": {"type": "string"},
}
