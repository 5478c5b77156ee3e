"""A size of instances: virtual CPUs, memory and root disk."""

from collections.abc import Mapping
from typing import Any

from stead.core.kind import Kind, Member, Scope, World
from stead.kinds.flavor.model import Flavor
from stead.kinds.flavor.rules import check
from stead.kinds.shared.record_only import effects_of, plain, recorded_only
from stead.language.desired import Block


def facts(block: Block, member: Member, _world: World) -> Mapping[str, Any]:
    return {"name": member.address.label, **plain(block.model)}


KIND = Kind(
    name="flavor",
    plural="flavors",
    scope=Scope.EITHER,
    model=Flavor,
    help="A size of instances: virtual CPUs, memory and root disk.",
    highlights=("vcpus", "memory", "disk"),
    check=check,
    realise=recorded_only,
    facts=facts,
    seen={"name": "its name; of a member with the index or key: `web-0`"},
    effects=effects_of(Flavor),
)
