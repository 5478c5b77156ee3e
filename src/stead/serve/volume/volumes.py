"""Volumes: what is told of them, and calls for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from stead.core.address import Address
from stead.kinds.shared.storage import volume_size
from stead.serve import volume_notes
from stead.serve.attaching import attaching, detaching
from stead.serve.edits import Edit, all_of, change, put, remove
from stead.serve.faults import bad, forbidden, not_built
from stead.serve.image.copies import used_image
from stead.serve.image.saving import DiskToRegister, register
from stead.serve.keys import new_key
from stead.serve.routes import ApiReply, Call
from stead.serve.volume import choosing, flags, types
from stead.serve.volume.answers import STATUS, V, described, listed, seen, told
from stead.serve.volume.statuses import must_be_free, reset, said_status
from stead.serve.volume_notes import READONLY, RESERVED, TRANSFER, TYPE
from stead.serve.volume_notes import STATUS as STATUS_SAID
from stead.serve.world import CloudState, KnownResource, ResourceStatus, made_of

UNBUILT_ACTIONS = frozenset({"os-migrate_volume"})


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


def place_of(volume: KnownResource) -> str:
    """Host and pool, as Cinder names a backend."""
    return f"{volume.host}@{volume.model.pool}"


def gigabytes(world: CloudState, thing: KnownResource) -> int:
    size = volume_size(thing.address, world.desired)
    return -(-(size or 0) >> 30) if (size or 0) % (1 << 30) == 0 else ((size or 0) >> 30) + 1


def summary(call: Call, world: CloudState, thing: KnownResource) -> dict[str, Any]:
    """What a change answers."""
    model, users, known = thing.model, attached(world, thing), volume_notes.of(world, thing)
    origin = model.from_
    return {
        **brief(call, "volumes", thing),
        "status": said_status(world, thing) or STATUS.get(thing.state) or ("in-use" if users else _waiting(known)),
        "size": gigabytes(world, thing),
        "availability_zone": model.zone or "nova",
        "created_at": thing.created.rstrip("Z") + ".000000",
        "updated_at": thing.updated.rstrip("Z") + ".000000",
        "name": thing.settings.display_name,
        "description": model.description or None,
        "volume_type": known.get(TYPE, {}).get("name") or model.pool,
        "snapshot_id": world.id_of(origin.snapshot) if origin is not None and origin.snapshot else None,
        "source_volid": world.id_of(origin.volume) if origin is not None and origin.volume else None,
        "metadata": {**thing.settings.labels, **({READONLY: str(known[READONLY])} if READONLY in known else {})},
        "user_id": thing.about.get("by", ""),
        "bootable": "true" if volume_notes.is_bootable(world, thing) else "false",
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
    }


def _waiting(known: Mapping[str, Any]) -> str:
    return "attaching" if known.get(RESERVED) else "awaiting-transfer" if known.get(TRANSFER) else "available"


def detail(call: Call, world: CloudState, thing: KnownResource) -> dict[str, Any]:
    found = summary(call, world, thing)
    found["os-vol-tenant-attr:tenant_id"] = world.project_id(thing.address.project)
    if words := flags.image_words(world, thing):
        found["volume_image_metadata"] = words
    if call.caller.admin:
        found |= {
            "os-vol-host-attr:host": f"{place_of(thing)}#{thing.model.pool}",
            "migration_status": None,
            "os-vol-mig-status-attr:migstat": None,
            "os-vol-mig-status-attr:name_id": None,
        }
    return found


def list_volumes(call: Call) -> ApiReply:
    found = listed(call, "volumes", lambda world, thing: detail(call, world, thing), "volumes")
    return _short(found, "volumes")


def _short(answer: ApiReply, kind: str) -> ApiReply:
    """The list without details is filtered by all fields, and shows few."""
    names = ("id", "name", "links") if kind == "volumes" else None
    if names is not None:
        answer.body[kind] = [{name: one[name] for name in names} for one in answer.body[kind]]
    return answer


def detail_volumes(call: Call) -> ApiReply:
    return listed(call, "volumes", lambda world, thing: detail(call, world, thing), "volumes/detail")


def show_volume(call: Call) -> ApiReply:
    return ApiReply(body={"volume": detail(call, *seen(call, "volumes", "Volume"))})


def create_volume(call: Call) -> ApiReply:
    said, world, key = call.body["volume"], call.world, new_key("volumes")
    size = said.get("size")
    image = used_image(call, world, said["imageRef"]) if said.get("imageRef") else None
    origin = {"image": image.key} if image is not None else _origin(call, world, said)
    if size is None and origin is None:
        raise bad("A volume needs a size.")
    type_ = choosing.chosen(call, said["volume_type"]) if said.get("volume_type") else _type(call, world, said)
    zone = said.get("availability_zone")
    fields = {
        "size": f"{int(size)}GiB" if size is not None else None,
        "from": origin,
        "display_name": said.get("name") or None,
        "description": said.get("description") or None,
        "labels": said.get("metadata") or None,
        **type_.fields,
        **({"shareable": True} if said.get("multiattach") in (True, "true", "True") else {}),
        "zone": zone if zone and zone != "nova" else None,
    }
    noted = volume_notes.note(Address(call.project, "volumes", key), **{TYPE: type_.note})
    edits: list[Edit] = [lambda content: put(content, "volumes", key, fields), noted]
    if image is not None:
        edits.insert(0, image.edit)
    world = call.edit(f"create volume {said.get('name') or key}", all_of(*edits))
    thing = world.thing(Address(call.project, "volumes", key))
    return ApiReply(202, {"volume": summary(call, world, thing)})


def _origin(call: Call, world: CloudState, said: Mapping[str, Any]) -> dict[str, str] | None:
    for name, kind, word, what in (
        ("snapshot_id", "snapshots", "snapshot", "Snapshot"),
        ("source_volid", "volumes", "volume", "Volume"),
    ):
        if said.get(name):
            found = told(world.find(kind, said[name], call.project, what=what), what)
            return {word: found.address.name}
    return None


def _type(call: Call, world: CloudState, said: Mapping[str, Any]) -> choosing.ChosenType:
    """A copy is where that is of which it is one."""
    if said.get("source_volid"):
        return choosing.of_pool(world.find("volumes", said["source_volid"], call.project, what="Volume").model.pool)
    if said.get("snapshot_id"):
        snapshot = told(world.find("snapshots", said["snapshot_id"], call.project, what="Snapshot"), "Snapshot")
        return choosing.of_pool(world.thing(snapshot.model.volume).model.pool)
    return choosing.of_pool(types.DEFAULT)


def change_volume(call: Call) -> ApiReply:
    return ApiReply(body={"volume": summary(call, *described(call, "volumes", "Volume", "volume"))})


def delete_volume(call: Call, *, forced: bool = False) -> ApiReply:
    world, thing = call.own("volumes", "Volume")
    if not forced:
        must_be_free(world, thing)
    if attached(world, thing):
        raise bad(f"Invalid volume: Volume status must be available or error, and {thing.id} is in use.")
    if (known := volume_notes.of(world, thing)).get(RESERVED) or known.get(TRANSFER):
        raise bad(f"Invalid volume: Volume status must be available or error, and {thing.id} is reserved or offered.")
    snapshots = (
        [one for one in world.users_of(thing.address) if one.kind == "snapshots"] if call.flag("cascade") else []
    )
    world.must_be_unused(thing, "Volume", but=snapshots)
    for one in snapshots:
        world.must_be_unused(world.thing(one), "Snapshot")
    gone = [*snapshots, thing.address]
    edits: list[Edit] = [partial(remove, kind=one.kind, key=one.name) for one in gone]
    edits.append(partial(volume_notes.forget, address=thing.address))
    call.edit("delete volume", all_of(*edits), loses=lambda one: one in gone)
    return ApiReply(202)


def act(call: Call) -> ApiReply:
    world, thing = call.own("volumes", "Volume")
    if len(call.body) != 1:
        raise bad("The body names one action.")
    name, said = next(iter(call.body.items()))
    if name in UNBUILT_ACTIONS:
        raise not_built(f"The action {name} is not built yet. docs/api.md lists what is.")
    if name not in ACTIONS:
        raise bad(f"There is no such action: {str(name)[:60]}")
    return ACTIONS[name](call, world, thing, said)


def _extend(call: Call, world: CloudState, volume: KnownResource, said: Any) -> ApiReply:
    if not isinstance(said, Mapping) or not isinstance(said.get("new_size"), int):
        raise bad("os-extend needs new_size, in GiB.")
    if said["new_size"] <= gigabytes(world, volume):
        raise bad("New size for extend must be greater than current size.")
    name, size = volume.address.name, {"size": f"{said['new_size']}GiB"}
    call.edit("extend volume", lambda content: change(content, "volumes", name, size))
    return ApiReply(202)


def _detach(call: Call, world: CloudState, volume: KnownResource, _said: Any) -> ApiReply:
    servers = [server.address for server, _ in attached(world, volume)]
    call.edit("detach volume", all_of(*(detaching(one, volume.address) for one in servers)))
    return ApiReply(202)


def _force_delete(call: Call, _world: CloudState, _volume: KnownResource, _said: Any) -> ApiReply:
    """In any state; what a server uses is kept all the same."""
    if not call.caller.admin:
        raise forbidden("Only an admin deletes a volume by force.")
    return delete_volume(call, forced=True)


def _force_detach(call: Call, world: CloudState, volume: KnownResource, said: Any) -> ApiReply:
    """Whatever status was said of it, which ends with that."""
    if not call.caller.admin:
        raise forbidden("Only an admin detaches a volume by force.")
    call.edit("forget a status", volume_notes.note(volume.address, **{STATUS_SAID: None}))
    return _detach(call, world, volume, said)


def _make_image(call: Call, world: CloudState, volume: KnownResource, said: Any) -> ApiReply:
    """Of one in use, as of one moment, which who asks has to accept: `force`. It is a qcow2 file, whatever is asked."""
    if not isinstance(said, Mapping) or not isinstance(said.get("image_name"), str) or not said["image_name"]:
        raise bad("os-volume_upload_image needs an image_name.")
    if volume.state is not ResourceStatus.MADE or (attached(world, volume) and said.get("force") is not True):
        raise bad("Invalid volume: Volume status must be available, or in-use with force.")
    size = gigabytes(world, volume)
    id_ = register(call, DiskToRegister(volume.address, said["image_name"], {}, size << 30))
    answer = {
        **summary(call, world, volume),
        "container_format": "bare",
        "disk_format": "qcow2",
        "display_description": volume.model.description or None,
        "image_id": id_,
        "image_name": said["image_name"],
        "size": size,
        "status": "uploading",
    }
    return ApiReply(202, {"os-volume_upload_image": answer})


def _retype(call: Call, world: CloudState, volume: KnownResource, said: Any) -> ApiReply:
    """Into another pool, with what is on it; the plan refuses it while a server that runs uses it."""
    if not isinstance(said, Mapping) or not isinstance(said.get("new_type"), str):
        raise bad("os-retype needs new_type.")
    type_, known = choosing.chosen(call, said["new_type"]), volume_notes.of(world, volume)
    if type_.pool == volume.model.pool and type_.note == known.get(TYPE):
        raise bad(f"Invalid volume: {volume.id} has the type {said['new_type'][:80]} already.")
    if type_.pool != volume.model.pool and said.get("migration_policy") != "on-demand":
        raise bad("The type is in another pool, so the volume has to move: migration_policy has to be on-demand.")
    if users := [server for server, _ in attached(world, volume) if server.model.state != "stopped"]:
        raise bad(f"Invalid volume: server {users[0].id} uses {volume.id}. Stop it first.")
    name = volume.address.name
    noted = volume_notes.note(volume.address, **{TYPE: type_.note})
    call.edit("retype volume", all_of(lambda content: change(content, "volumes", name, type_.fields), noted))
    return ApiReply(202)


def _attach(call: Call, world: CloudState, volume: KnownResource, said: Any) -> ApiReply:
    if not isinstance(said, Mapping) or not isinstance(said.get("instance_uuid"), str):
        raise bad("os-attach needs instance_uuid.")
    server = world.find("instances", said["instance_uuid"], call.project, what="Instance")
    free = volume_notes.note(volume.address, **{RESERVED: None})  # it was reserved for this
    call.edit("attach volume", all_of(free, attaching(world, server, volume, str(said.get("mountpoint") or ""))))
    return ApiReply(202)


ACTIONS: Mapping[str, Callable[[Call, CloudState, KnownResource, Any], ApiReply]] = {
    **flags.ACTIONS,
    "os-extend": _extend,
    "os-retype": _retype,
    "os-attach": _attach,
    "os-detach": _detach,
    "os-force_delete": _force_delete,
    "os-force_detach": _force_detach,
    "os-reset_status": reset,
    "os-volume_upload_image": _make_image,
}
