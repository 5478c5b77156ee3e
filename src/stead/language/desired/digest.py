"""The digest of Desired: the same for two specs exactly when every plan made of them is.

Order and style of what is written do not enter it; nor do places, comments, defaults that are written out, or variables
that nothing uses. Secrets enter by a keyed hash, so that it changes with them and does not give them away.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from stead.core.address import Address
from stead.core.blake2 import blake2b
from stead.core.fields import Expression, Secret
from stead.core.value import fields_of, is_value
from stead.core.want import canonical
from stead.language.desired.model import Block, Check, Export, KeptFacts, Output, Site
from stead.language.expressions import variables_used


class Shapes:
    """Values as JSON with one spelling each."""

    def __init__(self, key: bytes) -> None:
        self.key = key
        self._defaults: dict[type, tuple[tuple[str, Any], ...]] = {}

    def of(self, value: Any) -> Any:
        match value:
            case str() | int() | None:
                return value
            case Address():
                return f"@{value}"
            case tuple() | list():
                return [self.of(one) for one in value]
            case Mapping():
                return {str(name): self.of(one) for name, one in value.items()}
            case frozenset() | set():
                return sorted(canonical(self.of(one)) for one in value)
            case Secret():
                return {"$secret": self._sealed(value)}
            case Expression():
                return self._expression(value)
            case _ if is_value(type(value)):
                return self._record(value)
            case _:
                return repr(value)

    def _sealed(self, secret: Secret) -> str:
        import hmac  # with OpenSSL: only who has secrets pays for it

        return hmac.new(self.key, secret.reveal().encode(), "sha256").hexdigest()

    def _record(self, value: Any) -> Any:
        """Without what is as it would be unsaid: a new field of a kind leaves digests as they were."""
        cls = type(value)
        if cls not in self._defaults:
            self._defaults[cls] = tuple((name, one.default) for name, one in fields_of(cls).items())
        shape: dict[str, Any] = {"$": cls.__name__}
        for name, default in self._defaults[cls]:
            one = getattr(value, name)
            if one is not default and one != default:
                shape[name] = self.of(one)
        return shape

    def _expression(self, expression: Expression) -> Any:
        variables = expression.variables or {}
        used = variables_used(expression.text)
        read = {name: self.of(variables[name]) for name in (variables if used is None else used) if name in variables}
        return {"$late": expression.text, "prefix": expression.prefix, "vars": read}

    def block(self, block: Block) -> Any:
        each = block.each if block.late else None  # else what it gave is in the fields already
        keys = (
            [address.key for address in block.members] if len(block.members) < 2 or block.each else len(block.members)
        )
        name = [block.kind, block.project, block.name, keys]
        return [name, self.of(block.model), self.of(block.settings), self.of(each)]


def digest_of(
    key: bytes,
    site: Site,
    blocks: Iterable[Block],
    results: tuple[Iterable[Output], Iterable[Check], Iterable[Export]],
    renames: tuple[Mapping[Address, Address], frozenset[Address]],
    kept: Mapping[Block, KeptFacts],
) -> str:
    """`kept` has blocks that stay from reading to reading, which have no secrets, with their text where it is known."""
    shapes = Shapes(key)
    moved, forget = renames
    outputs, checks, exports = results
    found = blake2b(digest_size=16)
    for block in blocks:  # one by one: all of them in one text would be the largest thing in memory
        facts = kept.get(block)
        text = facts.text if facts is not None and facts.text else canonical(shapes.block(block)).encode()
        if facts is not None:
            facts.text = text
        found.update(text)
    rest = [
        shapes.of(site),
        sorted(canonical([one.name, shapes.of(one.value), one.description, one.secret]) for one in outputs),
        sorted(canonical([one.name, shapes.of(one.that), shapes.of(one.message), one.warning]) for one in checks),
        sorted([str(old), str(new)] for old, new in moved.items()),
        sorted(map(str, forget)),
    ]
    rest += sorted([one.project, one.name, canonical(shapes.of(one.value)), list(one.to)] for one in exports)
    found.update(canonical(rest).encode())
    return found.hexdigest()
