"""Somebody who uses the cloud, as the site's files say. `stead user set-password` gives a password."""

from collections.abc import Iterator, Mapping
from typing import Any

from stead.core.address import Address
from stead.core.kind import Kind, Member, PermittedPerson, Scope, World
from stead.kinds.shared.record_only import effects_of, recorded_only
from stead.kinds.user.model import UserAccount
from stead.kinds.user.rules import check
from stead.language.desired import Block


def facts(block: Block, member: Member, _world: World) -> Mapping[str, Any]:
    model: UserAccount = block.model
    return {"name": model.named(member.address.label), "email": model.email, "admin": model.admin}


def lets(address: Address, recorded: Mapping[str, Any]) -> Iterator[PermittedPerson]:
    name, role = recorded.get("login") or address.label, "admin" if recorded.get("admin") else "user"
    yield PermittedPerson(name, role, "", off=not recorded.get("enabled", True))


KIND = Kind(
    name="user",
    plural="users",
    scope=Scope.SITE,
    model=UserAccount,
    help="Somebody who uses the cloud. `stead user set-password` gives the password, which is never written here.",
    highlights=("login", "admin"),
    check=check,
    realise=recorded_only,
    lets=lets,
    facts=facts,
    seen={"name": "the name to log in with", "email": "the e-mail address", "admin": "whether it is an admin"},
    effects=effects_of(UserAccount),
)
