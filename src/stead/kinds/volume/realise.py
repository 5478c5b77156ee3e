"""What a volume's host should have of it, and what it asks of that host."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from stead.core.address import Address
from stead.core.kind import Contribution, HostNeeds, Member, SavedDisk, World
from stead.core.needs import Demand, Source
from stead.core.want import Body, Want
from stead.drivers.storage import QCOW2, VOLUMES, lacks, refusal
from stead.kinds.shared import images, storage
from stead.kinds.shared.record_only import plain
from stead.kinds.volume.model import Volume, VolumeSource
from stead.language.desired import Block, Desired


def demand(block: Block, desired: Desired) -> Demand | None:
    """Room in the pool, on whichever host has it: a pool is on storage hosts or on computes, as the site likes."""
    model: Volume = block.model
    size = storage.volume_size(block.members[0], desired)
    zones = frozenset({model.zone}) if model.zone else frozenset()
    return Demand(
        role="",
        amounts={f"disk:{model.pool}": size},
        # Of a pool that each host has for itself, one where an instance can use it some day.
        preferred=frozenset({"role:compute"}),
        zones=zones,
        host=model.host,
        forbidden=frozenset({lacks(QCOW2, model.pool)} if model.format == "qcow2" else ()),
        copies=_source(model, desired),
        alone=not model.shareable,
    )


def _source(model: Volume, desired: Desired) -> Source | None:
    if model.from_ is None:
        return None
    if model.from_.volume is not None:
        return Source(model.from_.volume, served=True)
    snapshot = desired.get(model.from_.snapshot) if model.from_.snapshot is not None else None
    carrier = snapshot.model.volume if snapshot is not None else None
    return Source(carrier, served=False) if carrier is not None else None


def grow_only(block: Block, desired: Desired) -> dict[str, int]:
    """Nothing can be cut off a volume without cutting into what is on it: a smaller one is another one."""
    size = storage.volume_size(block.members[0], desired) if block.members else 0
    return {"size": size} if size else {}


def usage(block: Block, desired: Desired) -> dict[str, int]:
    return {"storage": storage.volume_size(block.members[0], desired)}


def contribute(block: Block, members: Sequence[Member], _world: World) -> Iterator[Contribution]:
    model: Volume = block.model
    if model.from_ is not None and model.from_.image is not None:
        hosts = tuple({member.host for member in members})
        yield Contribution(model.from_.image, "user", {"hosts": hosts, "user": str(block.members[0].block)})


def realise(block: Block, members: Sequence[Member], world: World) -> Iterator[Mapping[str, Want]]:
    model: Volume = block.model
    fields: dict[str, Any] = {
        "shareable": model.shareable,
        "size": storage.volume_size(block.members[0], world.desired),
    }
    if model.from_ is not None:
        fields["origin"] = _origin(model.from_, world, block.project)
    if model.qos is not None:
        fields["qos"] = plain(model.qos)
    bodies: dict[str, Body] = {}
    for member in members:
        body = bodies.get(member.host)
        if body is None:
            pool = storage.place(model, member.host, world.hosts)
            body = Body.of(
                {**fields, "format": storage.best_format(model.format, pool, shareable=model.shareable), "pool": pool}
            )
            bodies[member.host] = body
        yield {member.host: Want.of(body, {"name": str(member.address), "uuid": member.leases["uuid"]})}


def _origin(origin: VolumeSource, world: World, project: str) -> dict[str, Any]:
    if origin.backup:  # of its own project, whatever is written: the host that keeps it looks for this address
        of, _at, name = origin.backup.rpartition("@")
        return {"backup": {"of": f"{project}/{of}", "id": name}}
    if origin.image is not None:
        return {"image": images.reference(origin.image, world)}
    source = origin.snapshot or origin.volume
    if source is None:
        return {}
    block = world.desired.get(source)
    pool = ""
    if block is not None:
        carrier = world.desired.get(block.model.volume) if origin.snapshot else block
        pool = carrier.model.pool if carrier is not None else ""
    member = world.member(source)
    host = world.member(block.model.volume).host if origin.snapshot and block is not None else member.host
    what = "snapshot" if origin.snapshot else "volume"
    described = {
        "address": str(source),
        "pool": storage.location(pool, host, world.hosts),
        "uuid": member.leases["uuid"],
    }
    if origin.snapshot and block is not None:
        described["volume_uuid"] = world.member(block.model.volume).leases["uuid"]
    return {what: described}


def reverted(want: Mapping[str, Any], snapshot: Address, fields: Mapping[str, Any], serial: int) -> Mapping[str, Any]:
    origin = {
        "address": str(snapshot),
        "pool": fields["pool"],
        "uuid": fields["uuid"],
        "volume_uuid": want["uuid"],
        "asked": serial,
    }
    return {**want, "origin": {"snapshot": origin}}


def facts(block: Block, member: Member, world: World) -> dict[str, Any]:
    model: Volume = block.model
    users = [fact["user"] for fact in world.contributions(member.address, "user")]
    return {
        "name": member.address.label,
        "uuid": member.leases["uuid"],
        "size": storage.volume_size(member.address, world.desired),
        "pool": model.pool,
        "host": member.host,
        "users": users,
        # What a guest finds under /dev/disk/by-id: virtio disks show 20 characters of their serial number.
        "device": f"/dev/disk/by-id/virtio-{member.leases['uuid'][:20]}",
    }


def metered(fields: Mapping[str, Any], _refers: Sequence[Address]) -> dict[str, int]:
    return {f"volumes:{fields['pool']['name']}": int(fields["size"])}


def saved(fields: Mapping[str, Any]) -> SavedDisk:
    return SavedDisk(fields["uuid"], int(fields["size"]))


def extent(block: Block) -> int | Address:
    model: Volume = block.model
    if model.size is not None:
        return int(model.size)
    origin = model.from_
    return (origin.volume or origin.snapshot or origin.image or 0) if origin is not None else 0


def host_needs(fields: Mapping[str, Any]) -> HostNeeds:
    image = (fields.get("origin") or {}).get("image")
    asked = (VOLUMES, QCOW2) if fields.get("format") == "qcow2" else (VOLUMES,)
    return HostNeeds(
        amounts=storage.taken(fields.get("pool"), int(fields.get("size", 0))),
        beside=(image["address"],) if image else (),
        unable=refusal(fields.get("pool"), *asked),
    )
