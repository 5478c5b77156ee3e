"""What the host of a volume should have of a snapshot of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from stead.core.address import Address
from stead.core.kind import HostNeeds, Member, World
from stead.core.want import Body, Want
from stead.drivers.storage import FREEZE, SNAPSHOTS, refusal
from stead.kinds.shared import storage
from stead.kinds.snapshot.model import Snapshot
from stead.language.desired import Block


def realise(block: Block, members: Sequence[Member], world: World) -> Iterator[Mapping[str, Want]]:
    model: Snapshot = block.model
    volume = world.member(model.volume)
    of = world.desired.get(model.volume)
    pool = storage.location(of.model.pool if of is not None else "", volume.host, world.hosts)
    fields: dict[str, Any] = {
        "freeze": model.freeze,
        "pool": pool,
        "volume": {"address": str(model.volume), "uuid": volume.leases["uuid"]},
    }
    if of is not None:
        fields["format"] = storage.best_format(of.model.format, pool, shareable=of.model.shareable)
    body = Body.of(fields)
    for member in members:
        yield {volume.host: Want.of(body, {"name": str(member.address), "uuid": member.leases["uuid"]})}


def metered(fields: Mapping[str, Any], _refers: Sequence[Address]) -> dict[str, int]:
    return {f"snapshots:{fields['pool']['name']}": 1}


def facts(block: Block, member: Member, world: World) -> dict[str, Any]:
    model: Snapshot = block.model
    return {
        "name": member.address.label,
        "uuid": member.leases["uuid"],
        "volume": str(model.volume),
        "host": world.member(model.volume).host,
    }


def extent(block: Block) -> Address:
    model: Snapshot = block.model
    return model.volume


def host_needs(fields: Mapping[str, Any]) -> HostNeeds:
    volume = fields.get("volume")
    asked = (SNAPSHOTS, FREEZE) if fields.get("freeze") else (SNAPSHOTS,)
    return HostNeeds(beside=(volume["address"],) if volume else (), unable=refusal(fields.get("pool"), *asked))
