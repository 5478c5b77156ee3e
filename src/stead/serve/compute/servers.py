"""A server is an instance: the two vocabularies, side by side. No request is read here, and nothing is changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from stead.core.address import Address
from stead.core.by_hand import SHELVED, state_of
from stead.kinds.instance.model import Attachment, Instance
from stead.kinds.instance.nics import InstanceInterface
from stead.kinds.instance.nics import interfaces as instance_interfaces
from stead.kinds.shared.sizing import Flavor
from stead.serve import notes
from stead.serve.image.copies import told_id
from stead.serve.network.ports import floating_of, id_of_interface
from stead.serve.routes import Call
from stead.serve.world import NOTHING, CloudState, KnownResource, ResourceStatus, bare, fields_of_want, made_of

V = "/compute/v2.1"
POWER = {"running": 1, "paused": 3, "stopped": 4, "suspended": 4, SHELVED: 4}
# Nova's status and vm_state of each state.
STATES = {
    "running": ("ACTIVE", "active"),
    "stopped": ("SHUTOFF", "stopped"),
    "paused": ("PAUSED", "paused"),
    "suspended": ("SUSPENDED", "suspended"),
    SHELVED: ("SHELVED_OFFLOADED", "shelved_offloaded"),
}
# What is told of a server in the answer to a change.
COMMON = (
    *("id", "name", "status", "image", "flavor", "fault", "user_id", "tenant_id", "created", "updated", "progress"),
    *("metadata", "links", "addresses", "hostId", "OS-DCF:diskConfig", "accessIPv4", "accessIPv6"),
)
TASKS = {
    ("", "running"): "powering-on",
    ("", "stopped"): "powering-off",
    ("", "paused"): "pausing",
    ("", "suspended"): "suspending",
    ("", SHELVED): "shelving",
    (SHELVED, "running"): "unshelving",
    ("paused", "running"): "unpausing",
    ("suspended", "running"): "resuming",
}


def notes_of(world: CloudState, thing: KnownResource) -> Mapping[str, Any]:
    document = world.documents.get(thing.address.project)
    return notes.of(document.content, thing.address.name) if document is not None else {}


class Status:
    """What a server is in Nova's words."""

    def __init__(self, world: CloudState, thing: KnownResource) -> None:
        model: Instance = thing.model
        noted = notes_of(world, thing)
        recorded = fields_of_want(want) if thing.record and (want := thing.record.wants.get(thing.record.host)) else {}
        is_now = SHELVED if SHELVED in recorded else recorded.get("state", model.state)
        self.status, self.vm_state = STATES.get(is_now, STATES["stopped"])
        self.task: str | None = None
        self.power = POWER.get(is_now, 0)
        if thing.state is ResourceStatus.FAILED or noted.get(notes.RESET):
            self.status, self.vm_state = "ERROR", "error"
        elif thing.state is ResourceStatus.BUILDING:
            self.status, self.vm_state, self.task, self.power = "BUILD", "building", "spawning", 0
        elif noted.get(notes.REBOOT):
            self.status, self.task = "REBOOT", "rebooting"
        elif recorded.get("root", NOTHING).get("generation", 1) != _generation(model):
            self.status, self.task = "REBUILD", "rebuilding"
        elif any(one["status"] == notes.ACCEPTED for one in noted.get(notes.MOVES, ())):
            self.status, self.task = "MIGRATING", "migrating"
        elif is_now != (to_be := state_of(thing.record.leases if thing.record else {}, model.state)):
            self.task = TASKS.get((is_now, to_be)) or TASKS["", to_be]
        elif noted.get(notes.RESIZED_FROM):
            done = recorded.get("memory") == _sizes(world, model)["ram"] << 20
            self.status, self.vm_state = ("VERIFY_RESIZE", "resized") if done else ("RESIZE", self.vm_state)
            self.task = None if done else "resize_finish"


def _generation(model: Instance) -> int:
    return model.disk.generation if model.disk is not None else 1


def disk_config(world: CloudState, thing: KnownResource) -> str:
    return str(notes_of(world, thing).get(notes.DISK_CONFIG, "MANUAL"))


def _sizes(world: CloudState, model: Instance) -> dict[str, Any]:
    flavor = model.flavor
    if isinstance(flavor, Address):
        block = world.desired.get(flavor)
        flavor = block.model if block is not None else Flavor(vcpus=1, memory=0)
    return sizes(flavor)


def sizes(flavor: Flavor) -> dict[str, Any]:
    return {
        "vcpus": flavor.vcpus,
        "ram": flavor.memory >> 20,
        "disk": -(-flavor.disk >> 30) if flavor.disk % (1 << 30) == 0 else (flavor.disk >> 30) + 1,
    }


def links(call: Call, kind: str, identity: str) -> list[dict[str, str]]:
    return [
        {"rel": "self", "href": f"{call.root}{V}/{kind}/{identity}"},
        {"rel": "bookmark", "href": f"{call.root}/compute/{kind}/{identity}"},
    ]


def instance_name(thing: KnownResource) -> str:
    """As its host knows it."""
    return f"{thing.address.project}.{thing.address.label}"


def brief(call: Call, thing: KnownResource) -> dict[str, Any]:
    return {"id": thing.id, "name": thing.name, "links": links(call, "servers", thing.id)}


