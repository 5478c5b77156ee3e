"""Calls for projects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stead.serve.begin import begun
from stead.serve.faults import conflict, forbidden, not_built, not_found
from stead.serve.identity import trees
from stead.serve.identity.answers import V, listed
from stead.serve.identity.extra import extra_of
from stead.serve.routes import ApiReply, Call
from stead.serve.world import CloudState, KnownResource, bare

_KNOWN = frozenset({"name", "description", "tags", "enabled", "domain_id", "parent_id"})
_WORDS = {"name": "display_name", "description": "description", "tags": "tags"}


def project_data(call: Call, thing: KnownResource) -> dict[str, Any]:
    identity = bare(thing.id)
    domain, known = call.people.domain_of_project(identity), call.people.project_record(identity)
    return {
        **known.get("extra", {}),
        "id": identity,
        "name": thing.name,
        "domain_id": domain,
        "parent_id": known.get("parent") or domain,
        "is_domain": False,
        "enabled": known.get("enabled", True),
        "description": thing.model.description,
        "tags": list(thing.settings.tags),
        "options": {},
        "links": {"self": f"{call.root}{V}/projects/{identity}"},
    }


def all_projects(call: Call) -> list[dict[str, Any]]:
    return [project_data(call, thing) for thing in call.world.things("projects")]


def one_project(call: Call) -> KnownResource:
    """An admin sees every project; anybody else those in which they have a role."""
    address = call.world.address("projects", call.path["id"])
    if address is None or not (call.caller.admin or call.people.roles_in(call.caller.user, bare(call.path["id"]))):
        raise not_found("Project", call.path["id"])
    return call.world.thing(address)


def list_projects(call: Call) -> ApiReply:
    return listed(call, "projects", all_projects(call))


def show_project(call: Call) -> ApiReply:
    thing = one_project(call)
    return ApiReply(body={"project": {**project_data(call, thing), **trees.asked(call, bare(thing.id))}})


def create_project(call: Call) -> ApiReply:
    said, name = call.body["project"], call.body["project"]["name"]
    if said.get("is_domain"):
        raise not_built("A domain is made as a domain.")
    parent, domain = trees.place_of(call, said)
    if any((one["name"], one["domain_id"]) == (name, domain) for one in all_projects(call)):
        raise conflict(f"There is a project {name} already.")
    extra = extra_of(said, _KNOWN, {})
    world, address = begun(call.cloud, call.who, name, description=said.get("description"), tags=said.get("tags"))
    where = {"domain": domain, "parent": parent, "enabled": said.get("enabled", True), "extra": extra}
    call.people.change_project(bare(world.id_of(address)), **where)
    return ApiReply(201, {"project": project_data(call, world.thing(address))})


def change_project(call: Call) -> ApiReply:
    thing, said = one_project(call), call.body["project"]
    data, fields = project_data(call, thing), {word: said[name] for name, word in _WORDS.items() if name in said}
    if any(said.get(name, data[name]) != data[name] for name in ("parent_id", "domain_id")):
        raise forbidden("A project stays in its domain, and in the project that it is in.")
    before = call.people.project_record(data["id"]).get("extra", {})
    more = {"enabled": said.get("enabled", data["enabled"]), "extra": extra_of(said, _KNOWN, before)}
    world = _edited(call, thing, fields) if fields else call.world
    if more != {"enabled": data["enabled"], "extra": before}:
        call.people.change_project(data["id"], **more)
    return ApiReply(body={"project": project_data(call, world.thing(thing.address))})


def _edited(call: Call, thing: KnownResource, fields: Mapping[str, Any]) -> CloudState:
    def edit(content: Mapping[str, Any]) -> Mapping[str, Any]:
        return {**content, "project": {**content.get("project", {}), **fields}}

    return call.cloud.edit(thing.address.name, call.who, "change project", edit)


def list_tags(call: Call) -> ApiReply:
    return ApiReply(body={"tags": list(one_project(call).settings.tags)})


def write_tags(call: Call) -> ApiReply:
    tags = [*dict.fromkeys(call.body["tags"])]
    _edited(call, one_project(call), {"tags": tags})
    return ApiReply(body={"tags": tags})


def clear_tags(call: Call) -> ApiReply:
    _edited(call, one_project(call), {"tags": []})
    return ApiReply(204)


def has_tag(call: Call) -> ApiReply:
    if call.path["tag"] not in one_project(call).settings.tags:
        raise not_found("Tag", call.path["tag"])
    return ApiReply(204)


def add_tag(call: Call) -> ApiReply:
    thing = one_project(call)
    _edited(call, thing, {"tags": [*dict.fromkeys([*thing.settings.tags, call.path["tag"]])]})
    return ApiReply(201)


def remove_tag(call: Call) -> ApiReply:
    has_tag(call)
    thing = one_project(call)
    _edited(call, thing, {"tags": [one for one in thing.settings.tags if one != call.path["tag"]]})
    return ApiReply(204)


def delete_project(call: Call) -> ApiReply:
    thing = one_project(call)
    trees.must_be_a_leaf(call, bare(thing.id))
    must_be_empty(call, thing)
    end_project(call, thing)
    return ApiReply(204)


def must_be_empty(call: Call, thing: KnownResource) -> None:
    name = thing.address.name
    if any(one.project == name and one.name != "default" for one in call.world.desired.by_address):
        raise conflict(f"Project {name} has resources still. Delete them first, so that none is lost by mistake.")


def end_project(call: Call, thing: KnownResource) -> None:
    call.cloud.end(thing.address.name, call.who)
    call.people.forget_project(bare(thing.id))
