"""Block storage v3: volumes, snapshots, and empty lists for what clients list besides."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from stead.core.address import Address
from stead.kinds.shared.storage import volume_size
from stead.serve import versions
from stead.serve.edits import change, put, remove
from stead.serve.faults import bad, forbidden, not_built, not_found
from stead.serve.keys import new_key
from stead.serve.listing import MOST, filtered, limit_of, ordered, page
from stead.serve.quotas import NO_LIMIT, VOLUME, limits, project_asked, set_of, used, write
from stead.serve.routes import (
    FLAG,
    ID,
    LONG,
    MAYBE_ID,
    MAYBE_TEXT,
    METADATA,
    AccessPolicy,
    ApiReply,
    ApiRoute,
    Call,
    Handler,
    Service,
    record,
    wrapped,
)
from stead.serve.world import CloudState, KnownResource, ResourceStatus, bare, made_of

V = "/volume/v3"
P = f"{V}/{{project}}"
TYPE = "default"
UNBUILT_ACTIONS = frozenset(
    {
        "os-set_bootable",
        "os-update_readonly_flag",
        "os-retype",
        "os-volume_upload_image",
        "os-reset_status",
        "os-force_delete",
        "os-attach",
        "os-detach",
        "os-reserve",
        "os-unreserve",
        "os-migrate_volume",
    }
)
STATUS = {ResourceStatus.BUILDING: "creating", ResourceStatus.FAILED: "error"}


def scope(call: Call) -> None:
    """The project in the path is that of the token, or an admin's business."""
    if bare(call.path["project"]) != call.world.project_id(call.caller.project) and not call.caller.admin:
        raise not_found("Project", call.path["project"])


def scoped(handler: Handler) -> Handler:
    def handled(call: Call) -> ApiReply:
        scope(call)
        return handler(call)

    return handled


def attached(world: CloudState, volume: KnownResource) -> list[tuple[KnownResource, str]]:
    """Servers that use it, and as which device."""
    found = []
    for address in world.users_of(volume.address):
        if address.kind != "instances":
            continue
        server = world.thing(address)
        if server.model.boot_volume == volume.address:
            found.append((server, "/dev/vda"))
        found += [
            (server, f"/dev/{one.device or 'vdb'}") for one in server.model.volumes if one.volume == volume.address
        ]
    return found


def brief(call: Call, kind: str, thing: KnownResource) -> dict[str, Any]:
    project = call.path["project"]
    links = [
        {"rel": "self", "href": f"{call.root}{V}/{project}/{kind}/{thing.id}"},
        {"rel": "bookmark", "href": f"{call.root}/volume/{project}/{kind}/{thing.id}"},
    ]
    return {"id": thing.id, "name": thing.settings.display_name or thing.address.label, "links": links}


def gigabytes(world: CloudState, thing: KnownResource) -> int:
    size = volume_size(thing.address, world.desired)
    return -(-(size or 0) >> 30) if (size or 0) % (1 << 30) == 0 else ((size or 0) >> 30) + 1


def detail(call: Call, world: CloudState, thing: KnownResource) -> dict[str, Any]:
    model, users = thing.model, attached(world, thing)
    origin = model.from_
    image = origin.image if origin is not None else None
    found = {
        **brief(call, "volumes", thing),
        "status": STATUS.get(thing.state) or ("in-use" if users else "available"),
        "size": gigabytes(world, thing),
        "availability_zone": model.zone or "nova",
        "created_at": thing.created.rstrip("Z") + ".000000",
        "updated_at": thing.updated.rstrip("Z") + ".000000",
        "name": thing.settings.display_name,
        "description": model.description or None,
        "volume_type": TYPE,
        "snapshot_id": world.id_of(origin.snapshot) if origin is not None and origin.snapshot else None,
        "source_volid": world.id_of(origin.volume) if origin is not None and origin.volume else None,
        "metadata": dict(thing.settings.labels),
        "user_id": thing.about.get("by", ""),
        "bootable": "true" if image is not None else "false",
        "encrypted": False,
        "multiattach": model.shareable,
        "replication_status": None,
        "consistencygroup_id": None,
        "attachments": [
            {
                "id": thing.id,
                "attachment_id": made_of(thing.id, server.id),
                "volume_id": thing.id,
                "server_id": server.id,
                "host_name": server.host if call.caller.admin else None,
                "device": device,
                "attached_at": server.updated.rstrip("Z") + ".000000",
            }
            for server, device in users
        ],
        "os-vol-tenant-attr:tenant_id": world.project_id(thing.address.project),
    }
    if image is not None and image in world.desired.by_address:
        found["volume_image_metadata"] = {"image_id": world.id_of(image), "image_name": world.thing(image).name}
    if call.caller.admin:
        found |= {"os-vol-host-attr:host": f"{thing.host}@{model.pool}#{model.pool}", "migration_status": None}
    return found


