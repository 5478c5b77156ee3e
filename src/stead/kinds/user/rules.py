"""That no two users have one name."""

from __future__ import annotations

from collections.abc import Iterator

from stead.core.address import Address
from stead.core.diagnostics import Code, Diagnostic
from stead.kinds.user.model import UserAccount
from stead.language.desired import Block, Desired

NAMED_TWICE = Code("STEAD-Q011", "two users have one name")


def check(block: Block, desired: Desired) -> Iterator[Diagnostic]:
    model: UserAccount = block.model
    for member in block.members:
        name = model.named(member.label)
        others = (one for other in desired.of_kind(block.kind) for one in other.members if _name(one, other) == name)
        first = next(others)
        if first != member:
            text = f"{first} has the name {name} already. Give one of the two another `login`, or remove it."
            yield NAMED_TWICE.at(block.place("login"), text, address=str(member))


def _name(member: Address, block: Block) -> str:
    model: UserAccount = block.model
    return model.named(member.label)
