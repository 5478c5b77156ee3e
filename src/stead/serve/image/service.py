"""Image v2. An image is a file that the controller has: of the site, or uploaded by a project into a folder of its own.

What waits for its bytes is a note of the document and no image yet; with the last byte it becomes one, with its digest.
Its key is chosen when it is registered, and its id follows from that, so both stay.
"""

from __future__ import annotations

from typing import Any

from stead.serve import versions
from stead.serve.faults import bad, not_found
from stead.serve.image import members, metadefs
from stead.serve.image.contents import download, upload
from stead.serve.image.forms import FIELDS
from stead.serve.image.image_calls import (
    PROPERTIES,
    change_image,
    create_image,
    deactivate,
    delete_image,
    delete_tag,
    list_images,
    reactivate,
    show_image,
    write_tag,
)
from stead.serve.image.images import FORMATS, V, visible_one
from stead.serve.routes import LONG, AccessPolicy, ApiReply, ApiRoute, Call, Service, record

_MEMBER = ("created_at", "image_id", "member_id", "schema", "status", "updated_at")
_SCHEMAS = {"image": PROPERTIES, "member": _MEMBER}


def schemas(call: Call) -> ApiReply:
    name = call.path["name"]
    single = name.removesuffix("s")
    if single not in _SCHEMAS:
        raise not_found("Schema", name)
    one: dict[str, Any] = {"name": single, "properties": {word: {} for word in sorted(_SCHEMAS[single])}}
    if single == "image":
        one["additionalProperties"] = {"type": "string"}
    return ApiReply(body=one if name == single else {"name": name, "properties": {name: {"items": one}}})


def tasks(call: Call) -> ApiReply:
    """Images that wait for their bytes say so themselves."""
    visible_one(call, call.world)
    return ApiReply(body={"tasks": []})


def refused_task(call: Call) -> ApiReply:
    """As Glance answers where it may fetch nothing from there."""
    raise bad(f"Images are not imported from {str(call.body['input'].get('import_from', ''))[:80]!r}. Upload the file.")


def import_methods(_call: Call) -> ApiReply:
    found = {"description": "Import methods available.", "type": "array", "value": []}
    return ApiReply(body={"import-methods": found})


_IMAGE = record(
    id={"type": "string", "pattern": "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"},
    disk_format={"enum": [*FORMATS, "ami", "ari", "aki", "ploop", None]},
    container_format={"enum": ["bare", "ovf", "ova", "ami", "ari", "aki", "docker", "compressed", None]},
    os_hidden={"type": "boolean"},
    visibility={"enum": ["public", "private", "shared", "community"]},
    **FIELDS,
)
_TASK = record(["type", "input"], type={"enum": ["import"]}, input={"type": "object"})
_PATCH = {"type": "array", "maxItems": 50, "items": record(path=LONG)}
READER, MEMBER, PUBLIC = AccessPolicy.READER, AccessPolicy.MEMBER, AccessPolicy.PUBLIC
ONE = f"{V}/images/{{id}}"
ROUTES = (
    ApiRoute("GET", "/image", PUBLIC, versions.all_of(versions.image, status=300)),
    ApiRoute("GET", "/image/versions", PUBLIC, versions.all_of(versions.image)),
    ApiRoute("GET", V, PUBLIC, versions.all_of(versions.image)),
    ApiRoute("GET", f"{V}/images", READER, list_images),
    ApiRoute("POST", f"{V}/images", MEMBER, create_image, _IMAGE),
    ApiRoute("GET", ONE, READER, show_image),
    ApiRoute("PATCH", ONE, MEMBER, change_image, _PATCH),
    ApiRoute("DELETE", ONE, MEMBER, delete_image),
    ApiRoute("GET", f"{ONE}/file", READER, download),
    ApiRoute("PUT", f"{ONE}/file", MEMBER, upload, raw=True),
    ApiRoute("PUT", f"{ONE}/tags/{{tag}}", MEMBER, write_tag),
    ApiRoute("DELETE", f"{ONE}/tags/{{tag}}", MEMBER, delete_tag),
    ApiRoute("POST", f"{ONE}/actions/deactivate", MEMBER, deactivate),
    ApiRoute("POST", f"{ONE}/actions/reactivate", MEMBER, reactivate),
    ApiRoute("GET", f"{ONE}/members", READER, members.list_members),
    ApiRoute("POST", f"{ONE}/members", MEMBER, members.add_member, members.NEW),
    ApiRoute("GET", f"{ONE}/members/{{member}}", READER, members.show_member),
    ApiRoute("PUT", f"{ONE}/members/{{member}}", MEMBER, members.change_member, members.STATUS),
    ApiRoute("DELETE", f"{ONE}/members/{{member}}", MEMBER, members.remove_member),
    ApiRoute("GET", f"{ONE}/tasks", READER, tasks),
    ApiRoute("GET", f"{V}/schemas/{{name}}", READER, schemas),
    ApiRoute("GET", f"{V}/info/import", READER, import_methods),
    ApiRoute("POST", f"{V}/tasks", AccessPolicy.ADMIN, refused_task, _TASK),
    *metadefs.ROUTES,
)
UNBUILT = (
    ("POST", f"{ONE}/import", "import from a URL"),
    ("GET", f"{V}/tasks", "tasks"),
)
SERVICE = Service(
    name="image", type="image", title="glance", endpoint="/image", routes=ROUTES, unbuilt=UNBUILT, lists_by_slash=False
)