def detail(call: Call, world: CloudState, thing: KnownResource) -> dict[str, Any]:
    model: Instance = thing.model
    status, seats, noted = Status(world, thing), interfaces(world, thing), notes_of(world, thing)
    found: dict[str, Any] = {
        **brief(call, thing),
        "status": status.status,
        "tenant_id": world.project_id(thing.address.project),
        "user_id": thing.about.get("by", ""),
        "metadata": dict(thing.settings.labels),
        "hostId": bare(made_of(thing.address.project, thing.host)) if thing.host else "",
        "image": _image(call, world, model),
        "flavor": _flavor(call, world, thing),
        "created": thing.created,
        "updated": thing.updated,
        "addresses": addresses(world, thing, seats),
        "accessIPv4": noted.get("accessIPv4", ""),
        "accessIPv6": noted.get("accessIPv6", ""),
        "links": links(call, "servers", thing.id),
        "OS-DCF:diskConfig": disk_config(world, thing),
        "OS-EXT-AZ:availability_zone": _zone(call, thing),
        "config_drive": "True",
        "key_name": _key(world, model),
        "OS-SRV-USG:launched_at": thing.updated.rstrip("Z") + ".000000" if thing.state is ResourceStatus.MADE else None,
        "OS-SRV-USG:terminated_at": None,
        "OS-EXT-STS:task_state": status.task,
        "OS-EXT-STS:vm_state": status.vm_state,
        "OS-EXT-STS:power_state": status.power,
        "os-extended-volumes:volumes_attached": [{"id": world.id_of(one)} for one in volumes(model)],
    }
    if groups := group_names(world, seats):
        found["security_groups"] = [{"name": name} for name in groups]
    if status.status in ("ACTIVE", "BUILD", "REBOOT", "RESIZE", "VERIFY_RESIZE"):
        found["progress"] = 0 if status.status == "BUILD" else 100
    if thing.state is ResourceStatus.FAILED:
        found["fault"] = {"code": 500, "created": thing.updated, "message": thing.fault}
    if call.caller.admin:
        found |= {
            "OS-EXT-SRV-ATTR:host": thing.host or None,
            "OS-EXT-SRV-ATTR:hypervisor_hostname": thing.host or None,
            "OS-EXT-SRV-ATTR:instance_name": instance_name(thing),
        }
    return found


def short(call: Call, world: CloudState, thing: KnownResource) -> dict[str, Any]:
    """As a change answers."""
    told = detail(call, world, thing)
    found = {name: one for name, one in told.items() if name in COMMON}
    return {**found, "addresses": bare_addresses(told["addresses"])}


def bare_addresses(addresses: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: [{"version": each["version"], "addr": each["addr"]} for each in some] for name, some in addresses.items()
    }


def _image(call: Call, world: CloudState, model: Instance) -> Any:
    if model.image is None:
        return ""
    identity = told_id(world, model.image)
    href = f"{call.root}/compute/images/{identity}"
    return {"id": identity, "links": [{"rel": "bookmark", "href": href}]}


def _flavor(call: Call, world: CloudState, thing: KnownResource) -> dict[str, Any]:
    identity = flavor_id(world, thing)
    href = f"{call.root}/compute/flavors/{identity}"
    return {"id": identity, "links": [{"rel": "bookmark", "href": href}]}


def flavor_id(world: CloudState, thing: KnownResource) -> str:
    flavor = thing.model.flavor
    if isinstance(flavor, Address):
        return world.id_of(flavor)
    made: Mapping[str, str] = notes_of(world, thing).get(notes.FLAVOR) or {}
    return made.get("id") or made_of(thing.id, "flavor")


def _zone(call: Call, thing: KnownResource) -> str:
    host = call.cloud.observed.hosts.get(thing.host)
    return host.zone if host is not None else ""


def _key(world: CloudState, model: Instance) -> str | None:
    return (
        world.thing(model.keypairs[0]).name
        if model.keypairs and model.keypairs[0] in world.desired.by_address
        else None
    )


def volumes(model: Instance) -> Iterator[Address]:
    if model.boot_volume is not None:
        yield model.boot_volume
    yield from (one.volume for one in model.volumes)


def interfaces(world: CloudState, thing: KnownResource) -> tuple[InstanceInterface, ...]:
    return instance_interfaces(thing.block, world.desired)


def group_names(world: CloudState, seats: Iterable[InstanceInterface]) -> list[str]:
    found = dict.fromkeys(group for seat in seats for group in seat.groups)
    known = world.desired.by_address
    return [world.thing(one).name if one in known else one.name for one in found]


def addresses(
    world: CloudState, thing: KnownResource, seats: Iterable[InstanceInterface]
) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    outside = floating_of(world)
    for seat in seats:
        if seat.mac not in thing.leases:
            continue
        network = world.thing(seat.network.members[0])
        mac = thing.leases[seat.mac]
        inside = seat.addresses(thing.leases)
        given = [(one, "fixed") for one in inside] + [
            (one, "floating") for one in outside.get(id_of_interface(world, thing, seat), ())
        ]
        found.setdefault(network.name, []).extend(
            {
                "version": 6 if ":" in one else 4,
                "addr": one,
                "OS-EXT-IPS-MAC:mac_addr": mac,
                "OS-EXT-IPS:type": type_,
            }
            for one, type_ in given
        )
    return found


def attachment(thing: KnownResource, world: CloudState, one: Attachment) -> dict[str, Any]:
    identity = world.id_of(one.volume)
    return {"id": identity, "volumeId": identity, "serverId": thing.id, "device": f"/dev/{one.device or 'vdb'}"}
