"""What the host of a volume, or of an instance, should have of a snapshot of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from stead.core.address import Address
from stead.core.kind import HostNeeds, Member, World
from stead.core.want import Body, Want
from stead.drivers.storage import FREEZE, SNAPSHOTS, refusal
from stead.kinds.shared import storage
from stead.kinds.snapshot.model import Snapshot, source_of
from stead.kinds.snapshot.of_instance import main_pool
from stead.language.desired import Block


def realise(block: Block, members: Sequence[Member], world: World) -> Iterator[Mapping[str, Want]]:
    model: Snapshot = block.model
    source = source_of(model)
    member = world.member(source)
    fields = {"freeze": model.freeze, **_described(model, member, world)}
    what = "instance" if model.instance is not None else "volume"
    body = Body.of({**fields, what: {"address": str(source), "uuid": member.leases["uuid"]}})
    for one in members:
        yield {member.host: Want.of(body, {"name": str(one.address), "uuid": one.leases["uuid"]})}


def _described(model: Snapshot, source: Member, world: World) -> dict[str, Any]:
    """The pool and, of a volume, what it is kept as. Of an instance it is the pool that it boots from."""
    of = world.desired.get(source_of(model))
    if model.instance is not None:
        name = main_pool(of.model, world.desired) if of is not None else ""
        return {"pool": storage.location(name, source.host, world.hosts)}
    pool = storage.location(of.model.pool if of is not None else "", source.host, world.hosts)
    if of is None:
        return {"pool": pool}
    return {"pool": pool, "format": storage.best_format(of.model.format, pool, shareable=of.model.shareable)}


def metered(fields: Mapping[str, Any], _refers: Sequence[Address]) -> dict[str, int]:
    return {f"snapshots:{fields['pool']['name']}": 1}


def facts(block: Block, member: Member, world: World) -> dict[str, Any]:
    model: Snapshot = block.model
    source = source_of(model)
    return {
        "name": member.address.label,
        "uuid": member.leases["uuid"],
        "volume": str(model.volume or ""),
        "instance": str(model.instance or ""),
        "host": world.member(source).host,
    }


def extent(block: Block) -> int | Address:
    model: Snapshot = block.model
    return model.volume or 0


def host_needs(fields: Mapping[str, Any]) -> HostNeeds:
    source = fields.get("volume") or fields.get("instance")
    asked = (SNAPSHOTS, FREEZE) if fields.get("freeze") or "instance" in fields else (SNAPSHOTS,)
    return HostNeeds(beside=(source["address"],) if source else (), unable=refusal(fields.get("pool"), *asked))
