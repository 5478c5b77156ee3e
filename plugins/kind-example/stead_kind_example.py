"""Notices: a text that people see when they log in to a host. What a user may write, and what hosts should have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Literal

from stead.core.effect import IN_PLACE, NAMED
from stead.core.fields import Example, Text
from stead.core.kind import Kind, Member, Scope, World
from stead.core.value import value
from stead.core.want import Body, Want
from stead.language.desired import Block


@value
class Notice:
    text: Annotated[str, Text(lines=True, longest=2000), "What is shown", Example("Managed by Stead.")]
    role: Annotated[
        Literal["controller", "compute", "network", "storage"] | None, "Hosts that show it; left out, all of them"
    ] = None


def realise(block: Block, members: Sequence[Member], world: World) -> Iterator[Mapping[str, Want]]:
    model: Notice = block.model
    body = Body.of({"text": model.text})
    hosts = [name for name, host in world.hosts.items() if model.role is None or model.role in host.roles]
    for member in members:
        want = Want.of(body, {"name": str(member.address), "uuid": member.leases["uuid"]})
        yield dict.fromkeys(sorted(hosts), want) or {"": want}


KIND = Kind(
    name="notice",
    plural="notices",
    scope=Scope.SITE,
    model=Notice,
    help="A text that people see when they log in to a host.",
    wire="ansible_collections.stead.site.plugins.module_utils.notice_wire",
    highlights=("text",),
    realise=realise,
    effects={**NAMED, "text": IN_PLACE},
)
