"""Definitions of metadata: which properties people may give to images, servers and volumes, for forms of portals.

An admin writes them, in namespaces. The store keeps them beside people; nothing of Stead reads them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stead.core.named import NamedTuple
from stead.serve.faults import conflict, forbidden, not_found
from stead.serve.image.images import V
from stead.serve.routes import LONG, MAYBE_TEXT, NAME, AccessPolicy, ApiReply, ApiRoute, Call, record
from stead.serve.world import BORN, moment

KIND = "metadef"
RESOURCE_TYPES = ("OS::Cinder::Volume", "OS::Glance::Image", "OS::Nova::Flavor", "OS::Nova::Server")
_WORDS = ("display_name", "description", "visibility", "protected")
_NAMESPACE = record(
    ["namespace"],
    namespace={"type": "string", "pattern": r"^[^/\x00-\x1f\x7f]{1,80}$"},
    display_name=MAYBE_TEXT,
    description=LONG,
    visibility={"enum": ["public", "private"]},
    protected={"type": "boolean"},
    resource_type_associations={"type": "array", "maxItems": 50, "items": record(["name"], name=NAME)},
)
_TAGS = record(["tags"], tags={"type": "array", "maxItems": 200, "items": record(["name"], name=NAME)})
_NAMED = record(["name"], name={**NAME, "maxLength": 80, "pattern": r"^[^/\x00-\x1f\x7f]+$"})
Stored = Mapping[str, Any]


def _seen(call: Call, one: Stored) -> bool:
    return call.caller.admin or one["visibility"] == "public" or one["owner"] == call.caller.project


def _one(call: Call) -> Stored:
    found = call.people.known().get((KIND, call.path["namespace"]))
    if found is None or not _seen(call, found):
        raise not_found("Metadata definition namespace", call.path["namespace"])
    return found


def _write(call: Call, one: Stored, before: str = "") -> None:
    """Under its name; `before` is one that it has no more."""
    after = {**one, "updated": call.cloud.clock()}
    call.people.write({**({(KIND, before): None} if before else {}), (KIND, one["namespace"]): after})


def _data(call: Call, one: Stored) -> dict[str, Any]:
    return {
        "namespace": one["namespace"],
        **{word: one[word] for word in _WORDS},
        "owner": call.world.project_id(one["owner"]),
        "resource_type_associations": [{"name": name, **_times(one)} for name in one["resource_types"]],
        **_times(one),
        "self": f"/v2/metadefs/namespaces/{one['namespace']}",
        "schema": "/v2/schemas/metadefs/namespace",
    }


def _times(one: Stored) -> dict[str, str]:
    return {"created_at": moment(one.get("created", BORN)), "updated_at": moment(one.get("updated", BORN))}


def list_namespaces(call: Call) -> ApiReply:
    found = [_data(call, one) for _, one in sorted(call.people.of_kind(KIND)) if _seen(call, one)]
    body = {"namespaces": found, "first": "/v2/metadefs/namespaces", "schema": "/v2/schemas/metadefs/namespaces"}
    return ApiReply(body=body)


def create_namespace(call: Call) -> ApiReply:
    name = _new_name(call)
    now = {"created": call.cloud.clock(), "updated": call.cloud.clock()}
    types = [one["name"] for one in call.body.get("resource_type_associations", ())]
    parts: dict[str, Any] = {"objects": {}, "properties": {}, "tags": {}, "resource_types": types}
    one = {"namespace": name, "owner": call.project, "visibility": "private", "protected": False, **parts, **now}
    one = {"display_name": None, "description": None, **one, **_said(call)}
    _write(call, one)
    return ApiReply(201, _data(call, one))


def _new_name(call: Call, before: str = "") -> str:
    name: str = call.body["namespace"]
    if name != before and (KIND, name) in call.people.known():
        raise conflict(f"The metadata definition namespace {name} already exists.")
    return name


def _said(call: Call) -> dict[str, Any]:
    return {word: call.body[word] for word in _WORDS if word in call.body}


def show_namespace(call: Call) -> ApiReply:
    return ApiReply(body=_data(call, _one(call)))


def change_namespace(call: Call) -> ApiReply:
    before = _one(call)
    name = _new_name(call, before["namespace"])
    after = {**before, **_said(call), "namespace": name}
    _write(call, after, before["namespace"])
    return ApiReply(body=_data(call, after))


def delete_namespace(call: Call) -> ApiReply:
    one = _one(call)
    if one["protected"]:
        raise forbidden(f"Metadata definition namespace {one['namespace']} is protected and cannot be deleted.")
    call.people.write({(KIND, one["namespace"]): None})
    return ApiReply(204)


def resource_types(_call: Call) -> ApiReply:
    return ApiReply(body={"resource_types": [{"name": name, **_times({})} for name in RESOURCE_TYPES]})


def list_associations(call: Call) -> ApiReply:
    return ApiReply(body={"resource_type_associations": _data(call, _one(call))["resource_type_associations"]})


def associate(call: Call) -> ApiReply:
    one, name = _one(call), call.body["name"]
    if name not in one["resource_types"]:
        _write(call, {**one, "resource_types": [*one["resource_types"], name]})
    return ApiReply(201, {"name": name, **_times(one)})


def dissociate(call: Call) -> ApiReply:
    one, name = _one(call), call.path["name"]
    if name not in one["resource_types"]:
        raise not_found("Resource type association", name)
    _write(call, {**one, "resource_types": [each for each in one["resource_types"] if each != name]})
    return ApiReply(204)


class NamespacePart(NamedTuple):
    """What a namespace has several of, by name."""

    many: str
    what: str
    by_name: bool = False  # a list of them is a map

    def _told(self, call: Call, said: Stored) -> dict[str, Any]:
        path = f"/v2/metadefs/namespaces/{call.path['namespace']}/{self.many}/{said['name']}"
        return {**said, "self": path, "schema": f"/v2/schemas/metadefs/{self.what}"}

    def _found(self, call: Call, one: Stored) -> Stored:
        found: Stored | None = one[self.many].get(call.path["name"])
        if found is None:
            raise not_found(f"Metadata definition {self.what}", call.path["name"])
        return found

    def list(self, call: Call) -> ApiReply:
        found = [self._told(call, said) for said in _one(call)[self.many].values()]
        body = {one["name"]: one for one in found} if self.by_name else found
        return ApiReply(body={self.many: body, "schema": f"/v2/schemas/metadefs/{self.many}"})

    def create(self, call: Call) -> ApiReply:
        return ApiReply(201, self.add(call, call.body))

    def add(self, call: Call, said: Stored) -> dict[str, Any]:
        one = _one(call)
        return self._put(call, one, one[self.many], said)

    def _put(self, call: Call, one: Stored, others: Stored, said: Stored) -> dict[str, Any]:
        if said["name"] in others:
            raise conflict(f"The metadata definition {self.what} {said['name'][:80]} already exists.")
        _write(call, {**one, self.many: {**others, said["name"]: said}})
        return self._told(call, said)

    def show(self, call: Call) -> ApiReply:
        return ApiReply(body=self._told(call, self._found(call, _one(call))))

    def change(self, call: Call) -> ApiReply:
        one = _one(call)
        return ApiReply(body=self._put(call, one, self._others(call, one), call.body))

    def delete(self, call: Call) -> ApiReply:
        one = _one(call)
        _write(call, {**one, self.many: self._others(call, one)})
        return ApiReply(204)

    def _others(self, call: Call, one: Stored) -> Stored:
        mine = self._found(call, one)["name"]
        return {name: said for name, said in one[self.many].items() if name != mine}

    def routes(self) -> tuple[ApiRoute, ...]:
        path = f"{N}/{{namespace}}/{self.many}"
        one = f"{path}/{{name}}"
        return (
            ApiRoute("GET", path, READER, self.list),
            ApiRoute("GET", one, READER, self.show),
            ApiRoute("PUT", one, ADMIN, self.change, _NAMED),
            ApiRoute("DELETE", one, ADMIN, self.delete),
        )


def write_tags(call: Call) -> ApiReply:
    """In the place of those that are there."""
    tags = {one["name"]: {"name": one["name"]} for one in call.body["tags"]}
    _write(call, {**_one(call), "tags": tags})
    return ApiReply(201, TAGS.list(call).body)


def delete_tags(call: Call) -> ApiReply:
    _write(call, {**_one(call), "tags": {}})
    return ApiReply(204)


def create_tag(call: Call) -> ApiReply:
    return ApiReply(201, TAGS.add(call, {"name": call.path["name"]}))


_ASSOCIATION = "resource_type_association"
# Name of a schema in its path -> the name that it has, and whether it is one of a list.
_SCHEMAS = {
    **{one: (one, "") for one in ("namespace", "object", "property", "tag")},
    **{f"{one}s": (f"{one}s", one) for one in ("namespace", "object", "tag")},
    "properties": ("properties", "property"),
    "resource_type": (_ASSOCIATION, ""),
    "resource_types": (f"{_ASSOCIATION}s", _ASSOCIATION),
}


def schema(call: Call) -> ApiReply:
    if call.path["name"] not in _SCHEMAS:
        raise not_found("Schema", call.path["name"])
    name, item = _SCHEMAS[call.path["name"]]
    words = {name: {"items": {"name": item}}} if item else {"name": {"type": "string"}}
    return ApiReply(body={"name": name, "properties": words})


READER, ADMIN = AccessPolicy.READER, AccessPolicy.ADMIN
N = f"{V}/metadefs/namespaces"
ONE = f"{N}/{{namespace}}"
TAGS = NamespacePart("tags", "tag")
WITH_BODIES = (NamespacePart("objects", "object"), NamespacePart("properties", "property", by_name=True))
ROUTES = (
    ApiRoute("GET", f"{V}/metadefs/resource_types", READER, resource_types),
    ApiRoute("GET", N, READER, list_namespaces),
    ApiRoute("POST", N, ADMIN, create_namespace, _NAMESPACE),
    ApiRoute("GET", ONE, READER, show_namespace),
    ApiRoute("PUT", ONE, ADMIN, change_namespace, _NAMESPACE),
    ApiRoute("DELETE", ONE, ADMIN, delete_namespace),
    ApiRoute("GET", f"{ONE}/resource_types", READER, list_associations),
    ApiRoute("POST", f"{ONE}/resource_types", ADMIN, associate, _NAMED),
    ApiRoute("DELETE", f"{ONE}/resource_types/{{name}}", ADMIN, dissociate),
    *(route for part in (*WITH_BODIES, TAGS) for route in part.routes()),
    *(ApiRoute("POST", f"{ONE}/{part.many}", ADMIN, part.create, _NAMED) for part in WITH_BODIES),
    ApiRoute("POST", f"{ONE}/tags", ADMIN, write_tags, _TAGS),
    ApiRoute("DELETE", f"{ONE}/tags", ADMIN, delete_tags),
    ApiRoute("POST", f"{ONE}/tags/{{name}}", ADMIN, create_tag),
    ApiRoute("GET", f"{V}/schemas/metadefs/{{name}}", READER, schema),
)
