"""Identity v3. Users and roles are the store's; projects are those of the spec, and a new one begins a document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from stead.core.address import Address
from stead.serve import versions
from stead.serve.begin import begun
from stead.serve.faults import bad, conflict, forbidden, not_found
from stead.serve.identity import auth
from stead.serve.identity.people import DOMAIN, ROLES, SYSTEM, checked_role, role_id
from stead.serve.listing import filtered
from stead.serve.routes import (
    FLAG,
    ID,
    LONG,
    MAYBE_ID,
    NAME,
    AccessPolicy,
    ApiReply,
    ApiRoute,
    Call,
    Service,
    record,
    wrapped,
)
from stead.serve.world import KnownResource, bare

V = "/identity/v3"
PASSWORD = {"type": ["string", "null"], "minLength": 1, "maxLength": 1024}


def listed(call: Call, name: str, items: Sequence[dict[str, Any]]) -> ApiReply:
    links = {"self": f"{call.root}{V}/{name}", "previous": None, "next": None}
    return ApiReply(body={name: filtered(call, items), "links": links})


# Projects


def project_data(call: Call, thing: KnownResource) -> dict[str, Any]:
    identity = bare(thing.id)
    return {
        "id": identity,
        "name": thing.name,
        "domain_id": DOMAIN,
        "parent_id": DOMAIN,
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
    if any(one.name == name for one in call.world.things("projects")):
        raise conflict(f"There is a project {name} already.")
    world, address = begun(call.cloud, call.who, name, description=said.get("description"), tags=said.get("tags"))
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
    name = thing.address.name
    left = [one for one in call.world.desired.by_address if one.project == name and one.name != "default"]
    if left:
        raise conflict("The project has resources still. Delete them first, so that none is lost by mistake.")
    call.cloud.end(name, call.who)
    call.people.forget_project(bare(thing.id))
    return ApiReply(204)


# Users


def user_data(call: Call, user: str) -> dict[str, Any]:
    known = call.people.user(user)
    return {
        "id": user,
        "name": known["name"],
        "domain_id": DOMAIN,
        "enabled": known["enabled"],
        "email": known.get("email"),
        "description": known.get("description", ""),
        "default_project_id": known.get("default_project_id"),
        "password_expires_at": None,
        "options": {},
        "links": {"self": f"{call.root}{V}/users/{user}"},
    }


def of_user(call: Call) -> str:
    """Oneself, or anybody for an admin."""
    user = call.path["id"]
    if not call.caller.admin and user != call.caller.user:
        raise not_found("User", user)
    call.people.user(user)
    return user


def list_users(call: Call) -> ApiReply:
    return listed(call, "users", [user_data(call, name) for name, _ in call.people.of_kind("user")])


def show_user(call: Call) -> ApiReply:
    return ApiReply(body={"user": user_data(call, of_user(call))})


_USER_FIELDS = ("email", "description", "default_project_id")


def create_user(call: Call) -> ApiReply:
    said = call.body["user"]
    more = {name: said[name] for name in _USER_FIELDS if said.get(name) is not None}
    user = call.people.add_user(said["name"], said.get("password"), **more)
    if said.get("enabled") is False:
        call.people.change_user(user, enabled=False)
    return ApiReply(201, {"user": user_data(call, user)})


def change_user(call: Call) -> ApiReply:
    said, user = call.body["user"], of_user(call)
    other = call.people.named(said.get("name", ""))
    if other not in (None, user):
        raise conflict("There is a user of this name already.")
    fields = {name: said[name] for name in ("name", "enabled", "password", *_USER_FIELDS) if said.get(name) is not None}
    call.people.change_user(user, **fields)
    return ApiReply(body={"user": user_data(call, user)})


def delete_user(call: Call) -> ApiReply:
    call.people.remove_user(of_user(call))
    return ApiReply(204)


def change_password(call: Call) -> ApiReply:
    user, said = call.path["id"], call.body["user"]
    if user != call.caller.user:
        raise not_found("User", user)
    call.people.log_in(call.people.user(user)["name"], said["original_password"])
    call.people.change_user(user, password=said["password"])
    return ApiReply(204)


def user_projects(call: Call) -> ApiReply:
    mine = set(call.people.projects_of(of_user(call)))
    return listed(call, "projects", [one for one in all_projects(call) if one["id"] in mine])


def user_groups(call: Call) -> ApiReply:
    of_user(call)
    return listed(call, "groups", [])


def own_projects(call: Call) -> ApiReply:
    call.path = {"id": call.caller.user}
    return user_projects(call)


# Roles


def role_data(call: Call, name: str) -> dict[str, Any]:
    one = role_id(name)
    return {
        "id": one,
        "name": name,
        "domain_id": None,
        "description": None,
        "options": {},
        "links": {"self": f"{call.root}{V}/roles/{one}"},
    }


def role_of(text: str) -> str:
    for name in ROLES:
        if role_id(name) == bare(text):
            return name
    raise not_found("Role", text)


def list_roles(call: Call) -> ApiReply:
    return listed(call, "roles", [role_data(call, name) for name in ROLES])


def show_role(call: Call) -> ApiReply:
    return ApiReply(body={"role": role_data(call, role_of(call.path["id"]))})


def _where(call: Call) -> str:
    if "project" not in call.path:
        return SYSTEM
    if call.world.project(call.path["project"]) is None:
        raise not_found("Project", call.path["project"])
    return bare(call.path["project"])


def grant(call: Call) -> ApiReply:
    call.people.assign(call.path["user"], _where(call), checked_role(role_of(call.path["role"])))
    return ApiReply(204)


def withdraw(call: Call) -> ApiReply:
    call.people.unassign(call.path["user"], _where(call), role_of(call.path["role"]))
    return ApiReply(204)


def has_role(call: Call) -> ApiReply:
    if role_of(call.path["role"]) not in call.people.roles_in(call.path["user"], _where(call)):
        raise not_found("Role assignment", call.path["role"])
    return ApiReply(204)


def roles_of(call: Call) -> ApiReply:
    held = call.people.roles_in(call.path["user"], _where(call))
    return listed(call, "roles", [role_data(call, name) for name in ROLES if name in held])


def list_assignments(call: Call) -> ApiReply:
    """All of them for an admin, one's own for anybody."""
    names = call.flag("include_names")
    found = []
    for one in call.people.assignments():
        if not call.caller.admin and one["user"] != call.caller.user:
            continue
        user: dict[str, Any] = {"id": one["user"]}
        role: dict[str, Any] = {"id": role_id(one["role"])}
        if names:
            user |= {"name": call.people.user(one["user"])["name"], "domain": auth.DOMAIN_DATA}
            role |= {"name": one["role"]}
        found.append({"user": user, "role": role, "scope": _scope(call, one["where"], names), "links": {}})
    for name in ("user", "role", "scope.project"):
        if text := call.asked(f"{name}.id"):
            found = [one for one in found if _id_in(one, name) == bare(text)]
    return ApiReply(body={"role_assignments": found, "links": {"self": f"{call.root}{V}/role_assignments"}})


