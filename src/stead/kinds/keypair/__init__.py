"""A public SSH key that instances accept at their first boot."""

from collections.abc import Mapping
from typing import Any

from stead.core.kind import Kind, Member, QuotaWord, Scope, World
from stead.kinds.keypair.model import Keypair
from stead.kinds.keypair.rules import check
from stead.kinds.shared.record_only import effects_of, recorded_only
from stead.language.desired import Block


def facts(block: Block, member: Member, _world: World) -> Mapping[str, Any]:
    return {"name": member.address.label, "public_key": block.model.public_key}


KIND = Kind(
    name="keypair",
    plural="keypairs",
    scope=Scope.EITHER,
    model=Keypair,
    help="A public SSH key that instances accept at their first boot.",
    highlights=("fingerprint",),
    check=check,
    realise=recorded_only,
    quota={"keypairs": QuotaWord("Key pairs")},
    facts=facts,
    seen={"name": "its name; of a member with the index or key: `web-0`", "public_key": "the public key"},
    effects=effects_of(Keypair),
)
