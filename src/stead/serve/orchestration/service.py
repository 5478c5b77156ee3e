"""Orchestration v1: stacks made of HOT templates."""

from __future__ import annotations

from stead.serve import versions
from stead.serve.orchestration import calls, reading, trials
from stead.serve.orchestration.answers import P, V
from stead.serve.routes import NAME, AccessPolicy, ApiReply, ApiRoute, Service, record
from stead.serve.volume.answers import scoped

READER, MEMBER, PUBLIC = AccessPolicy.READER, AccessPolicy.MEMBER, AccessPolicy.PUBLIC
_MAP = {"type": ["object", "null"], "maxProperties": 1000}
_FIELDS = {
    "template": {"type": ["object", "string", "null"]},
    "template_url": {"type": ["string", "null"]},
    "files": _MAP,
    "environment": {"type": ["object", "string", "null"]},
    "environment_files": {"type": ["array", "null"], "items": {"type": "string"}, "maxItems": 100},
    "parameters": _MAP,
    "clear_parameters": {"type": ["array", "null"], "items": {"type": "string"}, "maxItems": 1000},
    "disable_rollback": {"type": ["boolean", "null"]},
    "timeout_mins": {"type": ["integer", "null"], "minimum": 0, "maximum": 10080},
    "tags": {"type": ["string", "null"], "maxLength": 2000},
}
_NEW = record(["stack_name"], stack_name=NAME, **_FIELDS)
_CHANGED = record(**_FIELDS)
S = f"{P}/stacks/{{name}}/{{id}}"
R = f"{S}/resources/{{resource}}"
_OF_PROJECT = (
    ApiRoute("GET", f"{P}/stacks", READER, calls.list_stacks),
    ApiRoute("GET", f"{P}/stacks/detail", READER, calls.list_stacks),
    ApiRoute("POST", f"{P}/stacks", MEMBER, calls.create_stack, _NEW),
    ApiRoute("POST", f"{P}/stacks/preview", MEMBER, trials.preview_stack, _NEW),
    ApiRoute("POST", f"{P}/validate", READER, trials.validate, _CHANGED),
    ApiRoute("GET", f"{P}/stacks/{{name}}", READER, calls.elsewhere),
    ApiRoute("PUT", f"{P}/stacks/{{name}}", MEMBER, calls.elsewhere),
    ApiRoute("PATCH", f"{P}/stacks/{{name}}", MEMBER, calls.elsewhere),
    ApiRoute("DELETE", f"{P}/stacks/{{name}}", MEMBER, calls.elsewhere),
    ApiRoute("GET", S, READER, calls.show_stack),
    ApiRoute("PUT", S, MEMBER, calls.update_stack, _CHANGED),
    ApiRoute("PATCH", S, MEMBER, calls.patch_stack, _CHANGED),
    ApiRoute("DELETE", S, MEMBER, calls.delete_stack),
    ApiRoute("GET", f"{S}/resources", READER, reading.list_resources),
    ApiRoute("GET", R, READER, reading.show_resource),
    ApiRoute("GET", f"{R}/events", READER, reading.resource_events),
    ApiRoute("GET", f"{R}/events/{{event}}", READER, reading.show_event),
    ApiRoute("GET", f"{S}/events", READER, reading.list_events),
    ApiRoute("GET", f"{S}/outputs", READER, reading.list_outputs),
    ApiRoute("GET", f"{S}/outputs/{{output}}", READER, reading.show_output),
    ApiRoute("GET", f"{S}/template", READER, reading.show_template),
    ApiRoute("GET", f"{S}/environment", READER, reading.show_environment),
    ApiRoute("GET", f"{S}/files", READER, reading.show_files),
    ApiRoute("GET", f"{P}/resource_types", READER, reading.list_types),
    ApiRoute("GET", f"{P}/resource_types/{{type}}", READER, reading.show_type),
    ApiRoute("GET", f"{P}/template_versions", READER, reading.list_versions),
    ApiRoute("GET", f"{P}/template_versions/{{version}}/functions", READER, reading.list_functions),
    ApiRoute("GET", f"{P}/services", AccessPolicy.ADMIN, lambda _call: ApiReply(body={"services": []})),
    ApiRoute("GET", f"{P}/build_info", READER, reading.build_info),
    ApiRoute("GET", f"{P}/software_configs", READER, lambda _call: ApiReply(body={"software_configs": []})),
    ApiRoute("GET", f"{P}/software_deployments", READER, lambda _call: ApiReply(body={"software_deployments": []})),
)
ROUTES = (
    ApiRoute("GET", "/orchestration", PUBLIC, versions.all_of(versions.orchestration, status=300)),
    ApiRoute("GET", V, PUBLIC, versions.all_of(versions.orchestration)),
    *(route._replace(handler=scoped(route.handler)) for route in _OF_PROJECT),
)
UNBUILT = (
    ("POST", f"{S}/actions", "actions: suspend, resume, check"),
    ("POST", f"{S}/snapshots", "snapshots of stacks"),
    ("GET", f"{S}/snapshots", "snapshots of stacks"),
    ("DELETE", f"{S}/abandon", "abandoning a stack"),
    ("GET", f"{S}/export", "exporting a stack"),
    ("POST", f"{R}/signal", "signals"),
    ("POST", f"{P}/software_configs", "software configurations without a stack"),
    ("POST", f"{P}/software_deployments", "software deployments"),
)
SERVICE = Service(
    name="orchestration",
    type="orchestration",
    title="heat",
    endpoint=f"{V}/{{project}}",
    routes=ROUTES,
    unbuilt=UNBUILT,
    previewed=True,
)
