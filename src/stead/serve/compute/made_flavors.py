"""Flavors that an admin made by the API. The store keeps them beside people, and a server gets a copy of its own.

So a flavor may be deleted while servers have its size, as in Nova, and no project's document needs what is not its own.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from stead.serve.access_lists import AccessList, Made
from stead.serve.faults import NOT_ALLOWED, OF_FILES, Fault, bad, conflict, not_found
from stead.serve.routes import FLAG, NAME, ApiReply, Call, record, true

KIND = "flavor"
ACCESS = AccessList(KIND, "flavor", "tenant")
PUBLIC, EPHEMERAL = "os-flavor-access:is_public", "OS-FLV-EXT-DATA:ephemeral"
LEAST_MEMORY, MOST_CPUS = 16, 512  # MiB; what an instance can have
_NUMBER = {"type": ["integer", "string"], "pattern": "^[0-9]{1,9}$", "minimum": 0, "maximum": 1 << 30}
SCHEMA = record(
    ["name", "ram", "vcpus", "disk"],
    name={**NAME, "pattern": r"^\S([^\x00-\x1f\x7f]*\S)?$"},
    id={"type": ["string", "integer", "null"], "pattern": r"^[a-zA-Z0-9._-]([a-zA-Z0-9. _-]{0,253}[a-zA-Z0-9._-])?$"},
    ram=_NUMBER,
    vcpus=_NUMBER,
    disk=_NUMBER,
    swap={"anyOf": [_NUMBER, {"enum": [""]}]},
    rxtx_factor={"type": ["number", "string"], "pattern": r"^[0-9]{1,6}(\.[0-9]{1,6})?$", "exclusiveMinimum": 0},
    **{PUBLIC: FLAG, EPHEMERAL: _NUMBER},
)
MOST_SPECS = 128
SPECS = {
    "type": "object",
    "maxProperties": MOST_SPECS,
    "propertyNames": {"pattern": r"^[a-zA-Z0-9_:. -]{1,255}$"},
    "additionalProperties": {
        "type": ["string", "integer", "number"],
        "maxLength": 255,
        "pattern": r"^[^\x00-\x1f\x7f]*$",
    },
}


def of_path(call: Call) -> tuple[str, Made]:
    """To change it. What is in the site's files is changed there."""
    name = call.path["id"]
    if (one := call.people.known().get((KIND, name))) is not None:
        return name, one
    for thing in call.world.things("flavors", ["", call.caller.project]):
        if thing.id == name:
            raise Fault(403, OF_FILES.id, f"The flavor {thing.name} is in {thing.block.node.file}. Change it there.")
    raise not_found("Flavor", name)


def make(call: Call) -> str:
    said = call.body["flavor"]
    name = str(said["id"]) if said.get("id") not in (None, "", "auto") else str(uuid.uuid4())
    files = list(call.world.things("flavors", [""]))
    there = {one.id for one in files} | {id_ for id_, _ in call.people.of_kind(KIND)}
    names = {one.name for one in files} | {one["name"] for _, one in call.people.of_kind(KIND)}
    if name in there or said["name"] in names:
        raise conflict(f"Flavor with name {said['name'][:80]} or id {name[:80]} already exists.")
    call.people.write({(KIND, name): _read(said)})
    return name


def _read(said: Mapping[str, Any]) -> Made:
    numbers = {word: int(said.get(key) or 0) for word, key in (
        ("ram", "ram"), ("vcpus", "vcpus"), ("disk", "disk"), ("swap", "swap"), ("ephemeral", EPHEMERAL),
    )}  # fmt: skip
    if numbers["ram"] < LEAST_MEMORY or not 1 <= numbers["vcpus"] <= MOST_CPUS:
        raise bad(f"A flavor has {LEAST_MEMORY} MiB of memory at least, and 1 to {MOST_CPUS} vCPUs.")
    return {
        **numbers,
        "name": said["name"],
        "public": true(said.get(PUBLIC, True)),
        "rxtx": float(said.get("rxtx_factor") or 1),
        "specs": {},
        "projects": [],
    }


def delete(call: Call) -> ApiReply:
    """Servers keep the size that they have."""
    name, _ = of_path(call)
    call.people.write({(KIND, name): None})
    return ApiReply(202)


def list_access(call: Call) -> ApiReply:
    return _access(call, *of_path(call))


def _access(call: Call, name: str, one: Made) -> ApiReply:
    found = [{"flavor_id": name, "tenant_id": project} for project in ACCESS.projects(call, name, one)]
    return ApiReply(body={"flavor_access": found})


def act(call: Call) -> ApiReply:
    name, one = of_path(call)
    return _access(call, name, ACCESS.change(call, name, one))


def write_specs(call: Call) -> ApiReply:
    name, one = of_path(call)
    said = {key: str(text) for key, text in call.body["extra_specs"].items()}
    after = {**one["specs"], **said}
    if len(after) > MOST_SPECS:
        raise Fault(403, NOT_ALLOWED.id, f"A flavor has at most {MOST_SPECS} extra specs.", quota=True)
    call.people.write({(KIND, name): {**one, "specs": after}})
    return ApiReply(body={"extra_specs": said})


def write_spec(call: Call) -> ApiReply:
    if list(call.body) != [call.path["key"]]:
        raise bad("Request body and URI mismatch")
    said = call.body
    call.body = {"extra_specs": said}
    return ApiReply(body=write_specs(call).body["extra_specs"])


def delete_spec(call: Call) -> ApiReply:
    (name, one), key = of_path(call), call.path["key"]
    if key not in one["specs"]:
        raise not_found("Extra spec", key)
    left = {each: text for each, text in one["specs"].items() if each != key}
    call.people.write({(KIND, name): {**one, "specs": left}})
    return ApiReply(200)