def _all(call: Call, kind: str) -> tuple[CloudState, list[KnownResource]]:
    world = call.world
    everywhere = call.caller.admin and call.flag("all_tenants")
    return world, list(world.things(kind, None if everywhere else [call.caller.project]))[::-1]


_NOT_FILTERS = frozenset({"all_tenants", "with_count"})


def _listed(call: Call, kind: str, make: Callable[[CloudState, KnownResource], dict[str, Any]], path: str) -> ApiReply:
    world, things = _all(call, kind)
    call.query = [pair for pair in call.query if pair[0] not in _NOT_FILTERS]
    items = ordered(call, filtered(call, [make(world, thing) for thing in things]))
    start = int(call.asked("offset") or 0) if (call.asked("offset") or "0").isdigit() else 0
    part, more = page(call, items[start:])
    body: dict[str, Any] = {kind: part}
    if more and part and limit_of(call) < MOST:
        href = f"{call.root}{V}/{call.path['project']}/{path}?limit={limit_of(call)}&marker={part[-1]['id']}"
        body[f"{kind}_links"] = [{"rel": "next", "href": href}]
    return ApiReply(body=body)


def list_volumes(call: Call) -> ApiReply:
    found = _listed(call, "volumes", lambda world, thing: detail(call, world, thing), "volumes")
    return _short(found, "volumes")


def _short(answer: ApiReply, kind: str) -> ApiReply:
    """The list without details is filtered by all fields, and shows few."""
    names = ("id", "name", "links") if kind == "volumes" else None
    if names is not None:
        answer.body[kind] = [{name: one[name] for name in names} for one in answer.body[kind]]
    return answer


def detail_volumes(call: Call) -> ApiReply:
    return _listed(call, "volumes", lambda world, thing: detail(call, world, thing), "volumes/detail")


def seen(call: Call, kind: str, what: str) -> tuple[CloudState, KnownResource]:
    world = call.world
    return world, world.find(kind, call.path["id"], call.caller.project, what=what, admin=call.caller.admin)


def mine(call: Call, kind: str, what: str) -> tuple[CloudState, KnownResource]:
    world = call.world
    return world, world.find(kind, call.path["id"], call.project, what=what)


def show_volume(call: Call) -> ApiReply:
    return ApiReply(body={"volume": detail(call, *seen(call, "volumes", "Volume"))})


def create_volume(call: Call) -> ApiReply:
    said, world, key = call.body["volume"], call.world, new_key("volumes")
    if said.get("volume_type") not in (None, "", TYPE, made_of("volume type", TYPE)):
        raise not_found("Volume type", said["volume_type"])
    size = said.get("size")
    origin = _origin(call, world, said)
    if size is None and origin is None:
        raise bad("A volume needs a size.")
    zone = said.get("availability_zone")
    fields = {
        "size": f"{int(size)}GiB" if size is not None else None,
        "from": origin,
        "display_name": said.get("name") or None,
        "description": said.get("description") or None,
        "labels": said.get("metadata") or None,
        "shareable": True if said.get("multiattach") in (True, "true", "True") else None,
        "zone": zone if zone and zone != "nova" else None,
    }
    world = call.edit(f"create volume {said.get('name') or key}", lambda content: put(content, "volumes", key, fields))
    thing = world.thing(Address(call.project, "volumes", key))
    return ApiReply(202, {"volume": detail(call, world, thing)})


def _origin(call: Call, world: CloudState, said: Mapping[str, Any]) -> dict[str, str] | None:
    for name, kind, word, what in (
        ("imageRef", "images", "image", "Image"),
        ("snapshot_id", "snapshots", "snapshot", "Snapshot"),
        ("source_volid", "volumes", "volume", "Volume"),
    ):
        if said.get(name):
            found = world.find(kind, said[name], call.project, what=what, shared=kind == "images")
            return {word: found.address.name}
    return None


def _described(call: Call, kind: str, what: str, body: str) -> tuple[CloudState, KnownResource]:
    _, thing = mine(call, kind, what)
    said, name = call.body[body], thing.address.name
    words = (("name", "display_name"), ("description", "description"), ("metadata", "labels"))
    fields = {word: said[one] or None for one, word in words if one in said}
    world = call.edit(f"change {what.lower()}", lambda content: change(content, kind, name, fields))
    return world, world.thing(thing.address)


