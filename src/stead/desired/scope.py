"""What names mean inside a block: references, variables, `each` and `index`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from stead.address import Address
from stead.diagnostics import Code, Diagnostic, Place
from stead.document import Scalar
from stead.expressions import EARLY, Failed, evaluate, names_used, revealed, uses_secret
from stead.fields import Expression, Ref, Secret
from stead.reading.context import nearest
from stead.value import field, mutable
from stead.vault import Vault

UNKNOWN = Code("STEAD-R001", "no such resource")
WHICH = Code("STEAD-R002", "one of several must be named")
BAD_EXPRESSION = Code("STEAD-L050", "an expression cannot be evaluated")
UNKNOWN_NAME = Code("STEAD-L051", "an expression uses a name that is not known here")
TOO_EARLY = Code("STEAD-L052", "an expression needs a choice that is not made yet")

LATE = EARLY | {"this", "projects", "site"}
_REFERENCE = re.compile(r"(?P<name>[A-Za-z0-9._-]+)(\[(?P<key>[^\]]+)\])?")

Keys = tuple[int | str, ...] | None  # None for what is not counted
Names = Mapping[tuple[str, str], Mapping[str, Keys]]  # (project, kind) -> name -> keys


class Nothing:
    """A scope in which nothing may be named: for what is read before there are names."""

    def refer(self, text: str, ref: Ref, place: Place, found: list[Diagnostic]) -> Address | None:
        del ref
        found.append(UNKNOWN.at(place, f"{text!r} cannot be named here."))
        return None

    def evaluate(self, node: Scalar, found: list[Diagnostic]) -> Any:
        found.append(UNKNOWN_NAME.at(node.place, "No expression can stand here. Write the value itself."))

    def keep(self, node: Scalar, path: str, found: list[Diagnostic]) -> Expression | Secret | None:
        del found
        return Expression(node.text, path, node.place)

    def decrypt(self, node: Scalar, found: list[Diagnostic]) -> Secret | None:
        found.append(UNKNOWN_NAME.at(node.place, "A vaulted value cannot stand here."))
        return None


@mutable
class BlockScope:
    """Reading changes two things: `varies`, and the secrets met."""

    project: str
    prefix: str
    names: Names
    kinds: frozenset[str]
    variables: Mapping[str, Any]
    vault: Vault
    labels: Mapping[str, str] = field(default_factory=dict)
    each: Mapping[str, Any] | None = None
    index: int | str | None = None
    varies: bool = False  # an early expression looked at `each` or `index`
    secrets: list[Secret] = field(default_factory=list)

    def refer(self, text: str, ref: Ref, place: Place, found: list[Diagnostic]) -> Address | None:
        match = _REFERENCE.fullmatch(text)
        wanted = match["name"] if match else text
        for project in dict.fromkeys((self.project, "")):
            known = self.names.get((project, ref.kind), {})
            for name in dict.fromkeys((self.prefix + wanted, wanted)):
                if match and name in known:
                    return self._member(Address(project, ref.kind, name), match["key"], known[name], ref, place, found)
        every = {**self.names.get(("", ref.kind), {}), **self.names.get((self.project, ref.kind), {})}
        listed = f" There are {', '.join(sorted(every)[:8])}." if 0 < len(every) <= 8 else ""
        hint = nearest(wanted, every)
        text = f"There is none of {ref.kind} named {text!r} in this project or at the site.{hint}{listed}"
        found.append(UNKNOWN.at(place, text))
        return None

    def _member(
        self, address: Address, key: str | None, keys: Keys, ref: Ref, place: Place, found: list[Diagnostic]
    ) -> Address | None:
        if keys is None:
            if key is None:
                return address
            found.append(UNKNOWN.at(place, f"{address} is not counted: write {address.name!r} without [{key}]."))
            return None
        if key is None:
            if ref.many:
                return address
            first = f"{address.name}[{keys[0]}]" if keys else "none, as its count is 0"
            text = f"{address} has {len(keys)} members, and one of them is meant: write {first}, say."
            found.append(WHICH.at(place, text))
            return None
        chosen: int | str = int(key) if key.isdigit() else key
        if chosen in keys:
            return address._replace(key=chosen)
        span = f"0 to {len(keys) - 1}" if keys and isinstance(keys[0], int) else ", ".join(map(str, keys[:8]))
        found.append(UNKNOWN.at(place, f"{address} has no member {key!r}: there are {span or 'none'}."))
        return None

    def evaluate(self, node: Scalar, found: list[Diagnostic]) -> Any:
        try:
            used = names_used(node.text)
            if used & (self.kinds | {"this", "projects"}):
                name = min(used & (self.kinds | {"this", "projects"}))
                text = (
                    f"{name!r} stands for what is chosen in the plan, and this field is needed to choose. Only fields "
                    "such as cloud_init.user_data, outputs and checks may use it."
                )
                found.append(TOO_EARLY.at(node.place, text))
                return None
            if not self._known(used, EARLY, node, found):
                return None
            self.varies |= bool(used & {"each", "index"})
            value = evaluate(node.text, self._early())
            return self._secret(str(value)) if uses_secret(node.text, self.variables) else value
        except Failed as failure:
            found.append(BAD_EXPRESSION.at(node.place, str(failure)))
            return None

    def keep(self, node: Scalar, path: str, found: list[Diagnostic]) -> Expression | Secret | None:
        try:
            used = names_used(node.text)
            if not self._known(used, LATE | self.kinds, node, found):
                return None
            secret = uses_secret(node.text, self.variables)
            return Expression(node.text, path, node.place, secret=secret)
        except Failed as failure:
            found.append(BAD_EXPRESSION.at(node.place, str(failure)))
            return None

    def decrypt(self, node: Scalar, found: list[Diagnostic]) -> Secret | None:
        secret = self.vault.open(node, found)
        return None if secret is None else self._secret(secret.reveal())

    def _known(self, used: frozenset[str], known: frozenset[str], node: Scalar, found: list[Diagnostic]) -> bool:
        unknown = sorted(used - known)
        if unknown:
            names = ", ".join(unknown)
            text = f"{names} is not known here.{nearest(unknown[0], known)} Variables are written vars.{unknown[0]}."
            found.append(UNKNOWN_NAME.at(node.place, text))
        return not unknown

    def _early(self) -> dict[str, Any]:
        each = None
        if self.each is not None and self.index is not None:
            each = {"key": self.index, "value": self.each.get(str(self.index))}
        return {
            "vars": revealed(self.variables),
            "project": self.project,
            "labels": self.labels,
            "each": each,
            "index": self.index,
        }

    def _secret(self, text: str) -> Secret:
        secret = Secret(text)
        self.secrets.append(secret)
        return secret
