"""Variables: declared with a type, given from outside, evaluated in the order in which they use each other."""

from __future__ import annotations

from typing import Any

from stead.core.diagnostics import Code, Diagnostic
from stead.core.fields import Secret
from stead.core.value import fields_of
from stead.language import document
from stead.language.desired.declared import TEXTS, Declared, badly_declared, shown, wrong
from stead.language.desired.generated import generated
from stead.language.document import Node, Scalar
from stead.language.expressions import (
    BoundExceeded,
    evaluate,
    names_used,
    revealed,
    uses_secret,
    variables_used,
    without_secrets,
)
from stead.language.reading import Reading, nearest, read_model
from stead.language.reading.readers import FAILED
from stead.language.spec import Given, VariableScope
from stead.language.vault import Vault

__all__ = ["Declared", "Variables"]

UNKNOWN = Code("STEAD-L030", "no such variable")
UNSET = Code("STEAD-L031", "a variable has no value")
INVALID = Code("STEAD-L032", "a variable's value is not allowed")
CYCLE = Code("STEAD-L033", "variables depend on each other")
FAILED_EXPRESSION = Code("STEAD-L034", "an expression cannot be evaluated")
BAD_DECLARATION = Code("STEAD-L035", "invalid declaration of a variable")

_FIELDS = frozenset(fields_of(Declared))


class Variables:
    """The variables of one environment, each evaluated when it is first needed."""

    def __init__(
        self, environment: VariableScope, vault: Vault, key: bytes, found: list[Diagnostic], above: Variables | None
    ) -> None:
        self.environment, self.vault, self.found, self.above = environment, vault, found, above
        self._key = key  # of the site, for what is generated
        self.values: dict[str, Any] = {}
        self._open: list[str] = []

    def all(self) -> dict[str, Any]:
        for name, given in self.environment.given.items():
            if name not in self.environment.declared:
                text = f"{name!r} is set by {given.source}, but not declared under `vars`."
                where = given.node.place
                self.found.append(UNKNOWN.at(where, text + nearest(name, self.environment.declared)))
        for name in self.environment.declared:
            self.value(name)
        return self.values

    def value(self, name: str) -> Any:
        if name in self.values:
            return self.values[name]
        node = self.environment.declared[name]
        if name in self._open:
            ring = " uses ".join([*self._open[self._open.index(name) :], name])
            self.found.append(
                CYCLE.at(node.place, f"{ring}. Give one of them a value that does not depend on the others.")
            )
            self.values[name] = None
            return None
        self._open.append(name)
        value = self._settle(name, node)
        self._open.pop()
        self.values.setdefault(name, value)
        return self.values[name]

    def _settle(self, name: str, node: Node) -> Any:
        declared, default = self._declaration(node)
        if declared is None:
            return None
        given = self.environment.given.get(name)
        if given is None and default is None and declared.hidden and (self.vault.alone or not self._key):
            return Secret("")
        if given is None and declared.generate is not None:
            return self._checked(name, declared, generated(declared.generate, self._key, self.environment, name), node)
        if given is None and default is None:
            text = f"{name!r} has no default and none was given. Give one with -e {name}=…, or write a default."
            self.found.append(UNSET.at(node.place, text))
            return None
        if given is not None:
            return self._checked(name, declared, self._given(given, declared), given.node)
        assert default is not None  # noqa: S101 - one of the two is there
        return self._checked(name, declared, self.evaluated(default), default)

    def _declaration(self, node: Node) -> tuple[Declared | None, Node | None]:
        """What is said of a variable, and its default, which is read apart: it may use other variables."""
        if not isinstance(node, document.Mapping) or not set(node.entries) & _FIELDS:
            return Declared(), node
        from stead.language.desired.scope import Nothing

        reading = Reading(Nothing())
        declared = read_model(Declared, node.without({"default"}), reading)
        self.found += reading.found
        if declared is FAILED:
            return None, None
        field, why = badly_declared(declared)
        if field:
            self.found.append(BAD_DECLARATION.at(node.place_of(field), why))
            return None, None
        default = node.child("default")
        if len(values := [one for one in ("file", "generate", "default") if one in node.entries]) > 1:
            text = f"It has more than one value. Leave one of {', '.join(values)}."
            self.found.append(BAD_DECLARATION.at(node.place_of(values[-1]), text))
            return None, None
        return declared, default

    def _given(self, given: Given, declared: Declared) -> Any:
        if given.text is not None:
            return self._typed(given, given.text, declared)
        return (self.above if given.environment is not None and self.above is not None else self).evaluated(given.node)

    def _typed(self, given: Given, text: str, declared: Declared) -> Any:
        """The text of `-e`: YAML, unless text is what is needed."""
        if not _is_text(text):
            self.found.append(INVALID.at(given.node.place, "It is not UTF-8 text. Give it in a file of variables."))
            return None
        if declared.type in TEXTS:
            return text
        from stead.language.document.parser import read

        node, found = read(text.encode(), given.node.file)
        self.found += found
        return None if node is None or found else self.evaluated(node)

    def evaluated(self, node: Node) -> Any:
        """The value of a node in which scalars may be expressions over other variables, or vaulted."""
        match node:
            case document.Mapping():
                return {word: self.evaluated(below) for word, below in node.entries.items()}
            case document.Sequence():
                return [self.evaluated(item) for item in node.items]
            case Scalar(tag=document.VAULT):
                return self.vault.open(node, self.found)
            case Scalar() if node.computes:
                return self._expression(node)
            case _:
                return document.plain(node)

    def _expression(self, node: Scalar) -> Any:
        secret = False
        try:
            project = self.environment.project
            known = {"vars", "project"} if project else {"vars"}
            unknown = names_used(node.text) - known
            if unknown:
                names = ", ".join(sorted(unknown))
                text = f"{names} cannot be used here: variables may use {' and '.join(sorted(known))}."
                self.found.append(FAILED_EXPRESSION.at(node.place, text))
                return None
            used = variables_used(node.text)
            for name in self.environment.declared if used is None else used & self.environment.declared.keys():
                self.value(name)
            secret = uses_secret(node.text, self.values)
            value = evaluate(node.text, {"vars": revealed(self.values), "project": project})
            return Secret(str(value)) if secret else value
        except BoundExceeded as failure:
            text = without_secrets(str(failure)) if secret else str(failure)
            self.found.append(FAILED_EXPRESSION.at(node.place_within(failure.line), text))
            return None

    def _checked(self, name: str, declared: Declared, value: Any, node: Node) -> Any:
        if value is None:
            return None
        plain = revealed(value)
        why = wrong(declared, plain)
        if why:
            seen = "its value" if declared.hidden else shown(value)
            self.found.append(INVALID.at(node.place, declared.message or f"{name!r}: {seen} {why}."))
        return Secret(str(plain)) if declared.hidden and not isinstance(value, Secret) else value


def _is_text(text: str) -> bool:
    """What a shell hands over may be any bytes; Python keeps those that are no text as halves of characters."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