def change_volume(call: Call) -> ApiReply:
    return ApiReply(body={"volume": detail(call, *_described(call, "volumes", "Volume", "volume"))})


def delete_volume(call: Call) -> ApiReply:
    world, thing = mine(call, "volumes", "Volume")
    if attached(world, thing):
        raise bad(f"Invalid volume: Volume status must be available or error, and {thing.id} is in use.")
    world.must_be_unused(thing, "Volume")
    name = thing.address.name
    call.edit("delete volume", lambda content: remove(content, "volumes", name), loses=lambda one: one == thing.address)
    return ApiReply(202)


def act(call: Call) -> ApiReply:
    world, thing = mine(call, "volumes", "Volume")
    if len(call.body) != 1:
        raise bad("The body names one action.")
    (name, said), key = next(iter(call.body.items())), thing.address.name
    if name == "os-extend":
        if not isinstance(said, Mapping) or not isinstance(said.get("new_size"), int):
            raise bad("os-extend needs new_size, in GiB.")
        if said["new_size"] <= gigabytes(world, thing):
            raise bad("New size for extend must be greater than current size.")
        size = {"size": f"{said['new_size']}GiB"}
        call.edit("extend volume", lambda content: change(content, "volumes", key, size))
        return ApiReply(202)
    if name in UNBUILT_ACTIONS:
        raise not_built(f"The action {name} is not built yet. docs/api.md lists what is.")
    raise bad(f"There is no such action: {str(name)[:60]}")


# Metadata of volumes and snapshots: labels


def show_metadata(call: Call) -> ApiReply:
    return ApiReply(body={"metadata": dict(seen(call, "volumes", "Volume")[1].settings.labels)})


def write_metadata(call: Call, *, keep: bool) -> ApiReply:
    _, thing = mine(call, "volumes", "Volume")
    labels = {**(thing.settings.labels if keep else {}), **call.body["metadata"]}
    name = thing.address.name
    call.edit("change metadata", lambda content: change(content, "volumes", name, {"labels": labels or None}))
    return ApiReply(body={"metadata": labels})


def delete_item(call: Call) -> ApiReply:
    _, thing = mine(call, "volumes", "Volume")
    labels = {key: one for key, one in thing.settings.labels.items() if key != call.path["key"]}
    if len(labels) == len(thing.settings.labels):
        raise not_found("Metadata item", call.path["key"])
    name = thing.address.name
    call.edit("change metadata", lambda content: change(content, "volumes", name, {"labels": labels or None}))
    return ApiReply(200)


# Snapshots


def snapshot_data(world: CloudState, thing: KnownResource) -> dict[str, Any]:
    volume = world.thing(thing.model.volume)
    return {
        "id": thing.id,
        "name": thing.settings.display_name,
        "description": thing.model.description or None,
        "status": STATUS.get(thing.state, "available"),
        "size": gigabytes(world, volume),
        "volume_id": volume.id,
        "created_at": thing.created.rstrip("Z") + ".000000",
        "updated_at": thing.updated.rstrip("Z") + ".000000",
        "metadata": dict(thing.settings.labels),
        "user_id": thing.about.get("by", ""),
        "os-extended-snapshot-attributes:progress": "100%" if thing.state is ResourceStatus.MADE else "0%",
        "os-extended-snapshot-attributes:project_id": world.project_id(thing.address.project),
    }


def list_snapshots(call: Call) -> ApiReply:
    return _listed(call, "snapshots", snapshot_data, "snapshots/detail")


def show_snapshot(call: Call) -> ApiReply:
    return ApiReply(body={"snapshot": snapshot_data(*seen(call, "snapshots", "Snapshot"))})


def create_snapshot(call: Call) -> ApiReply:
    said, world, key = call.body["snapshot"], call.world, new_key("snapshots")
    volume = world.find("volumes", said["volume_id"], call.project, what="Volume")
    if attached(world, volume) and said.get("force") not in (True, "true", "True"):
        raise bad(f"Invalid volume: Volume {volume.id} is in use; force takes a snapshot all the same.")
    fields = {
        "volume": volume.address.name,
        "display_name": said.get("name") or None,
        "description": said.get("description") or None,
        "labels": said.get("metadata") or None,
    }
    world = call.edit("create snapshot", lambda content: put(content, "snapshots", key, fields))
    thing = world.thing(Address(call.project, "snapshots", key))
    return ApiReply(202, {"snapshot": snapshot_data(world, thing)})


def change_snapshot(call: Call) -> ApiReply:
    return ApiReply(body={"snapshot": snapshot_data(*_described(call, "snapshots", "Snapshot", "snapshot"))})


