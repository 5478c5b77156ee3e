"""Calls for projects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stead.serve.begin import begun
from stead.serve.faults import bad, conflict, not_found
from stead.serve.identity.answers import V, domain_asked, listed
from stead.serve.routes import ApiReply, Call
from stead.serve.world import KnownResource, bare


def project_data(call: Call, thing: KnownResource) -> dict[str, Any]:
    identity = bare(thing.id)
    domain = call.people.domain_of_project(identity)
    return {
        "id": identity,
        "name": thing.name,
        "domain_id": domain,
        "parent_id": domain,
        "is_domain": False,
        "enabled": True,
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
    if address is None or not (call.caller.admin or bare(call.path["id"]) in call.people.projects_of(call.caller.user)):
        raise not_found("Project", call.path["id"])
    return call.world.thing(address)


def list_projects(call: Call) -> ApiReply:
    return listed(call, "projects", all_projects(call))


def show_project(call: Call) -> ApiReply:
    return ApiReply(body={"project": project_data(call, one_project(call))})


def create_project(call: Call) -> ApiReply:
    said, name = call.body["project"], call.body["project"]["name"]
    domain = domain_asked(call, said)
    if any((one["name"], one["domain_id"]) == (name, domain) for one in all_projects(call)):
        raise conflict(f"There is a project {name} already.")
    world, address = begun(call.cloud, call.who, name, description=said.get("description"), tags=said.get("tags"))
    call.people.put_project(bare(world.id_of(address)), domain)
    return ApiReply(201, {"project": project_data(call, world.thing(address))})


def change_project(call: Call) -> ApiReply:
    thing, said = one_project(call), call.body["project"]
    if said.get("enabled") is False:
        raise bad("A project cannot be disabled. Take its people's roles away, or delete it.")
    fields = {
        word: said[name] for name, word in (("name", "display_name"), ("description", "description")) if name in said
    }

    def edit(content: Mapping[str, Any]) -> Mapping[str, Any]:
        return {**content, "project": {**content.get("project", {}), **fields}}

    world = call.cloud.edit(thing.address.name, call.who, "change project", edit)
    return ApiReply(body={"project": project_data(call, world.thing(thing.address))})


def delete_project(call: Call) -> ApiReply:
    thing = one_project(call)
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
