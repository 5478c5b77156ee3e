"""Somebody who uses the cloud, as the site's files say. `stead user set-password` gives a password."""

from collections.abc import Mapping
from typing import Any

from stead.core.kind import Kind, Member, Scope, World
from stead.kinds.shared.record_only import effects_of, recorded_only
from stead.kinds.user.model import UserAccount
from stead.kinds.user.rules import check
from stead.language.desired import Block


def facts(block: Block, member: Member, _world: World) -> Mapping[str, Any]:
    model: UserAccount = block.model
    return {"name": model.named(member.address.label), "email": model.email, "admin": model.admin}


KIND = Kind(
    name="user",
    plural="users",
    scope=Scope.SITE,
    model=UserAccount,
    help="Somebody who uses the cloud. `stead user set-password` gives the password, which is never written here.",
    highlights=("login", "admin"),
    check=check,
    realise=recorded_only,
    facts=facts,
    seen={"name": "the name to log in with", "email": "the e-mail address", "admin": "whether it is an admin"},
    effects=effects_of(UserAccount),
)