def delete_snapshot(call: Call) -> ApiReply:
    world, thing = mine(call, "snapshots", "Snapshot")
    world.must_be_unused(thing, "Snapshot")
    name = thing.address.name
    call.edit(
        "delete snapshot", lambda content: remove(content, "snapshots", name), loses=lambda one: one == thing.address
    )
    return ApiReply(202)


# What is fixed


def type_data() -> dict[str, Any]:
    return {
        "id": made_of("volume type", TYPE),
        "name": TYPE,
        "description": "The pool named default",
        "is_public": True,
        "os-volume-type-access:is_public": True,
        "extra_specs": {},
        "qos_specs_id": None,
    }


def show_type(call: Call) -> ApiReply:
    if call.path["id"] not in (TYPE, made_of("volume type", TYPE)):
        raise not_found("Volume type", call.path["id"])
    return ApiReply(body={"volume_type": type_data()})


def zones(call: Call) -> ApiReply:
    names = sorted({one.zone for one in call.cloud.observed.hosts.values() if one.pools})
    return ApiReply(
        body={"availabilityZoneInfo": [{"zoneName": one, "zoneState": {"available": True}} for one in names]}
    )


def services(call: Call) -> ApiReply:
    found = [
        {
            "binary": "cinder-volume",
            "host": f"{host.name}@{pool}",
            "zone": host.zone,
            "status": "enabled",
            "state": "up" if host.state.answers else "down",
            "updated_at": "2026-01-01T00:00:00.000000",
        }
        for host in sorted(call.cloud.observed.hosts.values(), key=lambda one: one.name)
        for pool in host.pools
    ]
    return ApiReply(body={"services": found})


_EXTRA = {"backups": NO_LIMIT, "backup_gigabytes": NO_LIMIT, "groups": NO_LIMIT, "per_volume_gigabytes": NO_LIMIT}
_set = set_of(_EXTRA, VOLUME)


def show_quota(call: Call) -> ApiReply:
    return ApiReply(body={"quota_set": _set(call, call.flag("usage"))})


def default_quota(call: Call) -> ApiReply:
    project_asked(call)
    return ApiReply(body={"quota_set": {**dict.fromkeys(VOLUME, NO_LIMIT), **_EXTRA, "id": call.path["target"]}})


def change_quota(call: Call) -> ApiReply:
    write(call, project_asked(call), VOLUME, call.body["quota_set"])
    found = _set(call, False)
    found.pop("id")
    return ApiReply(body={"quota_set": found})


def absolute(call: Call) -> ApiReply:
    world, project = call.world, call.caller.project
    most, now = limits(world, project, VOLUME), used(call, world, project, VOLUME)
    found = {
        "maxTotalVolumes": most["volumes"],
        "maxTotalVolumeGigabytes": most["gigabytes"],
        "maxTotalSnapshots": most["snapshots"],
        "maxTotalBackups": NO_LIMIT,
        "maxTotalBackupGigabytes": NO_LIMIT,
        "totalVolumesUsed": now["volumes"],
        "totalGigabytesUsed": now["gigabytes"],
        "totalSnapshotsUsed": now["snapshots"],
        "totalBackupsUsed": 0,
        "totalBackupGigabytesUsed": 0,
    }
    return ApiReply(body={"limits": {"rate": [], "absolute": found}})


def empty(name: str) -> Handler:
    return lambda _call: ApiReply(body={name: []})


def _refused(_call: Call) -> ApiReply:
    raise forbidden("Volume types are the site's: there is one, the pool named default.")


