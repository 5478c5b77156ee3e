"""Compute v2.1: servers, flavors and key pairs. What else clients list is empty, and the rest is told as not built."""

from __future__ import annotations

from stead.serve import versions
from stead.serve.compute import (
    audit_log,
    events,
    extensions,
    flavors,
    floating_ips,
    hosts,
    image_calls,
    keypairs,
    limits,
    moving,
    network_names,
    security_groups,
    server_groups,
    usage,
    volume_calls,
)
from stead.serve.compute.attachments import (
    add_interface,
    attach,
    detach,
    list_attachments,
    list_interfaces,
    remove_interface,
    show_attachment,
)
from stead.serve.compute.creation import DISK_CONFIG, HINTS
from stead.serve.compute.server_calls import (
    act,
    change_server,
    clear_password,
    create_server,
    delete_item,
    delete_server,
    detail_servers,
    list_servers,
    server_addresses,
    server_groups_of,
    show_item,
    show_metadata,
    show_password,
    show_server,
    write_item,
    write_metadata,
)
from stead.serve.compute.servers import V
from stead.serve.routes import (
    DISK_CONFIGS,
    FLAG,
    ID,
    LONG,
    MAYBE_FLAG,
    MAYBE_TEXT,
    METADATA,
    NAME,
    TEXT,
    UUID,
    AccessPolicy,
    ApiRoute,
    Service,
    record,
    wrapped,
)

