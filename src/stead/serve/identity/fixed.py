"""What is fixed here: one domain, one region, the catalog."""

from __future__ import annotations

from typing import Any

from stead.serve.faults import forbidden, not_found
from stead.serve.identity import auth
from stead.serve.identity.answers import V, listed
from stead.serve.identity.people import DOMAIN
from stead.serve.routes import ApiReply, Call


def domain(call: Call) -> dict[str, Any]:
    return {
        "id": DOMAIN,
        "name": "Default",
        "description": "The only domain",
        "enabled": True,
        "tags": [],
        "options": {},
        "links": {"self": f"{call.root}{V}/domains/{DOMAIN}"},
    }


def show_domain(call: Call) -> ApiReply:
    if call.path["id"] != DOMAIN:
        raise not_found("Domain", call.path["id"])
    return ApiReply(body={"domain": domain(call)})


def region(call: Call) -> dict[str, Any]:
    links = {"self": f"{call.root}{V}/regions/{auth.REGION}"}
    return {"id": auth.REGION, "description": "", "parent_region_id": None, "links": links}


def show_region(call: Call) -> ApiReply:
    if call.path["id"] != auth.REGION:
        raise not_found("Region", call.path["id"])
    return ApiReply(body={"region": region(call)})


def show_service(call: Call) -> ApiReply:
    found = next((one for one in auth.services(call) if one["id"] == call.path["id"]), None)
    if found is None:
        raise not_found("Service", call.path["id"])
    return ApiReply(body={"service": found})


def nothing(name: str) -> Any:
    return lambda call: listed(call, name, [])


def users_of_names(_call: Call) -> ApiReply:
    raise forbidden("Domains, regions, services, endpoints and roles are fixed: none can be made or changed.")