_SIZE = {"type": ["integer", "string", "null"], "pattern": "^[1-9][0-9]{0,5}$", "minimum": 1, "maximum": 999999}
_META = {"anyOf": [METADATA, {"type": "null"}]}
_VOLUME = record(
    size=_SIZE,
    name=MAYBE_TEXT,
    description=LONG,
    metadata=_META,
    imageRef=MAYBE_ID,
    snapshot_id=MAYBE_ID,
    source_volid=MAYBE_ID,
    volume_type=MAYBE_ID,
    availability_zone=MAYBE_TEXT,
    multiattach={"anyOf": [FLAG, {"type": "null"}]},
)
_DESCRIBED = record(name=MAYBE_TEXT, description=LONG, metadata=_META)
_SNAPSHOT = record(["volume_id"], volume_id=ID, name=MAYBE_TEXT, description=LONG, metadata=_META)
_QUOTA = record(**{name: {"type": ["integer", "string"], "pattern": "^-?[0-9]{1,9}$"} for name in VOLUME})
READER, MEMBER, ADMIN, PUBLIC = AccessPolicy.READER, AccessPolicy.MEMBER, AccessPolicy.ADMIN, AccessPolicy.PUBLIC
Q = f"{P}/os-quota-sets/{{target}}"
_OF_PROJECT = (
    ApiRoute("GET", f"{P}/volumes", READER, list_volumes),
    ApiRoute("POST", f"{P}/volumes", MEMBER, create_volume, wrapped("volume", _VOLUME)),
    ApiRoute("GET", f"{P}/volumes/detail", READER, detail_volumes),
    ApiRoute("GET", f"{P}/volumes/{{id}}", READER, show_volume),
    ApiRoute("PUT", f"{P}/volumes/{{id}}", MEMBER, change_volume, wrapped("volume", _DESCRIBED)),
    ApiRoute("DELETE", f"{P}/volumes/{{id}}", MEMBER, delete_volume),
    ApiRoute("POST", f"{P}/volumes/{{id}}/action", MEMBER, act, {"type": "object", "minProperties": 1}),
    ApiRoute("GET", f"{P}/volumes/{{id}}/metadata", READER, show_metadata),
    ApiRoute(
        "POST",
        f"{P}/volumes/{{id}}/metadata",
        MEMBER,
        lambda call: write_metadata(call, keep=True),
        wrapped("metadata", METADATA),
    ),
    ApiRoute(
        "PUT",
        f"{P}/volumes/{{id}}/metadata",
        MEMBER,
        lambda call: write_metadata(call, keep=False),
        wrapped("metadata", METADATA),
    ),
    ApiRoute("DELETE", f"{P}/volumes/{{id}}/metadata/{{key}}", MEMBER, delete_item),
    ApiRoute("GET", f"{P}/snapshots", READER, list_snapshots),
    ApiRoute("POST", f"{P}/snapshots", MEMBER, create_snapshot, wrapped("snapshot", _SNAPSHOT)),
    ApiRoute("GET", f"{P}/snapshots/detail", READER, list_snapshots),
    ApiRoute("GET", f"{P}/snapshots/{{id}}", READER, show_snapshot),
    ApiRoute("PUT", f"{P}/snapshots/{{id}}", MEMBER, change_snapshot, wrapped("snapshot", _DESCRIBED)),
    ApiRoute("DELETE", f"{P}/snapshots/{{id}}", MEMBER, delete_snapshot),
    ApiRoute("GET", f"{P}/types", READER, lambda _call: ApiReply(body={"volume_types": [type_data()]})),
    ApiRoute("POST", f"{P}/types", ADMIN, _refused),
    ApiRoute("GET", f"{P}/types/{{id}}", READER, show_type),
    ApiRoute("GET", f"{P}/limits", READER, absolute),
    ApiRoute("GET", f"{P}/os-availability-zone", READER, zones),
    ApiRoute("GET", f"{P}/os-services", ADMIN, services),
    ApiRoute("GET", Q, READER, show_quota),
    ApiRoute("PUT", Q, ADMIN, change_quota, wrapped("quota_set", _QUOTA)),
    ApiRoute("GET", f"{Q}/defaults", READER, default_quota),
    ApiRoute("GET", f"{P}/extensions", READER, empty("extensions")),
    *(
        ApiRoute("GET", f"{P}/{path}", READER, empty(name))
        for path, name in (
            ("backups", "backups"),
            ("backups/detail", "backups"),
            ("groups", "groups"),
            ("groups/detail", "groups"),
            ("group_snapshots/detail", "group_snapshots"),
            ("consistencygroups/detail", "consistencygroups"),
            ("cgsnapshots/detail", "cgsnapshots"),
            ("os-volume-transfer", "transfers"),
            ("os-volume-transfer/detail", "transfers"),
            ("qos-specs", "qos_specs"),
            ("attachments", "attachments"),
        )
    ),
)
ROUTES = (
    ApiRoute("GET", "/volume", PUBLIC, versions.all_of(versions.volume, status=300)),
    ApiRoute("GET", V, PUBLIC, versions.all_of(versions.volume)),
    *(route._replace(handler=scoped(route.handler)) for route in _OF_PROJECT),
)
UNBUILT = (
    ("POST", f"{P}/backups", "backups"),
    ("POST", f"{P}/groups", "groups of volumes"),
    ("POST", f"{P}/os-volume-transfer", "transfers between projects"),
    ("POST", f"{P}/qos-specs", "QoS of types"),
    ("POST", f"{P}/attachments", "attachments without a server"),
)
SERVICE = Service(
    name="volume",
    type="block-storage",
    title="cinder",
    endpoint="/volume/v3/{project}",
    routes=ROUTES,
    unbuilt=UNBUILT,
)
