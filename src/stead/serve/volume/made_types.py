"""Volume types that an admin made by the API. The store keeps them beside people, and a volume gets a copy (ADR 47)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from stead.serve.access_lists import AccessList, Made
from stead.serve.faults import bad, conflict, forbidden, not_found
from stead.serve.routes import FLAG, LONG, NAME, ApiReply, Call, record, true
from stead.serve.volume import types

KIND = "volume_type"
ACCESS = AccessList(KIND, "volume type", "project")
PUBLIC = "os-volume-type-access:is_public"
MOST_SPECS = 128
SPECS = {
    "type": "object",
    "maxProperties": MOST_SPECS,
    "minProperties": 1,
    "propertyNames": {"pattern": r"^[a-zA-Z0-9_:. -]{1,255}$"},
    "additionalProperties": {"type": "string", "maxLength": 255, "pattern": r"^[^\x00-\x1f\x7f]*$"},
}
NEW = record(
    ["name"], name=NAME, description=LONG, extra_specs={**SPECS, "minProperties": 0}, is_public=FLAG, **{PUBLIC: FLAG}
)
CHANGED = record(name={**NAME, "type": ["string", "null"]}, description=LONG, is_public=FLAG)


def data(name: str, one: Made) -> dict[str, Any]:
    return {
        "id": name,
        "name": one["name"],
        "description": one["description"],
        "is_public": one["public"],
        PUBLIC: one["public"],
        "extra_specs": one["specs"],
        "qos_specs_id": one["qos"] or None,
    }


def named_made(call: Call, asked: str) -> tuple[str, Made]:
    for name, one in call.people.of_kind(KIND):
        if asked in (name, one["name"]):
            return name, one
    raise not_found("Volume type", asked)


def _of_path(call: Call) -> tuple[str, Made]:
    """To change it. What is a pool is changed in the inventory."""
    name = call.path["id"]
    if (one := call.people.known().get((KIND, name))) is not None:
        return name, one
    raise forbidden(f"The volume type {types.named(call, name)} is a pool of the site: the inventory has it.")


def create(call: Call) -> ApiReply:
    said = call.body["volume_type"]
    _must_be_free(call, said["name"])
    new = str(uuid.uuid4())
    one = {
        "name": said["name"],
        "description": said.get("description"),
        "public": true(said.get(PUBLIC, said.get("is_public", True))),
        "projects": [],
        "specs": dict(said.get("extra_specs") or {}),
        "qos": "",
    }
    call.people.write({(KIND, new): one})
    told = data(new, one)
    return ApiReply(body={"volume_type": {word: told[word] for word in told if word != "qos_specs_id"}})


def _must_be_free(call: Call, name: str, but: str = "") -> None:
    made = [one["name"] for id_, one in call.people.of_kind(KIND) if id_ != but]
    if name in (*types.pools(call), *made):
        raise conflict(f"Volume Type {name[:80]} already exists.")


def change(call: Call) -> ApiReply:
    (name, one), said = _of_path(call), call.body["volume_type"]
    if said.get("name"):
        _must_be_free(call, said["name"], but=name)
    words = {"name": "name", "description": "description"}
    after = {**one, **{word: said[key] for key, word in words.items() if said.get(key) is not None}}
    if "is_public" in said:
        after["public"] = true(said["is_public"])
    call.people.write({(KIND, name): after})
    told = data(name, after)
    return ApiReply(body={"volume_type": {word: told[word] for word in told if word not in ("qos_specs_id", PUBLIC)}})


def delete(call: Call) -> ApiReply:
    """Volumes keep what they have of it."""
    name, _ = _of_path(call)
    call.people.write({(KIND, name): None})
    return ApiReply(202)


def list_access(call: Call) -> ApiReply:
    name, one = _of_path(call)
    found = [{"volume_type_id": name, "project_id": project} for project in ACCESS.projects(call, name, one)]
    return ApiReply(body={"volume_type_access": found})


def act(call: Call) -> ApiReply:
    ACCESS.change(call, *_of_path(call))
    return ApiReply(202)


def list_specs(call: Call) -> ApiReply:
    return ApiReply(body={"extra_specs": _of_path(call)[1]["specs"]})


def show_spec(call: Call) -> ApiReply:
    (_, one), key = _of_path(call), call.path["key"]
    if key not in one["specs"]:
        raise not_found("Extra spec", key)
    return ApiReply(body={key: one["specs"][key]})


def write_specs(call: Call) -> ApiReply:
    return ApiReply(body={"extra_specs": _write(call, call.body["extra_specs"])})


def write_spec(call: Call) -> ApiReply:
    if list(call.body) != [call.path["key"]]:
        raise bad("Request body and URI mismatch")
    return ApiReply(body=_write(call, call.body))


def _write(call: Call, said: Mapping[str, str]) -> Mapping[str, str]:
    name, one = _of_path(call)
    after = {**one["specs"], **said}
    if len(after) > MOST_SPECS:
        raise bad(f"A volume type has at most {MOST_SPECS} extra specs.")
    call.people.write({(KIND, name): {**one, "specs": after}})
    return said


def delete_spec(call: Call) -> ApiReply:
    (name, one), key = _of_path(call), call.path["key"]
    if key not in one["specs"]:
        raise not_found("Extra spec", key)
    call.people.write({(KIND, name): {**one, "specs": {k: text for k, text in one["specs"].items() if k != key}}})
    return ApiReply(202)
