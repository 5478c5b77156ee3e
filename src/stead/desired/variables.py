"""Variables: declared with a type, given from outside, evaluated in the order in which they use each other."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from stead import document
from stead.diagnostics import Code, Diagnostic
from stead.document import Node, Scalar
from stead.expressions import Failed, evaluate, has_expression, names_used, revealed, uses_secret, variables_used
from stead.fields import Anything, Example, Secret, Text
from stead.reading import Reading, nearest, read_model
from stead.reading.context import kind_of
from stead.reading.models import FAILED
from stead.reading.scalars import UNITS
from stead.spec import Environment, Given
from stead.value import value
from stead.vault import Vault

UNKNOWN = Code("STEAD-L030", "no such variable")
UNSET = Code("STEAD-L031", "a variable has no value")
INVALID = Code("STEAD-L032", "a variable's value is not allowed")
CYCLE = Code("STEAD-L033", "variables that use each other")
FAILED_EXPRESSION = Code("STEAD-L034", "an expression cannot be evaluated")

_FIELDS = frozenset({"type", "default", "description", "secret", "choices", "pattern", "min", "max", "message"})
_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "number": (int, float),
    "integer": (int,),
    "bool": (bool,),
    "list": (list,),
    "map": (dict,),
    "size": (str,),
}


@value
class Declared:
    """What is said of a variable. `name: value` alone declares a default."""

    type: Annotated[
        Literal["string", "number", "integer", "bool", "list", "map", "size", "any"], "Type of its value"
    ] = "any"
    default: Annotated[Any, Anything(late=True), "Value when none is given; without one it must be"] = None
    description: Annotated[str, Text(), "For people"] = ""
    secret: Annotated[bool, "Never shown, never stored"] = False
    choices: Annotated[tuple[Any, ...], Anything(), "Possible values", Example(["small", "large"])] = ()
    pattern: Annotated[str, Text(), "A regular expression that the whole text must match"] = ""
    min: Annotated[float | None, "Least number, or shortest text or list"] = None
    max: Annotated[float | None, "Greatest number, or longest text or list"] = None
    message: Annotated[str, Text(), "What to say of a value that is not allowed"] = ""


class Variables:
    """The variables of one environment, each evaluated when it is first needed."""

    def __init__(
        self, environment: Environment, vault: Vault, found: list[Diagnostic], above: Variables | None
    ) -> None:
        self.environment, self.vault, self.found, self.above = environment, vault, found, above
        self.values: dict[str, Any] = {}
        self._open: list[str] = []

    def all(self) -> dict[str, Any]:
        for name, given in self.environment.given.items():
            if name not in self.environment.declared:
                text = f"{name!r} is given by {given.source}, but not declared under `vars`."
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
            self.found.append(CYCLE.at(node.place, f"{ring}. One of them needs a value of its own."))
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
        if given is None and default is None:
            text = f"{name!r} has no default and none was given. Give one with -e {name}=…, or write a default."
            self.found.append(UNSET.at(node.place, text))
            return None
        value = self._given(given) if given is not None else self.evaluated(default) if default is not None else None
        return self._checked(name, declared, value, given.node if given else node)

    def _declaration(self, node: Node) -> tuple[Declared | None, Node | None]:
        if isinstance(node, document.Mapping) and node.entries and set(node.entries) & _FIELDS:
            from stead.desired.scope import Nothing

            reading = Reading(Nothing())
            declared = read_model(Declared, node, reading)
            self.found += reading.found
            return (None if declared is FAILED else declared), node.child("default")
        return Declared(), node

    def _given(self, given: Given) -> Any:
        return (self.above if given.environment is not None and self.above is not None else self).evaluated(given.node)

    def evaluated(self, node: Node) -> Any:
        """The value of a node in which scalars may be expressions over other variables, or vaulted."""
        match node:
            case document.Mapping():
                return {word: self.evaluated(below) for word, below in node.entries.items()}
            case document.Sequence():
                return [self.evaluated(item) for item in node.items]
            case Scalar(tag=document.VAULT):
                return self.vault.open(node, self.found)
            case Scalar() if has_expression(node.text):
                return self._expression(node)
            case _:
                return document.plain(node)

    def _expression(self, node: Scalar) -> Any:
        try:
            unknown = names_used(node.text) - {"vars", "project"}
            if unknown:
                names = ", ".join(sorted(unknown))
                text = f"{names} cannot be used here: variables may use `vars` and `project`."
                self.found.append(FAILED_EXPRESSION.at(node.place, text))
                return None
            used = variables_used(node.text)
            for name in self.environment.declared if used is None else used & self.environment.declared.keys():
                self.value(name)
            scope = {"vars": revealed(self.values), "project": self.environment.project}
            value = evaluate(node.text, scope)
            return Secret(str(value)) if uses_secret(node.text, self.values) else value
        except Failed as failure:
            self.found.append(FAILED_EXPRESSION.at(node.place, str(failure)))
            return None

    def _checked(self, name: str, declared: Declared, value: Any, node: Node) -> Any:
        if value is None:
            return None
        plain = value.reveal() if isinstance(value, Secret) else value
        wrong = _wrong(declared, plain)
        if wrong:
            shown = "its value" if declared.secret or isinstance(value, Secret) else kind_of(node)
            text = declared.message or f"{name!r}: {shown} {wrong}."
            self.found.append(INVALID.at(node.place, text))
        return Secret(str(plain)) if declared.secret and not isinstance(value, Secret) else value


def _wrong(declared: Declared, value: Any) -> str:
    """What is wrong with a value, or nothing."""
    types = _TYPES.get(declared.type)
    if types is not None and (not isinstance(value, types) or (isinstance(value, bool) and bool not in types)):
        return f"is not of type {declared.type}"
    if declared.type == "size" and not re.fullmatch(rf"[0-9.]+\\s*({'|'.join(UNITS)})", str(value)):
        return "is not a size such as 10GiB"
    if declared.choices and value not in declared.choices:
        return f"is none of {', '.join(map(str, declared.choices))}"
    if declared.pattern and not re.fullmatch(declared.pattern, str(value)):
        return f"does not match {declared.pattern}"
    measure = len(value) if isinstance(value, str | list | dict) else value
    if declared.min is not None and measure < declared.min:
        return f"is below the least, {declared.min:g}"
    if declared.max is not None and measure > declared.max:
        return f"is above the most, {declared.max:g}"
    return ""
