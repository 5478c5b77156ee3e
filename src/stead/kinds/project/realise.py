"""What is recorded of a project, and its default group where hosts need it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from stead.desired import Block
from stead.kind import Member, World
from stead.kinds import filtering
from stead.kinds.project.model import Project
from stead.kinds.recording import plain
from stead.want import Body, Want


def realise(block: Block, members: Sequence[Member], world: World) -> Iterator[Mapping[str, Want]]:
    """Instances that name no security group are in one all the same, which nobody wrote: it is the project's."""
    body = Body.of(plain(block.model))
    for member in members:
        own = {"name": str(member.address), "uuid": member.leases["uuid"]}
        found = {"": Want.of(body, own)}
        group = filtering.default_group(member.address.name)
        if world.desired.get(group) is None:
            hosts = filtering.hosts_of(group, world)
            if hosts:
                rules = filtering.compiled(filtering.default_rules(group), world)
                found |= dict.fromkeys(hosts, Want.of(Body.of({"default_group": {**rules, "name": str(group)}}), own))
        yield found


def facts(block: Block, member: Member, world: World) -> dict[str, Any]:
    model: Project = block.model
    return {
        "name": member.address.name,
        "uuid": member.leases["uuid"],
        "domain": model.domain or f"{member.address.name}.{world.desired.site.domain}",
        "members": [{"name": person.name, "role": person.role} for person in model.members],
    }