def _id_in(assignment: Mapping[str, Any], path: str) -> str:
    for word in path.split("."):
        assignment = assignment.get(word, {})
    return str(assignment.get("id", ""))


def _scope(call: Call, where: str, names: bool) -> dict[str, Any]:
    if where == SYSTEM:
        return {"system": {"all": True}}
    project = call.world.project(where)
    named = call.world.thing(Address("", "projects", project)).name if project else ""
    return {"project": {"id": where, **({"name": named, "domain": auth.DOMAIN_DATA} if names else {})}}


# What is fixed here: one domain, one region, the catalog


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


# Application credentials


def credential_data(call: Call, name: str, known: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "id": name,
        "name": known["name"],
        "description": known.get("description"),
        "project_id": known["project"],
        "roles": [{"id": role_id(one), "name": one, "domain_id": None} for one in known["roles"]],
        "expires_at": auth.instant(known["expires"]) if known.get("expires") else None,
        "unrestricted": False,
        "user_id": known["user"],
        "links": {"self": f"{call.root}{V}/users/{known['user']}/application_credentials/{name}"},
        **more,
    }


def _own(call: Call) -> str:
    if call.path["id"] != call.caller.user:
        raise not_found("User", call.path["id"])
    return call.caller.user


def list_credentials(call: Call) -> ApiReply:
    user = _own(call)
    mine = [credential_data(call, name, one) for name, one in call.people.of_kind("credential") if one["user"] == user]
    return listed(call, "application_credentials", mine)


