"""The catalog: where the services are. Stead's own are fixed; an admin adds other services, endpoints and regions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from stead.serve.faults import bad, conflict
from stead.serve.identity.endpoint_filters import usable
from stead.serve.identity.object_stores import ACCOUNT, object_store
from stead.serve.identity.records import ADMIN, CHOSEN_ID, Item, RecordKind, item, items
from stead.serve.identity.registry import Key, Record
from stead.serve.identity.tokens import Token
from stead.serve.routes import LONG, MAYBE_ID, NAME, ApiReply, Call
from stead.serve.world import bare, made_of

REGION = "RegionOne"
INTERFACES = ("public", "internal", "admin")
# type, name, path: what Stead has. A project's id goes where PROJECT stands.
PROJECT = "$(project_id)s"
CATALOG = (
    ("identity", "keystone", "/identity/v3"),
    ("compute", "nova", "/compute/v2.1"),
    ("network", "neutron", "/network"),
    ("image", "glance", "/image"),
    ("block-storage", "cinder", f"/volume/v3/{PROJECT}"),
    ("orchestration", "heat", f"/orchestration/v1/{PROJECT}"),
    ("volumev3", "cinderv3", f"/volume/v3/{PROJECT}"),
)


def types_of(service: str) -> frozenset[str]:
    """All that a service is called, by the first part of its paths."""
    return frozenset({service, *(type_ for type_, _, path in CATALOG if path.split("/")[1] == service)})


_PLACES = (PROJECT, "$(tenant_id)s", "%(project_id)s", "%(tenant_id)s")
_URL = {"type": "string", "maxLength": 1024, "pattern": r"^https?://[^\s\x00-\x1f\x7f]+$"}
_ENABLED = {"type": "boolean"}


def _own(call: Call) -> list[tuple[str, str, str]]:
    """Type, name, URL: services of this server, and the object store that accepts its tokens."""
    return [*((type_, name, call.root + path) for type_, name, path in CATALOG), *object_store(call.world)]


def _own_services(call: Call) -> list[Item]:
    about = {"enabled": True, "description": ""}
    return [
        item(call, SERVICES, bare(made_of("service", type_)), {"type": type_, "name": name, **about})
        for type_, name, _ in _own(call)
    ]


def _own_endpoints(call: Call) -> list[Item]:
    where = {"region": REGION, "region_id": REGION, "enabled": True}
    return [
        item(
            call,
            ENDPOINTS,
            bare(made_of("endpoint", type_, interface)),
            {"interface": interface, "service_id": bare(made_of("service", type_)), "url": url, **where},
        )
        for type_, _, url in _own(call)
        for interface in INTERFACES
    ]


def _checked_endpoint(call: Call, said: Record, name: str) -> Record:
    """`region` makes a region that is not there, `region_id` does not: so does Keystone."""
    if said["service_id"] not in [one["id"] for one in items(call, SERVICES)]:
        raise bad(f"There is no service {str(said['service_id'])[:80]}.")
    before = call.people.known().get((ENDPOINTS.kind, name), {})
    chosen = next((said[word] for word in ("region", "region_id") if said[word] != before.get(word)), said["region"])
    if chosen is not None and chosen not in [one["id"] for one in items(call, REGIONS)]:
        if chosen != said["region"]:
            raise bad(f"There is no region {str(chosen)[:80]}.")
        call.people.write({(REGIONS.kind, chosen): REGIONS.defaults})
    return {**said, "region": chosen, "region_id": chosen}


def _checked_region(call: Call, said: Record, name: str) -> Record:
    above, known = said["parent_region_id"], {one["id"]: one for one in items(call, REGIONS)}
    while above is not None:
        if above not in known:
            raise bad(f"There is no region {str(above)[:80]}.")
        if above == name:
            raise bad("A region cannot be below itself.")
        above = known[above]["parent_region_id"]
    return {**said, "description": said["description"] or ""}


def _ends_with_service(call: Call, name: str) -> Mapping[Key, None]:
    return {
        (ENDPOINTS.kind, id_): None for id_, one in call.people.of_kind(ENDPOINTS.kind) if one["service_id"] == name
    }


def _nothing_is_in(call: Call, name: str) -> Mapping[Key, None]:
    users = [one["id"] for one in items(call, REGIONS) if one["parent_region_id"] == name]
    users += [one["id"] for one in items(call, ENDPOINTS) if one["region_id"] == name]
    if users:
        raise conflict(f"Region {name[:80]} is in use by {users[0]}. Delete that first.")
    return {}


SERVICES: RecordKind = RecordKind(
    kind="service",
    one="service",
    many="services",
    what="Service",
    fields={"type": NAME, "name": NAME, "description": LONG, "enabled": _ENABLED},
    required=("type",),
    defaults={"name": "", "description": "", "enabled": True},
    reads=ADMIN,
    fixed=_own_services,
    ends_with_it=_ends_with_service,
)
ENDPOINTS: RecordKind = RecordKind(
    kind="endpoint",
    one="endpoint",
    many="endpoints",
    what="Endpoint",
    fields={
        "interface": {"enum": [*INTERFACES]},
        "service_id": NAME,
        "url": _URL,
        "region": CHOSEN_ID,
        "region_id": MAYBE_ID,
        "enabled": _ENABLED,
    },
    required=("interface", "service_id", "url"),
    defaults={"region": None, "region_id": None, "enabled": True},
    reads=ADMIN,
    fixed=_own_endpoints,
    checked=_checked_endpoint,
)
REGIONS: RecordKind = RecordKind(
    kind="region",
    one="region",
    many="regions",
    what="Region",
    fields={"description": LONG, "parent_region_id": MAYBE_ID},
    defaults={"description": "", "parent_region_id": None},
    fixed=lambda call: [item(call, REGIONS, REGION, REGIONS.defaults)],
    checked=_checked_region,
    ids_are_chosen=True,
    ends_with_it=_nothing_is_in,
)


def seen_by(call: Call, token: Token) -> list[dict[str, Any]]:
    """The catalog of a token: services with the endpoints that it can use."""
    found: dict[str, list[dict[str, Any]]] = {}
    for one in usable(call, token.project, items(call, ENDPOINTS)):
        url = _at(one["url"], token.project)
        if one["enabled"] and url:
            endpoint = {name: one[name] for name in ("id", "interface", "region", "region_id")}
            found.setdefault(one["service_id"], []).append({**endpoint, "url": url})
    return [
        {"id": one["id"], "type": one["type"], "name": one["name"], "endpoints": found[one["id"]]}
        for one in items(call, SERVICES)
        if one["enabled"] and one["id"] in found
    ]


def _at(url: str, project: str) -> str:
    """Empty for what is of a project, where the token is of none."""
    if not project and any(place in url for place in (*_PLACES, ACCOUNT)):
        return ""
    for place in _PLACES:
        url = url.replace(place, project)
    return url.replace(ACCOUNT, str(UUID(project))) if ACCOUNT in url else url


def show_catalog(call: Call) -> ApiReply:
    token = call.caller.token
    assert token is not None  # noqa: S101 - the route's policy has looked
    links = {"self": f"{call.root}/identity/v3/auth/catalog"}
    return ApiReply(body={"catalog": seen_by(call, token), "links": links})
