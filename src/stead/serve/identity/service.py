"""Identity v3. Users and roles are the store's; projects are those of the spec, and a new one begins a document."""

from __future__ import annotations

from stead.serve import versions
from stead.serve.identity import (
    access_rules,
    auth,
    endpoint_filters,
    federation,
    implications,
    key_pairs,
    role_calls,
    trusts,
)
from stead.serve.identity.answers import V
from stead.serve.identity.assignment_calls import list_assignments
from stead.serve.identity.blobs import CREDENTIALS, POLICIES
from stead.serve.identity.catalog import ENDPOINTS, REGIONS, SERVICES, show_catalog
from stead.serve.identity.credential_calls import (
    create_credential,
    delete_credential,
    list_credentials,
    show_credential,
)
from stead.serve.identity.domains import DOMAIN_KIND, own_domains
from stead.serve.identity.endpoint_filters import ENDPOINT_GROUPS
from stead.serve.identity.group_calls import (
    add_member,
    change_group,
    create_group,
    delete_group,
    is_member,
    list_groups,
    list_members,
    remove_member,
    show_group,
    user_groups,
)
from stead.serve.identity.project_calls import (
    add_tag,
    change_project,
    clear_tags,
    create_project,
    delete_project,
    has_tag,
    list_projects,
    list_tags,
    remove_tag,
    show_project,
    write_tags,
)
from stead.serve.identity.records import routes_of
from stead.serve.identity.role_calls import ROLE_KIND
from stead.serve.identity.user_calls import (
    change_password,
    change_user,
    create_user,
    delete_user,
    list_users,
    own_projects,
    show_user,
    user_projects,
)
from stead.serve.routes import FLAG, ID, LONG, MAYBE_ID, NAME, TAGS, AccessPolicy, ApiRoute, Service, record, wrapped

PASSWORD = {"type": ["string", "null"], "minLength": 1, "maxLength": 1024}
_USER = record(
    name=NAME,
    password=PASSWORD,
    enabled=FLAG,
    email=LONG,
    description=LONG,
    default_project_id=MAYBE_ID,
    domain_id=MAYBE_ID,
)
_GROUP = record(name=NAME, description=LONG, domain_id=MAYBE_ID)
_PROJECT = record(
    name={**NAME, "maxLength": 64},
    description=LONG,
    enabled={"type": "boolean"},
    domain_id=MAYBE_ID,
    parent_id=MAYBE_ID,
    is_domain={"type": "boolean"},
    tags=TAGS,
)
_CREDENTIAL = record(
    ["name"],
    name=NAME,
    description=LONG,
    secret={"type": ["string", "null"], "minLength": 16, "maxLength": 255},
    expires_at={"type": ["string", "null"], "maxLength": 40},
    access_rules=access_rules.RULES,
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
_RECORDS = (DOMAIN_KIND, REGIONS, SERVICES, ENDPOINTS, ROLE_KIND, CREDENTIALS, POLICIES, ENDPOINT_GROUPS)
ROUTES = (
    ApiRoute("GET", "/identity", PUBLIC, versions.all_of(versions.identity, wrap=True, status=300)),
    ApiRoute("GET", V, PUBLIC, versions.one_of(versions.identity)),
    ApiRoute("POST", f"{V}/auth/tokens", PUBLIC, auth.log_in, auth.SCHEMA),
    ApiRoute("GET", f"{V}/auth/tokens", ANYONE, auth.show_token),
    ApiRoute("DELETE", f"{V}/auth/tokens", ANYONE, auth.revoke),
    ApiRoute("GET", f"{V}/auth/catalog", ANYONE, show_catalog),
    ApiRoute("GET", f"{V}/auth/projects", ANYONE, own_projects),
    ApiRoute("GET", f"{V}/auth/domains", ANYONE, own_domains),
    ApiRoute("GET", f"{V}/projects", ADMIN, list_projects),
    ApiRoute("POST", f"{V}/projects", ADMIN, create_project, wrapped("project", {**_PROJECT, "required": ["name"]})),
    ApiRoute("GET", f"{V}/projects/{{id}}", ANYONE, show_project),
    ApiRoute("PATCH", f"{V}/projects/{{id}}", ADMIN, change_project, wrapped("project", _PROJECT)),
    ApiRoute("DELETE", f"{V}/projects/{{id}}", ADMIN, delete_project),
    ApiRoute("GET", f"{V}/projects/{{id}}/tags", ANYONE, list_tags),
    ApiRoute("PUT", f"{V}/projects/{{id}}/tags", ADMIN, write_tags, record(["tags"], tags=TAGS)),
    ApiRoute("DELETE", f"{V}/projects/{{id}}/tags", ADMIN, clear_tags),
    ApiRoute("GET", f"{V}/projects/{{id}}/tags/{{tag}}", ANYONE, has_tag),
    ApiRoute("PUT", f"{V}/projects/{{id}}/tags/{{tag}}", ADMIN, add_tag),
    ApiRoute("DELETE", f"{V}/projects/{{id}}/tags/{{tag}}", ADMIN, remove_tag),
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
    ApiRoute("GET", f"{V}/role_assignments", ANYONE, list_assignments),
    ApiRoute("GET", f"{V}/groups", ADMIN, list_groups),
    ApiRoute("POST", f"{V}/groups", ADMIN, create_group, wrapped("group", {**_GROUP, "required": ["name"]})),
    ApiRoute("GET", f"{V}/groups/{{id}}", ADMIN, show_group),
    ApiRoute("PATCH", f"{V}/groups/{{id}}", ADMIN, change_group, wrapped("group", _GROUP)),
    ApiRoute("DELETE", f"{V}/groups/{{id}}", ADMIN, delete_group),
    ApiRoute("GET", f"{V}/groups/{{id}}/users", ADMIN, list_members),
    ApiRoute("PUT", f"{V}/groups/{{id}}/users/{{user}}", ADMIN, add_member),
    ApiRoute("GET", f"{V}/groups/{{id}}/users/{{user}}", ADMIN, is_member),
    ApiRoute("DELETE", f"{V}/groups/{{id}}/users/{{user}}", ADMIN, remove_member),
    *(route for one in _RECORDS for route in routes_of(one)),
    *role_calls.ROUTES,
    *implications.ROUTES,
    *endpoint_filters.ROUTES,
    *key_pairs.ROUTES,
    *trusts.ROUTES,
    *federation.ROUTES,
    *access_rules.ROUTES,
)
SERVICE = Service(name="identity", type="identity", title="keystone", endpoint=V, routes=ROUTES)