_COUNT = {"type": ["integer", "string"], "pattern": "^[1-9][0-9]{0,3}$", "minimum": 1}
_METADATA = {**METADATA, "maxProperties": 1024}  # how many a server may have is a quota
_NETWORK = record(uuid=UUID, port={"type": ["string", "null"]}, fixed_ip=TEXT)
_SERVER = record(
    ["name", "flavorRef"],
    name={**NAME, "pattern": r"^[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*$"},
    imageRef={"type": "string", "maxLength": 255},
    flavorRef={"type": ["string", "integer"]},
    networks={"anyOf": [{"enum": ["auto", "none"]}, {"type": "array", "items": _NETWORK, "maxItems": 16}]},
    security_groups={"type": "array", "items": record(["name"], name=NAME), "maxItems": 32},
    key_name={"type": ["string", "null"], "maxLength": 255},
    user_data={"type": ["string", "null"], "maxLength": 65535},
    metadata=_METADATA,
    availability_zone={"type": ["string", "null"], "maxLength": 255},
    accessIPv4=MAYBE_TEXT,
    accessIPv6=MAYBE_TEXT,
    min_count=_COUNT,
    max_count=_COUNT,
    return_reservation_id=MAYBE_FLAG,
    **{DISK_CONFIG: DISK_CONFIGS},
    config_drive={"anyOf": [FLAG, {"enum": ["", None]}]},
    description=LONG,
    block_device_mapping_v2={
        "type": "array",
        "maxItems": 16,
        "items": record(
            volume_size={"type": ["integer", "string", "null"], "pattern": "^[0-9]{1,6}$"},
            source_type={"enum": ["blank", "image", "snapshot", "volume"]},
            destination_type={"enum": ["local", "volume"]},
        ),
    },
)
_HINTS = record(group=UUID)
_NEW = record(["server"], server=_SERVER, **dict.fromkeys(HINTS, _HINTS))
_CHANGE = record(
    name={**NAME, "pattern": r"^[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*$"},
    description=LONG,
    accessIPv4=MAYBE_TEXT,
    accessIPv6=MAYBE_TEXT,
    **{DISK_CONFIG: DISK_CONFIGS},
)
_ATTACH = record(["volumeId"], volumeId=ID, device={"type": ["string", "null"], "pattern": "^(/dev/)?vd[b-v]$"})
_FIXED = {"type": "array", "maxItems": 2, "items": record(["ip_address"], ip_address=TEXT)}
_PLUG = record(net_id=ID, port_id=ID, fixed_ips=_FIXED)
_META = wrapped("metadata", _METADATA)
READER, MEMBER, ADMIN, PUBLIC = AccessPolicy.READER, AccessPolicy.MEMBER, AccessPolicy.ADMIN, AccessPolicy.PUBLIC
S = f"{V}/servers"
OLDER = "/compute/v2"  # the same calls
ROUTES = (
    ApiRoute("GET", "/compute", PUBLIC, versions.all_of(versions.compute_2, versions.compute)),
    ApiRoute("GET", V, PUBLIC, versions.one_of(versions.compute)),
    ApiRoute("GET", OLDER, PUBLIC, versions.one_of(versions.compute_2)),
    ApiRoute("GET", S, READER, list_servers, kept=True),
    ApiRoute("POST", S, MEMBER, create_server, _NEW),
    ApiRoute("GET", f"{S}/detail", READER, detail_servers, kept=True),
    ApiRoute("GET", f"{S}/{{id}}", READER, show_server),
    ApiRoute("PUT", f"{S}/{{id}}", MEMBER, change_server, wrapped("server", _CHANGE)),
    ApiRoute("DELETE", f"{S}/{{id}}", MEMBER, delete_server),
    ApiRoute("POST", f"{S}/{{id}}/action", MEMBER, act, {"type": "object", "minProperties": 1, "maxProperties": 1}),
    ApiRoute("GET", f"{S}/{{id}}/ips", READER, server_addresses),
    ApiRoute("GET", f"{S}/{{id}}/ips/{{network}}", READER, server_addresses),
    ApiRoute("GET", f"{S}/{{id}}/metadata", READER, show_metadata),
    ApiRoute("POST", f"{S}/{{id}}/metadata", MEMBER, lambda call: write_metadata(call, keep=True), _META),
    ApiRoute("PUT", f"{S}/{{id}}/metadata", MEMBER, lambda call: write_metadata(call, keep=False), _META),
    ApiRoute("GET", f"{S}/{{id}}/metadata/{{key}}", READER, show_item),
    ApiRoute("PUT", f"{S}/{{id}}/metadata/{{key}}", MEMBER, write_item, wrapped("meta", METADATA)),
    ApiRoute("DELETE", f"{S}/{{id}}/metadata/{{key}}", MEMBER, delete_item),
    ApiRoute("GET", f"{S}/{{id}}/os-volume_attachments", READER, list_attachments),
    ApiRoute("POST", f"{S}/{{id}}/os-volume_attachments", MEMBER, attach, wrapped("volumeAttachment", _ATTACH)),
    ApiRoute("GET", f"{S}/{{id}}/os-volume_attachments/{{volume}}", READER, show_attachment),
    ApiRoute("DELETE", f"{S}/{{id}}/os-volume_attachments/{{volume}}", MEMBER, detach),
    ApiRoute("GET", f"{S}/{{id}}/os-interface", READER, list_interfaces),
    ApiRoute("POST", f"{S}/{{id}}/os-interface", MEMBER, add_interface, wrapped("interfaceAttachment", _PLUG)),
    ApiRoute("DELETE", f"{S}/{{id}}/os-interface/{{port}}", MEMBER, remove_interface),
    ApiRoute("GET", f"{S}/{{id}}/os-security-groups", READER, server_groups_of),
    ApiRoute("GET", f"{S}/{{id}}/os-server-password", READER, show_password),
    ApiRoute("DELETE", f"{S}/{{id}}/os-server-password", MEMBER, clear_password),
    *flavors.ROUTES,
    *keypairs.ROUTES,
    *security_groups.ROUTES,
    *events.ROUTES,
    *extensions.ROUTES,
    *image_calls.ROUTES,
    *floating_ips.ROUTES,
    *volume_calls.ROUTES,
    *network_names.ROUTES,
    *server_groups.ROUTES,
    *limits.ROUTES,
    *hosts.ROUTES,
    *usage.ROUTES,
    *moving.ROUTES,
    *audit_log.ROUTES,
)
UNBUILT = (
    ("POST", f"{S}/{{id}}/remote-consoles", "consoles"),
    ("GET", f"{S}/{{id}}/diagnostics", "measurements of a server"),
    ("PUT", f"{S}/{{id}}/os-volume_attachments/{{volume}}", "swapping volumes"),
)
SERVICE = Service(
    name="compute",
    type="compute",
    title="nova",
    endpoint=V,
    also_at=OLDER,
    routes=ROUTES,
    unbuilt=UNBUILT,
    unbuilt_for_admins=frozenset({f"{S}/{{id}}/diagnostics"}),
    lists_by_slash=False,
    previewed=True,
)
