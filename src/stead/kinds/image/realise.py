"""What controllers and the hosts that use an image should have of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from stead.core.kind import Member, World
from stead.core.observed import Host
from stead.core.want import Body, Want
from stead.kinds.image.model import Image
from stead.kinds.shared import images
from stead.kinds.shared.memoize_last import memoize_last
from stead.language.desired import Block


def _controllers(hosts: Mapping[str, Host]) -> tuple[str, ...]:
    return tuple(sorted(name for name, host in hosts.items() if "controller" in host.roles))


controllers = memoize_last(_controllers)


def realise(block: Block, members: Sequence[Member], world: World) -> Iterator[Mapping[str, Want]]:
    """Controllers fetch and check it; the others take it from the first controller."""
    model: Image = block.model
    format_, compression = images.forms(model.source, model.format, model.compression)
    fields: dict[str, Any] = {"compression": compression, "format": format_, "source": model.source}
    if model.checksum is not None:
        fields["checksum"] = model.checksum.lower()
    if model.size is not None:
        fields["size"] = model.size
    keepers = controllers(world.hosts)
    kept = Body.of(fields | {"keeps": True})
    server = {"from": {"host": keepers[0], "server": world.hosts[keepers[0]].underlay}} if keepers else {}
    used = Body.of(fields | {"keeps": False} | server)
    for member in members:
        own = {"name": str(member.address), "uuid": member.leases["uuid"]}
        on_keeper, on_user = Want.of(kept, own), Want.of(used, own)
        users = {host for fact in world.contributions(member.address, "user") for host in fact["hosts"] if host}
        found = dict.fromkeys(sorted(users), on_user) | dict.fromkeys(keepers, on_keeper)
        yield found or {"": on_keeper}


def facts(block: Block, member: Member, _world: World) -> dict[str, Any]:
    model: Image = block.model
    return {
        "name": member.address.label,
        "uuid": member.leases["uuid"],
        "source": model.source,
        "checksum": model.checksum or "",
        "user": model.user or "",
        "os": model.os or "",
    }


def extent(block: Block) -> int:
    model: Image = block.model
    return max(model.size or 0, model.min_disk or 0)