def _credential(call: Call) -> tuple[str, Mapping[str, Any]]:
    name, user = call.path["credential"], _own(call)
    known = call.people.known().get(("credential", name))
    if known is None or known["user"] != user:
        raise not_found("Application credential", name)
    return name, known


def show_credential(call: Call) -> ApiReply:
    return ApiReply(body={"application_credential": credential_data(call, *_credential(call))})


def create_credential(call: Call) -> ApiReply:
    user, said = _own(call), call.body["application_credential"]
    token = call.caller.token
    if token is None or token.credential or not token.project:
        raise forbidden("An application credential is made with a token for a project, that came by a password.")
    held = call.people.roles_in(user, token.project)
    asked = {one.get("name") or role_of(one.get("id", "")) for one in said.get("roles") or ()} or held
    if not asked <= call.caller.roles:
        raise bad("An application credential has no role that you have not.")
    more = {"roles": sorted(asked), "description": said.get("description"), "secret": said.get("secret")}
    name, secret = call.people.add_credential(
        user, token.project, said["name"], expires=auth.seconds(said.get("expires_at")), **more
    )
    known = call.people.known()["credential", name]
    return ApiReply(201, {"application_credential": credential_data(call, name, known, secret=secret)})


def delete_credential(call: Call) -> ApiReply:
    name, _ = _credential(call)
    call.people.write({("credential", name): None})
    return ApiReply(204)


def users_of_names(_call: Call) -> ApiReply:
    raise forbidden("Domains, regions, services, endpoints and roles are fixed: none can be made or changed.")


_USER = record(name=NAME, password=PASSWORD, enabled=FLAG, email=LONG, description=LONG, default_project_id=MAYBE_ID)
_PROJECT = record(name={**NAME, "maxLength": 64}, description=LONG, enabled={"type": "boolean"})
_CREDENTIAL = record(
    ["name"],
    name=NAME,
    description=LONG,
    secret={"type": ["string", "null"], "minLength": 16, "maxLength": 255},
    expires_at={"type": ["string", "null"], "maxLength": 40},
    roles={"type": ["array", "null"], "maxItems": 10, "items": record(id=ID, name=ID)},
)
_PASSWORD = wrapped(
    "user",
    record(
        ["password", "original_password"],
        password={"type": "string", "minLength": 1, "maxLength": 1024},
        original_password={"type": "string", "maxLength": 1024},
    ),
)
PUBLIC, ANYONE, ADMIN = AccessPolicy.PUBLIC, AccessPolicy.ANYONE, AccessPolicy.ADMIN
_OF_PROJECT = f"{V}/projects/{{project}}/users/{{user}}/roles"
_OF_SYSTEM = f"{V}/system/users/{{user}}/roles"
_FIXED = tuple(
    ApiRoute(method, f"{V}/{path}", ADMIN, users_of_names)
    for path in ("domains", "regions", "services", "endpoints", "roles", "groups", "policies", "credentials")
    for method in ("POST",)
)

