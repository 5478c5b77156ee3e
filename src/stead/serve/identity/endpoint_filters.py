"""Groups of endpoints (OS-EP-FILTER): the catalog of a project that has any shows endpoints of those groups alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from stead.serve.faults import not_found
from stead.serve.identity.answers import V, listed
from stead.serve.identity.project_calls import all_projects
from stead.serve.identity.records import ADMIN, Item, RecordKind, found, items
from stead.serve.identity.registry import Key, Record
from stead.serve.routes import LONG, MAYBE_ID, NAME, ApiReply, ApiRoute, Call
from stead.serve.world import bare

OF_PROJECT = "endpoint_group_of"  # in the store: which project has which group
_FILTERS = {
    "type": "object",
    "additionalProperties": False,
    "minProperties": 1,
    "properties": {
        "service_id": MAYBE_ID,
        "region_id": MAYBE_ID,
        "interface": {"enum": ["public", "internal", "admin"]},
    },
}


def _of_no_project(call: Call, name: str) -> Mapping[Key, Record | None]:
    return {(OF_PROJECT, key): None for key, one in call.people.of_kind(OF_PROJECT) if one["group"] == name}


ENDPOINT_GROUPS: RecordKind = RecordKind(
    kind="endpoint_group",
    one="endpoint_group",
    many="endpoint_groups",
    under="OS-EP-FILTER/",
    what="Endpoint group",
    fields={"name": NAME, "description": LONG, "filters": _FILTERS},
    required=("name", "filters"),
    defaults={"description": ""},
    reads=ADMIN,
    ends_with_it=_of_no_project,
)


def usable(call: Call, project: str, endpoints: Sequence[Item]) -> list[Item]:
    mine = {one["group"] for _, one in call.people.of_kind(OF_PROJECT) if one["project"] == project}
    filters = [one["filters"] for name, one in call.people.of_kind(ENDPOINT_GROUPS.kind) if name in mine]
    return [one for one in endpoints if not filters or any(_fits(one, each) for each in filters)]


def _fits(endpoint: Item, filters: Mapping[str, Any]) -> bool:
    return all(endpoint[name] == value for name, value in filters.items())


def _project(call: Call) -> str:
    if call.world.project(call.path["project"]) is None:
        raise not_found("Project", call.path["project"])
    return bare(call.path["project"])


def _pair(call: Call) -> tuple[Key, Record]:
    group, project = found(call, ENDPOINT_GROUPS, call.path["id"])["id"], _project(call)
    return (OF_PROJECT, f"{group}/{project}"), {"group": group, "project": project}


def _known(call: Call) -> Key:
    key, _ = _pair(call)
    if key not in call.people.known():
        raise not_found("Endpoint group of the project", call.path["id"])
    return key


def give(call: Call) -> ApiReply:
    key, pair = _pair(call)
    call.people.write({key: pair})
    return ApiReply(204)


def has(call: Call) -> ApiReply:
    _known(call)
    return ApiReply(200)


def take(call: Call) -> ApiReply:
    call.people.write({_known(call): None})
    return ApiReply(204)


def projects_of(call: Call) -> ApiReply:
    group = found(call, ENDPOINT_GROUPS, call.path["id"])["id"]
    mine = {one["project"] for _, one in call.people.of_kind(OF_PROJECT) if one["group"] == group}
    return listed(call, "projects", [one for one in all_projects(call) if one["id"] in mine])


def groups_of(call: Call) -> ApiReply:
    project = _project(call)
    mine = {one["group"] for _, one in call.people.of_kind(OF_PROJECT) if one["project"] == project}
    return listed(call, "endpoint_groups", [one for one in items(call, ENDPOINT_GROUPS) if one["id"] in mine])


F = f"{V}/OS-EP-FILTER"
ROUTES = (
    ApiRoute("GET", f"{F}/endpoint_groups/{{id}}/projects", ADMIN, projects_of),
    ApiRoute("GET", f"{F}/endpoint_groups/{{id}}/projects/{{project}}", ADMIN, has),
    ApiRoute("PUT", f"{F}/endpoint_groups/{{id}}/projects/{{project}}", ADMIN, give),
    ApiRoute("DELETE", f"{F}/endpoint_groups/{{id}}/projects/{{project}}", ADMIN, take),
    ApiRoute("GET", f"{F}/projects/{{project}}/endpoint_groups", ADMIN, groups_of),
)
