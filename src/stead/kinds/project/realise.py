"""What is recorded of a project, and its default group where hosts need it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from stead.core.address import Address
from stead.core.kind import Member, PermittedPerson, World
from stead.core.want import Body, Want
from stead.kinds.project.model import Project
from stead.kinds.shared import firewall
from stead.kinds.shared.record_only import plain
from stead.language.desired import Block


def realise(block: Block, members: Sequence[Member], world: World) -> Iterator[Mapping[str, Want]]:
    """Instances that name no security group are in one all the same, which nobody wrote: it is the project's."""
    body = Body.of(plain(block.model))
    for member in members:
        own = {"name": str(member.address), "uuid": member.leases["uuid"]}
        found = {"": Want.of(body, own)}
        group = firewall.default_group(member.address.name)
        if world.desired.get(group) is None:
            found |= firewall.on_hosts(group, world, partial(_of_hosts, group, world, own))
        yield found


def _of_hosts(group: Address, world: World, own: Mapping[str, Any], drivers: Mapping[str, Any]) -> Want:
    rules = firewall.compiled(firewall.default_rules(group), world)
    return Want.of(Body.of({"default_group": {**rules, **drivers, "name": str(group)}}), own)


def lets(address: Address, recorded: Mapping[str, Any]) -> Iterator[PermittedPerson]:
    for one in recorded.get("members", ()):
        yield PermittedPerson(one["name"], one["role"], address.name)


def facts(block: Block, member: Member, world: World) -> dict[str, Any]:
    model: Project = block.model
    return {
        "name": member.address.name,
        "uuid": member.leases["uuid"],
        "domain": model.domain or f"{member.address.name}.{world.desired.site.domain}",
        "members": [{"name": person.name, "role": person.role} for person in model.members],
    }