ROUTES = (
    ApiRoute("GET", "/identity", PUBLIC, versions.all_of(versions.identity, wrap=True, status=300)),
    ApiRoute("GET", V, PUBLIC, versions.one_of(versions.identity)),
    ApiRoute("POST", f"{V}/auth/tokens", PUBLIC, auth.log_in, auth.SCHEMA),
    ApiRoute("GET", f"{V}/auth/tokens", ANYONE, auth.show_token),
    ApiRoute("DELETE", f"{V}/auth/tokens", ANYONE, auth.revoke),
    ApiRoute("GET", f"{V}/auth/catalog", ANYONE, auth.show_catalog),
    ApiRoute("GET", f"{V}/auth/projects", ANYONE, own_projects),
    ApiRoute("GET", f"{V}/auth/domains", ANYONE, lambda call: listed(call, "domains", [domain(call)])),
    ApiRoute("GET", f"{V}/projects", ADMIN, list_projects),
    ApiRoute("POST", f"{V}/projects", ADMIN, create_project, wrapped("project", {**_PROJECT, "required": ["name"]})),
    ApiRoute("GET", f"{V}/projects/{{id}}", ANYONE, show_project),
    ApiRoute("PATCH", f"{V}/projects/{{id}}", ADMIN, change_project, wrapped("project", _PROJECT)),
    ApiRoute("DELETE", f"{V}/projects/{{id}}", ADMIN, delete_project),
    ApiRoute("GET", f"{V}/users", ADMIN, list_users),
    ApiRoute("POST", f"{V}/users", ADMIN, create_user, wrapped("user", {**_USER, "required": ["name"]})),
    ApiRoute("GET", f"{V}/users/{{id}}", ANYONE, show_user),
    ApiRoute("PATCH", f"{V}/users/{{id}}", ADMIN, change_user, wrapped("user", _USER)),
    ApiRoute("DELETE", f"{V}/users/{{id}}", ADMIN, delete_user),
    ApiRoute("POST", f"{V}/users/{{id}}/password", ANYONE, change_password, _PASSWORD),
    ApiRoute("GET", f"{V}/users/{{id}}/projects", ANYONE, user_projects),
    ApiRoute("GET", f"{V}/users/{{id}}/groups", ANYONE, user_groups),
    ApiRoute("GET", f"{V}/users/{{id}}/application_credentials", ANYONE, list_credentials),
    ApiRoute(
        "POST",
        f"{V}/users/{{id}}/application_credentials",
        ANYONE,
        create_credential,
        wrapped("application_credential", _CREDENTIAL),
    ),
    ApiRoute("GET", f"{V}/users/{{id}}/application_credentials/{{credential}}", ANYONE, show_credential),
    ApiRoute("DELETE", f"{V}/users/{{id}}/application_credentials/{{credential}}", ANYONE, delete_credential),
    ApiRoute("GET", f"{V}/roles", ANYONE, list_roles),
    ApiRoute("GET", f"{V}/roles/{{id}}", ANYONE, show_role),
    ApiRoute("GET", f"{V}/role_assignments", ANYONE, list_assignments),
    *(
        ApiRoute(method, f"{path}{end}", ADMIN, handler)
        for path in (_OF_PROJECT, _OF_SYSTEM)
        for method, end, handler in (
            ("GET", "", roles_of),
            ("PUT", "/{role}", grant),
            ("GET", "/{role}", has_role),
            ("DELETE", "/{role}", withdraw),
        )
    ),
    ApiRoute("GET", f"{V}/domains", ANYONE, lambda call: listed(call, "domains", [domain(call)])),
    ApiRoute("GET", f"{V}/domains/{{id}}", ANYONE, show_domain),
    ApiRoute("GET", f"{V}/regions", ANYONE, lambda call: listed(call, "regions", [region(call)])),
    ApiRoute("GET", f"{V}/regions/{{id}}", ANYONE, show_region),
    ApiRoute("GET", f"{V}/services", ADMIN, lambda call: listed(call, "services", auth.services(call))),
    ApiRoute("GET", f"{V}/services/{{id}}", ADMIN, show_service),
    ApiRoute("GET", f"{V}/endpoints", ADMIN, lambda call: listed(call, "endpoints", auth.endpoints(call))),
    ApiRoute("GET", f"{V}/groups", ADMIN, nothing("groups")),
    ApiRoute("GET", f"{V}/policies", ADMIN, nothing("policies")),
    ApiRoute("GET", f"{V}/credentials", ANYONE, nothing("credentials")),
    *_FIXED,
)


SERVICE = Service(name="identity", type="identity", title="keystone", endpoint=V, routes=ROUTES)
