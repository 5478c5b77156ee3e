"""Server groups: names for rules that keep servers apart or together. Each of their servers has the rule itself.

The group is a section of the document that the planner does not read; what it reads are its servers' `spread` and
`together`, by the group's key.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from stead.kinds.instance.model import Instance, Spread, Together
from stead.kinds.shared.several import as_tuple
from stead.serve.compute.servers import V
from stead.serve.edits import put, remove
from stead.serve.faults import bad, not_found
from stead.serve.keys import new_key
from stead.serve.listing import page
from stead.serve.routes import NAME, AccessPolicy, ApiReply, ApiRoute, Call, record, wrapped
from stead.serve.world import CloudState, KnownResource, made_of

GROUPS = "serve_server_groups"
# Nova's policy -> field of an instance, and whether a server is rather refused.
POLICIES = {
    "affinity": ("together", True),
    "anti-affinity": ("spread", True),
    "soft-affinity": ("together", False),
    "soft-anti-affinity": ("spread", False),
}
Group = tuple[str, Mapping[str, Any]]  # its key, and what was said of it


def groups_of(world: CloudState, project: str) -> Iterator[Group]:
    document = world.documents.get(project)
    yield from (document.content.get(GROUPS, {}) if document is not None else {}).items()


def _id(project: str, key: str) -> str:
    return made_of("server group", project, key)


def _one(call: Call) -> Group:
    project, asked = call.caller.project, call.path["id"]
    for key, said in groups_of(call.world, project):
        if _id(project, key) == asked:
            return key, said
    raise not_found("Server group", asked)


def _members(world: CloudState, project: str, key: str) -> list[KnownResource]:
    return [one for one in world.things("instances", [project]) if key in _named(one.model)]


def _named(model: Instance) -> list[str | None]:
    rules: list[Spread | Together] = [*as_tuple(model.spread), *as_tuple(model.together)]
    return [one.group for one in rules]


def data(call: Call, group: Group) -> dict[str, Any]:
    project, (key, said) = call.caller.project, group
    return {
        "id": _id(project, key),
        "name": said["name"],
        "policies": [said["policy"]],
        "members": [one.id for one in _members(call.world, project, key)],
        "metadata": {},
    }


def list_groups(call: Call) -> ApiReply:
    found = [data(call, one) for one in groups_of(call.world, call.caller.project)]
    return ApiReply(body={"server_groups": page(call, found)[0]})


def show_group(call: Call) -> ApiReply:
    return ApiReply(body={"server_group": data(call, _one(call))})


def create_group(call: Call) -> ApiReply:
    said, key = call.body["server_group"], new_key("server_groups")
    entry = {"name": said["name"], "policy": said["policies"][0]}
    call.edit(f"create server group {said['name']}", lambda content: put(content, GROUPS, key, entry))
    return ApiReply(body={"server_group": data(call, (key, entry))})


def delete_group(call: Call) -> ApiReply:
    """Its servers stay as they are placed, and keep the rule, as in Nova."""
    key, _ = _one(call)
    call.edit("delete a server group", lambda content: remove(content, GROUPS, key))
    return ApiReply(204)


def rule_of(call: Call, hints: Mapping[str, Any]) -> dict[str, Any]:
    """What a new server has of the group that its request names."""
    if "group" not in hints:
        return {}
    for key, said in groups_of(call.world, call.project):
        if _id(call.project, key) == hints["group"]:
            field, hard = POLICIES[said["policy"]]
            return {field: {"over": "hosts", "hard": hard, "group": key}}
    raise bad(f"Invalid input: server group {str(hints['group'])[:80]} could not be found.")


_GROUP = record(
    ["name", "policies"],
    name={**NAME, "pattern": r"^[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*$"},
    policies={"type": "array", "minItems": 1, "maxItems": 1, "items": {"enum": [*POLICIES]}},
)
G = f"{V}/os-server-groups"
ROUTES = (
    ApiRoute("GET", G, AccessPolicy.READER, list_groups),
    ApiRoute("POST", G, AccessPolicy.MEMBER, create_group, wrapped("server_group", _GROUP)),
    ApiRoute("GET", f"{G}/{{id}}", AccessPolicy.READER, show_group),
    ApiRoute("DELETE", f"{G}/{{id}}", AccessPolicy.MEMBER, delete_group),
)
